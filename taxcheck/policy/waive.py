"""Holding the results of a run against the policy's waivers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from taxcheck.model.finding import Outcome
from taxcheck.model.leading import left_of
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.waiver import Waiver, WaiverState, WaiverStatus


def waive(
    results: tuple[RuleResult, ...],
    causes: tuple[FoundCause, ...],
    waivers: Iterable[Waiver],
    fingerprints: Collection[str],
    today: dt.date,
) -> tuple[tuple[RuleResult, ...], tuple[FoundCause, ...], tuple[WaiverStatus, ...]]:
    """Results and causes with what is waived marked as such, and what became of every waiver.

    ``fingerprints`` are those of the inputs. A waived finding stays whole; only its outcome says
    that it does not count. A waived cause waives the findings of which it leaves nothing.
    """
    by_id = {result.id: result for result in results}
    by_name = {cause.name: cause for cause in causes}
    statuses = tuple(
        WaiverStatus(w, *_judge(w, by_id.get(w.rule) or by_name.get(w.rule), fingerprints, today))
        for w in waivers
    )
    holding = {s.waiver.rule: s.waiver for s in statuses if s.state is WaiverState.WAIVED}
    known = [cause for cause in causes if cause.name in holding]
    for cause in known:
        for explained in cause.explains:
            if not left_of(by_id[explained.rule], known):
                holding.setdefault(explained.rule, holding[cause.name])
    waived = (
        replace(result, outcome=Outcome.WAIVED, waiver=holding[result.id])
        if result.id in holding and result.outcome in (Outcome.FAIL, Outcome.WARN)
        else result
        for result in results
    )
    named = (replace(c, outcome=Outcome.WAIVED) if c.name in holding else c for c in causes)
    return tuple(waived), tuple(named), statuses


def _judge(
    waiver: Waiver,
    result: RuleResult | FoundCause | None,
    fingerprints: Collection[str],
    today: dt.date,
) -> tuple[WaiverState, str]:
    said = f"{waiver.rule}, waived by {waiver.owner}"
    if waiver.fingerprint is not None and waiver.fingerprint not in fingerprints:
        return WaiverState.OTHER_DATA, f"{said}: is about another file than those checked."
    if result is None and waiver.rule.islower():  # a cause that is not named
        return WaiverState.STALE, f"{said}: it explains nothing. Take it out of the policy."
    if result is None or result.outcome in (Outcome.SKIPPED, Outcome.ERROR):
        reason = "is not in this run" if result is None else f"did not run ({result.message})"
        return WaiverState.NOT_JUDGED, f"{said}: the rule {reason}."
    if result.outcome not in (Outcome.FAIL, Outcome.WARN):
        late = f" It expired on {waiver.expires}." if today > waiver.expires else ""
        nothing = f"{said}: there is nothing to waive. Take it out of the policy.{late}"
        return WaiverState.STALE, nothing
    if today > waiver.expires:
        remedy = f"Mend the data, or have {waiver.owner} renew it."
        return WaiverState.EXPIRED, f"{said}: expired on {waiver.expires}. {remedy}"
    if beyond := _beyond(waiver, result):
        return WaiverState.EXCEEDED, f"{said}: {beyond}."
    return WaiverState.WAIVED, f"{said} until {waiver.expires}: {waiver.reason}"


def _beyond(waiver: Waiver, result: RuleResult | FoundCause) -> str:
    """Why a waiver does not cover a finding; empty where it does."""
    if isinstance(result, FoundCause):
        count = max((explained.count for explained in result.explains), default=0)
    else:
        count = result.count or 0
    if waiver.max_count is not None and count > waiver.max_count:
        return f"covers up to {waiver.max_count:,}, and {count:,} were found"
    if not (waiver.taxid or waiver.idx):
        return ""
    if isinstance(result, FoundCause):
        return "lists nodes, where a cause is bounded by max_count or a fingerprint"
    if count > len(result.samples):
        return (
            f"lists nodes, and of {count:,} offending rows only {len(result.samples):,} "
            "are known by name: give max_count or a fingerprint instead"
        )
    taxids = {str(taxid) for taxid in waiver.taxid}
    others = [s for s in result.samples if str(s.taxid) not in taxids and s.node not in waiver.idx]
    if not others:
        return ""
    named = (f"idx {s.node}" if s.node is not None else s.taxid for s in others)
    row = f"row {others[0].row}" + (f" of {others[0].file}" if others[0].file else "")
    first = next((name for name in named if name is not None), row)
    return f"does not list {len(others):,} of {count:,} offending rows, {first} among them"
