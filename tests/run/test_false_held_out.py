"""Held-out pairs that are false: the finding that names them leads, whatever else could be read."""

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

ENDS = ["ancestor_idx", "descendant_idx"]
WITH = "tree with taxonomy"


def split(frame: DatasetFrame, drawn: int, columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training pairs, and a tenth held out, with some at random that are no pairs of the whole."""
    generator, pairs = np.random.default_rng(4), frame.pairs
    held = pairs.duplicated("descendant_idx") & (generator.random(len(pairs)) < 0.1)
    false = pd.DataFrame(generator.integers(0, len(frame.mapping), (4 * drawn, 2)), columns=ENDS)
    known = pd.MultiIndex.from_frame(pairs[ENDS])
    both = [pd.MultiIndex.from_frame(false[ends]) for ends in (ENDS, ENDS[::-1])]
    false = false[~both[0].isin(known) & ~both[1].isin(known) & (false[ENDS[0]] != false[ENDS[1]])]
    false = false.drop_duplicates()[:drawn].assign(depth_diff=1)
    assert len(false) == drawn
    return pairs.loc[~held, columns], pd.concat([pairs[held], false])[columns]


def checked(frame: DatasetFrame, drawn: int, columns: list[str], folder: Path) -> Report:
    training, held = split(frame, drawn, columns)
    request = replace(frame, pairs=training).write(folder / "data")
    held.to_parquet(folder / "held.parquet", index=False)
    return check(replace(request, held_out=folder / "held.parquet"))


def found(report: Report) -> dict[str, object]:
    return next(r.observed for r in report.results if r.id == "PAIR012")


@pytest.mark.parametrize("columns", [ENDS, [*ENDS, "depth_diff"]], ids=["bare", "distances"])
@pytest.mark.parametrize("name", ["tree", "DAG"])
def test_false_held_out_pairs_make_no_edge(name: str, columns: list[str], tmp_path: Path):
    report = checked(base(name), 12, columns, tmp_path)
    failed = [r.id for r in report.results if r.outcome == "fail"]
    told = found(report)
    assert failed == ["PAIR012"]
    assert not report.causes
    # a tree's chains contradict them; a DAG may have lost what they imply
    kinds = {"tree": (12, 0), "DAG": (0, 12)}
    assert (told["false"], told["implying pairs in no part"]) == kinds[name]


@pytest.mark.parametrize("columns", [ENDS, [*ENDS, "depth_diff"]], ids=["bare", "distances"])
def test_the_taxonomy_says_which_held_out_pairs_are_false(columns: list[str], tmp_path: Path):
    frame = replace(base("tree"), taxonomy=base(WITH).taxonomy)
    report = checked(frame, 12, columns, tmp_path)
    assert found(report)["false"] == 12
