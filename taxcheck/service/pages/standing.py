"""How a dataset stands: it passes, it fails, or that is not known; never more than its runs say."""

from __future__ import annotations

import datetime as dt

from taxcheck.service.pages import values as v
from taxcheck.service.store.datasets import Head
from taxcheck.service.store.head import FAILED
from taxcheck.service.store.runs import RunRow


def doubt(head: Head) -> v.Doubt | None:
    """Why it is not known how a dataset stands; None where its newest run says it."""
    if head.newest is None:
        return v.Doubt("No run has come yet.")
    if head.exit_code in FAILED:
        return None
    if head.late is not None:
        when = day(head.late.created)
        return v.Doubt(
            f"The run that came last failed; it is dated {when}, before the newest.", head.late.id
        )
    if head.verdict == "skipped":
        before = head.failing_since
        failed = "" if before is None else f"; it has failed before that, since {day(before)}"
        return v.Doubt(f"Its newest run judged nothing{failed}.", head.newest)
    return None


def day(moment: int) -> str:
    """``2026-11-22``, in UTC."""
    return dt.datetime.fromtimestamp(moment / 1000, dt.UTC).date().isoformat()


def badge(label: str, newest: Head | RunRow | None, doubt: v.Doubt | None) -> v.Badge:
    """How a dataset, or a branch of it, stands by its newest run, and of which day that is."""
    if newest is None or newest.created is None:
        return v.Badge(label, "", "no run")
    when = day(newest.created)
    if doubt is not None:
        said = "nothing judged" if newest.verdict == "skipped" else "unknown, the last run failed"
        return v.Badge(label, "", f"{said} {when}")
    verdict, look = str(newest.verdict), str(newest.verdict)
    if newest.exit_code in FAILED and verdict == "warn":
        verdict, look = "warn, which fails", "fail"
    cause = f": {newest.cause}" if newest.cause and verdict != "pass" else ""
    return v.Badge(label, look, f"{verdict}{cause} {when}")


def branch_doubt(newest: RunRow, latest: RunRow | None) -> v.Doubt | None:
    """The same of a branch."""
    if newest.exit_code in FAILED:
        return None
    if latest is not None and latest.id != newest.id and latest.exit_code in FAILED:
        return v.Doubt("The run that came last failed.", latest.id)
    return v.Doubt("Its newest run judged nothing.") if newest.verdict == "skipped" else None
