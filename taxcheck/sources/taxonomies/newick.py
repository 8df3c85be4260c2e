"""Newick trees, by a tokenizer of our own that names the place of every error.

Grammar: https://phylipweb.github.io/phylip/newicktree.html; nested comments are as in NEXUS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Growing, Hierarchy
from taxcheck.sources.taxonomies.text_file import TextFile

_TOKEN = re.compile(r"\s+|([(),;])|(:\s*[^\s(),;:\[\]']*)|'((?:[^']|'')*)'|([^\s(),:;\[\]']+)|(\[)")
_SUPPORT = re.compile(r"[0-9.]+(?:[eE][-+]?\d+)?(?:/[0-9.]+)*")
_NUMBER = re.compile(r"0|[1-9]\d{0,14}")
_SUPPORTED_NAME = re.compile(r"[0-9.]+:(.+)", re.S)  # as GTDB writes it: '100.0:g__Bacillus'


def read_newick(path: str) -> Hierarchy:
    """One tree: nodes from the root down, called by their labels.

    Inner nodes without a label, or with a support value for one, are called node_1, node_2 ...,
    or where all leaves are numbers by those that follow; lengths and comments are not read.
    """
    source = TextFile(path)
    parents, labels, leaves = _parse(source.text(), source.path)
    growing, unnamed, taken = Growing(), 0, set(labels)
    # Among numbers a text would be no identifier, so unnamed nodes are counted on from the highest.
    called = [label for label, leaf in zip(labels, leaves, strict=True) if leaf]
    numbers = all(_NUMBER.fullmatch(label) for label in called)
    prefix, number = ("", max(map(int, called))) if numbers else ("node_", 0)
    for k, label in enumerate(labels):
        name: str | None = label
        if not leaves[k]:
            found = _SUPPORTED_NAME.fullmatch(label)
            name = found[1] if found else None if _SUPPORT.fullmatch(label) else label
        if not name:
            while f"{prefix}{(number := number + 1)}" in taken:
                pass
            name, unnamed = f"{prefix}{number}", unnamed + 1
            growing.node(name)
        elif name in growing.place:
            raise InputError(
                f"{source.path}: the label {name[:60]!r} is there more than once; labels are the "
                "identifiers, so each needs its own"
            )
        else:
            growing.node(name, name)
        if parents[k] >= 0:
            growing.edge(parents[k], k)
    how = f"numbered on to {number}" if numbers else "called node_k"
    notes = (f"{unnamed:,} inner nodes have no name and are {how}",) if unnamed else ()
    return growing.hierarchy(source.origin("Newick"), notes)


def _parse(text: str, shown: str) -> tuple[list[int], list[str], list[bool]]:
    """Parent (-1 at the root), label and whether it is a leaf, of every node from the root down."""
    parents, labels, leaves = [-1], [""], [True]
    node, named, ended = 0, False, False

    def add(parent: int) -> int:
        parents.append(parent)
        labels.append("")
        leaves.append(True)
        return len(parents) - 1

    for at, mark, label in _tokens(text, shown):
        if ended:
            raise _wrong(text, at, shown, "there is more after the ';'; give a file with one tree")
        if mark == "(":
            if named or not leaves[node]:
                raise _wrong(text, at, shown, "a '(' where a ',' or ')' belongs")
            leaves[node] = False
            node = add(node)
        elif mark in (",", ")"):
            if parents[node] < 0:
                raise _wrong(text, at, shown, f"a {mark!r} without its '('")
            if leaves[node] and not labels[node]:
                raise _wrong(text, at, shown, "a leaf without a label")
            node = add(parents[node]) if mark == "," else parents[node]
            named = mark == ")" and bool(labels[node])
            continue
        elif mark == ";":
            if parents[node] >= 0:
                raise _wrong(text, at, shown, "the tree ends inside a '('")
            ended = True
        else:
            if named:
                raise _wrong(text, at, shown, f"{label[:30]!r} is a second label of one node")
            labels[node] = label
        named = mark == "label"
    if not ended:
        raise InputError(f"{shown}: no ';' at the end; the tree is truncated, copy it again")
    return parents, labels, leaves


def _tokens(text: str, shown: str) -> Iterator[tuple[int, str, str]]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _wrong(text, at, shown, f"{text[at]!r} belongs to no label; a quote may be open")
        mark, length, quoted, plain, comment = found.groups()
        if comment:
            at = _after_comment(text, at, shown)
            continue
        if mark:
            yield at, mark, ""
        elif length:
            pass
        elif quoted is not None:
            yield at, "label", quoted.replace("''", "'")
        elif plain:
            yield at, "label", plain
        at = found.end()


def _after_comment(text: str, start: int, shown: str) -> int:
    depth = 0
    for found in re.compile(r"[\[\]]").finditer(text, start):
        depth += 1 if found[0] == "[" else -1
        if not depth:
            return found.end()
    raise _wrong(text, start, shown, "a comment '[' is never closed")


def _wrong(text: str, at: int, shown: str, what: str) -> InputError:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return InputError(f"{shown}: line {line:,}, character {column:,}: {what}")
