"""The whole story of a run: tables walk in, statistics are folded, rules judge, a Report is."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from taxcheck.annotate import annotate
from taxcheck.clock import Clock, created
from taxcheck.data_bins import Pictures
from taxcheck.evidence import Evidence, of_mapping, of_pairs
from taxcheck.failures import FailureWriter
from taxcheck.intake import DERIVED_NOTE, Intake, read_mapping, read_pairs
from taxcheck.pictures import draw
from taxcheck.registry import load_rules
from taxcheck.report import InputSummary, Report
from taxcheck.request import Progress, Request, open_sources, open_tables, table_summary
from taxcheck.rule import Rule
from taxcheck.runner import Unavailable, known, run_rules
from taxcheck.sources.inputs import TableSource
from taxcheck.sources.taxdump import open_taxonomy
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.samples import Sink
from taxcheck.statistics.values import MappingStatistics
from taxcheck.summary import summarize
from taxcheck.waiving import waive

if TYPE_CHECKING:
    from taxcheck.audit.examination import Examined
    from taxcheck.sources.checkpoints.value import Checkpoint

# Parameters of rules that ask for a trained table: the fields of ``audit.examination.Audit``.
AUDITED = frozenset({"embedding", "coverage", "scores", "training"})
_PACKAGES = ("numpy", "pandas", "pandera", "pyarrow", "scipy")
_version = cache(version)  # it parses a file of metadata each time


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the data of a run says, as long as its spool is open."""

    evidence: Evidence
    inputs: tuple[InputSummary, ...]
    sources: Mapping[str, TableSource]  # by role
    mapping: MappingStatistics | None
    intake: Intake | None  # of the pairs
    graph: Graph | None
    taxonomy: Taxonomy | None
    sink: Sink | None


def check(request: Request, progress: Progress | None = None, sink: Sink | None = None) -> Report:
    """Run the gate, the audit or both; every error that it raises is one line for the user.

    ``sink`` receives every offending row, as ``--failures`` writes them.
    """
    clock = Clock()
    with gather(request, clock, progress, sink) as (data, tables):
        return judge(request, data, tables, clock)


@contextmanager
def gather(
    request: Request, clock: Clock, progress: Progress | None = None, sink: Sink | None = None
) -> Iterator[tuple[Gathered, dict[str, Checkpoint]]]:
    """Read the data once, and fold it into all that is known of it; tables are only opened.

    Inside, ``judge`` may be called more than once: training does it before and after.
    """
    workers = request.workers
    with ExitStack() as resources:
        if request.failures is not None:
            sink = resources.enter_context(FailureWriter(request.failures))
        sources = open_sources(request, progress)
        with clock("opening"):
            tables = open_tables(request)
            taxonomy = open_taxonomy(request.taxonomy) if request.taxonomy else None
        with clock("mapping"):
            given = sources.get("mapping")
            mapping = read_mapping(given, workers, sink) if given else None
        evidence, graph, intake = Evidence(), None, None
        if "pairs" in sources:
            with clock("pairs"):
                intake = read_pairs(
                    sources["pairs"], sources.get("held-out"), mapping, workers, sink, resources
                )
            mapping = intake.mapping
            evidence, graph = of_pairs(
                intake, taxonomy, request.policy.dataset, workers, sink, clock
            )
        elif mapping is not None:
            evidence = of_mapping(mapping, taxonomy, sink)
        derived = mapping is not None and mapping.derived
        inputs = [_noted(source.summary(), derived) for source in sources.values()]
        if taxonomy is not None:
            inputs.append(taxonomy.summary())
        yield (
            Gathered(evidence, tuple(inputs), sources, mapping, intake, graph, taxonomy, sink),
            tables,
        )


def judge(
    request: Request, data: Gathered, tables: Mapping[str, Checkpoint], clock: Clock
) -> Report:
    """Hold what was gathered, and the tables if there are any, to every rule that applies."""
    rules, evidence, mapping = _asked(request), data.evidence, data.mapping
    pairs, tree, closure = known(evidence.pairs), known(evidence.tree), known(evidence.closure)
    examined: Examined | None = None
    if tables:
        from taxcheck.audit.examination import Data, audit  # a gate does not need it

        spool = None if data.intake is None else data.intake.training.spool
        joined = Data(mapping, pairs, data.graph, spool, data.taxonomy)
        examined = audit(tables, joined, request.seed, request.workers, data.sink, clock)
    with clock("rules"):
        parts = (evidence, examined.evidence) if examined else (evidence,)
        inputs = {f.name: getattr(part, f.name) for part in parts for f in fields(part)}
        results = run_rules(rules, inputs, request.policy)
        results = annotate(results, mapping.identifiers if mapping else None, data.taxonomy)
    lost = {"embeddings": examined.unmatched} if examined else {}
    opened = (table_summary(r, table, lost.get(r, 0)) for r, table in tables.items())
    with clock("pictures"):
        drawn = examined.pictures(request.projected) if examined and request.drawn else None
        pictures = (
            Pictures() if mapping is None else draw(mapping, pairs, tree, request.policy.dataset)
        )
    date, timed = created()
    shown = (*data.inputs, *opened)
    results, waivers = waive(
        results,
        request.policy.waivers,
        {source.fingerprint for source in shown},
        datetime.date.fromisoformat(date[:10]),
    )
    return Report(
        title=request.title
        or Path(request.embeddings or request.pairs or request.mapping or "").stem,
        version=_version("taxcheck"),
        created=date,
        command=request.command,
        inputs=shown,
        results=results,
        statistics=summarize(mapping, pairs, tree, closure)
        | (examined.summary() if examined else {}),
        pictures=pictures,
        policy_source=request.policy.source,
        policy_differences=request.policy.differences(rules),
        proof=_proof(evidence),
        timings=clock.seconds() if timed else None,
        packages={name: _version(name) for name in _PACKAGES},
        fail_on=request.fail_on,
        audit=drawn,
        waivers=waivers,
    )


def _asked(request: Request) -> tuple[Rule, ...]:
    """The rules that this run can be about: those of the data, of the table, or both."""
    data = request.mapping is not None or request.pairs is not None
    table = request.embeddings is not None
    return tuple(
        rule for rule in load_rules() if (table if AUDITED & {*rule.needs, *rule.wants} else data)
    )


def _noted(summary: InputSummary, derived: bool) -> InputSummary:
    if derived and summary.role == "pairs":
        return replace(summary, notes=(*summary.notes, DERIVED_NOTE))
    return summary


def _proof(evidence: Evidence) -> str | None:
    """Which path proved the closure, and of what it is a proof."""
    if isinstance(evidence.tree, Unavailable):
        return None
    if isinstance(evidence.closure, Unavailable):
        return f"The closure was not proved: {evidence.closure.reason}."
    scope = (
        "No taxonomy was given, so it is a proof of self-consistency."
        if isinstance(evidence.taxonomy, Unavailable)
        else "The given taxonomy was held against it as well."
    )
    return (
        f"Judged as a {evidence.tree.kind} ({evidence.tree.kind_reason}); edges from the "
        f"{evidence.tree.edges_from}; proved as a {evidence.closure.path}. {scope}"
    )
