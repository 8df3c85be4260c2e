"""A run that may have been made before: looked up, else made and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from taxcheck.caching.folder import keep, look_up
from taxcheck.caching.identity import NotKeptError, identify
from taxcheck.caching.stored import DamagedError, from_bytes, to_bytes
from taxcheck.errors import TaxcheckError
from taxcheck.registry import load_rules
from taxcheck.report import Report
from taxcheck.request import Progress, Request
from taxcheck.rule import Outcome
from taxcheck.sources.files import one_line


@dataclass(frozen=True, slots=True)
class Answer:
    """A report, and one line where something is to be said of the cache."""

    report: Report
    note: str = ""


def answer(request: Request, folder: Path, progress: Progress | None = None) -> Answer:
    """The report of a run, from ``folder`` where an equal run left it there.

    It is equal to that of a new run in everything but its time. What is wrong with the folder is
    never an error: the run is then made as without one.
    """
    try:
        identity = identify(request)
    except NotKeptError as reason:
        return Answer(_check(request, progress), f"cache: {reason}")
    except (TaxcheckError, OSError, ValueError):  # the run says it better
        return Answer(_check(request, progress))
    content = look_up(folder, identity.key)
    if content is not None:
        try:
            kept = from_bytes(identity.key, content, load_rules())
        except DamagedError:
            pass
        else:
            return Answer(
                replace(kept, cached=True, command=request.command),
                f"cache: the inputs are those of {kept.created}, and so is this report",
            )
    report = _check(request, progress)
    if report.count(Outcome.ERROR):
        return Answer(report, "cache: a rule broke, so this report is not kept")
    if not identity.describes(report):
        return Answer(report, "cache: an input changed meanwhile, so this report is not kept")
    entry = to_bytes(identity.key, report)
    if entry is None:
        return Answer(report, "cache: a plugin's rule observed what cannot be kept")
    try:
        keep(folder, identity.key, entry)
    except OSError as error:
        shown = one_line(str(folder))
        return Answer(report, f"cache: {shown} cannot be written ({error.strerror or error})")
    return Answer(report)


def _check(request: Request, progress: Progress | None) -> Report:
    from taxcheck.pipeline import check  # pandera alone takes longer than an answer

    run: Callable[[Request, Progress | None], Report] = check
    return run(request, progress)
