"""The bounds over whole columns and the schemas say the same of every row, whatever it holds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taxcheck.sources import bounds, contract, schemas
from taxcheck.sources.bounds import DEPTH_LIMIT, IDX_LIMIT
from taxcheck.sources.tables.batches import MappingBatch, PairBatch, Quarantined, RawBatch
from taxcheck.sources.tables.cells import identifiers, whole_numbers

EDGES = [0, 1, -1, IDX_LIMIT - 1, IDX_LIMIT, DEPTH_LIMIT - 1, DEPTH_LIMIT, -DEPTH_LIMIT,
         -DEPTH_LIMIT + 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 9606]  # fmt: skip
WORDS = ["", " ", "-", "-1", " -7 ", "-٣", "-1\n", "--1", "-1x", "a-1", "0x1f", "1e5", "1.0", "1.5",
         "9,606", "nan", "None", "CHEBI:1", "99999999999999999999", "-0", "+5", '"3"', "taxid",
         "idx", "ancestor", "descendant", "2147483647", "2147483646", "-2147483648"]  # fmt: skip


def cells(kind: pa.DataType) -> st.SearchStrategy[object]:
    if pa.types.is_integer(kind):
        limits = np.iinfo(kind.to_pandas_dtype())
        whole = st.integers(int(limits.min), int(limits.max))
        near = st.sampled_from([edge for edge in EDGES if limits.min <= edge <= limits.max])
        return st.integers(0, 9) | near | whole
    if pa.types.is_floating(kind):
        exact = st.sampled_from([float(edge) for edge in EDGES])
        odd = st.sampled_from([1.5, -0.0, 1e300, float("inf"), float("-inf"), float("nan")])
        return (st.integers(0, 9) | exact | odd).map(float)
    if pa.types.is_decimal(kind):
        odd = st.sampled_from([Decimal("1.5"), Decimal("-3"), Decimal(10**30)])
        return st.integers(0, 9).map(Decimal) | odd
    if pa.types.is_boolean(kind):
        return st.booleans()
    return st.integers(-2, 9).map(str) | st.sampled_from(WORDS)


KINDS = [*(f() for f in (pa.int8, pa.int16, pa.int32, pa.int64)), pa.uint8(), pa.uint32(),
         pa.uint64(), pa.float32(), pa.float64(), pa.string(), pa.bool_(), pa.null(),
         pa.decimal128(38, 2)]  # fmt: skip


@st.composite
def columns(draw: st.DrawFn, *roles: str) -> RawBatch:
    rows = draw(st.integers(0, 6))
    found = {}
    for role in roles:
        kind = draw(st.sampled_from(KINDS))
        cell = st.none() if pa.types.is_null(kind) else cells(kind)
        cell = cell | st.none() if draw(st.booleans()) else cell
        found[role] = pa.array(draw(st.lists(cell, min_size=rows, max_size=rows)), kind)
    return RawBatch(1, found)


Applied = tuple[MappingBatch | PairBatch, Quarantined]
Apply = Callable[[RawBatch], Applied]


def told(applied: Applied) -> object:
    """All that is known of the rows of a batch."""
    batch, quarantined = applied
    columns = {name: getattr(batch, name) for name in type(batch).__slots__}
    lists = {name: c if c is None else c.tolist() for name, c in columns.items()}
    return lists, quarantined.rows.tolist(), quarantined.reasons, dict(quarantined.cells)


def by_schema(apply: Apply, raw: RawBatch) -> Applied:
    """The same where no bound ever says that a column is sound."""
    doubtful = {
        table: dict.fromkeys(roles, lambda _: False) for table, roles in bounds.OF_TABLES.items()
    }
    with patch.object(bounds, "OF_TABLES", doubtful):
        return apply(raw)


def one_by_one(apply: Apply, raw: RawBatch) -> list[int]:
    """The rows that are sound where each is a batch of its own."""
    sound: list[int] = []
    for at in range(raw.rows):
        alone = RawBatch(at + 1, {role: cell.slice(at, 1) for role, cell in raw.columns.items()})
        sound += apply(alone)[0].rows.tolist()
    return sound


@given(columns("ancestor", "descendant", "depth_diff", "ancestor_depth", "descendant_depth"))
@example(RawBatch(1, {"ancestor": pa.array([IDX_LIMIT - 1]), "descendant": pa.array([IDX_LIMIT])}))
@example(RawBatch(1, {"ancestor": pa.array([0]), "descendant": pa.array([-1], pa.int8())}))
def test_pairs(raw: RawBatch) -> None:
    found = contract.apply_pairs(raw)
    assert told(found) == told(by_schema(contract.apply_pairs, raw))
    assert one_by_one(contract.apply_pairs, raw) == found[0].rows.tolist()


@given(columns("taxid", "idx"))
@example(RawBatch(1, {"taxid": pa.array(["-1", "-x"]), "idx": pa.array([0, 1])}))
def test_mappings(raw: RawBatch) -> None:
    found = contract.apply_mapping(raw)
    assert told(found) == told(by_schema(contract.apply_mapping, raw))
    assert one_by_one(contract.apply_mapping, raw) == found[0].rows.tolist()


@pytest.mark.parametrize(("table", "role"), [(t, r) for t in bounds.OF_TABLES
                                             for r in bounds.OF_TABLES[t]])  # fmt: skip
@given(data=st.data())
def test_a_bound_holds_exactly_where_the_schema_accepts(
    table: str, role: str, data: st.DataObject
) -> None:
    """But for texts: one that begins with a minus is left to the schema."""
    sound: dict[str, object] = dict.fromkeys(bounds.OF_TABLES[table], np.zeros(1, np.int64))
    if role == "taxid" and data.draw(st.booleans()):
        column, _ = identifiers(pa.array([data.draw(st.sampled_from(WORDS) | st.text())]))
        exact = False
    else:
        column = whole_numbers(pa.array([data.draw(cells(pa.int64()))], pa.int64())).values
        exact = True
    if role == "taxid" and exact:
        column = pa.array(column)
    raw = RawBatch(1, {name: pa.array([0]) for name in sound})
    accepted = schemas.judge(table, sound | {role: column}, {}, raw)[0] is None
    within = bounds.OF_TABLES[table][role](column)
    assert accepted if within else not (exact and accepted)


FLOATS = st.lists(
    st.floats() | st.sampled_from([0.0, 1.0, np.nextafter(1.0, 0.0), float("nan"), float("inf")])
)


@given(FLOATS)
def test_rows_of_a_table(values: list[float]) -> None:
    norm = np.array(values, dtype=np.float64)
    for outside in (norm, norm[::-1]):
        fast, slow = contract.judge_rows(norm, outside), schemas.judge_rows(norm, outside)
        assert [mask.tolist() for mask in fast] == [mask.tolist() for mask in slow]
