"""Corruptions of the mapping: MAP001 to MAP005 and MAP007."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted, Verdict
from taxcheck.commands.selftest.folder import LEOPARD, TAXA, Folder
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one, pick

from .library import bad, corruption, fail, wholly

# Every pair is out of range: what judges pairs, edges or depths has nothing left to judge. PAIR014
# finds no taxid on one side of its cut.
NO_PAIR_LEFT: dict[str, Verdict] = dict.fromkeys(
    (
        "PAIR005", "PAIR006", "PAIR007", "PAIR008", "PAIR009", "PAIR011", "PAIR013", "PAIR014",
        "PAIR015", "TREE001", "TREE002", "TREE003", "TREE004", "TREE005", "TREE006",
        "TREE007",
    ),
    SKIPPED,
)  # fmt: skip


Cell = str | int


def taxids_as_idx(frame: DatasetFrame) -> dict[str, Verdict]:
    """What follows where taxids are read as the mapping's idx, and no pair's idx is one of them."""
    n, taxids = len(frame.mapping), frame.mapping["taxid"]
    table = int(taxids.max()) + 1
    far = int((taxids > 8 * n + 1024).sum())
    none = fail(PAIR002=len(frame.pairs), PAIR003=n, PAIR004=table)
    return NO_PAIR_LEFT | none | fail(MAP004=table - n, MAP007=far)


def with_header_inside(table: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """The table with its header as a row among the others."""
    half = int(generator.integers(1, len(table)))
    header = pd.DataFrame([list(table.columns)], columns=table.columns)
    return pd.concat([table[:half].astype(object), header, table[half:].astype(object)])


def with_cells(frame: DatasetFrame, cells: dict[int, dict[str, Cell]]) -> DatasetFrame:
    """The dataset with other cells in some rows of its mapping."""
    mapping = frame.mapping.astype(object)
    for row, values in cells.items():
        for column, value in values.items():
            mapping.loc[row, column] = value
    return replace(frame, mapping=mapping)


def with_rows(frame: DatasetFrame, rows: list[tuple[object, object]]) -> DatasetFrame:
    """The dataset with further rows at the end of its mapping."""
    added = pd.DataFrame(rows, columns=frame.mapping.columns, dtype=object)
    return replace(frame, mapping=pd.concat([frame.mapping.astype(object), added]))


def _leaves_lost(frame: DatasetFrame, leaves: list[int]) -> dict[str, Verdict]:
    """What follows when rows of leaves are invalid: a hole each, and pairs that name a hole.

    A leaf is the descendant of as many pairs as it is deep, and the ancestor of none.
    """
    tree = Tree(frame.pairs)
    return {
        "MAP001": ("fail", len(leaves)),
        "MAP004": ("fail", len(leaves)),
        "PAIR002": ("fail", sum(tree.depth(leaf) for leaf in leaves)),
    }


@corruption("MAP001", "MAP004", "PAIR002")
def damaged_mapping_cells(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """An empty idx, a negative and a fractional one, a word, an empty taxid, a word for a taxid."""
    leaves = pick(generator, Tree(frame.pairs).leaves(), 6)
    damages: tuple[dict[str, Cell], ...] = (
        {"idx": ""}, {"idx": -1}, {"idx": "17.5"}, {"idx": "none"}, {"taxid": ""}, {"taxid": "n/a"},
    )  # fmt: skip
    damaged = with_cells(frame, dict(zip(leaves, damages, strict=True)))
    return Corrupted(damaged, _leaves_lost(frame, leaves))


@corruption("MAP001", "MAP004", "PAIR002")
def absurd_idx_in_mapping(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """10**18 fits no table; a million is far beyond 7,112 rows. Neither sizes an array."""
    leaves = pick(generator, Tree(frame.pairs).leaves(), 2)
    damaged = with_cells(frame, {leaves[0]: {"idx": 10**18}, leaves[1]: {"idx": 1_000_000}})
    return Corrupted(damaged, _leaves_lost(frame, leaves))


@corruption("MAP001", "MAP004", "PAIR002")
def mapping_idx_as_floats(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A null turned the column into floats: 17.0 still is 17, and only the null is a bad row."""
    leaf = one(generator, Tree(frame.pairs).leaves())
    mapping = frame.mapping.astype({"idx": np.float64})
    mapping.loc[leaf, "idx"] = np.nan
    return Corrupted(replace(frame, mapping=mapping), _leaves_lost(frame, [leaf]))


