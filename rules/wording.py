"""How the rules word what they saw: counts with their total, rows, nodes, and plain verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Finding, Observed, Sample, Scalar, Severity, Skip
from taxcheck.model.places import Places
from taxcheck.model.vocabulary import percent
from taxcheck.statistics.values import MappingStatistics

_LONGEST_CELL = 40
_SHOWN_REASONS = 4
_SAMPLES = 20


def part(count: int, total: int, noun: str) -> str:
    """``28,610 of 110,478 nodes (25.9 %)``; the share is left out where there is no total."""
    share = f" ({percent(count / total)})" if total else ""
    return f"{count:,} of {total:,} {noun}{share}"


def be(count: int) -> str:
    """The verb of a counted subject: ``is`` or ``are``."""
    return "is" if count == 1 else "are"


def have(count: int) -> str:
    """The verb of a counted subject: ``has`` or ``have``."""
    return "has" if count == 1 else "have"


def reasons(detail: Mapping[str, int]) -> str:
    """``: 2 null idx, 1 negative idx``, most frequent first; empty where nothing is told apart."""
    ordered = sorted(detail.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{count:,} {key.replace('_', ' ')}" for key, count in ordered if count]
    if len(told) > _SHOWN_REASONS:
        told = [*told[:_SHOWN_REASONS], f"{len(told) - _SHOWN_REASONS} further kinds"]
    return f": {', '.join(told)}" if told else ""


def node(mapping: MappingStatistics, idx: int) -> str:
    """``idx 57 (taxid 203)``; the idx alone where its identifier is not known.

    Where no mapping was given the idx are our own, and stand in no file: then the identifier alone.
    """
    identifier = mapping.identifiers.of(idx)
    if identifier is None:
        return f"idx {idx}"
    called = f"{'taxid ' if isinstance(identifier, int) else ''}{_cell(identifier)}"
    return called if mapping.derived else f"idx {idx} ({called})"


def mapping_rows(mapping: MappingStatistics, nodes: Sequence[int] | IntArray) -> tuple[Sample, ...]:
    """The first nodes that are mapped, each with the row of the mapping that has it, if one has."""
    given = not mapping.derived
    places = Places({} if mapping.files is None else {"mapping": mapping.files})
    return tuple(
        places.sample(
            Sample(
                {"idx": int(k)},
                row=int(mapping.row_of[k]) if given else None,
                node=int(k),
                table="mapping" if given else None,
            )
        )
        for k in nodes[:_SAMPLES]
        if mapping.mapped[k]
    )


def first(samples: tuple[Sample, ...]) -> str:
    """``; first: row 17 (ancestor_idx 5, descendant_idx 5)``; empty without samples."""
    if not samples:
        return ""
    sample = samples[0]
    cells = ", ".join(f"{key} {_cell(value)}" for key, value in sample.values.items())
    if sample.row is None:
        return f"; first: {cells}" if cells else ""
    file = f"{sample.file}, " if sample.file else ""
    return f"; first: {file}row {sample.row}" + (f" ({cells})" if cells else "")


def judged(
    defect: Defect,
    bad: str,
    good: str,
    *,
    severity: Severity | None = None,
    observed: Mapping[str, Observed] | None = None,
    impact: str | None = None,
    fix: str | None = None,
) -> Finding:
    """Give the finding of a rule that one defect decides: found where anything was counted.

    ``severity``, ``impact`` and ``fix`` belong to what was found and are left out of a pass.
    Raises Skip where the defect had nothing to be counted in: that is no pass.
    """
    if not defect.count and not defect.total:
        raise Skip("nothing is left that could be judged")
    found = defect.count > 0
    values: dict[str, Observed] = {"count": defect.count, "total": defect.total}
    if defect.detail:
        values["by reason"] = dict(defect.detail)
    return Finding(
        found=found,
        message=bad if found else good,
        severity=severity,
        count=defect.count,
        total=defect.total,
        observed={**values, **(observed or {})},
        samples=defect.samples,
        impact=impact,
        fix=fix,
    )


def _cell(value: Scalar) -> str:
    text = "empty" if value is None or value == "" else str(value)
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"
