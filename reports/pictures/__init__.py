"""The pictures, and where each is drawn: once, and referred to wherever else it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taxcheck.model.report import Report

from .. import view
from ..text import slug
from .hierarchy import clade_spread, distances, inside, radius_by_depth, updates
from .map import projection
from .nodes import id_axis, pairs_per_node, roles, taxid_axis
from .pairs import closure, depths, draws
from .places import misplaced
from .scores import mean_rank, scores, separation
from .series import epochs
from .svg import Drawing, Picture
from .table import copies, hubs, row_radii
from .training import training_curve, untrained

_Draw = Callable[[Report], Picture | None]
_HERO: tuple[_Draw, ...] = (roles, id_axis, taxid_axis)
_DEPTHS: tuple[_Draw, ...] = (depths, draws)
# after training, in the order in which one asks
_CHAPTERS: tuple[tuple[str, str, tuple[_Draw, ...]], ...] = (
    ("series", "One table after another", (epochs,)),
    ("untrained", "Which rows were never trained, and why", (untrained, updates)),
    ("training", "How the training went", (training_curve,)),
    ("place", "Where the rows lie", (row_radii, radius_by_depth, copies)),
    (
        "hierarchy",
        "Does it hold the hierarchy",
        (scores, mean_rank, separation, inside, distances, misplaced, clade_spread, hubs),
    ),
    ("projection", "The rows in two dimensions", (projection,)),
)
# By the names under which rules ask for them.
PICTURES: Mapping[str, _Draw] = {
    draw.__name__: draw
    for draw in (
        *_HERO, *_DEPTHS, pairs_per_node, closure,
        *(draw for _, _, ours in _CHAPTERS for draw in ours),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture in its place; ``shown_at`` is the anchor of the same one drawn before."""

    picture: Picture
    anchor: str
    shown_at: str | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One question that is asked after training, with the pictures that answer it."""

    key: str
    heading: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """All pictures of a page: of the data, of the trained table, and of each finding."""

    hero: tuple[Figure, ...]
    after: tuple[Chapter, ...]
    of_rule: Mapping[str, tuple[Figure, ...]]


def place(report: Report) -> Figures:
    """Draw what the data allows; the depths stand with the data where no rule told of them."""
    shown: dict[Drawing, str] = {}

    def placed(drawn: tuple[_Draw, ...], prefix: str) -> tuple[Figure, ...]:
        figures = []
        for draw in drawn:
            if (picture := draw(report)) is None:
                continue
            anchor = f"{prefix}-{picture.key}"
            figures.append(Figure(picture, anchor, shown.get(picture.wide)))
            shown.setdefault(picture.wide, anchor)
        return tuple(figures)

    asked = {
        result.id: tuple(PICTURES[p] for p in result.pictures if p in PICTURES)
        for result in view.told(report)
    }
    depth = () if any(depths in drawn for drawn in asked.values()) else _DEPTHS
    hero = placed((*_HERO, *depth), "data")
    chapters = (Chapter(key, said, placed(drawn, key)) for key, said, drawn in _CHAPTERS)
    after = tuple(chapter for chapter in chapters if chapter.figures)
    return Figures(hero, after, {id: placed(drawn, slug(id)) for id, drawn in asked.items()})
