"""`taxcheck compare`: two reports, and the data behind them where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from taxcheck.clock import created
from taxcheck.comparison.baseline import incomparable
from taxcheck.comparison.numbers import before_after, number_changes
from taxcheck.comparison.reading import Recorded, read_report
from taxcheck.comparison.rules import rule_changes
from taxcheck.comparison.scores import score_changes
from taxcheck.comparison.value import Comparison, Drift, Run


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. ``data`` reads the tables that the reports name; folders are theirs."""

    before: str
    after: str
    tolerance: float = 0.01
    data: bool = False
    before_data: Path | None = None
    after_data: Path | None = None
    mapping_columns: str | None = None
    pair_columns: str | None = None
    command: str = ""


def compare(asked: Asked) -> Comparison:
    """Read both reports and set them beside each other; InputError where one cannot be read."""
    before, after = read_report(asked.before), read_report(asked.after)
    return Comparison(
        before=_run(before),
        after=_run(after),
        tolerance=asked.tolerance,
        rules=rule_changes(before, after, asked.tolerance),
        scores=score_changes(before, after, asked.tolerance),
        numbers=number_changes(before, after),
        pictures=before_after(before, after),
        version=version("taxcheck"),
        created=created()[0],
        command=asked.command,
        notes=_notes(before, after),
        drift=_drift(asked, before, after),
    )


def _run(report: Recorded) -> Run:
    content = report.content
    return Run(
        path=report.path,
        title=content.title,
        created=content.created or "",
        version=report.version,
        verdict=content.verdict,
        headline=content.headline or "",
        inputs=tuple((s.role, s.path, s.rows, s.fingerprint) for s in content.inputs),
    )


def _notes(before: Recorded, after: Recorded) -> tuple[str, ...]:
    notes = [
        f"The runs are not of one kind; the first: {reason}."
        for reason in incomparable(before, after)
    ]
    old, new = ({s.role: s.fingerprint for s in r.content.inputs} for r in (before, after))
    same = [role for role in old if old[role] == new.get(role)]
    if same and len(same) == len(old) == len(new):
        notes.append("Both reports are of the same files, byte by byte.")
    return tuple(notes)


def _drift(asked: Asked, before: Recorded, after: Recorded) -> Drift | None:
    if not (asked.data or asked.before_data or asked.after_data):
        return None
    from taxcheck.comparison.data import Columns, read_side  # reads tables, which takes a while
    from taxcheck.comparison.drift import drift

    columns = Columns(asked.mapping_columns, asked.pair_columns)
    old, told = read_side(before, asked.before_data, columns)
    new, also = read_side(after, asked.after_data, columns)
    return drift(old, new, (*told, *also))
