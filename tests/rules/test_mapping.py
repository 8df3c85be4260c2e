"""MAP001 to MAP009 on hand-made values."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.policy.model import Dataset
from tests.rules.builders import ints, judge, mapping, some, taxonomy, text_mapping


@pytest.mark.parametrize("id", ["MAP001", "MAP002", "MAP003", "MAP004", "MAP005", "MAP007"])
def test_a_derived_mapping_is_not_judged(id: str) -> None:
    result = judge(id, mapping=mapping(derived=True))
    assert result.outcome == "skipped"
    assert result.reason == "no mapping was given: it was made from the pairs' own labels"


def test_invalid_rows_are_counted_by_reason() -> None:
    bad = some(3, 120, {"taxid": "id1", "idx": "id2"}, header_read_as_data=1, null_idx=2)
    result = judge("MAP001", mapping=mapping(invalid=bad))
    assert result.outcome == "fail"
    assert result.message == (
        "3 of 120 rows (2.5 %) are invalid: 2 null idx, 1 header read as data; "
        "first: row 11 (taxid id1, idx id2)"
    )
    assert result.judged
    assert (result.count, result.total) == (3, 120)


def test_identifiers_with_two_idx() -> None:
    bad = some(1, 4, {"taxid": 20, "idx": 1})
    result = judge("MAP002", mapping=mapping(duplicate_identifiers=bad))
    assert result.outcome == "fail"
    assert result.message == (
        "1 of 4 identifiers (25.0 %) has more than one idx; first: row 11 (taxid 20, idx 1)"
    )


def test_idx_with_two_identifiers() -> None:
    result = judge("MAP003", mapping=mapping(duplicate_idx=some(2, 8)))
    assert result.outcome == "fail"
    assert result.message == "2 of 8 idx (25.0 %) have more than one identifier"


def test_holes_are_counted_and_their_ranges_shown() -> None:
    holed = mapping(idx=ints(0, 1, 4, 7), hole_ranges=((2, 3), (5, 6)))
    result = judge("MAP004", mapping=holed)
    assert result.outcome == "fail"
    assert result.message == ("4 of 8 idx (50.0 %) are mapped to nothing; first holes: 2..3, 5..6")
    assert judge("MAP004").message == "idx 0..3 are all mapped"


def test_more_holes_than_are_listed_are_hinted_at() -> None:
    holed = mapping(taxids=ints(10, 20, 30, 40, 50), idx=ints(0, 2, 4, 6, 8))
    assert judge("MAP004", mapping=holed).message.endswith("first holes: 1, 3, 5 ...")


def test_swapped_columns_show_as_dense_identifiers_and_sparse_idx() -> None:
    swapped = mapping(taxids=ints(0, 1, 2, 3), idx=ints(9, 19, 29, 39))
    result = judge("MAP005", mapping=swapped)
    assert result.outcome == "fail"
    assert result.message == (
        "the columns are swapped: the identifiers fill 100 % of 0..max, the idx 10.0 % of 0..39"
    )
    assert result.judged
    assert result.fix
    assert 'names=["taxid", "idx"]' in result.fix


@pytest.mark.parametrize(
    "sound",
    [
        mapping(taxids=ints(0, 1, 2, 3)),  # both dense: nothing to tell them apart
        mapping(taxids=ints(1, 2, 3, 4), idx=ints(9, 19, 29, 39)),  # no numbering from 0
        mapping(idx=ints(0, 1, 2, 9)),  # neither dense
        text_mapping(),
    ],
)
def test_columns_in_order_pass(sound: object) -> None:
    assert judge("MAP005", mapping=sound).outcome == "pass"


def test_oversized_idx_are_no_numbering() -> None:
    swapped = mapping(taxids=ints(0, 1, 2, 3), oversized=4, max_idx=3_467_243)
    assert judge("MAP005", mapping=swapped).outcome == "fail"


def test_taxids_as_idx_by_size() -> None:
    # the run that gave 111,103 nodes a table of 3,467,244 rows
    big = mapping(rows=111_103, oversized=90_000, max_idx=3_467_243)
    result = judge("MAP007", mapping=big)
    assert result.outcome == "fail"
    assert result.message == (
        "90,000 of 111,103 rows (81.0 %) have an idx far beyond the number of rows; "
        "the largest idx is 3,467,243"
    )
    assert result.judged
    assert result.impact == ("A table of 3,467,244 rows will be allocated for 111,103 nodes.")


def test_taxids_as_idx_by_identity() -> None:
    own = ints(1, 2, 4, 7)
    result = judge("MAP007", mapping=mapping(taxids=own, idx=own))
    assert result.outcome == "fail"
    assert result.message.startswith("4 of 4 nodes (100 %) have their own taxid as idx")
    numbering = np.arange(4)
    assert judge("MAP007", mapping=mapping(taxids=numbering, idx=numbering)).outcome == "pass"


def test_unknown_taxids_warn_and_tell_merged_from_absent() -> None:
    unknown = some(3, 4, {"idx": 1, "taxid": 20}, merged=2, absent=1)
    result = judge("MAP006", taxonomy=taxonomy(unknown=unknown))
    assert result.outcome == "warn"
    assert result.message == (
        "3 of 4 mapped identifiers (75.0 %) are not in taxdump (2024-09-07): 2 merged, 1 absent; "
        "first: row 11 (idx 1, taxid 20)"
    )


def test_noise_is_told_from_a_tenth_of_the_nodes() -> None:
    echinoderms = taxonomy(noise=some(3_814, 7_112, sp=3_814))
    result = judge("MAP008", taxonomy=echinoderms)
    assert result.outcome == "info"
    assert result.message.startswith("3,814 of 7,112 mapped nodes (53.6 %) have no settled")
    assert judge("MAP008", taxonomy=taxonomy(noise=some(9, 100))).outcome == "pass"
    assert judge("MAP008", taxonomy=taxonomy(noise=None)).reason == "the taxonomy has no names"


def test_one_parent_outside_is_the_clades_root() -> None:
    assert judge("MAP009").outcome == "pass"
    cut = taxonomy(parent_outside=some(2_193, 110_478), closing_adds=1_427)
    result = judge("MAP009", taxonomy=cut)
    assert result.outcome == "warn"
    assert result.message == (
        "2,193 of 110,478 mapped nodes (2.0 %) have a parent outside the mapping; "
        "closing it upwards adds 1,427 nodes"
    )


def test_declared_roots_may_have_parents_outside() -> None:
    three = taxonomy(parent_outside=some(3, 40))
    declared = Dataset(roots=(10, 20, 30))
    assert judge("MAP009", taxonomy=three).outcome == "warn"
    assert judge("MAP009", taxonomy=three, dataset=declared).outcome == "pass"