@corruption("MAP001")
def header_line_read_as_data(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Two files, each with its header, were concatenated."""
    mapping = with_header_inside(frame.mapping, generator)
    return Corrupted(
        replace(frame, mapping=mapping),
        fail(MAP001=1),
        causes={"header_as_data": {"MAP001": (1, 1)}},
    )


@corruption("MAP001")
def header_cells_became_organisms(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The pairs' header was numbered among the taxa: id1 and id2 got the next two idx."""
    n = len(frame.mapping)
    return Corrupted(with_rows(frame, [("id1", n), ("id2", n + 1)]), fail(MAP001=2))


@corruption("MAP002")
def taxid_overwritten_by_another(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Three rows bear the taxid of three others: an identifier with two idx each."""
    rows = pick(generator, range(len(frame.mapping)), 6)
    mapping = frame.mapping.copy()
    mapping.loc[rows[:3], "taxid"] = mapping.loc[rows[3:], "taxid"].to_numpy()
    return Corrupted(replace(frame, mapping=mapping), fail(MAP002=3))


@corruption("MAP002", "PAIR003")
def taxid_numbered_again(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """A second build appended rows with new idx, which no pair uses."""
    n, again = len(frame.mapping), 4
    rows = pick(generator, range(n), again)
    taxids = frame.mapping["taxid"][rows].tolist()
    damaged = with_rows(frame, [(taxid, n + k) for k, taxid in enumerate(taxids)])
    expected = fail(MAP002=again, PAIR003=again, PAIR004=again)
    # a gap, and not one taxid below n_nodes
    return Corrupted(damaged, expected | {"PAIR014": SKIPPED})


@corruption("MAP003")
def idx_given_to_two_taxids(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Five further taxids share the idx of taxa that are there."""
    rows = pick(generator, range(len(frame.mapping)), 5)
    largest = int(frame.mapping["taxid"].max())
    damaged = with_rows(frame, [(largest + 1 + k, idx) for k, idx in enumerate(rows)])
    return Corrupted(damaged, fail(MAP003=5))


@corruption()
def mapping_row_repeated(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The same taxid with the same idx again is no disagreement: nothing is found."""
    rows = pick(generator, range(len(frame.mapping)), 5)
    taxids = frame.mapping["taxid"][rows].tolist()
    return Corrupted(with_rows(frame, list(zip(taxids, rows, strict=True))))


def renumbered(frame: DatasetFrame, number: np.ndarray) -> DatasetFrame:
    """The dataset with idx k called number[k], in the mapping and in the pairs."""
    pairs = frame.pairs.copy()
    for end in ("ancestor_idx", "descendant_idx"):
        pairs[end] = number[pairs[end]]
    mapping = frame.mapping.assign(idx=number[frame.mapping["idx"]])
    return replace(frame, mapping=mapping, pairs=pairs)


@corruption("MAP004")
def holes_in_the_numbering(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Seven idx are left out; mapping and pairs agree on the rest."""
    n, holes = len(frame.mapping), 7
    left_out = pick(generator, range(n), holes)  # below the last idx, n + 6
    number = np.setdiff1d(np.arange(n + holes), left_out)
    return Corrupted(renumbered(frame, number), fail(MAP004=holes))


@corruption()
def renumbered_at_random(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Another numbering and another order of rows are no defect."""
    shuffled = renumbered(frame, generator.permutation(len(frame.mapping)))
    shuffled = replace(
        shuffled,
        mapping=shuffled.mapping.sample(frac=1, random_state=generator),
        pairs=shuffled.pairs.sample(frac=1, random_state=generator),
    )
    return Corrupted(shuffled)


@corruption("MAP005", "PAIR002", "PAIR004")
def swapped_mapping_columns(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A headerless file holds idx, then taxid: the taxids are read as idx."""
    swapped = replace(frame, mapping=frame.mapping[["idx", "taxid"]], mapping_header=False)
    # No pair's idx is a taxid, since the smallest taxid is above the largest idx.
    assert frame.mapping["taxid"].min() > len(frame.mapping)
    expected = taxids_as_idx(frame) | fail(MAP005=len(frame.mapping))
    causes = {"swapped_columns": wholly(expected)}
    return Corrupted(swapped, expected, {"swapped_columns"}, causes=causes)


@corruption("MAP007")
def taxids_used_as_idx(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Mapping and pairs agree, and a table of three million rows follows."""
    taxids = frame.mapping["taxid"].to_numpy()
    follows = taxids_as_idx(frame)
    expected = {rule: follows[rule] for rule in ("MAP004", "MAP007")}  # the pairs agree
    causes = {"taxid_as_index": wholly(expected)}
    return Corrupted(renumbered(frame, taxids), expected, {"taxid_as_index"}, causes=causes)


@corruption("MAP007", "PAIR002")
def taxids_used_as_idx_in_the_mapping(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The pairs have the dense idx, the mapping has taxids in their place."""
    damaged = replace(frame, mapping=frame.mapping.assign(idx=frame.mapping["taxid"]))
    expected = taxids_as_idx(frame)
    causes = {"taxid_as_index": wholly(expected)}
    return Corrupted(damaged, expected, {"taxid_as_index"}, causes=causes)


@corruption("PAIR002", "PAIR003")
def taxids_used_as_idx_in_the_pairs(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The mapping is sound; the pairs hold taxids in their idx columns."""
    pairs = renumbered(frame, frame.mapping["taxid"].to_numpy()).pairs
    n = len(frame.mapping)
    expected = NO_PAIR_LEFT | fail(PAIR002=len(pairs), PAIR003=n, PAIR004=n)
    causes = {"taxid_as_index": wholly(expected)}
    return Corrupted(replace(frame, pairs=pairs), expected, causes=causes)


def numbered_anew(folder: Folder, number: Callable[[int], int]) -> None:
    """Other idx in the mapping and in the pairs."""
    folder.mapping = [(taxid, number(idx)) for taxid, idx in folder.mapping]
    folder.pairs = [(number(a), number(d), *rest) for a, d, *rest in folder.pairs]


@bad("MAP001", "fail", 2, "a header line stands among the rows, and one row has no idx")
def _(folder: Folder) -> None:
    folder.mapping.insert(7, ("taxid", "idx"))
    folder.mapping.append((LEOPARD, ""))


@bad("MAP002", "fail", 1, "the lion's row bears the tiger's taxid, which so has two idx")
def _(folder: Folder) -> None:
    folder.mapping[13] = (9694, 13)


@bad("MAP003", "fail", 1, "the leopard was given the tiger's idx")
def _(folder: Folder) -> None:
    folder.mapping.append((LEOPARD, 14))


@bad("MAP004", "fail", 3, "the families' idx are 4 and 5, so that nothing has 1 to 3")
def _(folder: Folder) -> None:
    numbered_anew(folder, lambda idx: idx + 3 if idx else 0)


@bad("MAP005", "fail", 15, "a file without a header holds idx, then taxid, in all 15 rows")
def _(folder: Folder) -> None:
    folder.mapping_header = None
    folder.mapping = [(idx, taxid) for taxid, idx in folder.mapping]


@bad("MAP007", "fail", 15, "all 15 idx are taxids, beyond 8 x 15 + 1,024 = 1,144")
def _(folder: Folder) -> None:
    numbered_anew(folder, lambda idx: TAXA[idx][0])
