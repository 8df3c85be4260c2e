"""Ways in which pipelines lose, double or add pairs: the right cause leads and explains it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.selftest.frame import DatasetFrame, Tree, touching
from taxcheck.model.report import Report
from taxcheck.run.check import check
from tests.commands.selftest.bases import base

pytestmark = pytest.mark.long

WITH = "tree with taxonomy"
TREES = (WITH, "tree", "tree without depths")
Damage = Callable[[DatasetFrame], DatasetFrame]
ENDS = ["ancestor_idx", "descendant_idx"]


def report_of(name: str, damage: Damage, folder: Path) -> Report:
    """The damage is done to the tree with all of its columns, which the base may then lose."""
    damaged = damage(base(WITH))
    own = [column for column in base(name).pairs if column in damaged.pairs]
    taxonomy = damaged.taxonomy if name == WITH else None
    return check(replace(damaged, pairs=damaged.pairs[own], taxonomy=taxonomy).write(folder))


def only(keep: Callable[[pd.DataFrame], pd.Series | np.ndarray]) -> Damage:
    return lambda frame: frame.only(keep(frame.pairs))


def clade(low: int, high: int) -> tuple[int, list[int]]:
    """The first node of so many descendants, and its clade."""
    tree = Tree(base(WITH).pairs)
    top = next(x for x in tree.children if low <= len(tree.below(x)) <= high and tree.depth(x) > 1)
    return top, tree.below(top)


def without_clade(frame: DatasetFrame) -> DatasetFrame:
    return frame.only(~touching(frame.pairs, clade(30, 60)[1]))


def without_what_is_below(frame: DatasetFrame) -> DatasetFrame:
    top, nodes = clade(30, 60)
    return frame.only(~touching(frame.pairs, set(nodes) - {top}))


def without_node(frame: DatasetFrame) -> DatasetFrame:
    top, _ = clade(30, 60)
    return frame.only(~touching(frame.pairs, [top]))


def clade_twice_among_itself(frame: DatasetFrame) -> DatasetFrame:
    nodes = clade(30, 60)[1]
    inner = frame.pairs["ancestor_idx"].isin(nodes) & frame.pairs["descendant_idx"].isin(nodes)
    return frame.appended(frame.pairs[inner])


def clade_turned(frame: DatasetFrame) -> DatasetFrame:
    """Every row whose descendant is in the clade."""
    pairs = frame.pairs.copy()
    turned = pairs["descendant_idx"].isin(clade(30, 60)[1])
    pairs.loc[turned, ENDS] = pairs.loc[turned, ENDS[::-1]].to_numpy()
    return replace(frame, pairs=pairs)


def clade_without_parents(*, top: bool) -> Damage:
    """The pairs of parents of a clade are lost, with or without that of its first node."""
    first, nodes = clade(30, 60)
    named = {*nodes, first} if top else {*nodes} - {first}
    return only(lambda p: (p["depth_diff"] > 1) | ~p["descendant_idx"].isin(named))


def everything_twice(frame: DatasetFrame) -> DatasetFrame:
    return frame.appended(frame.pairs)


def distances_from_nought(frame: DatasetFrame) -> DatasetFrame:
    return replace(frame, pairs=frame.pairs.assign(depth_diff=frame.pairs["depth_diff"] - 1))


def negatives_behind(frame: DatasetFrame) -> DatasetFrame:
    """A third as many rows of ends that are drawn, at the end of the file."""
    generator = np.random.default_rng(5)
    more = frame.pairs.sample(len(frame.pairs) // 3, random_state=5)
    drawn = generator.integers(0, len(frame.mapping), len(more))
    return frame.appended(more.assign(descendant_idx=drawn))


def sorted_by(*columns: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda pairs: pairs.sort_values(list(columns), ignore_index=True)


def cut(rows: int, order: Callable[[pd.DataFrame], pd.DataFrame] = lambda pairs: pairs) -> Damage:
    return lambda frame: replace(frame, pairs=order(frame.pairs).iloc[:rows])


def one_of_each_drawn(pairs: pd.DataFrame) -> pd.Series:
    return ~pairs.sample(frac=1, random_state=3).duplicated("ancestor_idx").sort_index()


def shuffled(pairs: pd.DataFrame) -> pd.DataFrame:
    return pairs.sample(frac=1, random_state=3, ignore_index=True)


ROWS = len(base(WITH).pairs)
VARIANTS: list[tuple[str, str, Damage]] = [
    ("truncated_rows", "tree", cut(ROWS // 2 + 1, sorted_by(*ENDS))),
    ("truncated_rows", "tree", cut(ROWS // 2 + 1, sorted_by("depth_diff", *ENDS))),
    ("truncated_rows", WITH, cut(1 << (ROWS.bit_length() - 1), shuffled)),
    ("every_kth_row", "tree", only(lambda pairs: np.arange(len(pairs)) % 2 == 0)),
    ("every_kth_row", "tree", only(lambda pairs: np.arange(len(pairs)) % 17 != 3)),
    ("every_kth_row", WITH, only(lambda pairs: np.arange(len(pairs)) % 3 == 0)),
    ("one_row_per_node", "tree", only(one_of_each_drawn)),
    ("one_row_per_node", WITH, only(lambda pairs: ~pairs.duplicated("ancestor_idx"))),
    *[("depth_capped", name, only(lambda p: p["depth_diff"] <= 4)) for name in TREES],
    *[("no_parent_pairs", name, only(lambda p: p["depth_diff"] > 1)) for name in TREES],
    *[("no_parent_pairs", WITH, clade_without_parents(top=top)) for top in (True, False)],
    ("lost_clade", WITH, without_clade),
    ("lost_clade", WITH, without_what_is_below),
    ("lost_node", WITH, without_node),
    ("lost_node", "tree", without_node),
    ("lost_levels", WITH, only(lambda pairs: pairs["descendant_depth"] <= 6)),
    ("lost_levels", "tree", only(lambda pairs: pairs["ancestor_depth"] >= 4)),
    *[("doubled_clade", name, clade_twice_among_itself) for name in TREES],
    ("doubled_clade", "tree", everything_twice),
    *[("reversed_clade", name, clade_turned) for name in TREES],
    ("depths_offset", "tree", distances_from_nought),
    ("negatives_mixed_in", WITH, negatives_behind),
    ("negatives_mixed_in", "tree", negatives_behind),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "name", "damage"),
    VARIANTS,
    ids=[f"{c}-{n}-{k}" for k, (c, n, _) in enumerate(VARIANTS)],
)
def test_the_cause_leads_and_explains_all(
    cause: str, name: str, damage: Damage, tmp_path: Path
) -> None:
    report = report_of(name, damage, tmp_path)
    assert [found.name for found in report.causes] == [cause]
    (found,) = report.causes
    assert found.certainty == "certain"
    assert all(e.count >= 0.99 * e.of for e in found.explains)
    explained = {e.rule for e in found.explains}
    failed = {r.id for r in report.results if r.outcome == "fail"} - {"PAIR004"}  # follows PAIR003
    assert failed <= explained


def both(one: Damage, other: Damage) -> Damage:
    return lambda frame: other(one(frame))


@pytest.mark.parametrize(
    ("damage", "causes"),
    [
        (both(without_clade, everything_twice), {"lost_clade", "doubled_clade"}),
        (both(without_clade, only(lambda p: p["depth_diff"] <= 4)), {"lost_clade", "depth_capped"}),
        (
            both(only(lambda p: p["depth_diff"] <= 4), clade_twice_among_itself),
            {"depth_capped", "doubled_clade"},
        ),
    ],
)
def test_two_causes_at_once_take_their_own(
    damage: Damage, causes: set[str], tmp_path: Path
) -> None:
    report = report_of(WITH, damage, tmp_path)
    assert {found.name for found in report.causes} == causes
    for result in report.results:
        told = [e.count for found in report.causes for e in found.explains if e.rule == result.id]
        assert sum(told) <= (result.count or sum(told))


@pytest.mark.parametrize("name", ["tree", "DAG"])
def test_distances_from_two_are_no_parents_that_are_lost(name: str, tmp_path: Path) -> None:
    """The smallest distance is 2 in both; in a DAG it is that of the shortest way."""
    frame = base(name)
    apart = replace(frame, pairs=frame.pairs.assign(depth_diff=frame.pairs["depth_diff"] + 1))
    lost = replace(frame, pairs=frame.pairs[frame.pairs["depth_diff"] > 1])
    names = [
        check(one.write(tmp_path / str(k))).causes[0].name for k, one in enumerate((apart, lost))
    ]
    assert names == ["depths_offset", "no_parent_pairs"]
