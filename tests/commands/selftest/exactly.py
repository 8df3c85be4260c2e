"""What is found of a corrupted base has to be what was damaged, and nothing else."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.cases import Corrupted, Verdict
from taxcheck.model.report import Report
from taxcheck.model.result import RuleResult
from taxcheck.run.check import check
from taxcheck.run.registry import load_rules
from tests.commands.selftest.bases import CORRUPTIONS, base

SEED = 20240907
# Their count moves by a few with every row that comes or goes and judges nothing, so that only
# their outcome is held; a corruption that reshapes the whole table states the count too.
DESCRIPTIVE = {rule.id for rule in load_rules() if rule.descriptive}


def corruption_of(name: str) -> Corrupted:
    """A base after the corruption of that name."""
    corruption = CORRUPTIONS[name]
    return corruption.corrupt(base(corruption.base), np.random.default_rng(SEED))


def repeated(name: str) -> Corrupted:
    """The same, which is the same each time, and leaves its base alone."""
    sound = base(CORRUPTIONS[name].base)
    mapping, pairs = sound.mapping.copy(), sound.pairs.copy()
    table = repr(asdict(sound.table)) if sound.table else ""
    first, second = corruption_of(name), corruption_of(name)
    assert first.expected == second.expected
    assert first.expected.keys() <= {rule.id for rule in load_rules()}
    pd.testing.assert_frame_equal(first.frame.pairs, second.frame.pairs)
    pd.testing.assert_frame_equal(first.frame.mapping, second.frame.mapping)
    pd.testing.assert_frame_equal(sound.pairs, pairs)
    pd.testing.assert_frame_equal(sound.mapping, mapping)
    if sound.table and first.frame.table and second.frame.table:
        assert repr(asdict(sound.table)) == table
        np.testing.assert_array_equal(first.frame.table.vectors, second.frame.table.vectors)
    return first


def verdicts(report: Report) -> dict[str, Verdict]:
    return {r.id: (r.outcome.value, r.count) for r in report.results}


@cache
def of_base(name: str) -> dict[str, Verdict]:
    """What is found of a base; whoever takes it must not change it."""
    with tempfile.TemporaryDirectory() as folder:
        return verdicts(check(base(name).write(Path(folder))))


def expect_exactly(name: str, corrupted: Corrupted, report: Report) -> None:
    """The report finds what the corruption of that name damaged, and nothing else."""
    corruption = CORRUPTIONS[name]
    want = _expected(dict(corrupted.expected), of_base(corruption.base))
    found = verdicts(report)
    got = {
        id: (outcome, None if want[id][1] is None else count)
        for id, (outcome, count) in found.items()
    }
    different = {id: (got[id], want[id]) for id in want if got[id] != want[id]}
    assert not different, f"rule: (found, expected) in {different}"
    observed = {r.id: r.observed for r in report.results}
    for id, values in corrupted.observed.items():
        assert {key: observed[id][key] for key in values} == values
    named = [(c.name, {e.rule: (e.count, e.of) for e in c.explains}) for c in report.causes]
    assert named == [(name, dict(explains)) for name, explains in corrupted.causes.items()]
    first = set(_leads(report)[:1])
    assert first <= {*corrupted.causes, *corruption.rules, *(corrupted.leads or ())}


def _expected(changed: dict[str, Verdict], sound: dict[str, Verdict]) -> dict[str, Verdict]:
    """The whole table of verdicts; None in place of a count that only describes."""
    table = sound | changed
    free = DESCRIPTIVE - changed.keys()
    return {id: (outcome, None if id in free else count) for id, (outcome, count) in table.items()}


def _leads(report: Report) -> list[str]:
    """Names of causes, ids of findings that none explains, in the order that leads."""
    leading = (group.lead for group in report.by_cause)
    return [lead.id if isinstance(lead, RuleResult) else lead.name for lead in leading]
