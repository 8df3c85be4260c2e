"""The incident, repaired by one command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.cli import main

pytestmark = [pytest.mark.long, pytest.mark.slow]

# Of the rebuilt incident: 110,478 nodes, of which 28,610 are in no pair; closing adds 1,427.
NODES, ADDED, ROWS = 110_478, 1_427, 975_413


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(a) for a in arguments])
    return int(done.value.code or 0)


@pytest.fixture(scope="module")
def repaired(incident, tmp_path_factory):
    """A folder with the incident and, beside it, what was made of it."""
    folder, paths = tmp_path_factory.mktemp("repaired"), incident
    for path in (paths.mapping, paths.pairs, paths.taxdump):
        (folder / path.name).symlink_to(path)
    table = np.random.default_rng(0).normal(size=(91_567, 2)).astype(np.float32)
    np.save(folder / "table.npy", table / 10)
    before = {p: p.read_bytes() for p in (paths.mapping, paths.pairs)}
    given = ("--mapping", paths.mapping, "--pairs", paths.pairs, "--taxonomy", paths.taxdump)
    code = command(
        "fix", *given, "--embeddings", folder / "table.npy", "--geometry", "ball",
        "--out", folder / "fixed",
    )  # fmt: skip
    assert code == 0
    assert {p: p.read_bytes() for p in before} == before
    return folder


def test_the_gate_passes_and_every_node_is_covered(repaired):
    report = json.loads((repaired / "fixed" / "gate.json").read_text())
    assert report["verdict"] == "pass"
    found = {rule["id"]: rule["outcome"] for rule in report["results"]}
    assert {found[k] for k in ("PAIR003", "PAIR014", "MAP009", "TREE004", "TREE009")} == {"pass"}
    pairs = report["statistics"]["pairs"]
    assert (pairs["nodes"], pairs["never"]) == (NODES + ADDED, 0)
    assert str(repaired / "fixed") in json.dumps(report["inputs"])
    assert not list(repaired.glob(".fixed*"))


def test_old_nodes_keep_their_idx_and_ancestors_follow_at_the_end(repaired):
    old = pd.read_csv(repaired / "mapping.tsv", sep="\t", names=["taxid", "idx"])
    old = old[old["taxid"].astype(str).str.isdecimal()].astype(np.int64)
    new = pd.read_csv(repaired / "fixed" / "mapping.tsv", sep="\t")
    assert len(new) == NODES + ADDED
    taxid_of = dict(zip(new["idx"], new["taxid"], strict=True))
    assert all(taxid_of[k] == t for k, t in zip(old["idx"], old["taxid"], strict=True))
    assert sorted(taxid_of) == list(range(NODES + ADDED))
    assert not (repaired / "fixed" / "old_to_new.parquet").exists()


def test_every_old_pair_stays_and_every_node_has_its_ancestors(repaired):
    ends = ["ancestor_idx", "descendant_idx"]
    old = pd.read_parquet(repaired / "pairs.parquet")
    new = pd.read_parquet(repaired / "fixed" / "pairs.parquet")
    n = NODES + ADDED
    keys = set((new[ends[0]].to_numpy(np.int64) * n + new[ends[1]]).tolist())
    assert len(keys) == len(new)
    assert set((old[ends[0]].to_numpy(np.int64) * n + old[ends[1]]).tolist()) <= keys
    above = new.groupby("descendant_idx").size()
    depth = new.groupby("descendant_idx")["descendant_depth"].first()
    assert (above == depth).all()  # in a tree a node has as many ancestors as it is deep
    assert len(above) == n - 1  # all but the root


def test_the_plan_says_what_was_done(repaired):
    plan = json.loads((repaired / "fixed" / "plan.json").read_text())
    rows = {step["rules"][0]: step["rows"] for step in plan["repairs"] if step["rules"]}
    new = len(pd.read_parquet(repaired / "fixed" / "pairs.parquet", columns=["depth_diff"]))
    assert rows == {"MAP009": ADDED, "PAIR014": new - ROWS}
    assert plan["pairs that stay"] == ROWS
    assert plan["before"] == {"nodes": NODES, "pairs": ROWS}
    assert plan["after"] == {"nodes": NODES + ADDED, "pairs": new}
    assert plan["not repaired"] == []


def test_the_table_goes_along(repaired):
    """91,567 rows were there; every other node starts at the origin."""
    old, new = (np.load(repaired / name) for name in ("table.npy", "fixed/embeddings.npy"))
    assert new.shape == (NODES + ADDED, 2)
    np.testing.assert_array_equal(new[:91_567], old)
    assert not new[91_567:].any()


def test_the_repaired_needs_no_repair(repaired, capsys):
    fixed, again = repaired / "fixed", repaired / "again"
    code = command(
        "fix", "--mapping", fixed / "mapping.tsv", "--pairs", fixed / "pairs.parquet",
        "--taxonomy", repaired / "taxdump", "--policy", fixed / "taxcheck.toml", "--out", again,
    )  # fmt: skip
    assert code == 0
    assert "Nothing to repair" in capsys.readouterr().out
    assert not again.exists()


def test_without_the_taxonomy_it_says_what_to_give(repaired, capsys):
    out = repaired / "guessed"
    code = command(
        "fix", "--mapping", repaired / "mapping.tsv", "--pairs", repaired / "pairs.parquet",
        "--out", out,
    )  # fmt: skip
    assert code == 1
    told = capsys.readouterr().out
    assert "Cannot repair PAIR014" in told
    assert "--taxonomy" in told
    assert not Path(out).exists()
