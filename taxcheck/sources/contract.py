"""Batches are held to the contract: by bounds over whole columns, by the schemas where one fails.

Rows that break it are set apart with a reason each; nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, FloatArray, Whole
from taxcheck.sources import bounds
from taxcheck.sources.tables.batches import (
    NOTHING_REFUSED,
    MappingBatch,
    PairBatch,
    Quarantined,
    RawBatch,
)
from taxcheck.sources.tables.cells import CodeArray, identifiers, short_numbers, whole_numbers
from taxcheck.sources.tables.columns import MALFORMED


def apply_mapping(raw: RawBatch) -> tuple[MappingBatch, Quarantined]:
    """Hold a batch to the contract: sound rows, the others with a reason each.

    ``raw`` needs the roles "taxid" and "idx". Identifiers are int64 where the column is numeric,
    else stripped text; whether texts are integers is decided over the whole file, not here.
    """
    problems: dict[str, CodeArray] = {}
    names, empty = identifiers(raw.columns["taxid"])
    if empty is not None:
        problems["taxid"] = empty
    idx = whole_numbers(raw.columns["idx"])
    if idx.problems is not None:
        problems["idx"] = idx.problems
    values = {"taxid": names, "idx": idx.values}
    keep, quarantined = _judge("mapping", values, problems, raw)
    rows = raw.numbers
    if keep is None:
        return MappingBatch(rows, names, idx.values), quarantined
    return MappingBatch(rows[keep], names.filter(pa.array(keep)), idx.values[keep]), quarantined


def apply_pairs(raw: RawBatch) -> tuple[PairBatch, Quarantined]:
    """Hold a batch to the contract: sound rows as int32, the others with a reason each.

    ``raw`` needs the roles "ancestor" and "descendant".
    """
    values: dict[str, Whole] = {}
    problems: dict[str, CodeArray] = {}
    for role in bounds.OF_TABLES["pairs"]:
        if role not in raw.columns:
            continue
        short = short_numbers(raw.columns[role])
        if short is not None:
            values[role] = short
            continue
        whole = whole_numbers(raw.columns[role])
        values[role] = whole.values
        if whole.problems is not None:
            problems[role] = whole.problems
    keep, quarantined = _judge("pairs", values, problems, raw)
    rows = raw.numbers
    labels: dict[str, pa.Array] = {
        role: identifiers(raw.columns[role])[0]
        for role in ("ancestor_taxid", "descendant_taxid")
        if role in raw.columns
    }
    if "weight" in raw.columns:
        labels["weight"] = raw.columns["weight"]
    if keep is not None:
        rows = rows[keep]
        values = {role: column[keep] for role, column in values.items()}
        labels = {role: column.filter(pa.array(keep)) for role, column in labels.items()}
    # what is within the bounds fits
    narrow = {role: column.astype(np.int32, copy=False) for role, column in values.items()}
    return PairBatch(rows=rows, **narrow, **labels), quarantined


def judge_rows(norm: FloatArray, outside: FloatArray) -> tuple[BoolArray, BoolArray]:
    """(rows that are not finite, rows that are no points of the model), (k,) each."""
    if bounds.points_within(norm, outside):
        return np.zeros(len(norm), dtype=np.bool_), np.zeros(len(norm), dtype=np.bool_)
    from taxcheck.sources import schemas

    return schemas.judge_rows(norm, outside)


def _judge(
    table: str,
    values: Mapping[str, Any],
    problems: Mapping[str, CodeArray],
    raw: RawBatch,
) -> tuple[BoolArray | None, Quarantined]:
    """The rows that are sound, (n,) or None for all of them, and the others."""
    if not problems and MALFORMED not in raw.columns:
        within = bounds.OF_TABLES[table]
        if all(within[role](column) for role, column in values.items()):
            return None, NOTHING_REFUSED
    from taxcheck.sources import schemas

    return schemas.judge(table, values, problems, raw)
