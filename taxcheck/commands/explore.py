"""`taxcheck explore`: a trained table as one page in which all of it can be looked at."""

from __future__ import annotations

from taxcheck.model.clock import created
from taxcheck.model.errors import UsageError
from taxcheck.model.explorer import Explorer
from taxcheck.model.finding import known
from taxcheck.model.installed import version
from taxcheck.model.paths import title_of
from taxcheck.model.report import Report
from taxcheck.run.gather import Gathered, gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Progress, Request


def explore(request: Request, progress: Progress | None = None) -> Explorer:
    """Read the table of a request and its data once, and lay the table out; nothing is judged."""
    _needed(request)
    with gather(request, progress) as data:
        return explored(data)


def check_and_explore(
    request: Request, progress: Progress | None = None
) -> tuple[Report, Explorer]:
    """A whole run, and the explorer of its table; every source is read once."""
    _needed(request)
    with gather(request, progress) as data:
        return judge(data), explored(data)


def _needed(request: Request) -> None:
    if request.embeddings is None:
        raise UsageError("nothing to explore: give `embeddings`, a trained table")


def explored(data: Gathered) -> Explorer:
    """The explorer of the table that was gathered beside its data.

    Rows that are misplaced are shown where they were judged before.
    """
    from taxcheck.audit.alignment import align  # what has no table needs none of them
    from taxcheck.audit.coverage import Known, coverage_of_training
    from taxcheck.audit.examination import Data
    from taxcheck.audit.explorer import MISPLACED, Heading, explore
    from taxcheck.audit.geometry_scores import settled

    request, initial = data.request, data.tables.get("initial")
    pairs = known(data.evidence.pairs)
    joined = Data(data.mapping, pairs, data.graph, None, data.taxonomy, data.names)
    graph = None if data.mapping is None else data.graph
    table, _ = settled(align(data.tables["embeddings"], data.mapping), graph, request.seed)
    facts = Known(data.mapping, pairs, None if initial is None else initial.vectors)
    heading = Heading(
        request.title or title_of(request.embeddings or ""), created()[0], version("taxcheck")
    )
    coverage = coverage_of_training(table, facts)
    found = data.symptoms.get(MISPLACED)
    misplaced = found.nodes[0] if found is not None and len(found) else None
    return explore(table, joined, coverage, heading, request.seed, request.workers, misplaced)
