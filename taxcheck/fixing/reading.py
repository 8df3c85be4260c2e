"""Columns that were taken for others: another reading of the same files is tried and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from taxcheck.fixing.plan import Findings, Step
from taxcheck.pipeline import check
from taxcheck.request import Request
from taxcheck.sources.inputs import TableSource

Readings = Iterator[tuple[Step, Request]]
_PROVED = "read so, the same files fail {after} rules instead of {before}"
_IDX = {"ancestor": "descendant", "descendant": "ancestor"}
_LABELS = {"ancestor_taxid": "descendant_taxid", "descendant_taxid": "ancestor_taxid"}
_DEPTHS = {"ancestor_depth": "descendant_depth", "descendant_depth": "ancestor_depth"}


def better_reading(
    request: Request, findings: Findings, sources: Mapping[str, TableSource]
) -> tuple[Step, Request] | None:
    """The reading that leaves the fewest failures, where one leaves fewer than there are.

    Each is judged by the whole gate; what made it suspect has to be gone.
    """
    best: tuple[int, Step, Request] | None = None
    for step, tried in _readings(request, findings, sources):
        seen = Findings(check(tried))
        if step.rules[0] in seen or seen.failed >= (best[0] if best else findings.failed):
            continue
        safe = _PROVED.format(after=seen.failed, before=findings.failed)
        best = seen.failed, replace(step, safe=safe), tried
    return None if best is None else (best[1], best[2])


def _readings(request: Request, findings: Findings, sources: Mapping[str, TableSource]) -> Readings:
    mapping, pairs = sources["mapping"], sources["pairs"]
    if "MAP005" in findings:
        swapped = _named(mapping, {"taxid": "idx", "idx": "taxid"})
        rows = findings.count("MAP005")
        step = Step(("MAP005",), "exchange the mapping's two columns", rows, "")
        yield step, replace(request, mapping_columns=swapped)
        return
    roles = set(pairs.columns.roles)
    if "PAIR010" in findings and {*_IDX, *_LABELS} <= roles:
        step = _step("PAIR010", "number the pairs again by their own taxids", pairs)
        yield step, replace(request, pair_columns=_named(pairs, {}, without=set(_IDX)))
    if 2 * findings.count("PAIR002") > pairs.table.rows and not set(_LABELS) & roles:
        step = _step("PAIR002", "read the pairs' idx columns as taxids, which they hold", pairs)
        meant = {"ancestor": "ancestor_taxid", "descendant": "descendant_taxid"}
        yield step, replace(request, pair_columns=_named(pairs, meant))
    if "PAIR015" in findings:
        for what, change in (
            ("exchange ancestor and descendant", _IDX | _LABELS | _DEPTHS),
            ("exchange the idx columns of ancestor and descendant", _IDX | _LABELS),
            ("exchange the depth columns of ancestor and descendant", _DEPTHS),
        ):
            if set(change) & roles:
                step = _step("PAIR015", what, pairs)
                yield step, replace(request, pair_columns=_named(pairs, change))


def _step(rule: str, what: str, pairs: TableSource) -> Step:
    return Step((rule,), what, pairs.table.rows, "")


def _named(source: TableSource, change: Mapping[str, str], without: set[str] | None = None) -> str:
    """The override that gives every column the role that ``change`` says, else its own."""
    roles = {
        column: change.get(role, role)
        for role, column in source.columns.roles.items()
        if role not in (without or set())
    }
    names = source.table.column_names
    if not source.table.header:
        listed = [roles.get(name, "-") for name in names]
        while listed[-1] == "-":
            listed.pop()
        return ",".join(listed)
    plain = not any("," in column or column != column.strip() for column in roles)
    return ",".join(
        f"{role}={column if plain else names.index(column) + 1}" for column, role in roles.items()
    )
