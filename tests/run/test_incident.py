"""The rebuilt incident through the whole gate: its known figures, and its true cause first."""

from __future__ import annotations

import json
import re
import sys

import pytest

from taxcheck.cli import main

pytestmark = pytest.mark.long

# What the incident's own document reported, of the data before some pairs were dropped.
DOCUMENT = {
    "nodes": 111_103,
    "pairs": 975_896,
    "nodes_in_pairs": 82_040,
    "only_descendant": 60_238,
    "both": 21_801,
    "never": 29_063,
    "table_size": 92_290,
    "beyond_the_table": 18_813,
    "holes": 10_250,
    "depth_1": 58_663,
    "depth_2_5": 193_821,
    "deeper": 723_412,
    "mean": 11.97,
    "median": 11,
    "max": 37,
}


@pytest.fixture(scope="module")
def report(incident, tmp_path_factory):
    out = tmp_path_factory.mktemp("incident") / "report.json"
    arguments = ["run", "--mapping", incident.mapping, "--pairs", incident.pairs, "--json", out]
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    assert done.value.code == 1
    return json.loads(out.read_text())


def observed(report):
    pairs = report["statistics"]["pairs"]
    counts = {item["depth"]: item["pairs"] for item in pairs["depth"]["histogram"]}
    return {
        "nodes": report["statistics"]["mapping"]["nodes"],
        "pairs": pairs["rows"],
        "nodes_in_pairs": pairs["nodes"],
        "only_descendant": pairs["only_descendant"],
        "both": pairs["both"],
        "never": pairs["never"],
        "table_size": pairs["table_size"],
        "beyond_the_table": report["statistics"]["mapping"]["n_nodes"] - pairs["table_size"],
        "holes": pairs["table_size"] - pairs["nodes"],
        "depth_1": counts[1],
        "depth_2_5": sum(counts[k] for k in range(2, 6)),
        "deeper": sum(count for depth, count in counts.items() if depth > 5),
        "mean": pairs["depth"]["mean"],
        "median": pairs["depth"]["median"],
        "max": pairs["depth"]["max"],
    }


def test_figures_of_the_rebuilt_data(report):
    assert observed(report) == {
        "nodes": 110_478,
        "pairs": 975_413,
        "nodes_in_pairs": 81_868,
        "only_descendant": 59_997,
        "both": 21_870,
        "never": 28_610,
        "table_size": 91_567,
        "beyond_the_table": 18_911,
        "holes": 9_699,
        "depth_1": 59_191,
        "depth_2_5": 194_873,
        "deeper": 721_349,
        "mean": pytest.approx(11.945, abs=5e-4),
        "median": 11,
        "max": 37,
    }
    assert report["statistics"]["pairs"]["only_ancestor"] == 1


@pytest.mark.parametrize("figure", DOCUMENT)
def test_close_to_what_the_document_reported(report, figure):
    tolerance = 0.06 if figure == "holes" else 0.02
    assert observed(report)[figure] == pytest.approx(DOCUMENT[figure], rel=tolerance)


def test_the_cause_leads_and_its_consequences_follow(report):
    rules = {rule["id"]: rule for rule in report["results"]}
    found = {key for key, rule in rules.items() if rule["outcome"] in ("fail", "warn")}
    assert all(rules[key]["caused_by"] for key in found)
    (cause,) = report["causes"]
    assert (cause["name"], cause["certainty"]) == ("index_range_as_taxids", "certain")
    counted = {one["rule"]: (one["count"], one["of"]) for one in cause["explains"]}
    assert counted["PAIR003"] == (28_610, 28_610)
    assert counted["TREE007"] == (22_676, 22_676)
    for key in ("PAIR003", "PAIR004", "TREE005", "TREE007"):
        assert rules[key]["caused_by"][0] == "index_range_as_taxids"
    assert rules["PAIR014"]["message"].startswith(
        "idx values were used as the set of valid taxids: the mapping's columns were read in the "
        "wrong order when the pairs were built"
    )
    assert report["headline"] == "28,610 of 110,478 nodes (25.9 %) will never be trained."


def test_counts_of_the_findings(report):
    rules = {rule["id"]: rule for rule in report["results"]}
    assert rules["PAIR003"]["count"] == 28_610
    assert rules["PAIR004"]["count"] == 18_911
    assert rules["TREE007"]["count"] == 22_676
    assert (rules["PAIR010"]["outcome"], rules["PAIR010"]["count"]) == ("pass", 0)
    tree = report["statistics"]["tree"]
    assert (tree["false_pairs"], tree["unproven_pairs"]) == (0, 801_564)
    assert rules["TREE005"]["count"] == 0


def test_the_terminal_leads_with_the_cause(capsys, incident, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["taxcheck"])
    with pytest.raises(SystemExit):
        main(["run", "--mapping", str(incident.mapping), "--pairs", str(incident.pairs)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 25
    assert lines[0].endswith("FAIL")
    ids = re.findall(r"(?m)^  └ . (\w+)", "\n".join(lines))
    assert lines[3].startswith("× index_range_as_taxids")
    assert ids[:2] == ["PAIR003", "TREE007"]
