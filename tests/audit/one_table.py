"""A checkpoint by hand, without a file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.sources.checkpoints.checkpoint import Checkpoint, Facts, Geometry, Reading
from taxcheck.sources.checkpoints.row_names import Meaning, RowNames


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
        names=()
        if labels is None
        else (RowNames("labels", pa.array(labels), Meaning.IDENTIFIERS),),
        facts=Facts(**facts),
    )
