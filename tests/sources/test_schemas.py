"""The schema speaks for the contract; what breaks it is set apart, row by row, with a reason."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaError

from taxcheck.sources.contract import apply_mapping, apply_pairs
from taxcheck.sources.schemas import MAPPING_SCHEMA, PAIRS_SCHEMA, contract
from taxcheck.sources.tables.batches import RawBatch


def pairs(first_row: int = 2, **columns: object) -> RawBatch:
    return RawBatch(first_row, {k: pa.array(v) for k, v in columns.items()})


def test_a_sound_batch_passes_whole() -> None:
    sound, quarantined = apply_pairs(
        pairs(ancestor=["0", "1"], descendant=["1", "2"], depth_diff=["1", "0"], weight=["x", ""])
    )
    assert sound.rows.tolist() == [2, 3]
    assert sound.ancestor.tolist() == [0, 1]
    assert sound.descendant.tolist() == [1, 2]
    assert sound.depth_diff is not None
    assert sound.depth_diff.tolist() == [1, 0], "depth_diff < 1 is a finding of PAIR008"
    assert sound.ancestor_depth is None
    assert (quarantined.rows.tolist(), quarantined.reasons, dict(quarantined.cells)) == ([], (), {})


def test_each_defect_has_its_reason() -> None:
    cases = [
        ("1", "2", "1", None),
        ("-1", "2", "1", "ancestor is negative"),
        ("1", "2147483647", "1", "descendant is larger than any table"),
        ("1", "2147483646", "1", None),
        ("1e18", "2", "1", "ancestor is larger than any table"),
        ("1", "nan", "1", "descendant is empty"),
        ("1", "2.5", "1", "descendant is no whole number"),
        ("1", "inf", "1", "descendant is no whole number"),
        ("1", "2", "", "depth_diff is empty"),
        ("1", "2", "2147483648", "depth_diff is larger than any depth"),
        ("1", "2", "-2147483647", None),
        ("ancestor_idx", "descendant_idx", "depth_diff", "a header line read as data"),
        ("id2", "id1", "distance", "a header line read as data"),
        ("x", "descendant", "1", "ancestor is no whole number"),
        ("99999999999999999999", "2", "1", "ancestor does not fit 64 bits"),
        ('"3"', " 4 ", "1.0", None),
    ]
    ancestor, descendant, depth, reasons = zip(*cases, strict=True)
    sound, quarantined = apply_pairs(
        pairs(ancestor=ancestor, descendant=descendant, depth_diff=depth)
    )
    bad = [n for n, reason in enumerate(reasons) if reason]
    assert quarantined.rows.tolist() == [n + 2 for n in bad]
    assert quarantined.reasons == tuple(r for r in reasons if r)
    assert quarantined.cells["ancestor"] == tuple(ancestor[n] for n in bad)
    assert quarantined.cells["depth_diff"] == tuple(depth[n] for n in bad)
    assert sound.rows.tolist() == [n + 2 for n in range(len(cases)) if n not in bad]
    assert sound.ancestor.tolist() == [1, 1, 1, 3]
    assert sound.descendant.tolist() == [2, 2147483646, 2, 4]


def test_taxids_beside_the_idx_are_kept_and_not_judged() -> None:
    sound, quarantined = apply_pairs(
        pairs(
            ancestor=[0, -1, 2],
            descendant=[1, 1, 1],
            ancestor_taxid=[7586.0, 1.0, None],
            descendant_taxid=[" a ", "b", ""],
        )
    )
    assert quarantined.rows.tolist() == [3]
    assert quarantined.cells["descendant_taxid"] == ("b",)
    assert sound.ancestor_taxid.equals(pa.array([7586, None]))
    assert sound.descendant_taxid.equals(pa.array(["a", None]))


def test_mapping_reasons() -> None:
    cases = [
        ("9606", "0", None),
        (" CHEBI:1 ", "1", None),
        ("", "2", "taxid is empty"),
        ("  ", "2", "taxid is empty"),
        (None, "2", "taxid is empty"),
        ("-5", "2", "taxid is negative"),
        ("a-5", "2", None),
        ("9", "", "idx is empty"),
        ("9", "-1", "idx is negative"),
        ("9", "1000000000000000000", "idx is larger than any table"),
        ("taxid", "idx", "a header line read as data"),
        ("id1", "3", None),  # a text among integers: judged over the whole file
    ]
    taxid, idx, reasons = zip(*cases, strict=True)
    sound, quarantined = apply_mapping(pairs(taxid=taxid, idx=idx))
    assert quarantined.reasons == tuple(r for r in reasons if r)
    assert quarantined.rows.tolist() == [n + 2 for n, r in enumerate(reasons) if r]
    assert quarantined.cells["taxid"] == tuple(t for t, r in zip(taxid, reasons, strict=True) if r)
    assert sound.identifiers.to_pylist() == ["9606", "CHEBI:1", "a-5", "id1"]
    assert sound.idx.tolist() == [0, 1, 2, 3]
    assert sound.rows.tolist() == [2, 3, 8, 13]


def test_mapping_of_integers_stays_integer() -> None:
    sound, quarantined = apply_mapping(pairs(1, taxid=[1, 2, None, -4], idx=[0, 1, 2, 3]))
    assert sound.identifiers.equals(pa.array([1, 2]))
    assert quarantined.reasons == ("taxid is empty", "taxid is negative")
    sound, _ = apply_mapping(pairs(1, taxid=[1, 2**40], idx=[0, 1]))
    assert sound.identifiers.equals(pa.array([1, 2**40]))


def test_malformed_lines_are_quarantined_whatever_their_cells_hold() -> None:
    batch = pairs(ancestor=["1", "5"], descendant=["2", "6"], malformed=[None, "3 fields"])
    sound, quarantined = apply_pairs(batch)
    assert sound.rows.tolist() == [2]
    assert (quarantined.rows.tolist(), quarantined.reasons) == ([3], ("3 fields",))
    assert set(quarantined.cells) == {"ancestor", "descendant"}


def test_a_column_of_nulls() -> None:
    sound, quarantined = apply_pairs(pairs(ancestor=pa.nulls(3), descendant=[1, 2, 3]))
    assert len(sound.rows) == 0
    assert quarantined.reasons == ("ancestor is empty",) * 3


def test_long_cells_are_cut() -> None:
    _, quarantined = apply_pairs(pairs(ancestor=["x" * 10**6], descendant=["1"]))
    assert quarantined.cells["ancestor"] == ("x" * 200,)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(-3, 3), st.integers(2**31 - 3, 2**31), st.none()),
            st.one_of(st.integers(-3, 3), st.integers(2**31 - 3, 2**31), st.none()),
        )
    )
)
def test_every_row_is_sound_or_quarantined(rows: list[tuple[int | None, int | None]]) -> None:
    ancestor = pa.array([a for a, _ in rows], pa.int64())
    descendant = pa.array([d for _, d in rows], pa.int64())
    sound, quarantined = apply_pairs(RawBatch(1, {"ancestor": ancestor, "descendant": descendant}))
    fine = [
        n
        for n, row in enumerate(rows, start=1)
        if all(v is not None and 0 <= v < 2**31 - 1 for v in row)
    ]
    assert sound.rows.tolist() == fine
    assert sorted([*fine, *quarantined.rows.tolist()]) == list(range(1, len(rows) + 1))
    assert len(quarantined.reasons) == len(quarantined.rows)


@pytest.mark.parametrize("value", [-1, 2**31 - 1])
def test_the_schemas_themselves_refuse(value: int) -> None:
    with pytest.raises(SchemaError):
        PAIRS_SCHEMA.validate(pd.DataFrame({"ancestor": [value], "descendant": [1]}))
    with pytest.raises(SchemaError):
        MAPPING_SCHEMA.validate(pd.DataFrame({"taxid": [1], "idx": [value]}))


def test_the_schemas_accept_what_is_sound() -> None:
    PAIRS_SCHEMA.validate(pd.DataFrame({"ancestor": [0], "descendant": [2**31 - 2]}))
    MAPPING_SCHEMA.validate(pd.DataFrame({"taxid": ["x"], "idx": np.array([0])}))


def test_the_contract_is_a_document() -> None:
    document = json.loads(json.dumps(contract()))
    assert set(document) == {"mapping", "pairs", "embeddings"}
    idx = document["mapping"]["columns"]["idx"]
    assert idx["type"] == "int64"
    assert [c.get("min_value", c.get("max_value")) for c in idx["checks"]] == [0, 2**31 - 1]
    for table in document.values():
        for column in table["columns"].values():
            assert column["title"]
            assert column["description"]
            assert column["checks"]
            assert all(check["refused_as"] and check["description"] for check in column["checks"])
    assert not document["pairs"]["columns"]["depth_diff"]["required"]
