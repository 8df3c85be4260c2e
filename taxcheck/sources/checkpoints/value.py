"""A checkpoint as it was understood: the table, its geometry and what the engine recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.rule import Scalar


class Geometry(StrEnum):
    """The space that rows are points of."""

    BALL = "ball"  # Poincare ball: |x| < 1 / sqrt(c)
    LORENTZ = "lorentz"  # hyperboloid, time first: -x0^2 + x1^2 + ... = -1 / c
    TANGENT = "tangent"  # tangent vectors at the origin, mapped by exp_0 before use
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows are to be understood, and how sure that is."""

    geometry: Geometry
    curvature: float  # c > 0 of curvature -c; 1 where nothing says otherwise
    clip: float | None  # largest norm of a ball row that the engine allows; None: unknown
    confidence: str  # "certain": stated or given, "likely", "guess"
    reasons: tuple[str, ...]  # one sentence each


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One array in the file."""

    key: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the engine recorded about the training; everything may be missing."""

    epoch: int | None = None
    max_depth: int | None = None
    n_nodes: int | None = None
    stopped_early: bool | None = None
    # Under the field's names where they can be told: lambda_reg, max_norm, init_max_radius,
    # early_stopping, lr, margin, batch_size, negatives, sampler, dim, best_by ...
    config: Mapping[str, Scalar] = field(default_factory=dict)
    update_counts: npt.NDArray[np.int64] | None = None  # (rows,) updates of every row
    untouched: npt.NDArray[np.bool_] | None = None  # (rows,) the optimizer's state is all zero
    # By the field's names: epoch, loss, map, mean_rank, norm_max, norm_p90, nan_steps ...
    history: tuple[Mapping[str, float], ...] = ()
    recorded: Mapping[str, Scalar] = field(default_factory=dict)  # every other plain value


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One embedding table with all that its file says. ``vectors`` may be memory-mapped."""

    path: str
    format: str  # "facebookresearch checkpoint", "gensim PoincareModel" ...
    bytes: int
    fingerprint: str  # "blake3:<hex>"
    tensors: tuple[TensorInfo, ...]
    key: str  # the array that was taken as the table
    vectors: npt.NDArray[np.floating]  # (rows, width), as stored; bfloat16 is widened to float32
    dtype: str  # as stored: "float32", "bfloat16" ...
    reading: Reading
    labels: pa.Array | None = None  # (rows,) int64 or string, where the file names its rows
    facts: Facts = Facts()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows of the table."""
        return int(self.vectors.shape[0])

    @property
    def dim(self) -> int:
        """Dimension of the space: a Lorentz row has one number more."""
        return int(self.vectors.shape[1]) - (self.reading.geometry is Geometry.LORENTZ)
