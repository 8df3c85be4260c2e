"""The sample table of a finding, and how much of it a page of bounded size can show."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.report import RuleResult

from .text import clean, clip, clip_middle, number

_COLUMNS = 8
_UNFOLDED = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each finding is shown: rows of its sample, characters of its texts."""

    samples: int
    message: int
    cell: int
    prose: int
    shortened: bool = True


LEVELS = (
    Limits(samples=20, message=2000, cell=160, prose=6000, shortened=False),
    Limits(samples=20, message=1000, cell=80, prose=3000),
    Limits(samples=10, message=600, cell=60, prose=1200),
    Limits(samples=5, message=300, cell=40, prose=600),
    Limits(samples=0, message=120, cell=30, prose=120),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``numeric`` ones are set flush right."""

    name: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Offending rows as text, ready to be set; ``total`` is what they are a sample of."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int

    @property
    def first(self) -> int:
        """How many rows are seen before the rest is unfolded; one row is never folded alone."""
        return len(self.rows) if len(self.rows) <= _UNFOLDED + 1 else _UNFOLDED


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object, limit: int) -> str:
    if value is None:
        return ""
    # identifiers are no quantities: they keep the form in which they can be searched for
    return clip(value if isinstance(value, int) else number(value), limit)


def sample_table(result: RuleResult, limits: Limits) -> SampleTable | None:
    """The first rows of a finding's sample with the columns that hold something."""
    finding = result.finding
    samples = finding.samples[: limits.samples] if finding else ()
    if not finding or not samples:
        return None
    keys = list(dict.fromkeys(key for sample in samples for key in sample.values))[:_COLUMNS]
    columns: list[tuple[str, list[object]]] = [("row", [s.row for s in samples])]
    if "idx" not in keys:
        columns.append(("idx", [s.node for s in samples]))
    columns += [(clean(key), [s.values.get(key) for s in samples]) for key in keys]
    if "taxid" not in keys:
        columns.append(("taxid", [s.taxid for s in samples]))
    columns.append(("name", [s.name for s in samples]))
    lineages = [clip_middle(s.lineage, limits.cell) if s.lineage else None for s in samples]
    columns.append(("lineage", list(lineages)))
    kept = [(name, cells) for name, cells in columns if any(cell is not None for cell in cells)]
    return SampleTable(
        columns=tuple(
            Column(clip(name, 40), all(c is None or _is_number(c) for c in cells))
            for name, cells in kept
        ),
        rows=tuple(
            tuple(_cell(cells[i], limits.cell) for _, cells in kept) for i in range(len(samples))
        ),
        total=finding.count,
    )
