"""The incident's table through the whole audit: what its norms hid, and what explains every row."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema
import pytest

from taxcheck.audit import scores
from taxcheck.model.schema import report_schema
from tests.audit.tables import audited, firing, incident_table, outcomes, save_incident

pytestmark = [pytest.mark.long, pytest.mark.slow]

ROWS = 91_567  # max(idx in the pairs) + 1
NODES = 110_478
BEYOND, IDLE = 18_911, 9_699
IMPORTED = "numpy, pandas, pandera.pandas, pyarrow, scipy.stats, jinja2"


def processor_seconds() -> float:
    """Of all children that have ended."""
    used = os.times()
    return used.children_user + used.children_system


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("incident")
    save_incident(folder / "checkpoint.pth", incident_table(ROWS))
    return folder


@pytest.fixture(scope="module")
def report(folder, incident):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scores, "SOURCES", 300)  # of 110,478 nodes; what is told of them is plain
        code, report = audited(
            folder,
            *("--embeddings", folder / "checkpoint.pth"),
            *("--mapping", incident.mapping),
            *("--pairs", incident.pairs),
            *("--taxonomy", incident.taxdump),
        )
    assert code == 1
    return report


@pytest.fixture(scope="module")
def rules(report):
    return {rule["id"]: rule for rule in report["results"]}


def test_the_table_fails_by_what_the_document_saw_and_by_what_it_did_not(report):
    assert {"EMB001", "EMB004", "EMB006", "HIER003", "TRAIN005"} <= firing(report)
    sound = {"EMB002", "EMB003", "EMB005", "EMB007", "EMB008"}
    assert {outcomes(report)[key] for key in sound} == {"pass"}


def test_every_row_without_training_is_explained(report):
    found = report["statistics"]["embeddings"]["never_trained"]
    assert found["total"] == BEYOND + IDLE == 28_610
    assert found["rows"] == NODES
    assert found["by_explanation"] == {"beyond the table": BEYOND, "in no pair": IDLE}
    assert found["by_evidence"] == {"no row in the table": BEYOND, "in no pair": IDLE}
    assert found["by_both"] == {
        "beyond the table": {"no row in the table": BEYOND},
        "in no pair": {"in no pair": IDLE},
    }
    clades = found["by_clade"]
    assert all(0 < clade["never_trained"] <= clade["nodes"] for clade in clades)
    shares = [clade["never_trained"] / clade["nodes"] for clade in clades]
    assert shares == sorted(shares, reverse=True)


def test_counts_of_the_findings(rules):
    assert rules["EMB001"]["count"] == BEYOND
    assert rules["EMB006"]["count"] == 28_610
    # Norms run evenly over their ranks, so above .9 are the ranks beyond 75 - 25 (.9527 - .9) /
    # (.9527 - .7094) = 69.585 %.
    assert "30.4 % above 0.9" in rules["EMB004"]["message"]


def test_causes_lead_to_the_swapped_columns(rules):
    assert rules["PAIR014"]["caused_by"] == ["index_range_as_taxids"]
    for key in ("EMB001", "EMB006", "TRAIN005", "HIER003"):
        assert {"PAIR014", "PAIR003", "PAIR004", "EMB001"} & set(rules[key]["caused_by"]), key
    assert "PAIR003" in rules["EMB006"]["caused_by"]  # of which its rows are, one by one


def test_the_percentiles_of_the_norms(report):
    norms = report["statistics"]["embeddings"]["norms"]
    assert norms["percentiles"] == pytest.approx(
        {
            "0": 0.1,
            "10": 0.1 + 0.4 * (0.5742 - 0.1),
            "25": 0.5742,
            "50": 0.7094,
            "75": 0.9527,
            "90": 0.9997,
            "99": 1 - 1e-5,
            "100": 1 - 1e-5,
        },
        abs=2e-5,
    )
    assert norms["share_over_0.9"] == pytest.approx(0.30415, abs=5e-5)
    # Ranks from 90 to 99 % rise from .9997 to 1: the last 1e-5 of them, and all beyond, are cut.
    assert norms["share_at_clip"] == pytest.approx(0.01 + 0.09 * 1e-5 / 3e-4, rel=0.02)


def test_the_scores_say_that_nothing_was_learnt(report):
    quality = report["statistics"]["embeddings"]["quality"]
    assert not quality["map"]["beats_every_null"]
    assert quality["map"]["value"] < 0.01
    assert quality["map"]["trained_only"] is not None
    assert quality["map"]["nulls"]["popularity"]["value"] > 0.3
    # A random order among the other nodes: the mean rank of a table with rows for 83 % of them.
    assert 0.4 * NODES < quality["mean_rank"]["value"] < 0.55 * NODES
    assert abs(quality["spearman"]["value"]) < 0.02


def test_the_report_is_of_the_shipped_schema(report):
    schema = report_schema()
    jsonschema.validate(report, schema)
    # Every field is required and no other is allowed, so that each of the report's is described.
    assert set(report["statistics"]) == set(schema["$defs"]["Statistics"]["properties"])
    assert None not in report["statistics"]["embeddings"].values()
    for name in ("Mapping", "Pair", "Tree", "Table", "Quality", "Untrained"):
        described = schema["$defs"][f"{name}Summary"]
        assert described["additionalProperties"] is False
        assert described["required"] == list(described["properties"])


def test_the_file_alone_is_judged_by_itself_in_moments_without_torch(folder):
    code = (
        "import sys\n"
        "from taxcheck.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    # What has to be imported for any audit, and what it takes here, beside whatever else runs.
    started = processor_seconds()
    subprocess.run([sys.executable, "-c", f"import {IMPORTED}"], check=True)
    start, out = processor_seconds() - started, folder / "alone.json"
    started = processor_seconds()
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--embeddings", folder / "checkpoint.pth",
         "--json", out],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")  # the Euclidean reading alone only warns
    assert processor_seconds() - started < 5 * start
    report = json.loads(out.read_text())
    assert {key[:3] for key in outcomes(report)} == {"EMB", "HIE", "TRA"}
    ran = {key for key, outcome in outcomes(report).items() if outcome != "skipped"}
    assert ran == {f"EMB{k:03}" for k in range(2, 12)} | {"TRAIN002", "TRAIN007"}
    assert firing(report, "fail", "warn") == {"EMB004", "EMB011", "TRAIN002"}
