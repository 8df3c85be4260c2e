"""What a run is about, and that a gate loads nothing of the audit."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields

import pytest
from msgspec import structs

from taxcheck.audit.examination import Audit
from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.policy.read import loads
from taxcheck.run.check import check
from taxcheck.run.registry import load_renderers, load_rules
from taxcheck.run.request import Request

MAPPING, PAIRS = "fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet"


def test_the_rules_about_a_table_are_those_that_the_audit_has_something_for():
    audited = {f.name for f in fields(Audit)}
    told = {name for rule in load_rules() for name in (*rule.needs, *rule.wants)}
    assert audited <= told
    for rule in load_rules():
        assert rule.about.of_table == bool(audited & {*rule.needs, *rule.wants}), rule.id


def test_a_gate_lists_the_rules_of_the_data_alone():
    families = {r.family for r in check(Request(mapping=MAPPING, pairs=PAIRS)).results}
    assert families == {"MAP", "PAIR", "TREE"}


@pytest.mark.parametrize("limit", ["inf", "-inf"])
def test_every_threshold_may_be_infinite(limit):
    """No rule breaks by it, and a report is read back with it and rendered."""
    rules = [rule for rule in load_rules() if rule.thresholds and not rule.about.of_table]
    text = "".join(
        f"[rules.{rule.id}]\n" + "".join(f"{key} = {limit}\n" for key in rule.thresholds)
        for rule in rules
    )
    report = check(Request(mapping=MAPPING, pairs=PAIRS, policy=loads(text, load_rules())))
    results = {one.id: one for one in report.results}
    for rule in rules:
        assert results[rule.id].outcome is not Outcome.ERROR, results[rule.id].message
        assert set(results[rule.id].threshold.values()) == {float(limit)}
    assert report_from_json(report_to_json(report)) == report
    for render in load_renderers().values():
        assert render(report, RenderOptions())


@pytest.mark.long
def test_a_gate_on_a_tree_loads_no_audit_and_no_sparse_matrices():
    script = (
        "import sys\nfrom taxcheck.run.check import check\n"
        "from taxcheck.run.request import Request\n"
        f"check(Request(mapping={MAPPING!r}, pairs={PAIRS!r}))\n"
        "unused = [m for m in sys.modules if m.startswith(('taxcheck.audit.',\n"
        "    'taxcheck.sources.checkpoints', 'scipy', 'torch', 'umap'))]\n"
        # the rules of the audit know its values, plain dataclasses, and which lie in which
        "values = {'taxcheck.audit.values', 'taxcheck.audit.nested',\n"
        "    'taxcheck.sources.checkpoints',\n"
        "    'taxcheck.sources.checkpoints.checkpoint'}\n"
        "assert values.issuperset(unused), unused\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("roles", "against", "said"),
    [
        (("mapping", "pairs"), False, "The data is sound in itself."),
        (("mapping", "pairs", "taxonomy"), True, "The data is sound."),
        (("mapping", "pairs"), None, "The data is sound."),  # of an old report
        (("mapping", "pairs", "checkpoint"), False, "The table is sound, and its data in itself."),
        (("mapping", "pairs", "checkpoint"), True, "The table and its data are sound."),
        (("checkpoint",), False, "The table is sound."),
    ],
)
def test_the_headline_says_what_is_sound(roles, against, said):
    report = check(Request(mapping=MAPPING, pairs=PAIRS))
    assert report.against_taxonomy is False
    one = report.inputs[0]
    inputs = tuple(structs.replace(one, role=r) for r in roles)
    assert structs.replace(report, inputs=inputs, against_taxonomy=against).headline == said
