"""Rows lost or moved by where they stand, rows that were drawn, labels that were cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.frame import DatasetFrame, Tree
from taxcheck.model.report import Report
from taxcheck.run.check import check
from tests.commands.fix.repaired import by_name, pairs_of
from tests.commands.selftest.bases import base

pytestmark = pytest.mark.long

WITH = "tree with taxonomy"
ENDS = ["ancestor_idx", "descendant_idx"]


def report_of(frame: DatasetFrame, folder: Path) -> Report:
    return check(frame.write(folder))


def lead(report: Report) -> tuple[str, str]:
    return report.causes[0].name, report.causes[0].certainty


@pytest.mark.parametrize("first", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("name", [WITH, "tree", "tree without depths", "DAG"])
def test_a_block_of_rows_is_lost(name: str, first: float, tmp_path: Path) -> None:
    pairs = base(name).pairs.sort_values("descendant_idx", kind="stable", ignore_index=True)
    place = np.arange(len(pairs)) / len(pairs)
    kept = pairs[(place < first) | (place >= first + 0.3)]
    report = report_of(replace(base(name), pairs=kept), tmp_path)
    assert lead(report) == ("truncated_rows", "certain")


def test_a_round_number_of_rows_is_likely_at_most(tmp_path: Path) -> None:
    frame = base("tree")
    some = frame.pairs.sample(5_000, random_state=1)
    assert lead(report_of(replace(frame, pairs=some), tmp_path)) == ("truncated_rows", "likely")
    other = frame.pairs.sample(5_003, random_state=1)
    assert not report_of(replace(frame, pairs=other), tmp_path).causes


def moved(frame: DatasetFrame, column: str, by: int, order: list[str]) -> DatasetFrame:
    pairs = (
        frame.pairs.sort_values(order, kind="stable", ignore_index=True) if order else (frame.pairs)
    )
    return replace(frame, pairs=pairs.assign(**{column: np.roll(pairs[column], by)}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "by", "order"),
    [
        ("ancestor_idx", 1, ["ancestor_idx", "descendant_idx"]),
        ("ancestor_idx", 1, ["depth_diff", "descendant_idx"]),
        ("descendant_idx", -2, ["depth_diff", "descendant_idx"]),
        ("depth_diff", 1, []),
    ],
)
@pytest.mark.parametrize("name", ["tree with taxonomy", "tree"])
def test_one_column_is_some_rows_lower(
    name: str, column: str, by: int, order: list[str], tmp_path: Path
) -> None:
    frame = moved(base(name), column, by, order)
    request = frame.write(tmp_path / "data")
    report = check(request)
    assert lead(report) == ("shifted_column", "certain")
    fix(request, tmp_path / "fixed")
    if (tmp_path / "fixed").exists():
        taxids = dict(enumerate(frame.mapping["taxid"].tolist()))
        true = {pair[:2] for pair in by_name(base(name).pairs, taxids)}
        assert {pair[:2] for pair in pairs_of(tmp_path / "fixed")} <= true


def with_drawn(frame: DatasetFrame, share: float, ends: list[str]) -> DatasetFrame:
    generator = np.random.default_rng(3)
    more = frame.pairs.sample(int(share * len(frame.pairs)), random_state=3, replace=True)
    n = len(frame.mapping)
    more = more.assign(**{end: generator.integers(0, n, len(more)) for end in ends})
    both = pd.concat([frame.pairs, more]).sample(frac=1, random_state=4, ignore_index=True)
    return replace(frame, pairs=both)


@pytest.mark.parametrize("ends", [["descendant_idx"], ENDS])
@pytest.mark.parametrize(
    ("name", "certainty"), [(WITH, "certain"), ("tree without depths", "likely"), ("DAG", "likely")]
)
def test_negatives_in_no_order(name: str, certainty: str, ends: list[str], tmp_path: Path) -> None:
    report = report_of(with_drawn(base(name), 1.0, ends), tmp_path)
    assert lead(report) == ("negatives_mixed_in", certainty)


def three_clades() -> list[set[int]]:
    tree = Tree(base("tree").pairs)
    found: list[set[int]] = []
    for top in tree.children:
        clade = set(tree.below(top))
        if 10 <= len(clade) <= 60 and not any(clade & other for other in found):
            found.append(clade)
    return found[:3]


@pytest.mark.parametrize("name", ["tree", "tree without depths"])
def test_three_clades_are_doubled_at_once(name: str, tmp_path: Path) -> None:
    frame = base(name)
    again = [frame.pairs[frame.pairs["descendant_idx"].isin(c)] for c in three_clades()]
    report = report_of(frame.appended(pd.concat(again)), tmp_path)
    assert lead(report) == ("doubled_clade", "certain")
    assert report.causes[0].parameters["rows"] == sum(map(len, again))


def test_two_clades_are_turned_round_by_a_taxonomy(tmp_path: Path) -> None:
    frame = replace(base("tree"), taxonomy=base(WITH).taxonomy)
    pairs = frame.pairs[[*ENDS, "depth_diff"]].copy()
    for clade in three_clades()[:2]:
        inner = pairs["ancestor_idx"].isin(clade) & pairs["descendant_idx"].isin(clade)
        pairs.loc[inner, ENDS] = pairs.loc[inner, ENDS[::-1]].to_numpy()
    assert lead(report_of(replace(frame, pairs=pairs), tmp_path)) == ("reversed_clade", "certain")


def cut(labels: pd.DataFrame, characters: int) -> pd.DataFrame:
    return labels.apply(lambda column: column.str[:characters])


@pytest.mark.parametrize("mapped", [True, False])
def test_labels_are_cut(mapped: bool, tmp_path: Path) -> None:
    frame = base("tree")
    words = ("ba", "codife", "gulamino", "pe", "rasutivo")
    names = np.array([f"{words[k % 5]} of {words[k % 3] * (1 + k % 4)} group {k}"
                      for k in frame.mapping["idx"]], dtype=object)  # fmt: skip
    pairs = pd.DataFrame({f"{end}_label": names[frame.pairs[f"{end}_idx"]]
                          for end in ("ancestor", "descendant")})  # fmt: skip
    mapping = pd.DataFrame({"identifier": names, "idx": frame.mapping["idx"]})
    damaged = replace(frame, mapping=mapping, pairs=cut(pairs, 22), mapping_given=mapped)
    report = report_of(damaged, tmp_path)
    assert lead(report)[0] == "cut_labels"
    assert mapped or lead(report)[1] == "likely"


Made = Callable[[DatasetFrame], DatasetFrame]


def idx_of_one_more(frame: DatasetFrame) -> DatasetFrame:
    """Idx are one too high, and the identifiers beside them are right."""
    taxids = frame.mapping["taxid"].to_numpy()
    beside = {f"{end[:-4]}_taxid": taxids[frame.pairs[end]] for end in ENDS}
    return replace(
        frame, pairs=frame.pairs.assign(**beside, **{e: frame.pairs[e] + 1 for e in ENDS})
    )


def identifiers_of_one_less(frame: DatasetFrame) -> DatasetFrame:
    """Identifiers were looked up one row off, in a mapping that then lost its last row."""
    taxids = frame.mapping["taxid"].to_numpy()
    beside = {f"{end[:-4]}_taxid": taxids[frame.pairs[end] - 1] for end in ENDS}
    return replace(frame, mapping=frame.mapping[:-1], pairs=frame.pairs.assign(**beside))


@pytest.mark.parametrize("damage", [idx_of_one_more, identifiers_of_one_less])
def test_identifiers_alone_do_not_say_which_side_was_moved(damage: Made, tmp_path: Path) -> None:
    request = damage(base("tree")).write(tmp_path / "data")
    assert "certain" not in {cause.certainty for cause in check(request).causes}
    fixed = fix(request, tmp_path / "fixed")
    assert not fixed.written
