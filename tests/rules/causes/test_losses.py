"""Rows that are there, and could not be read or joined, are not called lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.selftest.frame import DatasetFrame
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.check import check
from tests.commands.selftest.bases import base

pytestmark = pytest.mark.long

A, B, DEPTH = "ancestor_idx", "descendant_idx", "depth_diff"
UNKNOWN = "Whether pairs were lost was not asked"
Damage = Callable[[DatasetFrame], DatasetFrame]


def report_of(damage: Damage, folder: Path) -> Report:
    frame = base("tree with taxonomy")
    frame = replace(frame, pairs=frame.pairs[[A, B, DEPTH]])
    return check(damage(frame).write(folder))


def every_third_cell_empty(frame: DatasetFrame) -> DatasetFrame:
    pairs = frame.pairs.astype("Int64")
    pairs.iloc[::3, pairs.columns.get_loc(B)] = pd.NA
    return replace(frame, pairs=pairs)


def far_ancestors_empty(frame: DatasetFrame) -> DatasetFrame:
    pairs = frame.pairs.astype("Int64")
    pairs.loc[pairs[DEPTH] > 3, A] = pd.NA
    return replace(frame, pairs=pairs)


def inverse_distances(frame: DatasetFrame) -> DatasetFrame:
    return replace(frame, pairs=frame.pairs.assign(depth_diff=1 / frame.pairs[DEPTH]))


def all_out_of_range(frame: DatasetFrame) -> DatasetFrame:
    """Each row is there, under idx that nobody has."""
    given = np.random.default_rng(4).permutation(len(frame.mapping)) * 3 + 100_000
    ends = {end: given[frame.pairs[end]] for end in (A, B)}
    return replace(frame, pairs=frame.pairs.assign(**ends))


def one_clade_empty(frame: DatasetFrame) -> DatasetFrame:
    """The rows of a clade are there, without their descendants."""
    pairs = frame.pairs.astype("Int64")
    sizes = pairs.groupby(A).size()
    top = sizes.index[(sizes > 30) & (sizes < 60)][0]
    inside = pairs.loc[pairs[A] == top, B]
    pairs.loc[pairs[B].isin(inside), B] = pd.NA
    return replace(frame, pairs=pairs)


@pytest.mark.parametrize("tax", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        every_third_cell_empty,
        far_ancestors_empty,
        inverse_distances,
        all_out_of_range,
        one_clade_empty,
    ],
)
def test_rows_that_are_there_are_not_lost(damage: Damage, tax: bool, tmp_path: Path):
    def done(frame: DatasetFrame) -> DatasetFrame:
        return damage(frame if tax else replace(frame, taxonomy=None))

    report = report_of(done, tmp_path)
    assert report.verdict == "fail"
    assert [c.name for c in report.causes] == []


def test_the_report_says_that_it_is_unknown(tmp_path: Path):
    (said,) = report_of(every_third_cell_empty, tmp_path).broken_causes
    assert said.startswith(UNKNOWN)


def test_a_loss_far_larger_than_what_is_unread_is_named(tmp_path: Path):
    """One row in hundreds that holds no idx cannot be all that is missing."""

    def damage(frame: DatasetFrame) -> DatasetFrame:
        kept = frame.pairs[frame.pairs[DEPTH] <= 3].astype("Int64")
        kept.iloc[0, 0] = pd.NA
        return replace(frame, pairs=kept)

    report = report_of(damage, tmp_path)
    assert [(c.name, c.certainty) for c in report.causes] == [("depth_capped", "certain")]
    assert report.broken_causes == ()


@pytest.mark.parametrize("tax", [True, False])
def test_distances_that_add_up_to_nothing_are_no_offset_and_no_loss(tax: bool, tmp_path: Path):
    """Negated, the smallest distance is that of the farthest pair."""

    def negated(frame: DatasetFrame) -> DatasetFrame:
        pairs = frame.pairs.assign(depth_diff=-frame.pairs[DEPTH])
        return replace(frame, pairs=pairs, taxonomy=frame.taxonomy if tax else None)

    report = report_of(negated, tmp_path)
    assert report.verdict == "fail"
    assert report.causes == ()


def mapping_cut(frame: DatasetFrame) -> DatasetFrame:
    return replace(frame, mapping=frame.mapping.iloc[:-400])


def test_a_mapping_that_lost_its_end_is_no_other_build_where_the_taxonomy_denies_nothing(
    tmp_path: Path,
):
    report = report_of(mapping_cut, tmp_path)
    assert report.verdict == "fail"
    assert report.causes == ()


def test_a_mapping_that_lost_its_end_may_be_another_build_without_a_taxonomy(tmp_path: Path):
    report = report_of(lambda f: mapping_cut(replace(f, taxonomy=None)), tmp_path)
    (cause,) = report.causes
    assert (cause.name, cause.certainty) == ("other_build", "likely")
    assert "or the mapping was cut" in cause.message


def test_childless_nodes_that_are_lost_are_called_so(tmp_path: Path):
    """Not by the ranks that most of them have."""
    report = report_of(lambda f: f.only(f.pairs[B].isin(f.pairs[A])), tmp_path)
    (cause,) = report.causes
    assert cause.message.startswith("all nodes without children are lost: every pair of them")


def parents_for_descendants(frame: DatasetFrame) -> DatasetFrame:
    edges = frame.pairs[frame.pairs[DEPTH] == 1]
    parent = dict(zip(edges[B], edges[A], strict=True))
    return replace(frame, pairs=frame.pairs.assign(**{B: frame.pairs[B].map(parent)}))


def test_words_that_some_of_many_lost_nodes_share_are_no_reason(tmp_path: Path):
    """Nor is a file twice in the pairs whose rows repeat as often as nodes have children."""
    report = report_of(parents_for_descendants, tmp_path)
    assert not {"name_filter", "doubled_clade"} & {c.name for c in report.causes}


def test_distances_of_which_all_are_one_crowd_nothing_out(tmp_path: Path):
    report = report_of(lambda f: replace(f, pairs=f.pairs.assign(depth_diff=1)), tmp_path)
    outcomes = {r.name: r.outcome for r in report.results}
    assert outcomes["depth_imbalance"] is Outcome.SKIPPED
    assert outcomes["false_ancestor_pair"] is Outcome.WARN


def test_a_taxon_of_two_idx_is_not_lost_while_its_pairs_are_under_one(tmp_path: Path):
    """The mapping has one row twice, and numbers both."""

    def twice(frame: DatasetFrame) -> DatasetFrame:
        at = 400
        rows = frame.mapping.iloc[[*range(at + 1), *range(at, len(frame.mapping))]]
        mapping = rows.assign(idx=np.arange(len(rows)))
        ends = {end: frame.pairs[end] + (frame.pairs[end] > at) for end in (A, B)}
        return replace(frame, mapping=mapping, pairs=frame.pairs.assign(**ends))

    report = report_of(twice, tmp_path)
    assert report.verdict == "fail"
    assert report.causes == ()


def test_pairs_that_the_taxonomy_holds_are_not_called_false(tmp_path: Path):
    """A parent became the root, at distance 1: its edge is what is wrong, not what it denies."""

    def root_for_parent(frame: DatasetFrame) -> DatasetFrame:
        pairs = frame.pairs.copy()
        root = pairs[A].mode()[0]
        edges = pairs[(pairs[DEPTH] == 1) & (pairs[A] != root)]
        node = edges[B][edges[B].isin(pairs[A])].iloc[200]
        pairs.loc[(pairs[B] == node) & (pairs[DEPTH] == 1), A] = root
        return replace(frame, pairs=pairs)

    for tax in (True, False):
        report = report_of(
            lambda f, tax=tax: root_for_parent(f if tax else replace(f, taxonomy=None)),
            tmp_path / str(tax),
        )
        (said,) = (r for r in report.results if r.name == "false_ancestor_pair")
        assert said.outcome is Outcome.FAIL
        assert said.count
        assert ("the taxonomy denies no pair" in said.message) is tax
        assert ("teach an ancestry" in (said.impact or "")) is not tax


def test_one_row_of_each_descendant_and_distance_makes_nothing_false(tmp_path: Path):
    """The edges are a tree that contradicts many true pairs, and lacks much of what it implies."""
    dag = base("DAG")
    once = dag.pairs.drop_duplicates(["descendant_idx", "depth_diff"])
    report = check(dag.only(dag.pairs.index.isin(once.index)).write(tmp_path / "kept"))
    found = {result.id: result for result in report.results}
    assert (found["TREE005"].observed["false"], found["TREE005"].outcome) == (0, "warn")
    assert found["TREE005"].observed["unproven"] > len(once) // 10
    assert "PAIR008" not in {r.id for r in report.results if r.outcome == "fail"}
    assert [(c.name, c.certainty) for c in report.causes] == [("one_row_per_node", "likely")]
    assert "of each descendant and distance only one row" in report.causes[0].message


def test_wrong_rows_of_a_tree_are_false_though_each_distance_comes_once(tmp_path: Path):
    tree = base("tree")
    pairs, generator = tree.pairs.copy(), np.random.default_rng(3)
    hit = generator.choice(np.flatnonzero(pairs["depth_diff"] > 1), len(pairs) // 10, replace=False)
    pairs.loc[hit, "ancestor_idx"] = generator.integers(0, len(tree.mapping), len(hit))
    report = check(replace(tree, pairs=pairs).write(tmp_path / "wrong"))
    false = next(r for r in report.results if r.id == "TREE005")
    assert (false.outcome, false.observed["false"] > len(hit) // 2) == ("fail", True)
    assert "one_row_per_node" not in {cause.name for cause in report.causes}
