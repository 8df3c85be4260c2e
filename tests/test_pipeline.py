"""What a run is about, and that a gate loads nothing of the audit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace

import pytest

from taxcheck.audit.examination import Audit
from taxcheck.pipeline import AUDITED, check
from taxcheck.request import Request

MAPPING, PAIRS = "fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet"


def test_the_audit_offers_what_its_rules_are_told_by():
    assert {f.name for f in fields(Audit)} == AUDITED


def test_a_gate_lists_the_rules_of_the_data_alone():
    families = {r.rule.family for r in check(Request(mapping=MAPPING, pairs=PAIRS)).results}
    assert families == {"MAP", "PAIR", "TREE"}


@pytest.mark.long
def test_a_gate_on_a_tree_loads_no_audit_and_no_sparse_matrices():
    script = (
        "import sys\nfrom taxcheck.pipeline import check\nfrom taxcheck.request import Request\n"
        f"check(Request(mapping={MAPPING!r}, pairs={PAIRS!r}))\n"
        "unused = [m for m in sys.modules if m.startswith(('taxcheck.audit.', 'taxcheck.metrics',\n"
        "    'taxcheck.sources.checkpoints', 'scipy', 'torch', 'umap'))]\n"
        # the rules of the audit know its values, which are plain dataclasses
        "values = {'taxcheck.audit.values', 'taxcheck.sources.checkpoints',\n"
        "    'taxcheck.sources.checkpoints.value'}\n"
        "assert values.issuperset(unused), unused\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (("mapping", "pairs"), "The data is sound."),
        (("mapping", "pairs", "checkpoint"), "The table and its data are sound."),
        (("checkpoint",), "The table is sound."),
    ],
)
def test_the_headline_says_what_is_sound(roles, said):
    report = check(Request(mapping=MAPPING, pairs=PAIRS))
    one = report.inputs[0]
    assert replace(report, inputs=tuple(replace(one, role=r) for r in roles)).headline == said
