"""Trees of any size with their closure as Parquet, written block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ["ancestor_idx", "descendant_idx", "depth_diff"]
_BLOCK = 1 << 18
Ints = npt.NDArray[np.int32]


def parents(pairs: int, seed: int = 0) -> tuple[Ints, Ints]:
    """Parents and depths of a random recursive tree whose closure has about ``pairs`` pairs.

    Each node's parent is any earlier node, so the closure has about ln(n) pairs a node.
    """
    n = int(pairs / np.log(pairs / np.log(pairs)))
    rng = np.random.default_rng(seed)
    parent = np.r_[-1, (rng.random(n - 1) * np.arange(1, n)).astype(np.int64)].astype(np.int32)
    depth = np.zeros(n, dtype=np.int32)
    climbing = parent.copy()
    while (above := climbing >= 0).any():
        depth += above
        climbing = np.where(above, parent[climbing], -1)
    return parent, depth


def write(folder: Path, pairs: int, seed: int = 0, shards: int = 0) -> int:
    """Write mapping.parquet and pairs.parquet, or a folder pairs/ of so many files.

    Gives the exact number of pairs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parent, depth = parents(pairs, seed)
    n = len(parent)
    index = pa.array(np.arange(n, dtype=np.int32))
    pq.write_table(pa.table({"taxid": index, "idx": index}), folder / "mapping.parquet")
    if not shards:
        return write_pairs(folder / "pairs.parquet", parent, 0, n)
    (folder / "pairs").mkdir(exist_ok=True)
    ends = np.searchsorted(np.cumsum(depth), np.linspace(0, depth.sum(), shards + 1)[1:-1])
    cuts = [0, *ends.tolist(), n]
    return sum(
        write_pairs(folder / "pairs" / f"tree-{k:03}.parquet", parent, *cuts[k : k + 2])
        for k in range(shards)
    )


def write_pairs(path: Path, parent: Ints, first: int, last: int) -> int:
    """Write the pairs of descendants ``first`` .. ``last`` - 1; gives their number."""
    total = 0
    schema = pa.schema([(k, pa.int32()) for k in COLUMNS])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(first, last, _BLOCK):
            nodes = np.arange(start, min(start + _BLOCK, last), dtype=np.int32)
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
