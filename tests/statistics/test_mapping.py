"""The mapping as the rules see it, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from taxcheck.model.errors import InputError
from taxcheck.model.finding import Defect, Sample
from taxcheck.sources.tables.batches import MappingBatch, Quarantined
from taxcheck.statistics import mapping
from taxcheck.statistics.mapping import INVALID, MappingState
from taxcheck.statistics.offenders import of_quarantined
from tests.statistics.pair_tables import NOTHING, Heard
from tests.statistics.small_taxonomy import ids


def part(identifiers, idx, first=2, quarantined=NOTHING):
    rows = np.arange(first, first + len(idx))
    invalid = tuple(of_quarantined(INVALID, quarantined, ("idx",)))
    return MappingBatch(rows, pa.array(identifiers), ids(*idx)), invalid


def frozen(*parts, sink=None, derived=False):
    state = MappingState.empty()
    for one in parts:
        state.update(one)
    return state.freeze(derived, sink)


def test_a_mapping_with_holes():
    found = frozen(part([10, 12, 11], [0, 5, 1]))
    assert (found.rows, found.nodes, found.n_nodes, found.derived) == (3, 3, 6, False)
    assert found.mapped.tolist() == [True, True, False, False, False, True]
    assert found.row_of.tolist() == [2, 4, -1, -1, -1, 3]
    assert found.identifiers.integers.tolist() == [10, 11, -1, -1, -1, 12]
    assert found.identifiers.strings is None
    assert (found.holes, found.hole_ranges) == (3, ((2, 4),))
    assert found.identifier_density == 3 / 13
    assert (found.identifier_minimum, found.idx_density) == (10, 0.5)
    assert (found.oversized, found.max_idx) == (0, 5)
    assert (found.invalid, found.duplicate_idx) == (Defect(0, 3), Defect(0, 3))
    assert frozen(part([10], [0]), derived=True).derived
    assert not MappingState.empty().freeze().derived


def test_batches_come_back_in_the_order_of_their_rows():
    found = frozen(part([12, 13], [2, 3], first=4), part([11, 10], [1, 0]))
    assert found.identifiers.integers.tolist() == [10, 11, 12, 13]
    assert found.row_of.tolist() == [3, 2, 4, 5]


def test_the_first_ten_holes_are_told():
    found = frozen(part(range(12), range(1, 25, 2)))
    assert found.holes == 12
    assert found.hole_ranges == tuple((k, k) for k in range(0, 20, 2))


def test_an_empty_mapping():
    found = frozen()
    assert (found.rows, found.nodes, found.n_nodes, found.holes) == (0, 0, 0, 0)
    assert (found.identifier_density, found.idx_density, found.max_idx) == (0.0, 0.0, -1)
    assert (found.identifier_minimum, found.hole_ranges) == (None, ())
    assert found.duplicate_idx == found.duplicate_identifiers == Defect(0, 0)


def test_the_identifier_zero_is_dense():
    found = frozen(part([0], [0]))
    assert (found.identifier_density, found.identifier_minimum) == (1.0, 0)


def test_identifiers_with_several_idx_and_idx_with_several_identifiers():
    heard = Heard()
    # rows 2 and 4: 7 is idx 0 and 2; rows 3 and 6: idx 1 is 8 and 9; row 5 repeats row 2
    found = frozen(part([7, 8, 7, 7, 9, 5], [0, 1, 2, 0, 1, 3]), sink=heard)
    twice, shared = found.duplicate_identifiers, found.duplicate_idx
    assert (twice.count, twice.total, shared.count, shared.total) == (1, 4, 1, 4)
    assert [s.row for s in twice.samples] == [2, 4, 5]
    assert twice.samples[1] == Sample(
        {"taxid": 7, "idx": 2}, row=4, node=2, taxid=7, table="mapping"
    )
    assert [(s.row, s.taxid, s.node) for s in shared.samples] == [(3, 8, 1), (6, 9, 1)]
    assert found.row_of.tolist() == [2, 3, 4, 7]
    assert found.identifiers.integers.tolist() == [7, 8, 7, 5]
    assert heard.calls == [
        ("duplicate_taxid", {"row": [2, 4, 5], "idx": [0, 2, 0]}),
        ("duplicate_idx", {"row": [3, 6], "idx": [1, 1]}),
    ]


def test_a_row_that_repeats_another_is_no_conflict():
    found = frozen(part([7, 8, 7], [0, 1, 0]))
    assert found.duplicate_identifiers == found.duplicate_idx == Defect(0, 2)
    assert (found.rows, found.nodes) == (3, 2)


def test_at_most_twenty_conflicts_are_shown():
    found = frozen(part([7] * 30, range(30))).duplicate_identifiers
    assert (found.count, found.total) == (1, 1)
    assert [s.row for s in found.samples] == list(range(2, 22))


def test_text_that_is_mostly_numbers_is_numbers_and_the_rest_bad_rows():
    heard = Heard()
    quarantined = Quarantined(ids(9), ("a null",), {"taxid": (None,)})
    found = frozen(part(["12", "x", "0", "012x"], [0, 1, 2, 3], 2, quarantined),
                   part(["11"], [4], 6), sink=heard)  # fmt: skip
    assert found.identifiers.integers.tolist() == [12, -1, 0, -1, 11]
    assert (found.rows, found.nodes, found.invalid.total) == (6, 3, 6)
    reason = "taxid is no integer, where the others are"
    assert found.invalid.detail == {"a null": 1, reason: 2}
    assert found.invalid.samples[0] == Sample({"taxid": "x", "idx": 1}, row=3, table="mapping")
    # of the row that broke the schema, whoever read it has told
    assert (heard.rows(), heard.nodes) == ([("invalid_mapping_row", [3, 5])], [[[1, 3]]])


@pytest.mark.parametrize("texts", [["12", "x"], ["12", "13", "014"], ["CHEBI:1", "CHEBI:2"]])
def test_half_the_numbers_or_one_leading_zero_make_identifiers_text(texts):
    found = frozen(part(texts, [2 * k for k in range(len(texts))]))
    assert found.identifiers.integers is None
    assert found.identifiers.strings.tolist()[::2] == texts
    assert found.identifiers.strings[1] is None
    assert (found.identifier_density, found.identifier_minimum) == (0.0, None)
    assert found.invalid.count == 0


def test_conflicts_of_text_show_the_text():
    found = frozen(part(["a", "b", "a"], [0, 1, 2])).duplicate_identifiers
    assert [s.taxid for s in found.samples] == ["a", "a"]


def test_integers_and_text_in_two_batches_are_one_column():
    found = frozen(part([12, 11], [0, 1]), part(["10"], [2], first=4))
    assert found.identifiers.integers.tolist() == [12, 11, 10]


# 300 rows: an idx beyond 8 * 300 + 1024 is no index
LIMIT = 3_424


def sized(*largest):
    return frozen(part(range(300), [*range(300 - len(largest)), *largest]))


def test_an_idx_far_beyond_the_rows_in_under_one_row_of_a_hundred_is_a_bad_row():
    found = sized(LIMIT, LIMIT + 1)
    assert (found.oversized, found.max_idx, found.nodes) == (0, LIMIT, 299)
    assert found.invalid.detail == {"idx is far beyond the number of rows": 1}
    assert found.invalid.samples == (
        Sample({"taxid": 299, "idx": LIMIT + 1}, row=301, table="mapping"),
    )


def test_three_of_three_hundred_count_as_taxids_in_the_place_of_idx():
    found = sized(LIMIT + 1, LIMIT + 2, LIMIT + 9)
    assert (found.oversized, found.max_idx, found.invalid.count) == (3, LIMIT + 9, 0)
    assert found.n_nodes == LIMIT + 10


def test_no_array_is_made_for_an_idx_beyond_what_is_followed(monkeypatch):
    found = frozen(part([10, 11, 12], [0, 5_000, (1 << 22) + 1]))
    assert (found.oversized, found.max_idx, found.n_nodes) == (2, (1 << 22) + 1, 5_001)
    assert (found.rows, found.nodes) == (3, 2)
    monkeypatch.setattr(mapping, "FOLLOWED_SLACK", 0)
    found = sized(*[64 * 300] * 3, 64 * 300 + 1)
    assert (found.oversized, found.max_idx, found.n_nodes) == (4, 19_201, 19_201)


def test_the_document_states_how_far_an_idx_is_followed():
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    power = str(mapping.FOLLOWED_SLACK.bit_length() - 1).translate(digits)
    text = " ".join(Path("docs/explanation/proof.md").read_text().split())
    assert 2 ** (mapping.FOLLOWED_SLACK.bit_length() - 1) == mapping.FOLLOWED_SLACK
    assert f"beyond max({mapping.FOLLOWED_FACTOR} × rows, 2{power}) is followed" in text
    assert (
        f"beyond {mapping.OVERSIZE_FACTOR} × rows + {mapping.OVERSIZE_SLACK:,} in under "
        f"{mapping.OVERSIZE_SHARE:.0%}".replace("%", " %")
        in text
    )


def test_identifiers_that_are_long_texts_are_refused(monkeypatch):
    monkeypatch.setattr(mapping, "MOST_TEXT", 1000)
    assert frozen(part(["x" * 90] * 5, range(5)), part(["y" * 90] * 4, range(4))).rows == 9
    with pytest.raises(InputError, match="identifiers take more than 1MB as text"):
        frozen(part(["x" * 90] * 5, range(5)), part(["y" * 90] * 6, range(6)))
    one, other = MappingState.empty(), MappingState.empty()
    for state in (one, other):
        state.update(part(["x" * 90] * 6, range(6)))
    with pytest.raises(InputError, match="identifiers take more than"):
        one.merge(other)
