"""A run over many files: the findings of one file, each row named by its file and its row there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from taxcheck import Request, check
from taxcheck.cli import main
from taxcheck.model.errors import InputError
from taxcheck.model.report import RenderOptions, Report
from taxcheck.policy.model import Inputs
from taxcheck.policy.read import loads
from taxcheck.run.cache.answer import answer
from taxcheck.run.registry import load_renderers, load_rules

NODES = 40
SPLIT = 30  # rows of each shard


def closure() -> list[tuple[int, int, int]]:
    """Of a binary tree; row 41 pairs a node with itself, row 65 names an idx beyond the mapping."""
    rows = []
    for node in range(1, NODES):
        above, distance = (node - 1) // 2, 1
        while above >= 0:
            rows.append((above, node, distance))
            above, distance = ((above - 1) // 2 if above else -1), distance + 1
    rows[40], rows[64] = (5, 5, 0), (999, 7, 1)
    return rows


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    columns = dict(
        zip(("ancestor_idx", "descendant_idx", "depth_diff"), np.array(closure()).T, strict=True)
    )
    pairs = pa.table(columns)
    mapping = pa.table({"taxid": np.arange(NODES) + 100, "idx": np.arange(NODES)})
    mapping = pa.concat_tables([mapping, mapping.slice(7, 1)])  # row 41 has again what row 8 has
    pq.write_table(pairs, tmp_path / "pairs.parquet")
    pq.write_table(mapping, tmp_path / "mapping.parquet")
    for name, table in (("pairs", pairs), ("mapping", mapping)):
        (tmp_path / name).mkdir()
        for at in range(-(-len(table) // SPLIT)):
            shard = table.slice(at * SPLIT, SPLIT)
            pq.write_table(shard, tmp_path / name / f"part-{at}.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def findings(report: Report) -> dict[str, object]:
    """What was found, without where."""
    return {
        one.id: (one.outcome, one.count, one.total, one.observed, [s.values for s in one.samples])
        for one in report.results
    }


@pytest.mark.usefixtures("folder")
def test_the_findings_are_those_of_one_file() -> None:
    one = check(Request("mapping.parquet", "pairs.parquet"))
    many = check(Request("mapping", "pairs/*.parquet"))
    assert findings(many) == findings(one)
    assert many.title == one.title == "pairs"
    by_name = {result.name: result for result in many.results}
    (sample,) = by_name["self_pair"].samples
    assert (sample.file, sample.row) == ("pairs/part-1.parquet", 11)
    assert "first: pairs/part-1.parquet, row 11 (" in by_name["self_pair"].message
    (sample,) = by_name["index_out_of_range"].samples
    assert (sample.file, sample.row) == ("pairs/part-2.parquet", 5)
    assert {s.file for r in one.results for s in r.samples} == {None}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", sorted(load_renderers()))
def test_every_renderer_names_the_file(name: str) -> None:
    if name == "projection":
        pytest.skip("it shows a table")
    said = load_renderers()[name](check(Request("mapping", "pairs")), RenderOptions())
    assert "pairs/part-1.parquet" in said
    if name in ("terminal", "markdown", "junit"):
        assert "pairs/part-1.parquet, row 11" in " ".join(said.split())


@pytest.mark.usefixtures("folder")
def test_sarif_points_to_the_file() -> None:
    report = check(Request("mapping", "pairs/*.parquet"))
    said = json.loads(load_renderers()["sarif"](report, RenderOptions()))
    (run,) = said["runs"]
    assert [a["location"]["uri"] for a in run["artifacts"]] == ["mapping", "pairs"]
    (result,) = (r for r in run["results"] if r["ruleId"] == "PAIR005")
    (place,) = (one["physicalLocation"] for one in result["locations"])
    assert place["artifactLocation"] == {"uri": "pairs/part-1.parquet"}


@pytest.mark.usefixtures("folder")
def test_failures_hold_file_and_row() -> None:
    check(Request("mapping", "pairs", failures=Path("failures")))
    (row,) = pq.read_table("failures/self_pair.parquet").to_pylist()
    assert (row["file"], row["row"]) == ("pairs/part-1.parquet", 11)
    check(Request("mapping.parquet", "pairs.parquet", failures=Path("alone")))
    (row,) = pq.read_table("alone/self_pair.parquet").to_pylist()
    assert "file" not in row
    assert row["row"] == 41


@pytest.mark.usefixtures("folder")
def test_why_names_file_and_row(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("table.npy", np.random.default_rng(0).uniform(-0.1, 0.1, (NODES, 3)))
    main(["why", "107", "--mapping", "mapping", "--pairs", "pairs", "--embeddings", "table.npy"])
    said = capsys.readouterr().out
    assert "mapping/part-0.parquet, row 8 of the mapping" in said
    assert "mapping/part-1.parquet, row 11 of the mapping" in said


@pytest.mark.usefixtures("folder")
def test_a_policy_and_a_command_line_take_several(capsys: pytest.CaptureFixture[str]) -> None:
    shards = sorted(map(str, Path("pairs").iterdir()))
    listed = ", ".join(f'"{shard}"' for shard in shards)
    Path("taxcheck.toml").write_text(f'[inputs]\nmapping = "mapping"\npairs = [{listed}]\n')
    with pytest.raises(SystemExit):
        main(["run", "--json", "policy.json"])
    typed = [word for shard in shards for word in ("--pairs", shard)]
    with pytest.raises(SystemExit):
        main(["run", "--mapping", "mapping", *typed, "--json", "typed.json"])
    capsys.readouterr()
    by_policy, by_line = (json.loads(Path(f"{n}.json").read_text()) for n in ("policy", "typed"))
    assert by_policy["results"] == by_line["results"]
    assert [one["path"] for one in by_line["inputs"][1]["files"]] == shards
    assert by_line["inputs"] == by_policy["inputs"]
    assert by_line["title"] == "pairs"


def test_lists_and_paths_are_taken_by_python() -> None:
    assert Inputs(pairs=[Path("a"), "b"]).pairs == ("a", "b")  # type: ignore[arg-type]
    assert Inputs(pairs=["a"]).pairs == "a"  # type: ignore[arg-type]
    assert Request(pairs=("a", "b")).inputs.pairs == ("a", "b")
    assert replace(Request(pairs="a"), pairs=("a", "b")).pairs == ("a", "b")


def test_a_policy_knows_addresses() -> None:
    text = '[inputs]\npairs = ["s3://data/pairs", "near.tsv"]\n'
    policy = loads(text, load_rules(), source="sub/taxcheck.toml")
    assert policy.inputs.pairs == ("s3://data/pairs", "sub/near.tsv")


def test_a_result_of_many_files_is_kept(folder: Path) -> None:
    request = Request("mapping", "pairs", drawn=False)
    first = answer(request, folder / "cache")
    again = answer(request, folder / "cache")
    assert not first.report.cached
    assert again.report.cached
    assert structs.replace(again.report, cached=False) == first.report
    pq.write_table(pq.read_table("pairs/part-0.parquet").slice(1), "pairs/part-0.parquet")
    assert not answer(request, folder / "cache").report.cached


@pytest.mark.usefixtures("folder")
def test_a_mapping_of_which_no_row_is_sound() -> None:
    for at in range(2):
        pq.write_table(pa.table({"taxid": [1], "idx": [-1]}), f"mapping/part-{at}.parquet")
    with pytest.raises(InputError, match=r"first in mapping/part-0.parquet, row 1\)"):
        check(Request("mapping", "pairs"))


@pytest.mark.usefixtures("folder")
def test_a_cause_names_file_and_row() -> None:
    text = "ancestor_idx\tdescendant_idx\n"
    rows = [f"{a}\t{d}\n" for a, d, _ in closure()]
    Path("tsv").mkdir()
    Path("tsv/a.tsv").write_text(text + "".join(rows[:20]))
    Path("tsv/b.tsv").write_text(text + "".join(rows[20:30]) + text + "".join(rows[30:]))
    report = check(Request("mapping", "tsv"))
    assert any("tsv/b.tsv, row 12 of the pairs is a header" in c.message for c in report.causes)
