"""The tables of one run in words: what tells their order, which is best, and where rows failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from taxcheck.model.series import Series
from taxcheck.model.vocabulary import percent, plural, score

from .text import clip_middle
from .view import WORDS

_BEGAN = 4  # findings that began that are told one by one


def told(series: Series) -> tuple[str, ...]:
    """What is to be said of the tables of a run, a sentence each, the verdict's table first."""
    last, best, failed = series.tables[-1], series.best, series.failed_from
    unit = series.order.value
    said = [
        f"The verdict is that of {name_of(last.path)}, the last of {len(series.tables):,} by the "
        f"{unit} ({last.at:,})."
    ]
    if best is not None and best is not last and best.map is not None and last.map is not None:
        said.append(
            f"Best by MAP: {name_of(best.path)} ({best.at:,}), {score(best.map)}; the last has "
            f"{score(last.map)}."
        )
    elif best is last:
        said.append("The last is the best by MAP.")
    if failed is not None:
        said.append(f"Rows began to fail at {failed.at:,}: {plural(failed.failing, 'row')}.")
    began = series.began
    for one in began[:_BEGAN]:
        first = f", first {one.found.first}" if one.found.first else ""
        lasted = "" if one.lasted else ", gone by the last"
        said.append(f"Since {one.at:,}: {one.found.id} {one.found.name}{first}{lasted}.")
    if len(began) > _BEGAN:
        said.append(
            f"{plural(len(began) - _BEGAN, 'more finding')} began, which the JSON report has."
        )
    said += [f"Not read: {one}" for one in series.unread]
    if series.left_out:
        said.append(f"Left out: {', '.join(series.left_out)}.")
    return tuple(said)


COLUMNS = ("", "MAP", "95 %", "mean rank", "at the clip", "rows failing", "verdict", "table")


def rows(series: Series) -> tuple[tuple[str, ...], ...]:
    """One line of cells for each table, under COLUMNS; empty where nothing was measured."""
    return tuple(
        (
            f"{table.at:,}",
            "" if table.map is None else score(table.map),
            "" if table.map_ci is None else " to ".join(score(end or 0.0) for end in table.map_ci),
            "" if table.mean_rank is None else score(table.mean_rank),
            "" if table.saturated is None else percent(table.saturated),
            f"{table.failing:,}",
            WORDS[table.verdict],
            name_of(table.path),
        )
        for table in series.tables
    )


def spread(cells: Sequence[tuple[str, ...]], most: int) -> tuple[tuple[str, ...], ...]:
    """At most so many of the rows, evenly, the first and the last among them."""
    if len(cells) <= most:
        return tuple(cells)
    return tuple(cells[round(k * (len(cells) - 1) / (most - 1))] for k in range(most))


def name_of(path: str) -> str:
    """The last part of a table's path, whatever the system it was written on."""
    return clip_middle(PurePath(path.replace("\\", "/")).name, 40)
