"""One way to change a table: a fused kernel on the CPU, or autograd on any device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from taxcheck.engine.config import Phase
from taxcheck.model.arrays import IntArray

if TYPE_CHECKING:
    from taxcheck.engine.sampling import Chunk, Negatives

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one call of a stepper did."""

    loss: float  # sum over pairs of weight * loss
    regularizer: float  # sum of the radial term before its factor
    pairs: int
    finite: bool  # False: the step met a NaN or an infinity; the table is not to be kept


class Stepper(Protocol):
    """What the loop asks of whatever changes the table."""

    @property
    def table(self) -> Floats:
        """The rows (n, width) in the coordinates of the geometry; Lorentz rows time first."""

    @property
    def updates(self) -> IntArray:
        """How often each row was a source or a positive, (n,)."""

    def step(self, chunk: Chunk, phase: Phase, negatives: Negatives) -> StepResult:
        """Train on all of a chunk."""

    def state(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Everything that a continued run needs for the same numbers: table, updates, moments."""

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Continue from a state. ValueError where shapes differ."""


def refuse_other_shapes(
    state: Mapping[str, npt.NDArray[np.generic]], own: Mapping[str, npt.NDArray[np.generic]]
) -> None:
    """ValueError where a state is not of the shapes of a stepper's own."""
    for name, array in own.items():
        if name not in state or state[name].shape != array.shape:
            found = state[name].shape if name in state else "nothing"
            raise ValueError(f"{name}: the state has {found}, the run needs {array.shape}")
