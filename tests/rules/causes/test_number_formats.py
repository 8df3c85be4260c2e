"""Formats that cannot hold every number: in the pairs, in one of their columns, in the mapping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.selftest.frame import DatasetFrame
from taxcheck.model.report import Report
from taxcheck.run.check import check
from tests.commands.selftest.bases import base

pytestmark = pytest.mark.long
IDX = ["ancestor_idx", "descendant_idx"]


def tree(dtype: str = "") -> DatasetFrame:
    """1,547 nodes, or 7,112, of which 16-bit floats hold 2,048."""
    if not dtype.startswith("float"):
        return base("tree")
    return replace(base("tree with taxonomy"), taxonomy=None)


def cast(frame: DatasetFrame, dtype: str, columns: list[str] = IDX) -> DatasetFrame:
    """What NumPy makes of idx in that type."""
    pairs = frame.pairs.copy()
    for column in columns:
        pairs[column] = pairs[column].to_numpy().astype(dtype).astype(np.int64)
    return replace(frame, pairs=pairs)


def identified(frame: DatasetFrame) -> DatasetFrame:
    names = frame.mapping.iloc[:, 0].to_numpy()
    ends = {f"{end}_taxid": names[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    return replace(frame, pairs=frame.pairs.assign(**ends))


def whole(report: Report) -> bool:
    """Whether every failure is explained to the last offender."""
    failed = {r.id: r.count for r in report.results if r.outcome.value == "fail"}
    explained: dict[str, int] = {}
    for one in report.causes[0].explains:
        explained[one.rule] = one.count
    return all(explained.get(rule) == count for rule, count in failed.items() if count)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float16"])
@pytest.mark.parametrize("beside", [False, True])
def test_both_columns(dtype: str, beside: bool, tmp_path: Path) -> None:
    frame = tree(dtype)
    frame = cast(identified(frame) if beside else frame, dtype)
    report = check(frame.write(tmp_path))
    name = "rounded_floats" if dtype == "float16" else "wrapped_integers"
    (cause,) = report.causes
    assert (cause.name, cause.certainty, cause.parameters["format"]) == (name, "certain", dtype)
    assert whole(report)
    assert (cause.repair is not None) == beside


@pytest.mark.parametrize("column", IDX)
@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_one_column(column: str, dtype: str, tmp_path: Path) -> None:
    report = check(cast(tree(dtype), dtype, [column]).write(tmp_path))
    assert report.causes[0].name in ("wrapped_integers", "rounded_floats")
    assert report.causes[0].message.startswith(f"idx of {column.removesuffix('_idx')}s went")


def test_what_no_two_idx_share_is_taken_back(tmp_path: Path) -> None:
    """128 strains of 200 are below zero, and each is one of them alone."""
    genus = base("genus")
    small = replace(genus, mapping=genus.mapping[:200], pairs=genus.pairs[:199])
    (cause,) = check(cast(small, "int8").write(tmp_path)).causes
    assert {e.rule: (e.count, e.of) for e in cause.explains} == {
        "PAIR001": (72, 72),
        "PAIR003": (72, 72),
        "PAIR004": (72, 72),
    }
    assert cause.repair == "take int8 back: add 256 to what is negative"


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float16"])
def test_idx_of_the_mapping(dtype: str, tmp_path: Path) -> None:
    frame = tree(dtype)
    idx = frame.mapping["idx"].to_numpy().astype(dtype).astype(np.int64)
    report = check(replace(frame, mapping=frame.mapping.assign(idx=idx)).write(tmp_path))
    assert report.causes[0].message.startswith(f"idx of the mapping went through {dtype}")
    assert whole(report)


def test_a_mapping_that_the_format_holds_shows_nothing(tmp_path: Path) -> None:
    genus = base("genus")
    small = replace(genus, mapping=genus.mapping[:128], pairs=genus.pairs[:127])
    assert not check(cast(small, "int8").write(tmp_path)).causes


def test_idx_below_a_power_of_two_that_are_lost_are_not_wrapped(tmp_path: Path) -> None:
    """All rows of idx from 256 on are left out: nothing is merged."""
    genus = base("genus")
    kept = genus.only(genus.pairs["descendant_idx"] < 256)
    names = {cause.name for cause in check(kept.write(tmp_path)).causes}
    assert "wrapped_integers" not in names


def test_multiples_by_chance_are_too_few(tmp_path: Path) -> None:
    """Of 18 idx above 256 all are even: no float is told from so few."""
    genus = base("genus")
    chosen = (genus.pairs["descendant_idx"] <= 256) | (genus.pairs["descendant_idx"] % 19 == 0)
    pairs = genus.pairs[chosen & (genus.pairs["descendant_idx"] != 257)]
    pairs = pd.concat([pairs[pairs["descendant_idx"] <= 256], pairs[-18:]], ignore_index=True)
    names = {cause.name for cause in check(replace(genus, pairs=pairs).write(tmp_path)).causes}
    assert "rounded_floats" not in names
