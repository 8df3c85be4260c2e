"""Tables of known quality through the whole audit: untrained, collapsed, and well trained."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.audit import scores
from tests.audit.tables import (
    HEALTHY,
    audited,
    directions,
    firing,
    healthy_pairs,
    learnt,
    outcomes,
    subtree,
)

pytestmark = pytest.mark.long

DATA = ("--mapping", HEALTHY / "mapping.tsv", "--pairs", HEALTHY / "pairs.parquet")


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """The mended engine's init, .05 + .80 depth / max depth in random directions, untrained."""
    folder = tmp_path_factory.mktemp("untrained")
    taxids, pairs = healthy_pairs()
    depth = np.zeros(len(taxids))
    np.maximum.at(depth, pairs[:, 1], pairs[:, 2])
    norms = 0.05 + 0.80 * depth / depth.max()
    table = directions(len(taxids), 10, np.random.default_rng(1)) * norms[:, None]
    np.save(folder / "init.npy", table.astype(np.float32))
    taxonomy = ("--taxonomy", HEALTHY / "taxdump")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scores, "SOURCES", 500)
        return audited(folder, "--embeddings", folder / "init.npy", *DATA, *taxonomy)


def test_an_untrained_table_that_knows_the_depth_fails_by_its_ranking(untrained):
    code, report = untrained
    assert code == 1
    assert firing(report) == {"HIER003", "HIER010"}
    quality = report["statistics"]["embeddings"]["quality"]
    # Float32 tells radii of one depth apart, so the correlation stays at what ties allow.
    assert quality["spearman"]["ceiling"] == pytest.approx(0.988, abs=5e-4)
    assert quality["spearman"]["value"] == pytest.approx(quality["spearman"]["ceiling"], abs=1e-3)
    assert outcomes(report)["HIER001"] == "pass"
    assert quality["monotone_edges"]["value"] == 1
    assert quality["map"]["trained_only"] is None, "every row is in a pair"
    assert not quality["map"]["beats_every_null"]


def test_what_nothing_tells_is_null_and_no_zero(untrained):
    """A bare table: no updates and no table before it; every row is in a pair."""
    table = untrained[1]["statistics"]["embeddings"]
    assert not table["never_trained"]["trained_known"]
    assert table["clades"]
    assert {clade["never_trained"] for clade in table["clades"]} == {None}


def test_nothing_is_near_in_an_untrained_table(untrained):
    report = untrained[1]
    assert {"HIER004", "HIER006", "HIER009"} <= firing(report, "warn")
    quality = report["statistics"]["embeddings"]["quality"]
    assert quality["clade_level"] == "rank class"
    assert quality["separation"]["value"] == pytest.approx(1, abs=0.02)
    assert quality["siblings"]["value"] == pytest.approx(0.5, abs=0.03)


def test_a_collapsed_table_fails(tmp_path):
    tree = subtree(tmp_path, 300)
    table = np.tile([0.3, 0.4, 0.0], (tree.n, 1))
    np.save(tmp_path / "collapsed.npy", table)
    code, report = audited(
        tmp_path, "--embeddings", tmp_path / "collapsed.npy", "--geometry", "ball", *tree.data
    )
    assert code == 1
    assert "HIER003" in firing(report)
    assert "EMB005" in firing(report, "warn")
    assert report["statistics"]["embeddings"]["duplicates"] == tree.n - 1
    quality = report["statistics"]["embeddings"]["quality"]
    null = quality["map"]["nulls"]["collapsed table"]
    assert quality["map"]["value"] == pytest.approx(null["value"], abs=1e-12)
    assert quality["mean_rank"]["value"] > tree.n / 2


def test_a_trained_table_passes_and_beats_every_null(tmp_path):
    tree = subtree(tmp_path, 300)
    np.save(tmp_path / "learnt.npy", learnt(tree))
    code, report = audited(
        tmp_path, "--embeddings", tmp_path / "learnt.npy", "--geometry", "ball", *tree.data
    )
    assert code == 0
    assert firing(report) == set()
    passed = {"HIER002", "HIER003", "HIER004", "HIER007", "HIER009", "EMB001", "EMB006"}
    assert {outcomes(report)[key] for key in passed} == {"pass"}
    assert outcomes(report)["EMB004"] == "warn", "crowded in norm alone: the ranking is strong"
    quality = report["statistics"]["embeddings"]["quality"]
    assert quality["map"]["value"] > quality["map"]["nulls"]["popularity"]["value"] + 0.05
    assert quality["map"]["ci"][0] > 0.8


def test_the_same_seed_gives_the_same_report(tmp_path):
    tree = subtree(tmp_path, 100)
    rng = np.random.default_rng(0)
    np.save(tmp_path / "table.npy", directions(tree.n, 3, rng) * rng.random((tree.n, 1)))

    def quality(*options):
        arguments = ("--embeddings", tmp_path / "table.npy", "--geometry", "ball", *tree.data)
        return audited(tmp_path, *arguments, *options)[1]["statistics"]["embeddings"]

    first = quality("--seed", 3, "--workers", 1)
    assert first == quality("--seed", 3, "--workers", 2)
    assert first != quality("--seed", 4, "--workers", 1)
