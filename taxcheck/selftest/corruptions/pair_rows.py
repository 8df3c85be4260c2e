"""Corruptions of rows of the pairs: PAIR001 to PAIR006, PAIR010."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, one, pick, touching
from taxcheck.selftest.corruptions.registry import SKIPPED, Corrupted, Verdict, corruption


def deep_rows(
    frame: DatasetFrame, generator: np.random.Generator, count: int, top: int = 0
) -> np.ndarray:
    """Rows of pairs that are no edges, with ancestors at depth ``top`` or below, drawn."""
    distant = (frame.pairs["depth_diff"] >= 2) & (frame.pairs["ancestor_depth"] >= top)
    candidates = np.flatnonzero(distant)
    return generator.choice(candidates, size=count, replace=False)


def gap(frame: DatasetFrame, nodes: list[int]) -> dict[str, Verdict]:
    """What a gap in the coverage brings along: rows lacking at the end, and no cut to be seen.

    Every taxid of the base is above n_nodes, so that PAIR014 has no group below its cut.
    """
    n, used = len(frame.mapping), set(range(len(frame.mapping))) - set(nodes)
    expected: dict[str, Verdict] = {"PAIR003": ("fail", len(nodes)), "PAIR014": SKIPPED}
    lacking = n - 1 - max(used)
    return expected | ({"PAIR004": ("fail", lacking)} if lacking else {})


@corruption("PAIR001")
def damaged_rows_appended(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Nothing true is lost: each row beside the sound ones has one cell that is no idx."""
    copies = frame.pairs.iloc[deep_rows(frame, generator, 6)].astype(object)
    cells: tuple[str | int, ...] = ("", "NaN", -3, "2.5", 10**18, "ancestor")
    for row, cell in enumerate(cells):
        copies.iloc[row, row % 2] = cell
    damaged = frame.appended(copies)
    return Corrupted(damaged, {"PAIR001": ("fail", 6)})


