"""A run that may have been made before: looked up, else made and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from taxcheck.model.errors import OutputError, TaxcheckError, one_line
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.cache.folder import from_bytes, keep, look_up, to_bytes
from taxcheck.run.cache.identity import NotKeptError, identify
from taxcheck.run.cache.trust import DistrustError, Trust
from taxcheck.run.request import Progress, Request

_LONGEST = 1200  # characters of a complaint, which names the folder


@dataclass(frozen=True, slots=True)
class Answer:
    """A report, and one line where something is to be said of the cache."""

    report: Report
    note: str = ""


def answer(request: Request, folder: Path, progress: Progress | None = None) -> Answer:
    """The report of a run, from ``folder`` where an equal run left it there.

    It is equal to that of a new run in everything but its time, and where that is left out, in
    everything. What is wrong with the folder is never an error: the run is then made as without
    one. UsageError where the secret of the environment is none.
    """
    trust, doubt = Trust.of_environment(), ""
    try:
        identity = identify(request)
    except NotKeptError as reason:
        return Answer(_check(request, progress), f"cache: {reason}")
    except (TaxcheckError, OSError, ValueError):  # the run says it better
        return Answer(_check(request, progress))
    try:
        content = look_up(folder, identity.key, trust)
    except DistrustError as why:
        content, doubt = None, f"cache: {why}, so the run was made anew"
    if content is not None and (kept := from_bytes(identity.key, content, trust)) is not None:
        return Answer(
            replace(kept, cached=kept.timings is not None, command=request.command),
            f"cache: the inputs are those of {kept.created}, and so is this report",
        )
    report = _check(request, progress)
    if report.count(Outcome.ERROR):
        return Answer(report, "cache: a rule broke, so this report is not kept")
    if not identity.describes(report):
        return Answer(report, "cache: an input changed meanwhile, so this report is not kept")
    try:
        keep(folder, identity.key, to_bytes(identity.key, report, trust))
    except OutputError as error:
        return Answer(report, f"cache: {one_line(error, _LONGEST)}")
    return Answer(report, doubt)


def _check(request: Request, progress: Progress | None) -> Report:
    from taxcheck.run.check import check  # pandera alone takes longer than an answer

    run: Callable[[Request, Progress | None], Report] = check
    return run(request, progress)
