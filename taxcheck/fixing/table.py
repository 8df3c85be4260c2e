"""An embedding table carried along to the new idx: each row goes where its node went."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from taxcheck.fixing.numbering import Numbering
from taxcheck.fixing.plan import Step
from taxcheck.sources.checkpoints.value import Checkpoint, Geometry
from taxcheck.statistics.values import IntArray, MappingStatistics

_ROWS = 1 << 18


def rows_before(table: Checkpoint, mapping: MappingStatistics) -> IntArray:
    """The row of every old idx, (n_nodes,), by labels where the table has them; -1 for none."""
    from taxcheck.audit.alignment import align  # a repair without a table does not need it

    return align(table, mapping).row_of[: mapping.n_nodes]


def step_of(table: Checkpoint, row_of: IntArray, numbering: Numbering) -> Step:
    """What becomes of the table."""
    moved = int(np.count_nonzero((row_of >= 0) & (numbering.old_to_new >= 0)))
    fresh = len(numbering.identifiers) - moved
    what = "carry the table's rows along to the new idx, into embeddings.npy"
    if fresh:
        what += f"; {fresh:,} nodes without a row start at the origin"
    return Step((), what, moved, f"the numbers of {table.path} stay as they are, row by row")


def write_table(path: Path, table: Checkpoint, row_of: IntArray, numbering: Numbering) -> None:
    """Write (nodes, width) of the table's own type, in bounded blocks."""
    n, width = len(numbering.identifiers), table.vectors.shape[1]
    source = np.full(n, -1, dtype=np.int64)
    kept = numbering.old_to_new >= 0
    source[numbering.old_to_new[kept]] = row_of[kept]
    origin = np.zeros(width, dtype=table.vectors.dtype)
    if table.reading.geometry is Geometry.LORENTZ:
        origin[0] = 1 / np.sqrt(table.reading.curvature)
    with path.open("wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(table.vectors.dtype),
            "fortran_order": False,
            "shape": (n, width),
        }
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, n, _ROWS):
            rows = source[first : first + _ROWS]
            block = np.tile(origin, (len(rows), 1))
            block[rows >= 0] = table.vectors[rows[rows >= 0]]
            file.write(block.tobytes())
