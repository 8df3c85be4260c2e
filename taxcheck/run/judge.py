"""From all that the inputs say to a Report: tables are measured, rules judge, nothing is read."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from taxcheck.model.cause import Mend
from taxcheck.model.clock import created
from taxcheck.model.finding import Outcome, Unavailable, known
from taxcheck.model.installed import version
from taxcheck.model.paths import title_of
from taxcheck.model.pictures import Pictures
from taxcheck.model.report import InputSummary, PolicySummary, Report, Tool
from taxcheck.model.result import RuleResult
from taxcheck.model.rule import Rule
from taxcheck.model.written import settled
from taxcheck.policy.model import Policy
from taxcheck.policy.waive import waive
from taxcheck.run.annotate import annotate
from taxcheck.run.diagnosis import Diagnosis
from taxcheck.run.evidence import Evidence
from taxcheck.run.gather import Gathered
from taxcheck.run.pictures import draw
from taxcheck.run.registry import load_causes, load_rules
from taxcheck.run.request import Request
from taxcheck.run.rules import run_rules
from taxcheck.run.summary import summarize
from taxcheck.run.typed import typed_results
from taxcheck.statistics.passes import Executor
from taxcheck.statistics.values import ClosureStatistics

if TYPE_CHECKING:
    from taxcheck.audit.alignment import Aligned
    from taxcheck.audit.examination import Audit, Examined
    from taxcheck.sources.checkpoints.checkpoint import Checkpoint

_PACKAGES = ("numpy", "pandas", "pandera", "pyarrow", "scipy")


def judge(data: Gathered, policy: Policy | None = None, examined: Examined | None = None) -> Report:
    """Hold what was gathered, and its tables if there are any, to every rule that applies.

    Under the ``policy`` of the request, where no other is given. Whoever has its tables
    ``examined`` gives what was measured.
    """
    return judged(data, policy, examined)[0]


def judged(
    data: Gathered, policy: Policy | None = None, examined: Examined | None = None
) -> tuple[Report, Mapping[str, Mend]]:
    """The same, with what undoes each of the causes that has a repair, by name."""
    data = data if policy is None else data.under(policy)
    request, tables, clock = data.request, data.tables, data.clock
    rules, evidence, mapping = _asked(request), data.evidence, data.mapping
    pairs, tree, closure = known(evidence.pairs), known(evidence.tree), known(evidence.closure)
    examined = examined or examine(data)
    with clock("rules"):
        parts = (evidence, examined.evidence) if examined else (evidence,)
        inputs = {f.name: getattr(part, f.name) for part in parts for f in fields(part)}
        results = run_rules(rules, inputs, request.policy)
    with clock("causes"):
        diagnosis = _diagnosis(data, results, examined.evidence if examined else None)
        results = annotate(diagnosis.results, data.naming, data.naming_taxa, data.places)
        results, causes = typed_results(results, diagnosis.causes, request)
    joined = {"embeddings": examined.table} if examined else {}
    ranked = _ranked(examined, data.executor)
    opened = (_table_summary(r, table, joined.get(r), ranked) for r, table in tables.items())
    with clock("pictures"):
        drawn = examined.pictures(request.projected) if examined and request.drawn else None
        pictures = (
            Pictures() if mapping is None else draw(mapping, pairs, tree, request.policy.dataset)
        )
    date, timed = created()
    shown = (*data.inputs, *opened)
    results, causes, waivers = waive(
        results,
        causes,
        request.policy.waivers,
        {source.fingerprint for source in shown},
        datetime.date.fromisoformat(date[:10]),
    )
    report = Report(
        tool=Tool(version("taxcheck")),
        title=request.title
        or title_of(request.embeddings or request.pairs or request.mapping or ""),
        created=date,
        command=request.command,
        inputs=shown,
        results=results,
        causes=causes,
        broken_causes=diagnosis.broken,
        statistics=summarize(
            mapping, pairs, tree, closure, examined.summary() if examined else None
        ),
        pictures=pictures,
        policy=PolicySummary(request.policy.source, request.policy.differences(rules)),
        proof=_proof(evidence),
        against_taxonomy=not isinstance(evidence.taxonomy, Unavailable),
        seed=request.seed,
        timings=clock.seconds() if timed else None,
        packages={name: version(name) for name in _PACKAGES},
        fail_on=request.fail_on,
        audit=drawn,
        waivers=waivers,
    )
    return settled(report), diagnosis.mends


def _diagnosis(data: Gathered, results: tuple[RuleResult, ...], audit: Audit | None) -> Diagnosis:
    """The results with what explains them."""
    if not any(result.outcome in (Outcome.FAIL, Outcome.WARN) for result in results):
        return Diagnosis(results)
    from taxcheck.run.causes import diagnose  # sound data does not need it

    return diagnose(load_causes(), data, results, audit)


def _asked(request: Request) -> tuple[Rule, ...]:
    """The rules that this run can be about: those of the data, of the table, or both."""
    data = request.mapping is not None or request.pairs is not None
    table = request.embeddings is not None
    return tuple(rule for rule in load_rules() if (table if rule.about.of_table else data))


def examine(data: Gathered) -> Examined | None:
    """The tables, measured against all that the data says; None where there are none.

    Offenders go to the data's symptoms.
    """
    if not data.tables:
        return None
    from taxcheck.audit.examination import Data, audit  # a gate does not need it

    intake, held = data.intake, data.intake.held_out if data.intake else None
    pairs, request = known(data.evidence.pairs), data.request
    joined = Data(
        data.mapping,
        pairs,
        data.graph,
        None if intake is None else intake.training.spool,
        data.taxonomy,
        data.names,
        None if held is None else held.spool,
    )
    found = audit(
        data.tables,
        joined,
        request.seed,
        request.workers,
        data.symptoms,
        data.clock,
        data.executor,
    )
    if data.naming is None or not data.naming.derived:
        return found
    return replace(found, evidence=data.naming.shown(found.evidence))


def _ranked(examined: Examined | None, executor: Executor) -> tuple[str, ...]:
    """Who ranked, where others did."""
    if examined is None or isinstance(examined.evidence.scores, Unavailable) or executor.keeps:
        return ()
    return (f"Ranked by {executor}; all else of the table was measured by this process.",)


def _table_summary(
    role: str, table: Checkpoint, joined: Aligned | None, ranked: tuple[str, ...]
) -> InputSummary:
    """How a checkpoint was understood, how its rows were ``joined`` to idx, and who ranked them."""
    table = table if joined is None else joined.checkpoint
    reading = table.reading
    return InputSummary(
        role="checkpoint" if role == "embeddings" else "initial table",
        path=table.path,
        format=table.format,
        bytes=table.bytes,
        rows=table.rows,
        fingerprint=table.fingerprint,
        columns={
            "table": table.key,
            "geometry": f"{reading.geometry.value} ({reading.confidence})",
            **({} if joined is None else joined.shown),
            **({"guessed": " ".join(table.guesses)} if table.guesses else {}),
        },
        notes=(
            f"{table.rows:,} rows of dimension {table.dim}, {table.dtype}; geometry "
            f"{reading.geometry.value} ({reading.confidence}).",
            *reading.reasons,
            *(() if joined is None else (joined.how, *joined.told)),
            *table.notes,
            *(() if joined is None else ranked),
        ),
    )


def _proof(evidence: Evidence) -> str | None:
    """Which path proved the closure, and of what it is a proof."""
    if isinstance(evidence.tree, Unavailable):
        return None
    if isinstance(evidence.closure, Unavailable):
        return f"The closure was not proved: {evidence.closure.reason}."
    scope = (
        "No taxonomy of these nodes was given, so it is a proof of self-consistency."
        if isinstance(evidence.taxonomy, Unavailable)
        else "The given taxonomy was held against it as well."
    )
    return (
        f"Judged as a {evidence.tree.kind} ({evidence.tree.kind_reason}); edges from the "
        f"{evidence.tree.edges_from}; proved as a {evidence.closure.path}. "
        f"{_open(evidence.closure)}{scope}"
    )


def _open(closure: ClosureStatistics) -> str:
    """Of how many nodes the proof does not know all ancestors, and why; empty where of none."""
    if not closure.open:
        return ""
    why = ", ".join(f"{nodes:,} {key.replace('_', ' ')}" for key, nodes in closure.open.items())
    return f"Not all ancestors are known of {sum(closure.open.values()):,} nodes ({why}). "
