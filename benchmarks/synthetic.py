"""Trees of any size with their closure as Parquet, written block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_BLOCK = 1 << 18


def write(folder: Path, pairs: int, seed: int = 0) -> int:
    """Write mapping.parquet and pairs.parquet of about ``pairs`` pairs; gives the exact number.

    The tree is a random recursive one: each node's parent is any earlier node, so the closure has
    about ln(n) pairs a node.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n = int(pairs / np.log(pairs / np.log(pairs)))
    rng = np.random.default_rng(seed)
    parent = np.r_[-1, (rng.random(n - 1) * np.arange(1, n)).astype(np.int64)].astype(np.int32)
    depth = np.zeros(n, dtype=np.int32)
    climbing = parent.copy()
    while (above := climbing >= 0).any():
        depth += above
        climbing = np.where(above, parent[climbing], -1)
    index = pa.array(np.arange(n, dtype=np.int32))
    pq.write_table(pa.table({"taxid": index, "idx": index}), folder / "mapping.parquet")
    total = 0
    schema = pa.schema([(k, pa.int32()) for k in ("ancestor_idx", "descendant_idx", "depth_diff")])
    with pq.ParquetWriter(folder / "pairs.parquet", schema) as writer:
        for start in range(0, n, _BLOCK):
            nodes = np.arange(start, min(start + _BLOCK, n), dtype=np.int32)
            levels, current, k = [], parent[nodes], 1
            while len(nodes):
                kept = current >= 0
                nodes, current = nodes[kept], current[kept]
                levels.append((current, nodes, np.full(len(nodes), k, dtype=np.int32)))
                current, k = parent[current], k + 1
            columns = [np.concatenate(c) for c in zip(*levels, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))
            total += len(columns[0])
    return total
