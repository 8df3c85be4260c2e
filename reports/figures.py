"""Which picture is drawn where: each once, and referred to wherever else it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taxcheck.report import Report

from . import view
from .axes import id_axis, roles, taxid_axis
from .bands import distances, radius_by_depth
from .by_depth import inside, updates
from .clades import clade_spread
from .copies import copies
from .curve import training_curve
from .disc import projection
from .draws import draws
from .histograms import closure, depths, pairs_per_node
from .hubs import hubs
from .norms import norm_histogram, norm_percentiles
from .scores import mean_rank, scores, separation
from .svg import Drawing, Picture
from .text import slug
from .untrained import untrained

_Draw = Callable[[Report], Picture | None]
_HERO: tuple[_Draw, ...] = (roles, id_axis, taxid_axis)
_OF_RULE: Mapping[str, tuple[_Draw, ...]] = {
    "MAP004": (id_axis,),
    "PAIR003": (roles,),
    "PAIR004": (id_axis,),
    "PAIR009": (depths, draws),
    "PAIR011": (pairs_per_node,),
    "PAIR014": (taxid_axis,),
    "TREE004": (closure,),
    "EMB001": (untrained,),
    "EMB004": (norm_percentiles, norm_histogram, radius_by_depth),
    "EMB005": (norm_histogram, radius_by_depth),
    "EMB006": (untrained,),
    "EMB007": (copies, projection),
    "EMB008": (projection,),
    "EMB010": (distances,),
    "HIER001": (radius_by_depth, scores),
    "HIER002": (inside, scores),
    "HIER003": (scores, mean_rank),
    "HIER004": (scores,),
    "HIER005": (clade_spread, projection),
    "HIER006": (separation, distances),
    "HIER007": (projection,),
    "HIER008": (hubs,),
    "HIER009": (distances, scores),
    "TRAIN001": (norm_percentiles,),
    "TRAIN002": (norm_histogram,),
    "TRAIN003": (radius_by_depth,),
    "TRAIN005": (untrained,),
    "TRAIN006": (updates, untrained),
    "TRAIN009": (training_curve,),
}
# after training, in the order in which one asks
_CHAPTERS: tuple[tuple[str, str, tuple[_Draw, ...]], ...] = (
    ("untrained", "Which rows were never trained, and why", (untrained, updates)),
    ("training", "How the training went", (training_curve,)),
    ("place", "Where the rows lie", (norm_percentiles, norm_histogram, radius_by_depth, copies)),
    (
        "hierarchy",
        "Does it hold the hierarchy",
        (scores, mean_rank, separation, inside, distances, clade_spread, hubs),
    ),
    ("projection", "The rows in two dimensions", (projection,)),
)
_DEPTH_RULE = "PAIR009"


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

    found = [result.rule.id for result in view.told(report)]
    depth = () if _DEPTH_RULE in found else _OF_RULE[_DEPTH_RULE]
    hero = placed((*_HERO, *depth), "data")
    chapters = (Chapter(key, said, placed(drawn, key)) for key, said, drawn in _CHAPTERS)
    after = tuple(chapter for chapter in chapters if chapter.figures)
    return Figures(hero, after, {id: placed(_OF_RULE.get(id, ()), slug(id)) for id in found})
