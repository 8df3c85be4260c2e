"""Text that GitHub's Markdown shows as it is, whatever is in it.

Every character that Markdown or HTML could read as structure becomes a numeric reference, which
cannot be structure; what GitHub finds in the rendered text (a mention, a reference, a bare address)
is broken by a character without width.
"""

from __future__ import annotations

import re

from .text import clip, parts

_BREAK = "\u200b"
# Inside a line, which starts with words of ours; an underscore inside a word marks nothing.
_STRUCTURE = re.compile(r"[&<>`*\[\]|~@\\$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FOUND = re.compile(
    r"@|#(?=\d)|www(?=\.)|\bGH(?=-\d)|:(?=//)|:(?=[\w+-]+:)|\bmailto(?=:)|\bxmpp(?=:)", re.I
)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text)), default=0)


def plain(text: object, limit: int) -> str:
    """One line of prose."""
    said = " ".join(clip(text, limit).split())
    return _STRUCTURE.sub(_reference, _FOUND.sub(lambda match: match[0] + _BREAK, said))


def code(text: object, limit: int) -> str:
    """One line of code outside of tables; there GitHub looks for nothing."""
    said = " ".join(clip(text, limit).split())
    if not said:
        return ""
    fence = "`" * (_longest_run(said) + 1)
    pad = " " if said[0] == "`" or said[-1] == "`" else ""
    return f"{fence}{pad}{said}{pad}{fence}"


def cell(text: object, limit: int) -> str:
    """Code in a table, where a bar would end the cell in any other notation."""
    said = plain(text, limit)
    return f"<code>{said}</code>" if said else ""


def prose(text: object, limit: int) -> str:
    """One line of prose with its code marked."""
    said = ""
    for part in parts(clip(text, limit)):
        piece = code(part.text, limit) if part.kind == "code" else _kept(part.text, limit)
        said += " " * (said.endswith("`") and piece.startswith("`")) + piece
    return said.strip()


def _kept(text: str, limit: int) -> str:
    """A stretch of prose with the spaces at its ends, one each."""
    before, after = " " * text[:1].isspace(), " " * text[-1:].isspace()
    said = plain(text, limit)
    return f"{before}{said}{after}" if said else before


def block(text: object, limit: int) -> str:
    """A listing, in a fence longer than any that is in it."""
    said = clip(text, limit).strip("\n")
    fence = "`" * max(_longest_run(said) + 1, 3)
    return f"{fence}text\n{said}\n{fence}"
