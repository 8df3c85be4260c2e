"""Corruptions of rows of the pairs: PAIR001 to PAIR006, PAIR010, PAIR016."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Verdict
from taxcheck.commands.selftest.folder import LEOPARD, Folder, with_taxids
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one, pick, touching

from .library import bad, corruption, fail, warn
from .mapping import with_header_inside


def deep_rows(frame: DatasetFrame, generator: Generator, count: int, top: int = 0) -> np.ndarray:
    """Rows of pairs that are no edges, with ancestors at depth ``top`` or below, drawn."""
    distant = (frame.pairs["depth_diff"] >= 2) & (frame.pairs["ancestor_depth"] >= top)
    candidates = np.flatnonzero(distant)
    return generator.choice(candidates, size=count, replace=False)


def gap(frame: DatasetFrame, nodes: list[int]) -> dict[str, Verdict]:
    """What a gap in the coverage brings along: rows lacking at the end, and no cut to be seen.

    Every taxid of the base is above n_nodes, so that PAIR014 has no group below its cut.
    """
    n, used = len(frame.mapping), set(range(len(frame.mapping))) - set(nodes)
    expected = fail(PAIR003=len(nodes)) | {"PAIR014": SKIPPED}
    lacking = n - 1 - max(used)
    return expected | ({"PAIR004": ("fail", lacking)} if lacking else {})


@corruption("PAIR001")
def damaged_rows_appended(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Nothing true is lost: each row beside the sound ones has one cell that is no idx."""
    copies = frame.pairs.iloc[deep_rows(frame, generator, 6)].astype(object)
    cells: tuple[str | int, ...] = ("", "NaN", -3, "2.5", 10**18, "ancestor")
    for row, cell in enumerate(cells):
        copies.iloc[row, row % 2] = cell
    damaged = frame.appended(copies)
    return Corrupted(damaged, fail(PAIR001=6))


