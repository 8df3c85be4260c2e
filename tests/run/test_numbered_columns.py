"""Pairs under a header of numbers, or beside the numbers of their rows, as pandas writes them."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pandas as pd
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.model.report import Report
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Request

# 5 over 2 and 3; 2 over 4 and 0; 3 over 1 and 6: the row 0,1 would be false.
TREE = nx.DiGraph([(5, 2), (5, 3), (2, 4), (2, 0), (3, 1), (3, 6)])
CLOSED = sorted(nx.transitive_closure_dag(TREE).edges)


def request_of(folder: Path, **how: object) -> Request:
    nodes = pd.DataFrame({"taxid": range(10, 17), "idx": range(7)})
    nodes.to_csv(folder / "mapping.csv", index=False)
    pd.DataFrame(CLOSED).to_csv(folder / "pairs.csv", **how)  # type: ignore[call-overload]
    return Request(mapping=str(folder / "mapping.csv"), pairs=str(folder / "pairs.csv"))


def rows_and_guesses(report: Report) -> tuple[int, str]:
    (pairs,) = (one for one in report.inputs if one.role == "pairs")
    assert pairs.reading is not None
    return pairs.rows, " ".join(pairs.reading.guesses)


def test_a_header_of_numbers_is_no_pair_to_fix(tmp_path: Path) -> None:
    done = fix(request_of(tmp_path, index=False), tmp_path / "fixed")
    rows, guesses = rows_and_guesses(done.before)
    assert (done.before.verdict, rows) == ("pass", 10)
    assert "The first row, 0,1, is read as a header" in guesses
    assert not done.plan.steps
    assert not (tmp_path / "fixed").exists()


@pytest.mark.parametrize("header", [False, True])
def test_the_numbers_of_the_rows_are_no_ancestors(tmp_path: Path, header: bool) -> None:
    with gather(request_of(tmp_path, header=header)) as data:
        report = judge(data)
        found = [
            pair
            for batch in data.intake.training.spool.batches()  # type: ignore[union-attr]
            for pair in zip(batch.ancestor.tolist(), batch.descendant.tolist(), strict=True)
        ]
    assert sorted(found) == CLOSED
    assert report.verdict == "pass"
    assert "The first column counts the rows and is not read." in rows_and_guesses(report)[1]
