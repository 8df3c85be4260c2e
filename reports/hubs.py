"""The picture of the hubs: how many rows are among the nearest of none, of few, of very many."""

from __future__ import annotations

from taxcheck.report import Report

from .histograms import ranges
from .svg import NARROW, WIDE, Picture
from .text import clip, number, percent


def hubs(report: Report) -> Picture | None:
    """Sampled rows by the number of lists of nearest rows that they are in."""
    found = report.audit.hubs if report.audit else None
    if found is None or not found.sampled:
        return None
    name, often = found.greatest
    nobody = found.bins[0][2]
    title = (
        f"{number(nobody)} of {number(found.sampled)} sampled rows "
        f"({percent(nobody / found.sampled)}) are among the {found.k} nearest of no other; "
        f"{clip(name, 60)} is of {number(often)}"
    )
    said = "; ".join(
        f"{number(low)}{'' if low == high else f' to {number(high)}'} times: {number(rows)} rows"
        for low, high, rows in found.bins
    )
    skew = "" if found.skew is None else f" The skew is {found.skew:.1f}."
    return Picture(
        "hubs",
        title,
        f"Sampled rows by how often they are among the {found.k} nearest of another. {said}.",
        ranges(found.bins, WIDE),
        ranges(found.bins, NARROW),
        notes=(
            f"Rows: how often a row is among the {found.k} nearest of the other sampled ones, in "
            f"bins that double; {found.k} times on average. Bars: rows.{skew}",
        ),
    )
