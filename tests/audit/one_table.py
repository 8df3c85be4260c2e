"""A checkpoint by hand, without a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.sources.checkpoints.checkpoint import Checkpoint, Facts, Geometry, Reading


def checkpoint(
    vectors: Any,
    labels: list[Any] | None = None,
    geometry: str = "ball",
    clip: float | None = None,
    curvature: float = 1.0,
    **facts: Any,
) -> Checkpoint:
    table = np.asarray(vectors)
    return Checkpoint(
        path="table.npy",
        format="npy",
        bytes=table.nbytes,
        fingerprint="blake3:0",
        tensors=(),
        key="array",
        vectors=table,
        dtype=table.dtype.name,
        reading=Reading(Geometry(geometry), curvature, clip, "certain", ()),
        labels=None if labels is None else pa.array(labels),
        facts=Facts(**facts),
    )
