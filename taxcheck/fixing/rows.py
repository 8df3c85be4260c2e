"""The mapping's rows once more, where one idx or one identifier stands in several of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.schemas.mapping import apply_mapping
from taxcheck.sources.inputs import TableSource
from taxcheck.statistics.values import BoolArray, IntArray, MappingStatistics


@dataclass(frozen=True, slots=True)
class MappingRows:
    """Sound rows in the order of the file, and the identifiers of rows whose idx is unsound."""

    keys: pa.Array  # distinct identifiers
    codes: IntArray  # (rows,) places in keys
    idx: IntArray  # (rows,)
    lost: pa.Array

    @classmethod
    def read(cls, source: TableSource, mapping: MappingStatistics) -> MappingRows:
        """Read the file again; what the statistics count as unsound is left out here too."""
        whole = mapping.identifiers.integers is not None
        ids: list[pa.Array] = []
        idx: list[IntArray] = []
        lost: list[str | None] = []
        for raw in source.batches():
            sound, bad = apply_mapping(raw)
            followed = sound.idx < mapping.n_nodes
            ids.append(_typed(sound.identifiers.filter(pa.array(followed)), whole))
            idx.append(sound.idx[followed])
            lost += bad.cells.get("taxid", ())
        found = pa.chunked_array(ids).combine_chunks()
        valid = found.is_valid().to_numpy(zero_copy_only=False)
        coded = found.filter(pa.array(valid)).dictionary_encode()
        orphans = _typed(pa.array(lost, pa.string()), whole).drop_null()
        return cls(
            coded.dictionary,
            coded.indices.to_numpy().astype(np.int64),
            np.concatenate(idx)[valid],
            pc.unique(orphans.filter(pc.invert(pc.is_in(orphans, coded.dictionary)))),
        )


def _typed(identifiers: pa.Array, whole: bool) -> pa.Array:
    """Text, or integers where the mapping's are: null for what is none."""
    if pa.types.is_integer(identifiers.type) == whole:
        return identifiers.cast(pa.int64()) if whole else identifiers
    if not whole:
        return identifiers.cast(pa.string())
    canonical = pc.match_substring_regex(identifiers, r"^(0|[1-9]\d{0,17})$")
    return pc.if_else(canonical, identifiers, None).cast(pa.int64())


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns each idx, as far as the rows tell."""

    code: IntArray  # (n,) place in keys, -1 for nobody
    doubtful: IntArray  # idx of which several identifiers may be the owner; the first row has it
    split: IntArray  # codes that own several idx in use; the first of them is kept
    homeless: IntArray  # codes left without an idx


def owners(rows: MappingRows, n: int, used: BoolArray) -> Owners:
    """Match identifiers and idx; ``used`` (n,) marks the idx that pairs name.

    An identifier that is alone on some idx belongs there, and its rows on shared idx are wrong.
    """
    order = np.arange(len(rows.idx))
    first = np.unique(rows.idx * len(rows.keys) + rows.codes, return_index=True)[1]
    order = np.sort(order[first])  # repeated rows say nothing new
    code, idx = rows.codes[order], rows.idx[order]
    while True:
        shared = np.bincount(idx, minlength=n)[idx] > 1
        settled = np.zeros(len(rows.keys), dtype=bool)
        settled[code[~shared]] = True
        wrong = shared & settled[code]
        # an idx that every claimant would leave stays with them
        left = np.bincount(idx[~wrong], minlength=n)[idx] == 0
        wrong &= ~left
        if not wrong.any():
            break
        code, idx = code[~wrong], idx[~wrong]
    doubtful = np.flatnonzero(np.bincount(idx, minlength=n) > 1)
    owner = np.full(n, -1, dtype=np.int64)
    owner[idx[::-1]] = code[::-1]
    held = np.flatnonzero(owner >= 0)
    # of several idx of one identifier, the first that pairs use
    ranked = held[np.lexsort((held, ~used[held], owner[held]))]
    repeated = np.zeros(len(ranked), dtype=bool)
    repeated[1:] = owner[ranked[1:]] == owner[ranked[:-1]]
    uses = np.bincount(owner[held][used[held]], minlength=len(rows.keys))
    split = np.flatnonzero(uses > 1)
    owner[ranked[repeated]] = -1
    homeless = np.setdiff1d(np.arange(len(rows.keys)), owner)
    return Owners(owner, doubtful, split, homeless)
