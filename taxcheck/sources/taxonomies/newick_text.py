"""The text of a Newick tree, taken apart without recursion; every error names its place.

Grammar: https://phylipweb.github.io/phylip/newicktree.html; nested comments are as in NEXUS.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from taxcheck.model.errors import InputError

MOST_LEVELS = 5_000_000  # of brackets inside of each other; real trees have some hundred
_TOKEN = re.compile(
    r"""\s+|([(),;])|(:)|'([^']*(?:''[^']*)*)'|"([^"]*(?:""[^"]*)*)"|"""
    r"""([^\s(),:;\[\]'"][^\s(),:;\[\]]*)|(\[)"""
)
_LENGTH = re.compile(  # jplace and hybrid formats write more behind a number
    r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:[{#%].*)?|[-+]?(?:nan|inf)|\?|NA", re.I
)


@dataclass(slots=True)
class Tree:
    """Nodes from the root down, as they come in the text."""

    parents: array[int] = field(default_factory=lambda: array("q", [-1]))  # -1 at the root
    labels: list[str] = field(default_factory=lambda: [""])
    inner: bytearray = field(default_factory=lambda: bytearray(1))  # 1 where a '(' was opened
    quoted: set[int] = field(default_factory=set)
    spaced: int = 0  # labels with blanks, without quotes
    comments: int = 0
    rooted: bool | None = None  # as a mark [&R] or [&U] says it
    ended: bool = False  # by a ';'


def parse(text: str, shown: str, start: int = 0, stop: int | None = None) -> Tree:
    """The one tree of a text, or of a part of it; InputError that names line and character."""
    builder = _Builder(text, shown)
    for at, kind, value in _tokens(text, shown, builder.tree, start, stop):
        builder.take(at, kind, value)
    return builder.whole()


class _Builder:
    """A tree that grows by one token after the other."""

    def __init__(self, text: str, shown: str) -> None:
        self._text, self._shown = text, shown
        self.tree = Tree()
        self._node, self._level = 0, 0
        self._last = ""  # kind of the token before: a label may have blanks, a length follows ':'

    def take(self, at: int, kind: str, value: str) -> None:
        """One more token; its kind is a mark, "plain" or "quoted"."""
        if self.tree.ended:
            more = self._text.count(";", at)
            several = f" ({more + 1:,} trees in all, it seems)" if more else ""
            raise self._wrong(
                at, f"there is more after the ';'{several}; write the one tree that is meant to a "
                "file of its own"
            )  # fmt: skip
        if kind == "(":
            self._open(at)
        elif kind in (",", ")"):
            self._leave(at, kind)
        elif kind == ";":
            if self._level:
                raise self._wrong(at, "the tree ends inside a '('")
            self.tree.ended = True
        elif self._last == ":" and kind == "plain":
            if not _LENGTH.fullmatch(value):
                raise self._wrong(
                    at, f"{value[:30]!r} is no branch length; a label with ':' needs quotes"
                )
            kind = "length"
        elif kind != ":":
            self._label(at, kind, value)
        self._last = kind

    def whole(self) -> Tree:
        """The tree, where nothing of it is missing."""
        tree = self.tree
        if not tree.ended and (self._level or len(tree.parents) == 1):
            raise InputError(
                f"{self._shown}: no ';' at the end, and {self._level:,} '(' are not closed; the "
                "tree is truncated, copy it again"
            )
        return tree

    def _add(self, parent: int) -> int:
        self.tree.parents.append(parent)
        self.tree.labels.append("")
        self.tree.inner.append(0)
        return len(self.tree.parents) - 1

    def _open(self, at: int) -> None:
        if self.tree.labels[self._node] or self.tree.inner[self._node]:
            raise self._wrong(at, "a '(' where a ',' or ')' belongs")
        self.tree.inner[self._node] = 1
        self._node = self._add(self._node)
        self._level += 1
        if self._level > MOST_LEVELS:
            raise self._wrong(at, f"more than {MOST_LEVELS:,} levels; this is no tree of taxa")

    def _leave(self, at: int, mark: str) -> None:
        parent = self.tree.parents[self._node]
        if parent < 0:
            raise self._wrong(at, f"a {mark!r} without its '('")
        if not self.tree.inner[self._node] and not self.tree.labels[self._node]:
            raise self._wrong(
                at, "a leaf without a label; labels are the identifiers, so each leaf needs one"
            )
        if mark == ",":
            self._node = self._add(parent)
        else:
            self._node = parent
            self._level -= 1

    def _label(self, at: int, kind: str, value: str) -> None:
        labels = self.tree.labels
        if self._last == "plain" and kind == "plain":
            self.tree.spaced += " " not in labels[self._node]
            labels[self._node] += f" {value}"
            return
        if labels[self._node] or self._last in ("length", ":"):
            raise self._wrong(at, f"{value[:30]!r} is a second label of one node")
        labels[self._node] = value
        if kind == "quoted":
            self.tree.quoted.add(self._node)

    def _wrong(self, at: int, what: str) -> InputError:
        return wrong(self._text, at, self._shown, what)


def _tokens(
    text: str, shown: str, tree: Tree, at: int, stop: int | None
) -> Iterator[tuple[int, str, str]]:
    end = len(text) if stop is None else stop
    match = _TOKEN.match
    while at < end:
        found = match(text, at, end)
        if found is None:
            raise wrong(text, at, shown, f"{text[at]!r} belongs to no label; a quote may be open")
        group = found.lastindex
        if group == 1:
            yield at, found[1], ""
        elif group == 5:
            yield at, "plain", found[5]
        elif group == 2:
            yield at, ":", ""
        elif group == 6:
            start, at = at, after_comment(text, at, shown, end)
            tree.comments += 1
            mark = text[start:at][:5].upper()
            if mark in ("[&R]", "[&U]"):
                tree.rooted = mark == "[&R]"
            continue
        elif group is not None:
            quote = "'" if group == 3 else '"'
            yield at, "quoted", found[group].replace(quote * 2, quote)
        at = found.end()


_BRACKET = re.compile(r"[\[\]]")


def after_comment(text: str, start: int, shown: str, stop: int) -> int:
    """The place behind a comment that is opened at ``start``; comments may hold comments."""
    depth = 0
    for found in _BRACKET.finditer(text, start, stop):
        depth += 1 if found[0] == "[" else -1
        if not depth:
            return found.end()
    raise wrong(text, start, shown, "a comment '[' is never closed")


def wrong(text: str, at: int, shown: str, what: str) -> InputError:
    """What is wrong at a place of a text."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return InputError(f"{shown}: line {line:,}, character {column:,}: {what}")
