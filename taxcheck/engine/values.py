"""What the parts of the engine hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Int32Array = npt.NDArray[np.int32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Related:
    """Who is an ancestor of whom, in a form that is asked in constant or logarithmic time.

    In a tree ``entry`` and ``size`` are its Euler tour: a is above d exactly when
    ``entry[a] < entry[d] < entry[a] + size[a]``. In a DAG they are empty and the sorted
    ``ancestors[starts[d] : starts[d + 1]]`` decide.
    """

    entry: Int32Array  # (n,) or empty
    size: Int32Array  # (n,) or empty
    starts: IntArray  # (n + 1,)
    ancestors: Int32Array  # (pairs of the closure,), ascending within each descendant


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The pairs by descendant, and the hierarchy that they imply; nodes are 0..n_nodes-1."""

    n_nodes: int  # rows of the table
    starts: IntArray  # (n + 1,) into ancestors and distances
    ancestors: Int32Array  # (pairs,), ascending within each descendant
    distances: npt.NDArray[np.int16]  # (pairs,) depth_diff; 1 everywhere where it is unknown
    weights: npt.NDArray[np.float32] | None  # (pairs,) of a weights column
    depth: Int32Array  # (n,) longest distance below a root; 0 at roots and in no pair
    parent: Int32Array  # (n,) the deepest parent; -1 at roots
    related: Related

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return len(self.ancestors)


@dataclass(frozen=True, slots=True)
class Work:
    """Sources with some of their positives: one batch, or a chunk that a kernel walks through.

    A source is a descendant, its positives are ancestors; all positives of one entry share the
    negatives that are drawn for it. To draw pair by pair, repeat the source with one positive each.
    """

    sources: Int32Array  # (s,)
    starts: IntArray  # (s + 1,) into positives and weights
    positives: Int32Array  # (p,)
    weights: npt.NDArray[np.float32]  # (p,) factor of each pair's loss


@dataclass(frozen=True, slots=True)
class Negatives:
    """How negatives are drawn: per source ``uniform + degree + hard`` of them, with replacement.

    None is ever the source, or one of the nodes that it is trained to be near; a hard one shares
    the source's depth and is neither its ancestor nor its descendant; a degree one is drawn as
    often as it is an ancestor in the pairs. ``pool`` are the candidates of uniform draws. Where
    ``nearest`` is not 0, up to so many candidates join that are hardly farther away than the
    farthest positive: by ``window`` at most. ``anchored``: sources are the ancestors of pairs; none
    is then below them, and the hard ones share the depth of the descendant.
    """

    uniform: int
    degree: int
    hard: int
    pool: Int32Array  # (candidates,)
    by_depth: Int32Array  # (candidates,) nodes sorted by depth
    depth_starts: IntArray  # (depths + 1,) into by_depth
    nearest: int = 0
    window: float = 0.0
    anchored: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one call of a stepper did."""

    loss: float  # sum over pairs of weight * loss
    regularizer: float  # sum of the radial term before its factor
    pairs: int
    finite: bool  # False: the step met a NaN or an infinity; the table is not to be kept


class Stepper(Protocol):
    """One way to change the table: a fused kernel on the CPU, or autograd on any device."""

    @property
    def table(self) -> Floats:
        """The rows (n, width) in the coordinates of the geometry; Lorentz rows time first."""

    @property
    def updates(self) -> IntArray:
        """How often each row was a source or a positive, (n,)."""

    def step(
        self,
        work: Work,
        lr: float,
        lambda_reg: float,
        negatives: Negatives,
        temperature: float | None = None,
    ) -> StepResult:
        """Train on all of ``work``; None: the temperature of the config."""

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers: table, updates, moments."""

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ."""
