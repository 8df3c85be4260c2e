"""The picture of the tables of one run: MAP with its interval over the epochs, and failing rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from taxcheck.model.report import Report
from taxcheck.model.series import Series
from taxcheck.model.vocabulary import plural, score

from ..series import name_of
from .svg import Drawing, Picture, Shape, both, dot, line, path, rungs, text

_TOP, _BASE, _LEFT, _RIGHT = 24.0, 200.0, 56.0, 24.0
_FAILING = 46.0  # height of the columns of failing rows, below
_Place = Callable[[int], float]


def epochs(report: Report) -> Picture | None:
    """MAP of each table, the best marked; below it how many rows fail."""
    series = report.series
    if series is None or len(series.tables) < 2:
        return None
    best = series.best
    ranked = [table for table in series.tables if table.map is not None]
    said = [f"{table.at:,}: MAP {score(table.map or 0.0)}" for table in ranked]
    said += [f"{table.at:,}: {plural(table.failing, 'failing row')}" for table in series.tables]
    title = "No table was ranked"
    if best is not None and best.map is not None:
        title = f"MAP is best at {series.order.value} {best.at:,}: {score(best.map)}"
    if (failed := series.failed_from) is not None:
        title += f"; rows begin to fail at {failed.at:,}"
    return both("epochs", title, "; ".join(said), lambda width: _draw(series, width))


def _draw(series: Series, width: int) -> Drawing:
    first, last = series.tables[0].at, series.tables[-1].at
    left, right = _LEFT, width - _RIGHT

    def x(at: int) -> float:
        return left + (right - left) * (at - first) / max(last - first, 1)

    shapes, low = [*_scores(series, x, left, right)], _BASE + 18
    if any(table.failing for table in series.tables):
        shapes += _failing(series, x, left, right)
        low += 24 + _FAILING
    shapes.append(text(left, low, f"{first:,}"))
    shapes.append(text(right, low, f"{series.order.value} {last:,}", anchor="end"))
    return Drawing(width, low + 8, tuple(shapes))


def _scores(series: Series, x: _Place, left: float, right: float) -> Iterator[Shape]:
    """MAP from 0 to 1 as a line in its interval, with a dot for each table."""

    def y(value: float) -> float:
        return _BASE - (_BASE - _TOP) * value

    yield from rungs(((y(k / 4), f"{k / 4:g}") for k in range(5)), left, right)
    yield text(left, _TOP - 8, "MAP", "strong")
    ranked = [table for table in series.tables if table.map is not None]
    bands = [(x(t.at), *(y(end or 0.0) for end in t.map_ci)) for t in ranked if t.map_ci]
    if len(bands) > 1:
        around = [(at, high) for at, _, high in bands]
        around += [(at, low) for at, low, _ in reversed(bands)]
        yield Shape("path", "recorded", d=path(around))
    if len(ranked) > 1:
        yield Shape("path", "median", d=path((x(t.at), y(t.map or 0.0)) for t in ranked))
    for table in ranked:
        kind = "ours" if table is series.best else "theirs"
        tip = f"{name_of(table.path)}, {table.at:,}: MAP {score(table.map or 0.0)}"
        yield dot(x(table.at), y(table.map or 0.0), 5 if table is series.best else 3, kind, tip)


def _failing(series: Series, x: _Place, left: float, right: float) -> Iterator[Shape]:
    """A line up from the axis for each table with rows that fail, by their number."""
    base = _BASE + 24 + _FAILING
    most = max(table.failing for table in series.tables)
    yield text(left, _BASE + 20, f"rows failing, at most {most:,}", "strong")
    yield line(left, base, right, base, "grid")
    for table in series.tables:
        if table.failing:
            height = max(_FAILING * table.failing / most, 2.0)
            yield line(x(table.at), base, x(table.at), base - height, "mark")
