"""The report and the comparison for people: one file, no network, readable without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import to_builtins

from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.finding import Outcome, Sample
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.statistics import Statistics
from taxcheck.model.vocabulary import percent
from taxcheck.model.written import plain

from . import comparison as compared
from . import series, view
from .page import page
from .pictures import Figure, place
from .pictures.before_after import drawn
from .places import identifier
from .text import clean, clip, clip_middle, number, words

MAX_BYTES = 1_000_000
_DRAWN = ("quality", "never_trained")  # parts of the statistics that pictures tell better
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


def _columns(samples: Sequence[Sample], limit: int) -> Iterator[tuple[str, list[object]]]:
    """Every column that a sample may have, whether or not it holds something, in its order."""
    keys = list(dict.fromkeys(key for sample in samples for key in sample.values))[:_COLUMNS]
    yield "file", [clip_middle(s.file, limit) if s.file else None for s in samples]
    yield "row", [s.row for s in samples]
    if "idx" not in keys:
        yield "idx", [s.node for s in samples]
    for key in keys:
        yield clean(key), [s.values.get(key) for s in samples]
    if "taxid" not in keys:
        called: list[object] = [identifier(s) for s in samples]
        yield "identifier" if any(isinstance(c, str) for c in called) else "taxid", called
    yield "name", [s.name for s in samples]
    yield "lineage", [clip_middle(s.lineage, limit) if s.lineage else None for s in samples]


def sample_table(result: RuleResult, limits: Limits) -> SampleTable | None:
    """The first rows of a finding's sample with the columns that hold something."""
    samples = result.samples[: limits.samples]
    if result.count is None or not samples:
        return None
    columns = _columns(samples, limits.cell)
    kept = [(name, cells) for name, cells in columns if any(cell is not None for cell in cells)]
    return SampleTable(
        columns=tuple(
            Column(clip(name, 40), all(c is None or _is_number(c) for c in cells))
            for name, cells in kept
        ),
        rows=tuple(
            tuple(_cell(cells[i], limits.cell) for _, cells in kept) for i in range(len(samples))
        ),
        total=result.count,
    )


def _values(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Words and values of one section; lists of bins are left to the pictures."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix} {words(key)}".strip()
        if key in _DRAWN:
            continue
        if isinstance(value, Mapping):
            found += _values(value, name)
        elif isinstance(value, float) and "share" in name:
            found.append((name, percent(value)))
        elif value is not None and not isinstance(value, list | tuple):
            found.append((name, number(value)))
    return found


def _numbers(statistics: Statistics) -> list[tuple[str, list[tuple[str, str]]]]:
    """The statistics by section, as words and values."""
    sections = to_builtins(statistics, str_keys=True, enc_hook=plain)
    return [(words(key), _values(values)) for key, values in sections.items() if values]


def parts(report: Report, limits: Limits) -> dict[str, Any]:
    """What the templates of a report's parts are filled with."""
    found = view.told(report)
    known: list[FoundCause | RuleResult] = [*report.causes, *found]
    figures = place(report)
    return {
        "report": report,
        "limits": limits,
        "view": view,
        "series": series,
        "found": found,
        "passes": view.of_outcome(report, Outcome.PASS),
        "skipped": view.of_outcome(report, Outcome.SKIPPED),
        "explained_by": {r.id: [o for o in known if view.key(o) in r.caused_by] for r in found},
        "explains": {r.id: [o for o in found if r.id in o.caused_by] for r in found},
        "hero": figures.hero,
        "after": figures.after,
        "joined": view.cross(report),
        "pictures": figures.of_rule,
        "tables": {r.id: sample_table(r, limits) for r in found},
        "numbers": _numbers(report.statistics),
    }


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The page, under 1 MB; where that takes it, fewer and shorter samples are shown."""
    made = ""
    for limits in LEVELS:
        made = page("report.html.j2", **parts(report, limits))
        if len(made.encode()) < MAX_BYTES:
            break
    return made


def comparison_parts(comparison: Comparison) -> dict[str, Any]:
    """The same for a comparison."""
    numbers = comparison.numbers
    return {
        "comparison": comparison,
        "view": compared,
        "figures": [Figure(picture, f"picture-{picture.key}") for picture in drawn(comparison)],
        "told": compared.told(comparison),
        "quiet": compared.quiet(comparison),
        "changed": [n for n in numbers if n.before != n.after],
        "same": [n for n in numbers if n.before == n.after],
    }


def render_comparison(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001
    """The page of two runs; its lists of nodes are short already, so it never grows large."""
    return page("comparison.html.j2", **comparison_parts(comparison))
