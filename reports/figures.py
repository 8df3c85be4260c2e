"""Which picture is drawn where: each once, and referred to wherever else it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taxcheck.report import Report

from . import view
from .axes import id_axis, roles, taxid_axis
from .draws import draws
from .histograms import closure, depths, pairs_per_node
from .svg import Drawing, Picture
from .text import slug

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
}
_DEPTH_RULE = "PAIR009"


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture in its place; ``shown_at`` is the anchor of the same one drawn before."""

    picture: Picture
    anchor: str
    shown_at: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All pictures of a page: of the data as a whole, and of each finding."""

    hero: tuple[Figure, ...]
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
    return Figures(hero, {id: placed(_OF_RULE.get(id, ()), slug(id)) for id in found})
