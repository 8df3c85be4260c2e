"""What is known of datasets and rules: home, one dataset, where a finding fires."""

from __future__ import annotations

from dataclasses import dataclass

from taxcheck.model.vocabulary import plural
from taxcheck.service.pages.values import Dataset, Firing, GridRow, Home, Point, Trend

from ..pictures import Figure
from ..text import slug
from .frame import filled
from .trend import draw, is_steady

_LOUD = frozenset(("error", "fail", "warn", "waived", "info"))


@dataclass(frozen=True, slots=True)
class _Row:
    """A run in the table of numbers; None where the run lacks one."""

    run: str
    created: int
    verdict: str
    values: tuple[float | None, ...]


def home(value: Home) -> str:
    """Datasets whose newest run fails, by cause; then all of them."""
    return filled("home.html", value=value)


def dataset(value: Dataset) -> str:
    """Its runs, its numbers, its rules."""
    figures, steady = [], []
    for trend in value.trends:
        still = len(value.trends) > 1 and is_steady(trend)
        picture = None if still else draw(trend, value.waivers)
        if picture is None:
            steady.append(trend)
        else:
            figures.append(Figure(picture, f"trend-{slug(trend.name)}"))
    loud = [row for row in value.grid if _LOUD.intersection(row.outcomes)]
    return filled(
        "dataset.html",
        value=value,
        figures=figures,
        steady=steady,
        rows=_rows(value.trends),
        loud=sorted(loud, key=_worst),
        quiet=[row for row in value.grid if row not in loud],
    )


def _worst(row: GridRow) -> tuple[int, str]:
    """What fires now first, the worst before the rest."""
    order = ("error", "fail", "warn", "waived", "info")
    now = row.outcomes[-1] if row.outcomes else ""
    return (order.index(now) if now in order else len(order), row.rule)


def _rows(trends: tuple[Trend, ...]) -> list[_Row]:
    """All numbers that are shown, run by run, the newest first."""
    points: dict[str, Point] = {}
    for trend in trends:
        points.update((point.run, point) for point in trend.points)
    known = [{point.run: point.value for point in trend.points} for trend in trends]
    ordered = sorted(points.values(), key=lambda point: point.created, reverse=True)
    return [
        _Row(p.run, p.created, p.verdict, tuple(of.get(p.run) for of in known)) for p in ordered
    ]


def rule(value: Firing) -> str:
    """Where a rule or a cause fires now, and what it is."""
    return filled("rule.html", value=value, statement=_statement(value))


def _statement(value: Firing) -> str:
    is_rule = value.kind == "rule"
    if not value.fires:
        return (
            "It finds nothing in the newest run of any dataset."
            if is_rule
            else "No newest run of any dataset names it."
        )
    said = "It finds something" if is_rule else "It is named"
    failing = sum(one.outcome in ("fail", "error") for one in value.fires)
    where = plural(len(value.fires), "dataset")
    of_these = f"; {failing:,} of them fail" if 0 < failing < len(value.fires) else ""
    return f"{said} in the newest run of {where}{of_these}."