@corruption("PAIR001", "TREE004")
def cells_damaged_in_place(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Rows between distant nodes lose a cell, and the closure loses those pairs."""
    pairs = frame.pairs.astype(np.float64)  # what a null does to integers
    rows = deep_rows(frame, generator, 5)
    pairs.loc[rows[:2], "ancestor_idx"] = np.nan
    pairs.loc[rows[2], "descendant_idx"] = 0.5
    pairs.loc[rows[3], "descendant_idx"] = -1.0
    pairs.loc[rows[4], "depth_diff"] = np.nan
    return Corrupted(replace(frame, pairs=pairs), fail(PAIR001=5, TREE004=5))


@corruption()
def pairs_as_floats(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Whole floats are exact up to 2**53: nothing is found."""
    return Corrupted(replace(frame, pairs=frame.pairs.astype(np.float64)))


@corruption("PAIR001")
def header_line_among_pairs(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Two files with headers were concatenated."""
    pairs = with_header_inside(frame.pairs, generator)
    return Corrupted(
        replace(frame, pairs=pairs), fail(PAIR001=1), causes={"header_as_data": {"PAIR001": (1, 1)}}
    )


@corruption("PAIR001")
def idx_of_10_to_the_18(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """One absurd idx is a bad row, not an allocation."""
    row = frame.pairs.iloc[deep_rows(frame, generator, 1)].assign(descendant_idx=10**18)
    return Corrupted(frame.appended(row), fail(PAIR001=1))


@corruption("PAIR002")
def idx_beyond_the_mapping(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Rows of a newer build name nodes that the mapping lacks, just beyond it and far."""
    rows = frame.pairs.iloc[deep_rows(frame, generator, 3)].copy()
    n = len(frame.mapping)
    rows["descendant_idx"] = [n, n + 1, 500_000_000]
    return Corrupted(frame.appended(rows), fail(PAIR002=3))


@corruption("PAIR003")
def leaves_dropped(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A filter lost all pairs of forty leaves; what is left is a closure still."""
    leaves = pick(generator, Tree(frame.pairs).leaves(), 40)
    damaged = frame.only(~touching(frame.pairs, leaves))
    return Corrupted(damaged, gap(frame, leaves), {"PAIR003"})


@corruption("PAIR003", "PAIR004")
def subtree_dropped(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A clade is missing whole: no edge that is there lacks anything."""
    tree = Tree(frame.pairs)
    sizes = {x: len(tree.below(x)) for x in tree.nodes if x in tree.children and x != tree.root}
    clade = tree.below(one(generator, [x for x, size in sizes.items() if 10 <= size <= 60]))
    return Corrupted(frame.only(~touching(frame.pairs, clade)), gap(frame, clade))


@corruption("PAIR003", "PAIR004")
def last_nodes_in_no_pair(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Three nodes were added to the mapping and not to the pairs: the table is sized too small."""
    n = len(frame.mapping)
    taxids = int(frame.mapping["taxid"].max()) + 1 + np.arange(3)
    added = pd.DataFrame({"taxid": taxids, "idx": range(n, n + 3)})
    damaged = replace(frame, mapping=pd.concat([frame.mapping, added]))
    return Corrupted(damaged, gap(damaged, [n, n + 1, n + 2]), {"PAIR003"})


@corruption("PAIR005")
def reflexive_closure(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Every node is paired with itself, at distance 0."""
    tree = Tree(frame.pairs)
    damaged = frame.appended(tree.rows((x, x, 0) for x in tree.nodes))
    count = len(tree.nodes)
    causes = {"reflexive_closure": {"PAIR005": (count, count)}}
    return Corrupted(damaged, fail(PAIR005=count), causes=causes)


@corruption("PAIR005", "PAIR003")
def coverage_repaired_by_self_pairs(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Uncovered leaves were given a pair with themselves at distance 1: they stay uncovered."""
    tree = Tree(frame.pairs)
    leaves = pick(generator, tree.leaves(), 25)
    damaged = frame.only(~touching(frame.pairs, leaves))
    damaged = damaged.appended(tree.rows((x, x, 1) for x in leaves))
    return Corrupted(damaged, gap(frame, leaves) | {"PAIR005": ("fail", 25)})


@corruption("PAIR006")
def rows_repeated(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Some rows are there twice, some three times; edges are among them."""
    rows = generator.choice(len(frame.pairs), size=300, replace=False)
    again = pd.concat([frame.pairs.iloc[rows], frame.pairs.iloc[rows[:100]]])
    return Corrupted(frame.appended(again), fail(PAIR006=400))


@corruption("PAIR006")
def rows_repeated_with_another_distance(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The later row of a pair is a repetition whatever distance it states."""
    again = frame.pairs.iloc[deep_rows(frame, generator, 50)].copy()
    again["depth_diff"] += 1
    return Corrupted(frame.appended(again), fail(PAIR006=50))


@corruption("PAIR006", "TREE002", "TREE005")
def grandparent_repeated_as_a_parent(frame: DatasetFrame, generator: Generator) -> Corrupted:
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
    expected = fail(PAIR006=1, TREE005=1 + tree.depth(grandparent)) | warn(TREE002=1)
    return Corrupted(frame.appended(again), expected)


@corruption("PAIR006", "PAIR008", "TREE005")
def wrong_row_before_the_right_one(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The first row owns the pair: its distance is judged, the true one is the repetition."""
    wrong = frame.pairs.iloc[deep_rows(frame, generator, 8)].copy()
    wrong["depth_diff"] += 1
    damaged = replace(frame, pairs=pd.concat([wrong, frame.pairs], ignore_index=True))
    return Corrupted(damaged, fail(PAIR006=8, PAIR008=8, TREE005=8))


@corruption("PAIR006")
def weights_declared_and_missing(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The policy says that repetition is a column of weights, and there is none."""
    return Corrupted(frame.declaring(duplicates="weights"), fail(PAIR006=0))


@corruption()
def weights_declared_and_there(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """With the column the declaration is kept."""
    weighted = frame.pairs.assign(weight=generator.integers(1, 9, len(frame.pairs)))
    damaged = replace(frame.declaring(duplicates="weights"), pairs=weighted)
    return Corrupted(damaged, {"PAIR016": ("pass", 0)})


@corruption("PAIR016")
def weights_that_no_draw_can_use(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """An empty weight, NaN, a word, both infinities, one beyond 32 bits and a negative one."""
    weighted = frame.pairs.assign(weight=1.5).astype({"weight": object})
    cells: tuple[str | float, ...] = ("", "nan", "heavy", "inf", "-inf", 1e39, -0.5)
    rows = generator.choice(len(weighted), size=len(cells), replace=False)
    weighted.loc[rows, "weight"] = cells
    return Corrupted(replace(frame, pairs=weighted), fail(PAIR016=len(cells)))


@corruption("PAIR016")
def weights_that_are_all_zero(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Nothing could be drawn."""
    damaged = replace(frame, pairs=frame.pairs.assign(weight=0.0))
    return Corrupted(damaged, fail(PAIR016=len(frame.pairs)))


@corruption("PAIR016")
def weights_that_leave_nodes_out(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """All pairs of three leaves weigh 0, so that these are never trained."""
    ancestor, descendant = frame.pairs["ancestor_idx"], frame.pairs["descendant_idx"]
    leaves = np.setdiff1d(descendant, ancestor)
    chosen = generator.choice(leaves, size=3, replace=False)
    weighted = frame.pairs.assign(weight=(~descendant.isin(chosen)).astype(float))
    return Corrupted(replace(frame, pairs=weighted), fail(PAIR016=3))


def with_identifiers(frame: DatasetFrame) -> pd.DataFrame:
    """The pairs with the identifiers of both ends beside their idx."""
    taxids = frame.mapping["taxid"].to_numpy()
    ends = {f"{end}_taxid": taxids[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    return frame.pairs.assign(**ends)


@corruption()
def taxid_columns_that_agree(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Taxids beside the idx let PAIR010 judge; it has nothing to find."""
    return Corrupted(replace(frame, pairs=with_identifiers(frame)), {"PAIR010": ("pass", 0)})


@corruption("PAIR010")
def taxids_of_another_build(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Rows bear the taxid of another node; one row is wrong at both ends and counts once."""
    pairs = with_identifiers(frame)
    rows = deep_rows(frame, generator, 9)
    pairs.loc[rows, "descendant_taxid"] += 1_000_000_000
    pairs.loc[rows[0], "ancestor_taxid"] = 1
    return Corrupted(replace(frame, pairs=pairs), fail(PAIR010=9))


@corruption("PAIR010", "MAP002")
def taxid_overwritten_under_pairs_that_have_it(
    frame: DatasetFrame, generator: Generator
) -> Corrupted:
    """A leaf's row of the mapping bears another's taxid; the leaf's own pairs then disagree."""
    tree = Tree(frame.pairs)
    leaf, other = pick(generator, tree.leaves(), 2)
    mapping = frame.mapping.copy()
    mapping["taxid"] = mapping["taxid"].mask(mapping["idx"] == leaf, mapping["taxid"][other])
    damaged = replace(frame, mapping=mapping, pairs=with_identifiers(frame))
    return Corrupted(damaged, fail(MAP002=1, PAIR010=tree.depth(leaf)))


@bad("PAIR001", "fail", 3, "three further rows: an empty idx, a negative one, and 2.5")
def _(folder: Folder) -> None:
    folder.pairs += [("", 7, 3, 0, 3), (0, -1, 3, 0, 3), (2.5, 14, 2, 1, 3)]


@bad("PAIR002", "fail", 2, "two further rows name the idx 15 and 99 of a mapping that ends at 14")
def _(folder: Folder) -> None:
    folder.pairs += [(6, 15, 1, 2, 3), (99, 7, 1, 2, 3)]


@bad("PAIR003", "fail", 2, "no pair names the coyote (8) and the arctic fox (10)")
def _(folder: Folder) -> None:
    folder.pairs = [row for row in folder.pairs if row[1] not in (8, 10)]


@bad("PAIR004", "fail", 1, "the leopard is mapped to 15, and the pairs end at 14")
def _(folder: Folder) -> None:
    folder.mapping.append((LEOPARD, 15))


@bad("PAIR005", "fail", 2, "the root and the wolf are paired with themselves")
def _(folder: Folder) -> None:
    folder.pairs += [(0, 0, 0, 0, 0), (7, 7, 0, 3, 3)]


@bad("PAIR006", "fail", 3, "one pair is there three times, another twice with another distance")
def _(folder: Folder) -> None:
    folder.pairs += [(3, 7, 1, 2, 3), (3, 7, 1, 2, 3), (0, 8, 2, 0, 3)]


@bad("PAIR010", "fail", 2, "two rows bear the leopard's taxid beside other idx", ok=with_taxids)
def _(folder: Folder) -> None:
    folder.change((3, 7), 3, 7, 1, 2, 3, 9611, LEOPARD)
    folder.change((6, 13), 6, 13, 1, 2, 3, LEOPARD, 9689)


def _weighted() -> Folder:
    folder = Folder()
    folder.pairs_header = (*folder.pairs_header, "weight")
    folder.pairs = [(*row, 1) for row in folder.pairs]
    return folder


@bad("PAIR016", "fail", 3, "one weight is empty, one is NaN and one is -1", ok=_weighted)
def _(folder: Folder) -> None:
    folder.pairs[4] = (*folder.pairs[4][:-1], "")
    folder.pairs[9] = (*folder.pairs[9][:-1], "nan")
    folder.pairs[20] = (*folder.pairs[20][:-1], -1)
