"""The whole story of a run: tables walk in, statistics are folded, rules judge, a Report is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path

from taxcheck.annotate import annotate
from taxcheck.clock import Clock, created
from taxcheck.config import Policy
from taxcheck.errors import UsageError
from taxcheck.evidence import Evidence, of_mapping, of_pairs
from taxcheck.failures import FailureWriter
from taxcheck.intake import DERIVED_NOTE, read_mapping, read_pairs
from taxcheck.pictures import draw
from taxcheck.registry import load_rules
from taxcheck.report import InputSummary, Report
from taxcheck.rule import Outcome
from taxcheck.runner import Unavailable, known, run_rules
from taxcheck.sources.inputs import TableSource, open_mapping, open_pairs
from taxcheck.sources.taxdump import open_taxonomy
from taxcheck.summary import summarize

# Called with what is being read, how much of it is done, and its whole, in bytes.
Progress = Callable[[str, int, int], None]

_PACKAGES = ("numpy", "pandas", "pandera", "pyarrow", "scipy")


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked to check. Paths are as the user gave them; "-" is standard input."""

    mapping: str | None = None
    pairs: str | None = None
    held_out: str | None = None
    taxonomy: str | None = None
    mapping_columns: str | None = None
    pair_columns: str | None = None
    policy: Policy = field(default_factory=Policy)
    workers: int = 1
    failures: Path | None = None
    fail_on: Outcome = Outcome.FAIL
    command: str = ""
    title: str | None = None


def check(request: Request, progress: Progress | None = None) -> Report:
    """Run the gate; raises UsageError, InputError or OutputError, each one line for the user."""
    _refuse_nonsense(request)
    rules, clock, workers = load_rules(), Clock(), request.workers
    with ExitStack() as resources:
        sink = None
        if request.failures is not None:
            sink = resources.enter_context(FailureWriter(request.failures))
        sources = _open(request, progress)
        with clock("taxonomy"):
            taxonomy = open_taxonomy(request.taxonomy) if request.taxonomy else None
        with clock("mapping"):
            given = sources.get("mapping")
            mapping = read_mapping(given, workers, sink) if given else None
        if "pairs" in sources:
            with clock("pairs"):
                intake = read_pairs(
                    sources["pairs"], sources.get("held-out"), mapping, workers, sink, resources
                )
            mapping = intake.mapping
            evidence = of_pairs(intake, taxonomy, request.policy.dataset, workers, sink, clock)
        else:
            assert mapping is not None
            evidence = of_mapping(mapping, taxonomy, sink)
        with clock("rules"):
            inputs = {f.name: getattr(evidence, f.name) for f in fields(evidence)}
            results = run_rules(rules, inputs, request.policy)
            results = annotate(results, mapping.identifiers, taxonomy)
        summaries = [_noted(source.summary(), mapping.derived) for source in sources.values()]
        if taxonomy is not None:
            summaries.append(taxonomy.summary())
    pairs, tree, closure = known(evidence.pairs), known(evidence.tree), known(evidence.closure)
    date, timed = created()
    return Report(
        title=request.title or Path(request.pairs or request.mapping or "").stem,
        version=version("taxcheck"),
        created=date,
        command=request.command,
        inputs=tuple(summaries),
        results=results,
        statistics=summarize(mapping, pairs, tree, closure),
        pictures=draw(mapping, pairs, tree, request.policy.dataset),
        policy_source=request.policy.source,
        policy_differences=request.policy.differences(rules),
        proof=_proof(evidence),
        timings=clock.seconds() if timed else None,
        packages={name: version(name) for name in _PACKAGES},
        fail_on=request.fail_on,
    )


def _refuse_nonsense(request: Request) -> None:
    if request.mapping is None and request.pairs is None:
        raise UsageError("nothing to check: give --mapping, --pairs or both")
    if request.held_out is not None and request.pairs is None:
        raise UsageError("--held-out is judged against --pairs: give both")
    if [request.mapping, request.pairs, request.held_out].count("-") > 1:
        raise UsageError("only one input can be '-', standard input")


def _open(request: Request, progress: Progress | None) -> dict[str, TableSource]:
    """Open all tables and find their columns before the first is read: mistakes show at once."""

    def told(role: str) -> Callable[[int, int], None] | None:
        return (lambda done, whole: progress(role, done, whole)) if progress else None

    sources = {}
    if request.mapping is not None:
        sources["mapping"] = open_mapping(request.mapping, request.mapping_columns, told("mapping"))
    for role, path in (("pairs", request.pairs), ("held-out", request.held_out)):
        if path is not None:
            sources[role] = open_pairs(
                path, request.pair_columns, request.mapping is not None, told(role), role
            )
    return sources


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
