"""Corruptions of the hierarchy's shape: several parents, several roots (TREE002, TREE003)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import TAXA, Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one, touching

from .library import bad, corruption, fail, info, warn
from .mapping import renumbered
from .reckoning import dominance, negatives


def _second_parent(tree: Tree, generator: Generator, deeper: int) -> tuple[int, int]:
    """(leaf, another parent for it, a stranger), that one this much deeper than its own."""
    leaf = one(generator, tree.leaves(depth=5))
    wanted = tree.depth(leaf) - 1 + deeper
    own = tree.above(leaf)
    return leaf, one(
        generator, [x for x in tree.children if x not in own and tree.depth(x) == wanted]
    )


@corruption("TREE002")
def second_parent_with_its_ancestors(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A leaf descends from a second branch too, completely and at true distances."""
    tree = Tree(frame.pairs)
    leaf, parent = _second_parent(tree, generator, deeper=0)
    new = [x for x in (parent, *tree.above(parent)) if x not in tree.above(leaf)]
    rows = tree.rows((x, leaf, tree.depth(leaf) - tree.depth(x)) for x in new)
    return Corrupted(frame.appended(rows), warn(TREE002=1))


@corruption("TREE002")
def second_parent_in_a_declared_tree(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The same, where the policy says that it is a tree."""
    damaged = second_parent_with_its_ancestors(frame, generator).frame.declaring(kind="tree")
    return Corrupted(damaged, fail(TREE002=1))


@corruption("TREE002", "TREE004", "TREE005", "PAIR008")
def second_parent_alone(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A leaf gets an edge to a second parent three levels higher up, and nothing else.

    The parent's ancestors are missing where they are not the leaf's own already; those that are
    have become nearer, so the distances of their rows are no longer the shortest.
    """
    tree = Tree(frame.pairs)
    leaf, parent = _second_parent(tree, generator, deeper=-3)
    own, second = tree.above(leaf), tree.above(parent)
    shared = [x for x in second if x in own]
    # PAIR008: the depths of the two differ by 4
    expected = fail(PAIR008=1, TREE005=len(shared)) | warn(TREE002=1)
    if len(second) > len(shared):
        expected["TREE004"] = ("fail", len(second) - len(shared))
    damaged = frame.appended(tree.rows([(parent, leaf, 1)]))
    return Corrupted(damaged, expected, {"PAIR008"})


def without_the_root(frame: DatasetFrame) -> DatasetFrame:
    """The dataset without its root: every child of the root starts a tree of its own."""
    root = Tree(frame.pairs).root
    n = len(frame.mapping)
    kept = frame.only(~touching(frame.pairs, [root]))
    kept = replace(kept, mapping=kept.mapping[kept.mapping["idx"] != root])
    number = np.arange(n) - (np.arange(n) > root)
    return renumbered(kept, number)


@corruption("TREE003")
def forest(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Without the root there are as many trees as it had children; that is told, not blamed.

    Depths still count from the lost root, the same for every row.
    """
    tree, damaged = Tree(frame.pairs), without_the_root(frame)
    depth = {
        int(node): int(depth) - 1
        for end in ("ancestor", "descendant")
        for node, depth in damaged.pairs[[f"{end}_idx", f"{end}_depth"]]
        .drop_duplicates()
        .to_numpy()
    }
    # children of the root that have no children themselves would be in no pair any more
    assert all(child in tree.children for child in tree.children[tree.root])
    expected = info(TREE003=len(tree.children[tree.root])) | {
        "PAIR011": dominance(damaged.pairs["ancestor_idx"]),
        "PAIR013": negatives(damaged.pairs, depth),
    }
    return Corrupted(damaged, expected)


@corruption("TREE003")
def other_roots_than_declared(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The policy names two roots; one of them is not, and the file's own root is not named."""
    tree = Tree(frame.pairs)
    inner = frame.mapping["taxid"][one(generator, [x for x in tree.children if x != tree.root])]
    damaged = frame.declaring(roots=[int(inner)])
    return Corrupted(damaged, warn(TREE003=1))


@corruption()
def roots_as_declared(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The policy names the root that is there."""
    root = int(frame.mapping["taxid"][Tree(frame.pairs).root])
    return Corrupted(frame.declaring(roots=[root], kind="tree"))


@bad("TREE001", "fail", 2, "Canis is called the parent of Canidae, its own parent")
def _(folder: Folder) -> None:
    folder.pairs.append((3, 1, 1, 2, 1))


@bad(
    "TREE002",
    "fail",
    1,
    "in a declared tree the wolf hangs below Felis as well",
    ok=lambda: Folder(policy='[dataset]\nkind = "tree"\n'),
)
def _(folder: Folder) -> None:
    folder.pairs += [(5, 7, 1, 2, 3), (2, 7, 2, 1, 3)]


@bad(
    "TREE003",
    "warn",
    1,
    "the policy names Canidae as the root, and the one root is Carnivora",
    ok=lambda: Folder(policy=f"[dataset]\nroots = [{TAXA[0][0]}]\n"),
    ok_count=1,
)
def _(folder: Folder) -> None:
    folder.policy = "[dataset]\nroots = [9608]\n"
