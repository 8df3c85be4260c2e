"""Plain text as Markdown: tables, code, and the words of docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
_RULE = re.compile(r"\b(?:MAP|PAIR|TREE|EMB|HIER|TRAIN)\d{3}\b")
_CODE = re.compile(r"(``.+?``|`[^`]+`|https?://\S+)", re.S)


@dataclass(frozen=True, slots=True)
class Page:
    """One page that is made: where it stands in the site, and its Markdown."""

    path: str
    text: str


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are kept, line ends become spaces."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Inline code, whatever the text holds; nothing for no text."""
    return f"`` {text} ``" if "`" in str(text) else f"`{text}`" if str(text) else ""


def fenced(text: str, language: str = "text", title: str = "") -> str:
    """A block of code."""
    head = f'{language} title="{title}"' if title else language
    return f"````{head}\n{text.rstrip()}\n````"


def prose(text: str, rules: str = "") -> str:
    """A docstring's words: what Markdown would take for marks is escaped, code is left alone.

    ``rules`` is the way from the page to the folder of the rules' pages, to which ids are linked;
    without it they stay plain.
    """
    blocks = (_block(block, rules) for block in re.split(r"\n{2,}", text.strip("\n")))
    return "\n\n".join(blocks)


def _block(block: str, rules: str) -> str:
    if block.startswith("    "):
        return block
    block = re.sub(
        r"(?<=\S)\n(?=- )", "\n\n" if not block.startswith("- ") else "\n", block, count=1
    )
    return "".join(
        part if k % 2 else _plain(part, rules) for k, part in enumerate(_CODE.split(block))
    )


def _plain(text: str, rules: str) -> str:
    text = _OPTION.sub(r"`\g<0>`", text.replace("<", "&lt;").replace("*", "\\*"))
    return _RULE.sub(lambda m: f"[{m[0]}]({rules}{m[0]}.md)", text) if rules else text
