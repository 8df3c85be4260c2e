"""Columns that were taken for others: another reading of the same files is tried and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from taxcheck.commands.fix.plan import Findings, Step
from taxcheck.commands.fix.proven import numbered_anew, proves_idx_wrong
from taxcheck.model.rule import Repair
from taxcheck.run.check import check
from taxcheck.run.clues import Clues
from taxcheck.run.gather import Gathered
from taxcheck.run.request import Request
from taxcheck.sources.tables.source import TableSource

Readings = Iterator[tuple[Step, Request]]
_PROVED = "read so, the same files fail {after} rules instead of {before}"
_IDX = {"ancestor": "descendant", "descendant": "ancestor"}
_TAXIDS = "read the pairs' idx columns as taxids, which they hold"
_MEANT = {"ancestor": "ancestor_taxid", "descendant": "descendant_taxid"}
_LABELS = {"ancestor_taxid": "descendant_taxid", "descendant_taxid": "ancestor_taxid"}
_DEPTHS = {"ancestor_depth": "descendant_depth", "descendant_depth": "ancestor_depth"}


def better_reading(
    request: Request, findings: Findings, data: Gathered
) -> tuple[Step, Request] | None:
    """The reading that leaves the fewest failures, where one leaves fewer than there are.

    Each is judged by the whole gate; what made it suspect has to be gone. Where most pairs are of
    nobody little is left to be judged, which is worse than any failure. A reading that leaves out
    one of two columns that contradict each other has to mend what no other numbering would. Columns
    that are only likely to be exchanged are left as they are, unless a taxonomy judges them.
    """
    sources = data.sources
    rows = sources["pairs"].table.rows
    best: tuple[tuple[bool, int], Step, Request] | None = None
    for step, tried in _readings(request, findings, sources):
        seen = Findings(check(tried))
        left = _left(seen, rows)
        if seen.has(step.rules) or left >= (best[0] if best else _left(findings, rows)):
            continue
        found = (r.id for r in findings.report.results if findings.has([r.id]))
        mended = {id for id in found if not seen.has([id])}
        if step.rules == findings.among(Repair.LABELS) and not (
            (proves_idx_wrong(findings, mended) and not _either(data))
            or mended & {*findings.among(Repair.TAXONOMY)}
        ):
            continue
        safe = _PROVED.format(after=seen.failed, before=findings.failed)
        best = left, replace(step, safe=safe), tried
    return None if best is None else (best[1], best[2])


def _either(data: Gathered) -> bool:
    """Whether idx and the identifiers beside them number the same pairs, each in its way."""
    joins = Clues(data, {}).joins.get("taxid_disagreement")
    return joins is not None and numbered_anew(joins, data)


def _left(findings: Findings, rows: int) -> tuple[bool, int]:
    """Whether most pairs are of nobody, and how many rules fail."""
    return 2 * findings.count(Repair.OWNERLESS) > rows, findings.failed


def _readings(request: Request, findings: Findings, sources: Mapping[str, TableSource]) -> Readings:
    mapping, pairs = sources["mapping"], sources["pairs"]
    roles = set(pairs.columns.roles)
    if Repair.MAPPING_COLUMNS in findings:
        swapped = _named(mapping, {"taxid": "idx", "idx": "taxid"})
        rows = findings.count(Repair.MAPPING_COLUMNS)
        what = "exchange the mapping's two columns"
        step = findings.step(Repair.MAPPING_COLUMNS, what, rows, "")
        exchanged = replace(request, mapping_columns=swapped)
        yield step, exchanged
        if not set(_LABELS) & roles:
            step = replace(step, what=f"{what}, and {_TAXIDS}")
            yield step, replace(exchanged, pair_columns=_named(pairs, _MEANT))
        return
    rows = pairs.table.rows
    if Repair.LABELS in findings and {*_IDX, *_LABELS} <= roles:
        step = findings.step(Repair.LABELS, "number the pairs again by their own taxids", rows, "")
        yield step, replace(request, pair_columns=_named(pairs, {}, without=set(_IDX)))
    if 2 * findings.count(Repair.OWNERLESS) > rows and not set(_LABELS) & roles:
        step = findings.step(Repair.OWNERLESS, _TAXIDS, rows, "")
        yield step, replace(request, pair_columns=_named(pairs, _MEANT))
    likely = {e.rule for c in findings.report.causes if c.guess for e in c.explains}
    undecided = request.taxonomy is None and likely & {*findings.among(Repair.PAIR_COLUMNS)}
    if Repair.PAIR_COLUMNS in findings and not undecided:
        for what, change in (
            ("exchange ancestor and descendant", _IDX | _LABELS | _DEPTHS),
            ("exchange the idx columns of ancestor and descendant", _IDX | _LABELS),
            ("exchange the depth columns of ancestor and descendant", _DEPTHS),
        ):
            if set(change) & roles:
                step = findings.step(Repair.PAIR_COLUMNS, what, rows, "")
                yield step, replace(request, pair_columns=_named(pairs, change))


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
