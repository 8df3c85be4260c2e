"""What leaves the pages: a badge for a README, a feed for a reader."""

from __future__ import annotations

from taxcheck.service.pages.values import Badge, Feed

from ..pictures.svg import text_width
from ..text import clip
from .frame import filled

# the bands of the style sheet, and what is written on them
_COLOURS = {
    "fail": ("#b34700", "#ffffff"),
    "error": ("#8f3a6b", "#ffffff"),
    "warn": ("#e69f00", "#1a1d21"),
    "pass": ("#00775a", "#ffffff"),
}
_GREY = ("#59616b", "#ffffff")


def badge(value: Badge) -> str:
    """The state of a dataset as an SVG."""
    fill, ink = _COLOURS.get(value.look, _GREY)
    left, right = (round(text_width(clip(said, limit), 6.6)) + 14 for said, limit in
                   ((value.label, 40), (value.said, 60)))  # fmt: skip
    return filled("badge.svg", value=value, left=left, right=right, fill=fill, ink=ink)


def feed(value: Feed) -> str:
    """The newest runs of a dataset, as Atom."""
    return filled("feed.xml", value=value)
