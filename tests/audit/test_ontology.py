"""Uberon, whose terms have several parents, through the whole audit with a table laid out by it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

from taxcheck.audit import scores
from taxcheck.model.schema import report_schema
from tests.audit.tables import audited, directions, firing, outcomes

pytestmark = pytest.mark.long

UBERON = Path("fixtures/uberon")
STEP = 0.4  # from one level to the next, in hyperbolic distance
DIM = 10


class Ontology:
    """Depth-1 pairs of Uberon, and every term's shortest depth below one of its two roots."""

    def __init__(self) -> None:
        table = pq.read_table(UBERON / "pairs.parquet")
        names = ("ancestor_idx", "descendant_idx", "depth_diff")
        above, below, distance = (table[name].to_numpy().astype(np.int64) for name in names)
        self.parents, self.children = above[distance == 1], below[distance == 1]
        self.n = int(below.max()) + 1
        self.roots = np.setdiff1d(above, below)
        self.depth = np.full(self.n, self.n)
        self.depth[self.roots] = 0
        for _ in range(int(distance.max())):
            np.minimum.at(self.depth, self.children, self.depth[self.parents] + 1)

    def laid_out(self) -> np.ndarray:
        """A ball table: each term one step farther out than a parent, near that one's direction."""
        rng = np.random.default_rng(0)
        higher = self.depth[self.parents] < self.depth[self.children]
        parent = np.full(self.n, -1)
        parent[self.children[higher]] = self.parents[higher]
        unit = np.zeros((self.n, DIM))
        unit[self.roots] = np.outer([1, -1], directions(1, DIM, rng))
        for level in range(1, int(self.depth.max()) + 1):
            at = np.flatnonzero(self.depth == level)
            aside = 0.7 * np.exp(-level / 3) * directions(len(at), DIM, rng)
            towards = unit[parent[at]] + aside
            unit[at] = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        return np.tanh((self.depth + 1) * STEP / 2)[:, None] * unit


@pytest.fixture(scope="module")
def ontology():
    return Ontology()


@pytest.fixture(scope="module")
def report(ontology, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uberon")
    np.save(folder / "table.npy", ontology.laid_out())
    data = ("--mapping", UBERON / "mapping.tsv", "--pairs", UBERON / "pairs.parquet")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scores, "SOURCES", 500)
        code, report = audited(
            folder, "--embeddings", folder / "table.npy", "--geometry", "ball", *data
        )
    assert code == 1
    return report


@pytest.fixture(scope="module")
def quality(report):
    return report["statistics"]["embeddings"]["quality"]


@pytest.mark.slow
def test_local_order_is_found_and_the_ranking_of_all_ancestors_is_not(report):
    assert firing(report) == {"HIER003"}
    assert firing(report, "warn") == {"HIER002", "HIER010"}
    kept = {"HIER001", "HIER004", "HIER009", *(f"EMB{k:03}" for k in range(1, 10))}
    assert {outcomes(report)[key] for key in kept} == {"pass"}
    assert report["statistics"]["embeddings"]["never_trained"]["total"] == 0


def test_what_only_a_tree_has_is_skipped_with_its_reason(report, quality):
    tree = report["statistics"]["tree"]
    assert (tree["kind"], tree["roots"]) == ("dag", 2)
    reasons = {rule["id"]: rule["reason"] for rule in report["results"]}
    assert reasons["HIER007"] == "2 roots: no single one belongs at the centre"
    assert {outcomes(report)[key] for key in ("HIER005", "HIER006")} == {"skipped"}
    assert reasons["HIER005"] == (
        "no clade was judged (nodes with several parents, or cycles: size and depth predict no "
        "spread there)"
    )
    assert (quality["root"], quality["spearman_recentred"]) == (None, None)
    assert (quality["distortion"], quality["separation"]) == ({}, None)


def test_radii_are_those_of_the_shortest_depth(ontology, quality):
    assert [band["depth"] for band in quality["radius_by_depth"]] == list(range(12))
    for band in quality["radius_by_depth"]:
        assert band["p50"] == pytest.approx((band["depth"] + 1) * STEP)
    spearman = quality["spearman"]
    assert spearman["value"] == pytest.approx(spearman["ceiling"], abs=0.01)
    # A term hangs one level below its highest parent; others may lie as deep as it, or deeper.
    below = ontology.depth[ontology.children] - ontology.depth[ontology.parents]
    share = quality["monotone_edges"]["value"]
    assert (below > 0).mean() <= share <= (below >= 0).mean()


def test_a_score_is_held_against_each_null_by_itself(quality):
    margins = {name: null["margin_low"] for name, null in quality["map"]["nulls"].items()}
    assert {name for name, margin in margins.items() if margin <= 0} == {"popularity"}
    parents = quality["parent_hits"]["10"]
    assert parents["beats_every_null"]
    assert parents["value"] > 0.5
    assert quality["siblings"]["value"] > 0.7


def test_its_json_is_of_the_schema(report):
    jsonschema.validate(report, report_schema())
