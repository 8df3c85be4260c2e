"""A checkpoint as it was understood: the table, its geometry and what the engine recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from taxcheck.model.finding import Scalar
from taxcheck.model.geometry import Geometry as Geometry  # read from here, too
from taxcheck.sources.checkpoints.row_names import RowNames


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows are to be understood, and how sure that is."""

    geometry: Geometry
    curvature: float  # c > 0 of curvature -c; 1 where nothing says otherwise
    clip: float | None  # largest norm of a ball row that the engine allows; None: unknown
    confidence: str  # "certain": stated or given, "likely", "guess"
    reasons: tuple[str, ...]  # one sentence each
    rivals: tuple[Geometry, ...] = ()  # other spaces that the rows may be points of as well
    roundoff: float | None = None  # of what the numbers hold; None: of the stored dtype

    @property
    def unit_clip(self) -> float | None:
        """The clip as a norm of the unit ball; None where it is unknown, and in flat space."""
        if self.clip is None or self.geometry is Geometry.EUCLIDEAN:
            return None
        return self.clip * math.sqrt(self.curvature)


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
    names: tuple[RowNames, ...] = ()  # what may say whose its rows are, the likeliest first
    said: str | None = None  # which of them, or none of them, where the user said so
    misfits: tuple[str, ...] = ()  # what should name the rows and is not as many
    facts: Facts = Facts()
    notes: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()  # what else could have been the table, a sentence each

    @property
    def rows(self) -> int:
        """Number of rows of the table."""
        return int(self.vectors.shape[0])

    @property
    def labels(self) -> pa.Array | None:
        """What most likely names the rows, (rows,) int64 or string; None where nothing does."""
        return self.names[0].values if self.names else None

    @property
    def dim(self) -> int:
        """Dimension of the space: a Lorentz row has one number more."""
        return int(self.vectors.shape[1]) - (self.reading.geometry is Geometry.LORENTZ)


_LISTED = 40


def describe(checkpoint: Checkpoint) -> Iterator[str]:
    """Lines that tell format, arrays, geometry with its reasons, and what the engine recorded."""
    reading, facts = checkpoint.reading, checkpoint.facts
    yield f"{checkpoint.path}: {checkpoint.format}, {checkpoint.bytes:,} bytes"
    yield f"fingerprint  {checkpoint.fingerprint}"
    yield (
        f"table        {checkpoint.key}: {checkpoint.rows:,} rows, dimension {checkpoint.dim}, "
        + (checkpoint.dtype)
    )
    clip = "unknown" if reading.clip is None else f"{reading.clip:.6g}"
    yield (
        f"geometry     {reading.geometry.value} ({reading.confidence}), curvature "
        f"-{reading.curvature:g}, clip {clip}"
    )
    for reason in reading.reasons:
        yield f"             {reason}"
    if not checkpoint.names:
        yield "labels       none: row k is idx k"
    for names in checkpoint.names[:_LISTED]:
        first = ", ".join(str(label) for label in names.values[:3].to_pylist())
        yield f"labels       {names.place}, {len(names.values):,}, first: {first}"
    for misfit in checkpoint.misfits:
        yield f"labels       {misfit}"
    for guess in checkpoint.guesses:
        yield f"guess        {guess}"
    for note in checkpoint.notes:
        yield f"note         {note}"
    yield "arrays"
    for tensor in checkpoint.tensors[:_LISTED]:
        shape = " x ".join(f"{size:,}" for size in tensor.shape) or "scalar"
        yield f"  {tensor.key}  {shape}  {tensor.dtype}"
    if len(checkpoint.tensors) > _LISTED:
        yield f"  and {len(checkpoint.tensors) - _LISTED:,} more"
    stated = {
        "epoch": facts.epoch,
        "max_depth": facts.max_depth,
        "n_nodes": facts.n_nodes,
        "stopped_early": facts.stopped_early,
        **facts.config,
        **facts.recorded,
    }
    known = {name: value for name, value in stated.items() if value is not None}
    if known:
        yield "recorded"
        for name, value in known.items():
            yield f"  {name} = {value}"
    if facts.update_counts is not None:
        idle = int((facts.update_counts == 0).sum())
        yield f"  updates of every row; {idle:,} rows with none"
    if facts.history:
        yield f"  a log of {len(facts.history):,} epochs"