@corruption("PAIR001", "TREE004")
def cells_damaged_in_place(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Rows between distant nodes lose a cell, and the closure loses those pairs."""
    pairs = frame.pairs.astype(np.float64)  # what a null does to integers
    rows = deep_rows(frame, generator, 5)
    pairs.loc[rows[:2], "ancestor_idx"] = np.nan
    pairs.loc[rows[2], "descendant_idx"] = 0.5
    pairs.loc[rows[3], "descendant_idx"] = -1.0
    pairs.loc[rows[4], "depth_diff"] = np.nan
    expected: dict[str, Verdict] = {"PAIR001": ("fail", 5), "TREE004": ("fail", 5)}
    return Corrupted(replace(frame, pairs=pairs), expected)


@corruption()
def pairs_as_floats(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Whole floats are exact up to 2**53: nothing is found."""
    return Corrupted(replace(frame, pairs=frame.pairs.astype(np.float64)))


@corruption("PAIR001")
def header_line_among_pairs(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Two files with headers were concatenated."""
    half = int(generator.integers(1, len(frame.pairs)))
    header = pd.DataFrame([list(frame.pairs.columns)], columns=frame.pairs.columns)
    parts = [frame.pairs[:half].astype(object), header, frame.pairs[half:].astype(object)]
    return Corrupted(replace(frame, pairs=pd.concat(parts)), {"PAIR001": ("fail", 1)})


@corruption("PAIR001")
def idx_of_10_to_the_18(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """One absurd idx is a bad row, not an allocation."""
    row = frame.pairs.iloc[deep_rows(frame, generator, 1)].assign(descendant_idx=10**18)
    return Corrupted(frame.appended(row), {"PAIR001": ("fail", 1)})


@corruption("PAIR002")
def idx_beyond_the_mapping(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Rows of a newer build name nodes that the mapping lacks, just beyond it and far."""
    rows = frame.pairs.iloc[deep_rows(frame, generator, 3)].copy()
    n = len(frame.mapping)
    rows["descendant_idx"] = [n, n + 1, 500_000_000]
    return Corrupted(frame.appended(rows), {"PAIR002": ("fail", 3)})


@corruption("PAIR003")
def leaves_dropped(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A filter lost all pairs of forty leaves; what is left is a closure still."""
    leaves = pick(generator, Tree(frame.pairs).leaves(), 40)
    damaged = frame.only(~touching(frame.pairs, leaves))
    return Corrupted(damaged, gap(frame, leaves), frozenset({"PAIR003"}))


@corruption("PAIR003", "PAIR004")
def subtree_dropped(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """A clade is missing whole: no edge that is there lacks anything."""
    tree = Tree(frame.pairs)
    sizes = {x: len(tree.below(x)) for x in tree.nodes if x in tree.children and x != tree.root}
    clade = tree.below(one(generator, [x for x, size in sizes.items() if 10 <= size <= 60]))
    return Corrupted(frame.only(~touching(frame.pairs, clade)), gap(frame, clade))


@corruption("PAIR003", "PAIR004")
def last_nodes_in_no_pair(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Three nodes were added to the mapping and not to the pairs: the table is sized too small."""
    n = len(frame.mapping)
    taxids = int(frame.mapping["taxid"].max()) + 1 + np.arange(3)
    added = pd.DataFrame({"taxid": taxids, "idx": range(n, n + 3)})
    damaged = replace(frame, mapping=pd.concat([frame.mapping, added]))
    return Corrupted(damaged, gap(damaged, [n, n + 1, n + 2]), frozenset({"PAIR003"}))


@corruption("PAIR005")
def reflexive_closure(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Every node is paired with itself, at distance 0."""
    tree = Tree(frame.pairs)
    damaged = frame.appended(tree.rows((x, x, 0) for x in tree.nodes))
    return Corrupted(damaged, {"PAIR005": ("fail", len(tree.nodes))})


@corruption("PAIR005", "PAIR003")
def coverage_repaired_by_self_pairs(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Uncovered leaves were given a pair with themselves at distance 1: they stay uncovered."""
    tree = Tree(frame.pairs)
    leaves = pick(generator, tree.leaves(), 25)
    damaged = frame.only(~touching(frame.pairs, leaves))
    damaged = damaged.appended(tree.rows((x, x, 1) for x in leaves))
    return Corrupted(damaged, gap(frame, leaves) | {"PAIR005": ("fail", 25)})


@corruption("PAIR006")
def rows_repeated(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Some rows are there twice, some three times; edges are among them."""
    rows = generator.choice(len(frame.pairs), size=300, replace=False)
    again = pd.concat([frame.pairs.iloc[rows], frame.pairs.iloc[rows[:100]]])
    return Corrupted(frame.appended(again), {"PAIR006": ("fail", 400)})


@corruption("PAIR006")
def rows_repeated_with_another_distance(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """The later row of a pair is a repetition whatever distance it states."""
    again = frame.pairs.iloc[deep_rows(frame, generator, 50)].copy()
    again["depth_diff"] += 1
    return Corrupted(frame.appended(again), {"PAIR006": ("fail", 50)})


@corruption("PAIR006", "TREE002", "TREE005")
def grandparent_repeated_as_a_parent(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """The later row of a pair says that it is an edge; an edge is stated by any row.

    The leaf then has two parents. The first rows of the grandparent and of all above it state
    distances that are one longer than the shortest.
    """
    tree = Tree(frame.pairs)
    grand = (frame.pairs["depth_diff"] == 2) & frame.pairs["descendant_idx"].isin(
        tree.leaves(depth=4)
    )
    again = frame.pairs[grand].sample(1, random_state=generator).assign(depth_diff=1)
    grandparent = int(again["ancestor_idx"].iloc[0])
    expected: dict[str, Verdict] = {
        "PAIR006": ("fail", 1),
        "TREE002": ("warn", 1),
        "TREE005": ("fail", 1 + tree.depth(grandparent)),
    }
    return Corrupted(frame.appended(again), expected)


@corruption("PAIR006", "PAIR008", "TREE005")
def wrong_row_before_the_right_one(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """The first row owns the pair: its distance is judged, the true one is the repetition."""
    wrong = frame.pairs.iloc[deep_rows(frame, generator, 8)].copy()
    wrong["depth_diff"] += 1
    damaged = replace(frame, pairs=pd.concat([wrong, frame.pairs], ignore_index=True))
    expected: dict[str, Verdict] = {
        "PAIR006": ("fail", 8),
        "PAIR008": ("fail", 8),
        "TREE005": ("fail", 8),
    }
    return Corrupted(damaged, expected)


@corruption("PAIR006")
def weights_declared_and_missing(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The policy says that repetition is a column of weights, and there is none."""
    return Corrupted(frame.declaring(duplicates="weights"), {"PAIR006": ("fail", 0)})


@corruption()
def weights_declared_and_there(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """With the column the declaration is kept."""
    weighted = frame.pairs.assign(weight=generator.integers(1, 9, len(frame.pairs)))
    return Corrupted(replace(frame.declaring(duplicates="weights"), pairs=weighted))


def _with_taxids(frame: DatasetFrame) -> pd.DataFrame:
    taxids = frame.mapping["taxid"].to_numpy()
    ends = {f"{end}_taxid": taxids[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    return frame.pairs.assign(**ends)


@corruption()
def taxid_columns_that_agree(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Taxids beside the idx let PAIR010 judge; it has nothing to find."""
    return Corrupted(replace(frame, pairs=_with_taxids(frame)), {"PAIR010": ("pass", 0)})


@corruption("PAIR010")
def taxids_of_another_build(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Rows bear the taxid of another node; one row is wrong at both ends and counts once."""
    pairs = _with_taxids(frame)
    rows = deep_rows(frame, generator, 9)
    pairs.loc[rows, "descendant_taxid"] += 1_000_000_000
    pairs.loc[rows[0], "ancestor_taxid"] = 1
    return Corrupted(replace(frame, pairs=pairs), {"PAIR010": ("fail", 9)})


@corruption("PAIR010", "MAP002")
def taxid_overwritten_under_pairs_that_have_it(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """A leaf's row of the mapping bears another's taxid; the leaf's own pairs then disagree."""
    tree = Tree(frame.pairs)
    leaf, other = pick(generator, tree.leaves(), 2)
    mapping = frame.mapping.copy()
    mapping["taxid"] = mapping["taxid"].mask(mapping["idx"] == leaf, mapping["taxid"][other])
    damaged = replace(frame, mapping=mapping, pairs=_with_taxids(frame))
    expected: dict[str, Verdict] = {
        "MAP002": ("fail", 1),
        "PAIR010": ("fail", tree.depth(leaf)),
    }
    return Corrupted(damaged, expected)
