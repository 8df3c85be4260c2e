"""Which of the recommended presets suits the data, by its shape; measured in docs/training.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.initial import WITHIN, levels
from taxcheck.model.vocabulary import number, percent, plural

RECOMMENDED = ("default", "dag")  # what others do is somebody's run, to be repeated as it was
# From 60 levels on, 0.59 of radius each, cones rank a chain better than rows that start nested.
_CLOSEST = 0.75
# A node between two branches starts in neither cone: with 30 % of them nested rows still rank
# better (MAP), with 73 % cones do, in MAP and mean rank.
_SEVERAL = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a hierarchy decides how its rows should start."""

    levels: int  # of the deepest node, below the origin
    branching: float  # children of a node that has any, on average
    several_parents: float  # share of the nodes in pairs

    @classmethod
    def of(cls, data: TrainingData) -> Shape:
        """The shape of the hierarchy that the pairs state."""
        nodes = max(int(np.count_nonzero(data.paired)), 1)
        below = data.parent[data.parent >= 0]
        return cls(
            levels=int(levels(data).max(initial=0)),
            branching=len(below) / max(len(np.unique(below)), 1),
            several_parents=data.several_parents / nodes,
        )

    def __str__(self) -> str:
        return (
            f"{plural(self.levels, 'level')}, {self.branching:.1f} children a parent, "
            f"{percent(self.several_parents)} of the nodes with several parents"
        )


@dataclass(frozen=True, slots=True)
class Suited:
    """The preset that suits a shape, and why."""

    preset: str
    why: str

    def beside(self, chosen: str) -> str:
        """One line for a run of another preset, or of this one."""
        if chosen == self.preset:
            return f"preset {chosen} suits the data: {self.why}"
        return (
            f"preset {self.preset} suits the data better than {chosen}: {self.why}; start anew "
            f"with `preset` {self.preset}"
        )

    def words(self, shape: Shape) -> dict[str, object]:
        """What run.json says of it."""
        return {"preset": self.preset, "why": self.why, "shape": asdict(shape)}


def suited(shape: Shape) -> Suited:
    """Nested rows, unless levels crowd in the radius that there is, or most nodes lie between."""
    step = WITHIN * TrainConfig().radius_limit / max(shape.levels, 1)
    if step < _CLOSEST:
        return Suited(
            "dag",
            f"{number(shape.levels)} levels leave each {step:.2g} of radius where rows start "
            f"nested, which ranks well from {_CLOSEST:g} on",
        )
    if shape.several_parents > _SEVERAL:
        return Suited(
            "dag", f"{percent(shape.several_parents)} of the nodes lie between several parents"
        )
    return Suited("default", str(shape))
