"""Digits under `ancestor`, `descendant`: the mapping tells if they are idx; else it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from taxcheck.model.report import Report
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Request

N = 300
PAIRS = pd.DataFrame([(0, k) for k in range(1, N)], columns=["ancestor", "descendant"])


def report(
    folder: Path,
    label: Callable[[int], object],
    written: Callable[[int], object],
    kind: str = "csv",
    header: bool = True,
) -> tuple[set[str], tuple[str, ...], Report]:
    """Roles that were read, guesses, and the report."""
    mapping = pd.DataFrame({"label": [label(k) for k in range(N)], "idx": range(N)})
    mapping.to_csv(folder / "m.csv", index=False)
    pairs, path = PAIRS.map(written), folder / f"p.{kind}"
    pairs.to_csv(path, index=False, header=header) if kind == "csv" else pairs.to_parquet(path)
    with gather(Request(mapping=str(folder / "m.csv"), pairs=str(path))) as data:
        reading = data.sources["pairs"].reading()
        return set(reading.columns), reading.guesses, judge(data)


LABELS, IDX = {"ancestor_taxid", "descendant_taxid"}, {"ancestor", "descendant"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_padded_labels_below_n_are_labels(tmp_path: Path, kind: str) -> None:
    number = lambda k: f"{N - 1 - k:04d}"  # noqa: E731
    roles, guesses, told = report(tmp_path, number, number, kind)
    assert roles == LABELS
    assert told.exit_code == 0
    assert "read as identifiers: zeros fill them" in guesses[0]


def test_padded_digits_that_lost_a_prefix_are_no_idx(tmp_path: Path) -> None:
    roles, _, told = report(tmp_path, lambda k: f"GO:{k * 7 % N:07d}", lambda k: f"{k * 7 % N:07d}")
    assert roles == LABELS
    assert told.exit_code == 1


@pytest.mark.parametrize("label", [lambda k: 100_000 + 7 * k, lambda k: f"{1 + k % 3}.{100 + k}"])
@pytest.mark.parametrize("header", [True, False])
def test_numbers_that_only_the_identifiers_have_are_these(
    tmp_path: Path, label: Callable[[int], object], header: bool
) -> None:
    roles, guesses, told = report(tmp_path, label, label, header=header)
    assert roles == LABELS
    assert told.exit_code == 0
    assert not [guess for guess in guesses if "The numbers" in guess]


def test_what_may_be_both_is_told(tmp_path: Path) -> None:
    roles, guesses, _ = report(tmp_path, lambda k: N - 1 - k, lambda k: k)
    assert roles == IDX
    assert "though they are identifiers of the mapping as well" in guesses[0]


def test_idx_that_are_no_identifiers_are_told_of_nowhere(tmp_path: Path) -> None:
    roles, guesses, told = report(tmp_path, lambda k: f"Asteroidea {k}", lambda k: k)
    assert (roles, guesses, told.exit_code) == (IDX, (), 0)


def test_where_both_readings_are_the_same_nothing_is_told(tmp_path: Path) -> None:
    roles, guesses, told = report(tmp_path, lambda k: k, lambda k: k)
    assert (roles, guesses, told.exit_code) == (IDX, (), 0)


def test_identifiers_that_lost_their_zeros_are_no_idx(tmp_path: Path) -> None:
    roles, _, told = report(tmp_path, lambda k: f"{100_000 + k:08d}", lambda k: 100_000 + k)
    assert roles == LABELS
    assert [cause.name for cause in told.causes] != ["shifted_idx"]
