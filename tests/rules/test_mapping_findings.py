"""MAP001 to MAP009: the whole finding, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Identifiers
from tests.rules.builders import (
    counted,
    ints,
    judge,
    mapping,
    sampled,
    some,
    taxonomy,
    text_mapping,
)


def test_counts_reasons_and_samples_reach_the_report() -> None:
    bad = some(3, 120, {"taxid": "id1"}, null_idx=2, header_read_as_data=1)
    result = judge("MAP001", mapping=mapping(invalid=bad))
    assert result.observed == {
        "count": 3,
        "total": 120,
        "by reason": {"null_idx": 2, "header_read_as_data": 1},
    }
    assert sampled(result) == [{"taxid": "id1"}]
    assert judge("MAP002").observed == {"count": 0, "total": 4}


def test_holes_are_observed_and_sampled_as_ranges() -> None:
    holed = mapping(idx=ints(0, 1, 4, 7), hole_ranges=((2, 3), (5, 6)))
    result = judge("MAP004", mapping=holed)
    assert counted(result) == (4, 8)
    assert result.observed == {"holes": 4, "n_nodes": 8, "first ranges": ["2..3", "5..6"]}
    assert sampled(result) == [{"first": 2, "last": 3}, {"first": 5, "last": 6}]
    one = judge("MAP004", mapping=mapping(idx=ints(0, 1, 2, 4)))
    assert (one.outcome, counted(one)) == ("fail", (1, 5))
    three = mapping(idx=ints(0, 2, 4, 6), hole_ranges=((1, 1), (3, 3), (5, 5)))
    assert judge("MAP004", mapping=three).message.endswith("first holes: 1, 3, 5")
    more = mapping(idx=ints(0, 2, 4, 6), hole_ranges=((1, 1), (3, 3)))
    assert judge("MAP004", mapping=more).message.endswith("first holes: 1, 3 ...")
    empty = replace(mapping(), n_nodes=0, nodes=0)
    assert judge("MAP004", mapping=empty).reason == "the mapping has no valid row"


def test_swapped_columns_are_counted_whole() -> None:
    swapped = mapping(taxids=ints(0, 1, 2, 3), idx=ints(9, 19, 29, 39))
    result = judge("MAP005", mapping=swapped)
    assert counted(result) == (4, 4)
    assert result.observed == {
        "identifier density": 1.0,
        "identifier minimum": 0,
        "idx density": 0.1,
        "largest idx": 39,
    }
    assert counted(judge("MAP005")) == (0, 4)
    assert "text" not in judge("MAP005").message
    assert judge("MAP005", mapping=text_mapping()).message == (
        "the identifiers are text, so no numbering"
    )
    # a density of exactly the threshold is a numbering
    half = mapping(taxids=ints(0, 7, 2, 5), idx=ints(9, 19, 29, 39))
    assert judge("MAP005", {"identifier_density": 0.5}, mapping=half).outcome == "fail"
    assert judge("MAP005", {"idx_density": 0.1}, mapping=swapped).outcome == "pass"
    from_one = mapping(taxids=ints(1, 2, 3, 4), idx=ints(9, 19, 29, 39))
    dense = {"identifier_density": 0.8}
    assert judge("MAP005", dense, mapping=from_one).outcome == "fail"
    assert judge("MAP005", dense | {"identifier_minimum": 0}, mapping=from_one).outcome == "pass"


def test_taxids_as_idx_are_observed() -> None:
    own = ints(1, 2, 4, 7)
    result = judge("MAP007", mapping=mapping(taxids=own, idx=own))
    assert counted(result) == (4, 4)
    assert result.observed == {
        "largest idx": 7,
        "rows": 4,
        "oversized idx": 0,
        "idx equal to their taxid": 4,
    }
    assert result.impact == "A table of 8 rows will be allocated for 4 nodes."
    one_row = judge("MAP007", mapping=mapping(oversized=1))
    assert (one_row.outcome, counted(one_row)) == ("fail", (1, 4))
    assert counted(judge("MAP007")) == (0, 4)
    assert judge("MAP007", mapping=text_mapping()).observed["idx equal to their taxid"] == 0
    half = mapping(taxids=ints(1, 2, 5, 6), idx=ints(1, 2, 4, 7))  # 2 of 4, density 1/2
    assert judge("MAP007", {"same_share": 0.5}, mapping=half).outcome == "fail"
    assert judge("MAP007", {"same_share": 0.51}, mapping=half).outcome == "pass"
    assert judge("MAP007", {"same_share": 0.5, "idx_density": 0.5}, mapping=half).outcome == "pass"


def test_an_identifier_of_a_hole_is_no_node_of_its_own() -> None:
    integers = ints(7, 1, 2, 7)
    mapped = np.array([True, False, True, True])
    odd = mapping(identifiers=Identifiers(integers, None), mapped=mapped)
    assert judge("MAP007", mapping=odd).observed["idx equal to their taxid"] == 1


def test_a_mapping_without_nodes_has_no_taxids_as_idx() -> None:
    none = mapping(nodes=0, mapped=np.zeros(4, dtype=bool), idx_density=0.0)
    assert judge("MAP007", mapping=none).outcome == "pass"
    one = mapping(ints(3), ints(3))
    assert judge("MAP007", mapping=one).outcome == "fail"


def test_what_is_observed_of_the_taxonomy() -> None:
    told = {"taxonomy": "taxdump", "version": "2024-09-07"}
    assert judge("MAP006").observed == {"count": 0, "total": 4, **told, "taxa": 2_609_295}
    assert judge("TREE008").observed == {"count": 0, "total": 3, **told}


def test_noise_is_observed_from_its_share_on() -> None:
    one = taxonomy(noise=some(1, 10, {"idx": 3}, sp=1))
    result = judge("MAP008", taxonomy=one)  # exactly the tenth
    assert (result.outcome, counted(result)) == ("info", (1, 10))
    assert "1 of 10 mapped nodes (10.0 %) has no settled identity by its name" in result.message
    assert result.observed == {"share": 0.1, "by kind": {"sp": 1}}
    assert sampled(result) == [{"idx": 3}]
    assert judge("MAP008", {"share": 0.0}, taxonomy=taxonomy(noise=some(0, 10))).outcome == "pass"
    two = judge("MAP008", taxonomy=taxonomy(noise=some(2, 10)))
    assert "2 of 10 mapped nodes (20.0 %) have no settled identity by their names" in two.message


def test_parents_outside_are_observed() -> None:
    cut = taxonomy(parent_outside=some(2, 4, {"idx": 0}, {"idx": 1}), closing_adds=7)
    result = judge("MAP009", taxonomy=cut)
    assert (result.outcome, counted(result)) == ("warn", (2, 4))
    assert result.observed == {
        "parents outside": 2,
        "roots allowed": 1,
        "nodes that closing adds": 7,
        "cut off": "50.0 %",
    }
    assert sampled(result) == [{"idx": 0}, {"idx": 1}]
    passed = judge("MAP009")
    assert passed.message == "the mapping holds the parent of every node but the root"
    assert (counted(passed), passed.samples) == ((0, 4), ())
    declared = judge("MAP009", taxonomy=cut, dataset=Dataset(roots=(10, 20)))
    assert declared.message.endswith("but 2 declared roots")
