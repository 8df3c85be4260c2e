"""The built wheel, in an environment of its own: what a user who installs it gets.

It runs the command that TAXCHECK names (the checkout's own where it is not set), from a folder
in which neither the checkout's packages nor its tests can be imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"


def taxcheck(folder, *arguments):
    command = os.environ.get("TAXCHECK", str(Path(sys.executable).parent / "taxcheck"))
    return subprocess.run(
        [command, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=900
    )


def test_every_rule_and_renderer_is_in_it(tmp_path):
    listed = taxcheck(tmp_path, "rules")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) >= 61


def test_a_healthy_clade_passes(tmp_path):
    done = taxcheck(
        tmp_path,
        "run",
        *("--mapping", HEALTHY / "mapping.tsv", "--pairs", HEALTHY / "pairs.parquet"),
        *("--taxonomy", HEALTHY / "taxdump", "--html", "r.html", "--json", "r.json"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / "r.json").read_text())["verdict"] == "pass"


@pytest.mark.skipif(
    "TAXCHECK" not in os.environ, reason="tests/commands/selftest/test_specificity.py holds it here"
)
def test_every_corruption_is_found_by_it(tmp_path):
    done = taxcheck(tmp_path, "selftest", "--quiet")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.skipif("INCIDENT" not in os.environ, reason="INCIDENT names no folder")
def test_the_incident_is_refused_for_its_cause(tmp_path):
    folder = Path(os.environ["INCIDENT"])
    pairs, mapping = folder / "pairs.parquet", folder / "mapping.tsv"
    done = taxcheck(tmp_path, "run", "--mapping", mapping, "--pairs", pairs)
    assert done.returncode == 1, done.stderr
    assert "× index_range_as_taxids" in done.stdout
