"""Causes of numbering at other places, and of other sizes, than those that are planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.selftest.frame import DatasetFrame, TaxonomyFrame, closure
from taxcheck.model.result import FoundCause
from taxcheck.run.check import check
from tests.commands.selftest.bases import base

pytestmark = pytest.mark.long

ENDS = ["ancestor_idx", "descendant_idx"]
Number = Callable[[np.ndarray], np.ndarray]


def identified(frame: DatasetFrame) -> DatasetFrame:
    of = frame.mapping[frame.mapping.columns[0]].to_numpy()
    ends = {f"{end}_taxid": of[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    return replace(frame, pairs=frame.pairs.assign(**ends))


def numbered(frame: DatasetFrame, number: Number) -> DatasetFrame:
    """The pairs with other idx; identifiers beside them stay."""
    return replace(frame, pairs=frame.pairs.assign(**{e: number(frame.pairs[e]) for e in ENDS}))


def mapped(frame: DatasetFrame, taxids: list[int]) -> DatasetFrame:
    """The mapping with other rows, numbered anew."""
    return replace(frame, mapping=pd.DataFrame({"taxid": taxids, "idx": range(len(taxids))}))


def found(frame: DatasetFrame, folder: Path) -> FoundCause:
    """The one cause that is named."""
    (cause,) = check(frame.write(folder)).causes
    return cause


@pytest.mark.parametrize("shift", [-40, -1, 2, 40])
@pytest.mark.parametrize("form", ["identifiers", "taxonomy", "range"])
def test_a_shift_is_told_by_what_there_is(form: str, shift: int, tmp_path: Path) -> None:
    frame = base("tree with taxonomy" if form == "taxonomy" else "tree")
    frame = identified(frame) if form == "identifiers" else frame
    cause = found(numbered(frame, lambda idx: idx + shift), tmp_path)
    assert cause.name == "shifted_idx"
    assert cause.parameters["shift"] == shift
    assert all(one.count == one.of for one in cause.explains)


def test_idx_zero_of_a_row_that_is_not_read_is_not_missing(tmp_path: Path) -> None:
    """A row for padding holds idx 0, so that nothing counts from 1."""
    frame = numbered(base("tree"), lambda idx: idx + 1)
    padded = {"taxid": ["<pad>", *frame.mapping["taxid"]], "idx": range(len(frame.mapping) + 1)}
    report = check(replace(frame, mapping=pd.DataFrame(padded)).write(tmp_path))
    assert not report.causes
    (hole,) = [one for one in report.results if one.id == "MAP004"]
    assert "could not be read may have them" in hole.message


def test_what_is_given_is_not_asked_for(tmp_path: Path) -> None:
    """Idx far outside the mapping, of which a taxonomy knows nothing."""
    for name in ("tree", "tree with taxonomy"):
        frame = numbered(base(name), lambda idx: idx + 100_000)
        cause = found(frame, tmp_path / name.replace(" ", "_"))
        assert cause.why_not is not None
        assert ("a taxonomy" in cause.why_not) is (name == "tree")


@pytest.mark.parametrize("lost", [[0], [1], [700, 701, 702], [10, 900, 1_400]])
def test_rows_lost_are_placed(lost: list[int], tmp_path: Path) -> None:
    """From the first idx after a lost row on, the pairs are one higher for each that is lost."""
    frame = identified(base("tree"))
    kept = [t for k, t in enumerate(frame.mapping["taxid"]) if k not in lost]
    cause = found(mapped(frame, kept), tmp_path)
    starts = [k + 1 for k in lost if k + 1 not in lost]
    assert cause.name == "shifted_from"
    assert cause.parameters["from idx"] == ", ".join(map(str, starts))
    assert cause.parameters["shift"] == ", ".join(str(sum(x < k for x in lost)) for k in starts)


def test_rows_lost_at_many_places_break_no_cause(tmp_path: Path) -> None:
    """Between them lie runs of which none is so short that it may be noise."""
    frame = identified(base("tree"))
    kept = [t for k, t in enumerate(frame.mapping["taxid"]) if k % 50 != 25]
    report = check(mapped(frame, kept).write(tmp_path))
    assert not report.broken_causes
    assert [cause.name for cause in report.causes] == ["other_build"]


@pytest.mark.parametrize("at", [1, 1_200, 1_546])
def test_a_row_added_is_placed(at: int, tmp_path: Path) -> None:
    frame = identified(base("tree"))
    taxids = frame.mapping["taxid"].tolist()
    cause = found(mapped(frame, [*taxids[:at], 2_000_000, *taxids[at:]]), tmp_path)
    assert (cause.name, cause.parameters) == ("shifted_from", {"from idx": str(at), "shift": "-1"})


def test_both_kinds_of_builds_without_identifiers_are_told_apart_from_nothing(
    tmp_path: Path,
) -> None:
    """The mapping lacks nodes of the pairs, or has more: which they are is not said."""
    frame = base("tree without depths")
    taxids = frame.mapping["taxid"].tolist()
    for name, changed in (("fewer", taxids[:50] + taxids[90:]), ("more", [*taxids, *range(1, 30)])):
        cause = found(mapped(frame, changed), tmp_path / name)
        assert cause.name == "other_build"
        assert cause.repair is None
        assert cause.why_not is not None
        assert cause.parameters["nodes in the mapping"] == len(changed)


def test_a_shift_beside_lost_leaves_takes_its_own(tmp_path: Path) -> None:
    """Forty leaves are in no pair as well: two idx of the shift, and the leaves, are left."""
    frame = identified(base("tree"))
    leaves = sorted(set(frame.pairs["descendant_idx"]) - set(frame.pairs["ancestor_idx"]))[100:140]
    frame = frame.only(~frame.pairs["descendant_idx"].isin(leaves))
    report = check(numbered(frame, lambda idx: idx + 2).write(tmp_path))
    cause = next(c for c in report.causes if c.name == "shifted_idx")
    explained = {one.rule: (one.count, one.of) for one in cause.explains}
    assert explained["PAIR003"] == (2, 42)
    assert explained["PAIR010"][0] == explained["PAIR010"][1]


def test_a_larger_dataset_appended_is_left_out_whole(tmp_path: Path) -> None:
    """Its idx go beyond the mapping: those rows are its own as well."""
    frame = base("tree")
    n = len(frame.mapping)
    chain = pd.DataFrame(
        [(a, d, d - a, a, d) for d in range(n - 10, n + 50) for a in range(n - 11, d)],
        columns=frame.pairs.columns,
    )
    cause = found(frame.appended(chain), tmp_path)
    assert cause.name == "appended_file"
    assert cause.parameters["rows"] == len(chain)
    outside = next(one for one in cause.explains if one.rule == "PAIR002")
    assert outside.count == outside.of == int((chain["descendant_idx"] >= n).sum())


@pytest.mark.slow
def test_exchanged_columns_are_told_where_the_taxonomy_knows_the_numbers(tmp_path: Path) -> None:
    """Every idx is a taxid of something else, so that the pairs have a hierarchy: a wrong one."""
    frame = base("tree with taxonomy")
    assert frame.taxonomy is not None
    known = frame.taxonomy.nodes
    small = sorted({*range(2, len(frame.mapping))} - {*known["taxid"]})
    above = [taxid // 2 if taxid // 2 in small else 1 for taxid in small]
    more = pd.DataFrame({"taxid": small, "parent": above, "rank": "no rank"})
    dump = replace(
        frame.taxonomy,
        nodes=pd.concat([known, more], ignore_index=True),
        names={**frame.taxonomy.names, **{taxid: f"taxon {taxid}" for taxid in small}},
    )
    mapping = frame.mapping.rename(columns={"taxid": "idx", "idx": "taxid"})
    cause = found(replace(frame, mapping=mapping, taxonomy=dump), tmp_path)
    assert cause.name == "swapped_columns"
    assert all(one.count == one.of for one in cause.explains)


def test_idx_taken_for_taxids_explain_all_that_a_taxonomy_misses(tmp_path: Path) -> None:
    """A third of 300 nodes has a taxid below 300, some of them above nodes that have not."""
    n = 300
    parents = [-1, *((k - 1) // 3 for k in range(1, n))]
    taxids = np.sort(np.random.default_rng(4).permutation(np.r_[2:102, 1_000 : 1_000 + n - 100]))
    order = np.random.default_rng(5).permutation(n)  # who is which node of the tree
    number = np.argsort(order)
    pairs = pd.DataFrame(closure(parents)).iloc[:, :3].set_axis([*ENDS, "depth_diff"], axis=1)
    pairs = pairs.assign(**{end: number[pairs[end]] for end in ENDS})
    kept = pairs[(taxids[pairs[ENDS]] < n).all(axis=1)]
    own = taxids[number]
    above = [1 if p < 0 else int(own[p]) for p in parents]
    nodes = pd.DataFrame({"taxid": [1, *own], "parent": [1, *above], "rank": "no rank"})
    dump = TaxonomyFrame(nodes, {int(taxid): f"taxon {taxid}" for taxid in nodes["taxid"]})
    mapping = pd.DataFrame({"taxid": taxids, "idx": range(n)})
    cause = found(DatasetFrame(mapping, kept, taxonomy=dump), tmp_path)
    assert cause.name == "index_range_as_taxids"
    lost = len(pairs) - len(kept)
    assert {e.rule: (e.count, e.of) for e in cause.explains}["TREE009"] == (lost, lost)
