"""Numbers and words as people read them; nothing here knows a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from taxcheck.model import vocabulary

# All in Unicode's categories Cc, but line ends and tabs, and Cs; all that is a Bidi_Control.
_UNSHOWN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def clean(text: object) -> str:
    """Text without control characters, direction overrides and lone surrogates.

    A taxon name may hold an escape sequence that would repaint a terminal, or an override that
    would reverse the rest of its line.
    """
    said = str(text)
    if said.isascii() and said.isprintable():  # most are, and pages clean thousands of them
        return said
    return _UNSHOWN.sub("\ufffd", said)


def clip(text: object, limit: int) -> str:
    """At most ``limit`` characters; what is cut is marked by an ellipsis."""
    kept = clean(text)
    return kept if len(kept) <= limit else kept[: max(limit - 1, 0)].rstrip() + "…"


def one_line(text: object, limit: int | None = None) -> str:
    """The text in one line, of at most ``limit`` characters."""
    return " ".join((clean(text) if limit is None else clip(text, limit)).split())


def sentence(text: object, limit: int) -> str:
    """Clipped prose in which a number and its percent sign stay on one line."""
    return re.sub(r"(?<=\d) %", "\u00a0%", clip(text, limit))


def clip_middle(text: object, limit: int) -> str:
    """At most ``limit`` characters, both ends kept: a lineage says most at its ends."""
    kept = clean(text)
    if len(kept) <= limit:
        return kept
    head = limit // 3
    return f"{kept[:head].rstrip()} … {kept[-(limit - head - 3) :].lstrip()}"


def number(value: object) -> str:
    """Any plain value: numbers as everywhere, yes and no, text cleaned."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return vocabulary.number(value) if isinstance(value, int | float) else clean(value)


def size(count: int) -> str:
    """Bytes in decimal units."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds, with minutes where there are some."""
    if 0 < seconds < 0.05:
        return "< 0.1 s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def observed(value: object) -> str:
    """An observed value in one line, whatever its shape."""
    if isinstance(value, Mapping):
        return "; ".join(f"{clean(k)}: {observed(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(observed(v) for v in value) or "none"
    return number(value)


def slug(value: str) -> str:
    """The anchor of a rule's section."""
    return "rule-" + (re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-") or "unnamed")


def words(key: str) -> str:
    """A key of the statistics as words: ``max_depth`` becomes ``max depth``."""
    return clean(key).replace("_", " ")


class Part(NamedTuple):
    """A stretch of prose: plain words, code, or the address of a reference."""

    kind: str  # "text" | "code" | "link"
    text: str


class Block(NamedTuple):
    """A paragraph, a listing or the items of a list."""

    kind: str  # "p" | "pre" | "ul"
    items: tuple[tuple[Part, ...], ...]


_PART = re.compile(r"``(?P<code>[^`]+)``|`(?P<one>[^`]+)`|(?P<link>https?://[^\s<>\"')\]]*[\w/])")


def parts(text: str) -> tuple[Part, ...]:
    """Prose cut at its code and its links, so that a template can escape each piece."""
    found: list[Part] = []
    end = 0
    for match in _PART.finditer(text):
        if match.start() > end:
            found.append(Part("text", text[end : match.start()]))
        kind = "link" if match["link"] else "code"
        found.append(Part(kind, match["code"] or match["one"] or match["link"]))
        end = match.end()
    if end < len(text):
        found.append(Part("text", text[end:]))
    return tuple(found)


def bare(text: str) -> str:
    """Prose without the marks of its code, for terminals and machines."""
    return "".join(part.text for part in parts(text))


def blocks(text: object, limit: int = 6000) -> tuple[Block, ...]:
    """The paragraphs of a docstring's section: indented ones are listings, dashes are items."""
    found: list[Block] = []
    for chunk in re.split(r"\n\s*\n", clip(text, limit).strip("\n")):
        lines = [line for line in chunk.splitlines() if line.strip()]
        if not lines:
            continue
        if all(line.startswith("    ") for line in lines):
            listing = "\n".join(line[4:] for line in lines)
            found.append(Block("pre", ((Part("text", listing),),)))
        elif lines[0].lstrip().startswith(("- ", "* ")):
            joined = re.split(r"\n\s*[-*] ", "\n" + "\n".join(lines))[1:]
            found.append(Block("ul", tuple(parts(" ".join(item.split())) for item in joined)))
        else:
            found.append(Block("p", (parts(" ".join(" ".join(lines).split())),)))
    return tuple(found)
