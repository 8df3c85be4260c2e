"""A DAG that lost rows: nothing is called false, what is not proved is counted, nothing dropped."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.run.check import check
from taxcheck.run.request import Request

FIXTURES = Path(__file__).parents[2] / "fixtures"
MAPPING = "taxid\tidx\nR\t0\nA\t1\nB\t2\nC\t3\nD\t4\nE\t5\nF\t6\n"
# R > A, B; A > C, E; B > E; C > D; E > F; and B > C, whose row is lost
PAIRS = """ancestor_idx,descendant_idx,depth_diff
0,1,1
0,2,1
1,3,1
0,3,2
3,4,1
1,4,2
2,4,2
0,4,3
1,5,1
2,5,1
0,5,2
5,6,1
1,6,2
2,6,2
0,6,3
"""


def request(folder: Path, pairs: str) -> Request:
    (folder / "map.tsv").write_text(MAPPING)
    (folder / "pairs.csv").write_text(pairs)
    return Request(mapping=str(folder / "map.tsv"), pairs=str(folder / "pairs.csv"))


def test_one_lost_row(tmp_path: Path):
    report = check(request(tmp_path, PAIRS))
    tree = report.statistics.tree
    assert tree is not None
    assert (tree.kind, tree.expected_pairs, tree.missing_pairs) == ("dag", 14, 0)
    assert (tree.false_pairs, tree.unproven_pairs) == (0, 1)
    assert tree.unproven_by_reason == {"beyond_edges": 1}
    told = {result.id: result for result in report.results}
    (sample,) = told["TREE005"].samples
    assert (sample.row, sample.values["ancestor_idx"], sample.values["descendant_idx"]) == (8, 2, 4)
    assert "1 pair beyond them is unproven" in told["TREE004"].message
    assert report.exit_code == 0


def test_a_repair_drops_no_unproven_pair(tmp_path: Path):
    """A repeated row is all that could be repaired, at the price of B > D."""
    fixed = fix(request(tmp_path, PAIRS + "0,6,3\n"), tmp_path / "fixed")
    (why,) = (one for one in fixed.plan.lacking if one.blocking)
    assert why.rule == "TREE005"
    assert why.why.startswith("1 pair is held by no chain of depth-1 pairs")
    assert not (tmp_path / "fixed").exists()


@pytest.mark.long
def test_uberon_with_one_parent_each(tmp_path: Path):
    """Of every term the first parent is kept, as a dict by child does."""
    pairs = pd.read_parquet(FIXTURES / "uberon" / "pairs.parquet")
    edges = pairs[pairs["depth_diff"] == 1]
    kept = pairs.drop(edges.index[edges["descendant_idx"].duplicated()])
    kept[["ancestor_idx", "descendant_idx", "depth_diff"]].to_parquet(tmp_path / "pairs.parquet")
    report = check(
        Request(
            mapping=str(FIXTURES / "uberon" / "mapping.tsv"), pairs=str(tmp_path / "pairs.parquet")
        )
    )
    tree = report.statistics.tree
    assert tree is not None
    assert (tree.kind, tree.false_pairs) == ("dag", 0)
    proved = tree.expected_pairs - tree.missing_pairs
    assert tree.unproven_by_reason["beyond_edges"] == len(kept) - proved
