"""Lines of a terminal with styled parts; rich, which is loaded for nothing else, colours them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

# bell, backspace, vertical tab, form feed and carriage return would move what stands beside them
_UNSEEN = dict.fromkeys((7, 8, 11, 12, 13))


@dataclass(slots=True)
class Line:
    """A text with a style, and parts of it with another: (from, to, style), the last one counts."""

    plain: str = ""
    style: str = ""
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plain = self.plain.translate(_UNSEEN)

    def __len__(self) -> int:
        return len(self.plain)

    def append(self, text: str, style: str = "") -> Line:
        """The same line, longer by a text."""
        text = text.translate(_UNSEEN)
        if style:
            self.spans.append((len(self), len(self) + len(text), style))
        self.plain += text
        return self

    def append_line(self, other: Line) -> Line:
        """The same line, longer by another one with its styles."""
        at = len(self)
        self.append(other.plain, other.style)
        self.spans += [(at + first, at + last, style) for first, last, style in other.spans]
        return self

    def stylize(self, style: str, first: int, last: int) -> None:
        """Give a part a style."""
        self.spans.append((first, last, style))


def printed(lines: Iterable[Line], width: int, color: bool) -> str:
    """Lines as a terminal takes them, none with blanks at its end."""
    text = _coloured(lines, width) if color else "".join(f"{line.plain}\n" for line in lines)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _coloured(lines: Iterable[Line], width: int) -> str:
    from rich.console import Console
    from rich.text import Span, Text

    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        soft_wrap=True,
    )
    with console.capture() as captured:
        for line in lines:
            text = Text(line.plain, line.style, spans=[Span(*span) for span in line.spans])
            console.print(text, soft_wrap=True)
    return captured.get()
