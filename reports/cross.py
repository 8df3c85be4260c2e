"""The table that joins before and after: rows without training by explanation and by evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from taxcheck.report import Report

from .text import clean, number
from .view import FOUND, of_outcome

_RULE = "EMB006"
_MOST = 12  # rows and columns; there are six of each
_NARROWEST = 9  # a column of text holds 9,999,999


@dataclass(frozen=True, slots=True)
class Cross:
    """Rows that were never trained; a row counts once."""

    evidence: tuple[tuple[str, int], ...]  # of each column: its name and its total
    rows: tuple[tuple[str, tuple[int, ...], int], ...]  # explanation, by evidence, total
    never: int
    counted: int | None  # how many of them its rule counts: weak evidence alone may be left out


def cross(report: Report) -> Cross | None:
    """The table of the statistics; None where its rule found nothing."""
    judged = [r for r in of_outcome(report, *FOUND) if r.rule.id == _RULE and r.finding]
    if not judged:
        return None
    embeddings = report.statistics.get("embeddings")
    found = embeddings.get("never_trained") if isinstance(embeddings, Mapping) else None
    if not isinstance(found, Mapping) or not found.get("by_both"):
        return None
    known, because, both = (found[key] for key in ("by_evidence", "by_explanation", "by_both"))
    columns = [said for said, rows in known.items() if rows][:_MOST]
    return Cross(
        tuple((said, known[said]) for said in columns),
        tuple(
            (said, tuple(counts.get(column, 0) for column in columns), because[said])
            for said, counts in list(both.items())[:_MOST]
        ),
        found["total"],
        judged[0].finding.count if judged[0].finding else None,
    )


def written(table: Cross) -> Iterator[str]:
    """The same as text; a total stands only where there is something to add up."""
    sums = len(table.evidence) > 1
    heads = [clean(said) for said, _ in table.evidence] + ["all"] * sums
    body = [(clean(said), [*counts, *[total] * sums]) for said, counts, total in table.rows]
    if len(table.rows) > 1:
        body.append(("all", [*(rows for _, rows in table.evidence), *[table.never] * sums]))
    first = "never trained: why, and how it is known"
    left = max(len(first), *(len(said) for said, _ in body))
    yield first.ljust(left) + "".join(f"  {head:>{_NARROWEST}}" for head in heads)
    for said, counts in body:
        cells = (
            f"  {number(count) if count else '-':>{max(len(head), _NARROWEST)}}"
            for count, head in zip(counts, heads, strict=True)
        )
        yield said.ljust(left) + "".join(cells)
