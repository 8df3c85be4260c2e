"""Holding the results of a run against the policy's waivers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import replace

from taxcheck.report import RuleResult
from taxcheck.rule import Finding, Outcome
from taxcheck.waivers import Waiver, WaiverState, WaiverStatus


def waive(
    results: tuple[RuleResult, ...],
    waivers: Iterable[Waiver],
    fingerprints: Collection[str],
    today: dt.date,
) -> tuple[tuple[RuleResult, ...], tuple[WaiverStatus, ...]]:
    """The results with what is waived marked as such, and what became of every waiver.

    ``fingerprints`` are those of the inputs. A waived finding stays whole; only its outcome says
    that it does not count.
    """
    by_id = {result.rule.id: result for result in results}
    statuses = tuple(_judge(w, by_id.get(w.rule), fingerprints, today) for w in waivers)
    holding = {s.waiver.rule: s.waiver for s in statuses if s.state is WaiverState.WAIVED}
    return (
        tuple(
            replace(result, outcome=Outcome.WAIVED, waiver=holding[result.rule.id])
            if result.rule.id in holding
            else result
            for result in results
        ),
        statuses,
    )


def _judge(
    waiver: Waiver, result: RuleResult | None, fingerprints: Collection[str], today: dt.date
) -> WaiverStatus:
    said = f"{waiver.rule}, waived by {waiver.owner}"
    if waiver.fingerprint is not None and waiver.fingerprint not in fingerprints:
        return WaiverStatus(
            waiver, WaiverState.OTHER_DATA, f"{said}: is about another file than those checked."
        )
    if result is None or result.outcome in (Outcome.SKIPPED, Outcome.ERROR):
        reason = "is not in this run" if result is None else f"did not run ({result.message})"
        return WaiverStatus(waiver, WaiverState.NOT_JUDGED, f"{said}: the rule {reason}.")
    found = result.outcome in (Outcome.FAIL, Outcome.WARN)
    if not found or result.finding is None:
        late = f" It expired on {waiver.expires}." if today > waiver.expires else ""
        return WaiverStatus(
            waiver,
            WaiverState.STALE,
            f"{said}: there is nothing to waive. Take it out of the policy.{late}",
        )
    if today > waiver.expires:
        return WaiverStatus(
            waiver,
            WaiverState.EXPIRED,
            f"{said}: expired on {waiver.expires}. Mend the data, or have {waiver.owner} renew it.",
        )
    if beyond := _beyond(waiver, result.finding):
        return WaiverStatus(waiver, WaiverState.EXCEEDED, f"{said}: {beyond}.")
    return WaiverStatus(
        waiver, WaiverState.WAIVED, f"{said} until {waiver.expires}: {waiver.reason}"
    )


def _beyond(waiver: Waiver, finding: Finding) -> str:
    """Why a waiver does not cover a finding; empty where it does."""
    if waiver.max_count is not None and finding.count > waiver.max_count:
        return f"covers up to {waiver.max_count:,}, and {finding.count:,} were found"
    if not (waiver.taxid or waiver.idx):
        return ""
    if finding.count > len(finding.samples):
        return (
            f"lists nodes, and of {finding.count:,} offending rows only {len(finding.samples):,} "
            "are known by name: give max_count or a fingerprint instead"
        )
    taxids = {str(taxid) for taxid in waiver.taxid}
    others = [s for s in finding.samples if str(s.taxid) not in taxids and s.node not in waiver.idx]
    if not others:
        return ""
    first = next((f"idx {s.node}" for s in others if s.node is not None), f"row {others[0].row}")
    return f"does not list {len(others):,} of {finding.count:,} offending rows, {first} among them"
