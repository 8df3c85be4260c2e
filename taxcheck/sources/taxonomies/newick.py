"""Newick trees: nodes are their labels, inner nodes without one are numbered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Growing, Hierarchy
from taxcheck.sources.taxonomies.inner_labels import Inner, told_apart
from taxcheck.sources.taxonomies.newick_text import Tree, parse
from taxcheck.sources.taxonomies.text_file import TextFile

_NUMBER = re.compile(r"0|[1-9]\d{0,14}")
_NO_TAXID = 10**9  # numbers of ours are higher, so that none is the taxid of another taxon
_HYBRID = re.compile(r".*#(?:H|LGT|R)?\d+")
LONGEST = 1 << 28


def read_newick(path: str, inner_labels: str | None = None) -> Hierarchy:
    """One tree: nodes from the root down, called by their labels.

    Inner nodes without a label, or with a support value for one, are called node_1, node_2 ...,
    or where all labels are numbers by numbers beyond any taxid; lengths and comments are not read.
    ``inner_labels`` says whether numbers at inner nodes are "support" or "names".
    """
    source = TextFile(path)
    tree = parse(source.text(LONGEST), source.path)
    return hierarchy_of_tree(tree, source, "Newick", inner_labels)


def hierarchy_of_tree(
    tree: Tree,
    source: TextFile,
    kind: str,
    inner_labels: str | None,
    translated: Mapping[str, str] | None = None,
) -> Hierarchy:
    """A tree that was taken apart; ``translated`` says what its leaves are called."""
    if not any(tree.inner):
        raise InputError(
            f"{source.path}: holds no '('; a tree of one node has no parent and no child"
        )
    names, read = _called(tree, source.path, inner_labels, translated or {})
    _refuse_repeated(names, source.path)
    taken = {name for name in names if name}
    numbers = all(map(_NUMBER.fullmatch, taken))
    prefix, number = ("", max(_NO_TAXID, *map(int, taken))) if numbers else ("node_", 0)
    growing, unnamed = Growing(), 0
    for k, name in enumerate(names):
        if name:
            growing.node(name, name)
        else:
            while f"{prefix}{(number := number + 1)}" in taken:
                pass
            unnamed += 1
            growing.node(f"{prefix}{number}")
        if tree.parents[k] >= 0:
            growing.edge(tree.parents[k], k)
    how = f"numbered on to {number}, which is no taxid" if numbers else "called node_k"
    notes = [f"{unnamed:,} inner nodes have no name and are {how}"] if unnamed else []
    notes += _told(tree)
    guesses = [*_rootless(tree)]
    if told := read.note():
        (guesses if read.guessed else notes).append(told)
    return replace(growing.hierarchy(source.origin(kind), notes), guesses=tuple(guesses))


def _called(
    tree: Tree, shown: str, inner_labels: str | None, translated: Mapping[str, str]
) -> tuple[list[str | None], Inner]:
    """The name of every node, None where it has none; and how inner labels were read."""
    names: list[str | None] = list(tree.labels)
    inner, leaves = [], []
    for k, opened in enumerate(tree.inner):
        if opened:
            inner.append(k)
        else:
            leaves.append(translated.get(tree.labels[k], tree.labels[k]))
            names[k] = leaves[-1]
    quoted = {k for k, node in enumerate(inner) if node in tree.quoted}
    read = told_apart([tree.labels[k] for k in inner], quoted, leaves, inner_labels, shown)
    for node, name in zip(inner, read.names, strict=True):
        names[node] = name
    return names, read


def _refuse_repeated(names: list[str | None], shown: str) -> None:
    count = Counter(name for name in names if name)
    if len(count) == len(names) - names.count(None):
        return
    repeated = [name for name, times in count.items() if times > 1]
    if any(map(_HYBRID.fullmatch, repeated)):
        raise InputError(
            f"{shown}: is a network in extended Newick ({repeated[0][:60]!r} is there more than "
            "once); give it as a table of edges, child and parent, one row for each parent"
        )
    more = f", and {len(repeated) - 1:,} other labels are" if len(repeated) > 1 else ""
    raise InputError(
        f"{shown}: the label {repeated[0][:60]!r} is there more than once{more}; labels are the "
        "identifiers, so each node needs its own: add an accession or a number to them"
    )


def _told(tree: Tree) -> Iterator[str]:
    """What a user should know of how the tree is written."""
    if not tree.ended:
        yield "no ';' at the end, but every '(' is closed, so the tree is taken as whole"
    if tree.spaced:
        yield f"{tree.spaced:,} labels have blanks without quotes"
    if tree.comments:
        yield f"{tree.comments:,} comments in [ ] are not read"


def _rootless(tree: Tree) -> Iterator[str]:
    """What the tree's direction rests on, where it may have no root."""
    if tree.rooted is False:
        yield "it says that it has no root ([&U]); what is above what follows from how it stands"
    elif tree.rooted is None and _unrooted(tree):
        yield (
            "its root has three branches and all others two, as trees without a root are written; "
            "what is above what follows from how it is written"
        )


def _unrooted(tree: Tree) -> bool:
    children = Counter(tree.parents)
    del children[-1]
    return children[0] == 3 and len(children) > SHOWN and set(children.values()) <= {2, 3} and (
        sum(1 for count in children.values() if count == 3) == 1
    )  # fmt: skip
