"""Reports in which waivers and a baseline have a say, and one whose every name is given."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from taxcheck.model.change import Baseline, BaselineState, Change, ScoreChange
from taxcheck.model.finding import Outcome, Sample
from taxcheck.model.report import InputSummary, Report
from taxcheck.model.waiver import Waiver, WaiverState, WaiverStatus

from .build import result
from .incident import incident
from .sound import healthy

_WAIVER = Waiver("PAIR003", "data team", "next rebuild", dt.date(2027, 1, 31), max_count=30000)


def waived() -> Report:
    """The coverage gap is waived, the cause is a warning left; nothing fails."""
    results = tuple(
        replace(r, outcome=Outcome.WAIVED, waiver=_WAIVER) if r.outcome is Outcome.FAIL else r
        for r in incident().results
    )
    status = WaiverStatus(_WAIVER, WaiverState.WAIVED, "PAIR003 is waived until 2027-01-31.")
    return replace(incident(), title="waived", results=results, waivers=(status,))


def expired() -> Report:
    """Sound data, and a waiver that is past its day: the run fails though no rule does."""
    status = WaiverStatus(_WAIVER, WaiverState.EXPIRED, "PAIR003: expired on 2027-01-31.")
    return replace(healthy(), title="expired", waivers=(status,))


def known() -> Report:
    """Every finding stands in the baseline: nothing fails."""
    return _compared(Change.UNCHANGED, ())


def regressed() -> Report:
    """The findings are known, and a score fell."""
    score = ScoreChange("MAP", Change.WORSE, 0.9, 0.5, None, None)
    return _compared(Change.UNCHANGED, (score,))


def worsened() -> Report:
    """Every finding is worse than in the baseline."""
    return _compared(Change.WORSE, ())


def _compared(change: Change, scores: tuple[ScoreChange, ...]) -> Report:
    base = incident()
    results = tuple(
        replace(r, change=change) if r.outcome in (Outcome.FAIL, Outcome.WARN) else r
        for r in base.results
    )
    baseline = Baseline(
        "last.json", BaselineState.COMPARED, 0.01, created="2026-11-01T00:00:00Z", scores=scores
    )
    return replace(base, title=change.value, results=results, baseline=baseline)


def named(name: str) -> Report:
    """One finding in one table, in which everything that data can name is called ``name``."""
    sample = Sample({"taxid": name, "idx": 7}, 3, 7, name, name, name, "mapping")
    found = result(
        "MAP002",
        Outcome.FAIL,
        f"1 of 2 identifiers has several idx; first: {name}",
        count=1,
        total=2,
        samples=(sample,),
        impact=f"{name} is trained twice.",
        fix=f"remove ``{name}``",
    )
    table = InputSummary("mapping", "data/m.tsv", "tsv", 9, 3, "blake3:00", notes=(name,))
    return replace(
        healthy(), title=name, command=f"taxcheck run {name}", inputs=(table,), results=(found,)
    )


STANDING = {
    "waived": waived,
    "expired": expired,
    "known": known,
    "regressed": regressed,
    "worsened": worsened,
}
