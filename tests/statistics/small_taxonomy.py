"""Small taxonomies written by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from taxcheck.sources.taxonomies.taxonomy import Taxonomy


def ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def small_taxonomy(
    parents: dict[int, int], ranks=None, names=None, merged=None, deleted=()
) -> Taxonomy:
    """A taxonomy from taxid -> parent taxid; a root is its own parent."""
    taxids = np.array(sorted(parents), dtype=np.int64)
    at = {int(taxid): k for k, taxid in enumerate(taxids)}
    ranks, merged = ranks or {}, merged or {}
    rank_names = tuple(sorted({"no rank", *ranks.values()}))
    return Taxonomy(
        source="taxdump",
        version="2024-09-07",
        taxids=taxids,
        parents=np.array([-1 if parents[t] == t else at[parents[t]] for t in taxids.tolist()]),
        ranks=np.array(
            [rank_names.index(ranks.get(t, "no rank")) for t in taxids.tolist()], dtype=np.int16
        ),
        rank_names=rank_names,
        names=None if names is None else pa.array([names.get(t) for t in taxids.tolist()]),
        merged_from=ids(*sorted(merged)),
        merged_to=ids(*(merged[t] for t in sorted(merged))),
        deleted=ids(*sorted(deleted)),
        bytes=0,
        fingerprint="blake3:",
    )


def batch(*rows: tuple[int, int, int]):
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
