"""Sound data, and what is between sound and failing: a warning, a broken rule, nothing judged."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from functools import cache
from pathlib import Path
from unittest import mock

from msgspec.structs import replace

from taxcheck.model.pictures import Pictures
from taxcheck.model.report import Report
from taxcheck.model.statistics import Statistics
from taxcheck.policy.model import Policy
from taxcheck.policy.read import loads
from taxcheck.run import judge
from taxcheck.run.check import check
from taxcheck.run.evidence import Evidence
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request
from taxcheck.run.rules import run_rules

DATA = Path(__file__).parents[2] / "fixtures" / "healthy"
_TREE = '[dataset]\nkind = "tree"\n[rules.PAIR009]\ndeep_share = 0.75\n'
_UNIFORM = '[dataset]\nsampler = "uniform"\n[rules.PAIR009]\ndeep_share = 0.05\n'


@cache
def healthy(title: str = "echinodermata", policy: str = _TREE) -> Report:
    """Echinodermata: a sound clade, in a report without a clock."""
    request = Request(
        mapping="mapping.tsv",
        pairs="pairs.parquet",
        taxonomy="taxdump",
        policy=loads(policy, load_rules(), "taxcheck.toml"),
        command="taxcheck run --mapping mapping.tsv --pairs pairs.parquet --taxonomy taxdump/",
        title=title,
    )
    with contextlib.chdir(DATA), mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1795338847"):
        return check(request)


def warned() -> Report:
    """Its pairs of distant nodes, by a threshold that they exceed and a sampler that draws them."""
    return healthy("uniform sampler", _UNIFORM)


@cache
def broken() -> Report:
    def divides() -> None:
        raise ZeroDivisionError("division by zero")

    rules = tuple(
        dataclasses.replace(rule, function=divides, needs=(), wants=())  # type: ignore[arg-type]
        if rule.id == "PAIR006"
        else rule
        for rule in load_rules()
    )
    with mock.patch.object(judge, "load_rules", return_value=rules):
        return healthy("a rule that breaks")


def nothing() -> Report:
    """Nothing could be evaluated."""
    rules = [rule for rule in load_rules() if not rule.about.of_table]
    evidence = {f.name: getattr(Evidence(), f.name) for f in dataclasses.fields(Evidence)}
    return replace(
        healthy(),
        title="nothing",
        inputs=(),
        results=run_rules(rules, evidence, Policy()),
        statistics=Statistics(),
        pictures=Pictures(),
        proof=None,
    )
