"""The tree of a NEXUS file's TREES block, its leaves translated; other blocks are not read.

Format: Maddison, Swofford & Maddison 1997, https://doi.org/10.1093/sysbio/46.4.590
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.newick import LONGEST, hierarchy_of_tree
from taxcheck.sources.taxonomies.newick_text import after_comment, parse, wrong
from taxcheck.sources.taxonomies.text_file import TextFile

# What a command ends at, and what may hide such an end.
_STOP = re.compile(r"""[;\[]|'[^']*(?:''[^']*)*'|'""")
_WORD = re.compile(r"""\s*(?:'([^']*(?:''[^']*)*)'|([^\s,]+))""")
_TREE = re.compile(r"\s*u?tree\s*\*?\s*('(?:[^']|'')*'|[^\s=\[]+)\s*(?:\[[^\]]*\]\s*)*=", re.I)
_SHOWN = 3


class _Command(NamedTuple):
    at: int  # where it begins in the text
    end: int  # its ';'
    word: str  # its first, in lower case


def read_nexus(path: str, inner_labels: str | None = None) -> Hierarchy:
    """The one tree of the file; InputError where it has none, or several.

    ``inner_labels`` is as in Newick.
    """
    source = TextFile(path)
    text = source.text(LONGEST)
    trees: list[tuple[str, int, int]] = []
    translated: dict[str, str] = {}
    block, blocks = "", []
    for command in _commands(text, source.path):
        if command.word == "begin":
            block = text[command.at : command.end].split(None, 1)[-1].strip().lower()
            blocks.append(block)
        elif command.word in ("end", "endblock"):
            block = ""
        elif block == "trees" and command.word == "translate":
            translated = _translation(text, command, source.path)
        elif block == "trees" and command.word in ("tree", "utree", "tree*"):
            found = _TREE.match(text, command.at, command.end)
            if found is None:
                raise wrong(text, command.at, source.path, "no 'TREE name = (…);'")
            trees.append((found[1], found.end(), command.end + 1))
    if not trees:
        held = ", ".join(dict.fromkeys(blocks)) or "none"
        raise InputError(
            f"{source.path}: is NEXUS without a tree (its blocks: {held[:80]}); give a TREES block"
        )
    if len(trees) > 1:
        named = ", ".join(name for name, *_ in trees[:_SHOWN])
        raise InputError(
            f"{source.path}: holds {len(trees):,} trees ({named}{', …' * (len(trees) > _SHOWN)}); "
            "write the one that is meant to a file of its own"
        )
    name, start, end = trees[0]
    hierarchy = hierarchy_of_tree(
        parse(text, source.path, start, end), source, "NEXUS", inner_labels, translated
    )
    told = f"tree {name}, {len(translated):,} labels translated" if translated else f"tree {name}"
    return replace(hierarchy, notes=(told, *hierarchy.notes))


def _commands(text: str, shown: str) -> Iterator[_Command]:
    """Commands up to their ';', which may stand in quotes and comments as well."""
    at = text.lower().index("#nexus") + len("#nexus") if "#nexus" in text[:64].lower() else 0
    begin: int | None = None
    end = len(text)
    while True:
        if begin is None:
            begin = _behind_blanks(text, at, shown)
            at = begin
        found = _STOP.search(text, at)
        if found is None:
            if text[begin:].strip():
                raise wrong(text, begin, shown, "no ';' ends this; the file is truncated")
            return
        if found[0] == "[":
            at = after_comment(text, found.start(), shown, end)
        elif found[0] == "'":
            raise wrong(text, found.start(), shown, "a quote is never closed")
        elif found[0] == ";":
            first = re.match(r"\w*", text[begin : begin + 40])
            yield _Command(begin, found.start(), first[0].lower() if first else "")
            at, begin = found.end(), None
        else:
            at = found.end()


def _behind_blanks(text: str, at: int, shown: str) -> int:
    """The place behind blanks and comments."""
    blanks = re.compile(r"\s*")
    while True:
        found = blanks.match(text, at)
        at = found.end() if found else at
        if not text.startswith("[", at):
            return at
        at = after_comment(text, at, shown, len(text))


def _translation(text: str, command: _Command, shown: str) -> dict[str, str]:
    at, found = command.at + len("translate"), {}
    while text[at : command.end].strip():
        words = []
        for _ in range(2):
            word = _WORD.match(text, at, command.end)
            if word is None:
                raise wrong(text, at, shown, "TRANSLATE has pairs of a token and a label here")
            words.append(word[2] if word[1] is None else word[1].replace("''", "'"))
            at = word.end()
        found[words[0]] = words[1]
        rest = re.compile(r"\s*,?").match(text, at, command.end)
        at = rest.end() if rest else at
    return found
