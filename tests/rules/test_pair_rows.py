"""PAIR001 to PAIR008, PAIR010 and PAIR015 on hand-made values: rows, coverage, direction."""

from __future__ import annotations

import pytest

from taxcheck.model.finding import Defect
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import Kind
from tests.rules.builders import (
    closure,
    depth,
    ints,
    judge,
    mapping,
    pairs,
    some,
    text_mapping,
    tree,
    weights,
)

ROW = {"ancestor_idx": 5, "descendant_idx": 9}


def test_invalid_rows() -> None:
    bad = some(2, 1_000, {"ancestor_idx": -1, "descendant_idx": 9}, negative_idx=2)
    result = judge("PAIR001", pairs=pairs(invalid=bad))
    assert result.outcome == "fail"
    assert result.message == (
        "2 of 1,000 rows (0.2 %) are invalid: 2 negative idx; "
        "first: row 11 (ancestor_idx -1, descendant_idx 9)"
    )


def test_idx_that_the_mapping_does_not_have() -> None:
    result = judge("PAIR002", pairs=pairs(out_of_range=some(1, 4, ROW)))
    assert result.outcome == "fail"
    assert result.message == (
        "1 of 4 rows (25.0 %) names an idx that the mapping does not have; "
        "first: row 11 (ancestor_idx 5, descendant_idx 9)"
    )
    assert judge("PAIR002", mapping=mapping(derived=True)).outcome == "skipped"


def test_nodes_in_no_pair() -> None:
    result = judge("PAIR003", pairs=pairs((2, 0, 0, 0), (0, 1, 1, 0)))
    assert result.outcome == "fail"
    assert result.message == "1 of 4 nodes (25.0 %) is in no pair; first: idx 3 (taxid 40)"
    assert judge("PAIR003").message == "all 4 nodes are in a pair"


def test_unmapped_idx_are_no_gap() -> None:
    holed = mapping(idx=ints(0, 1, 2, 4))
    result = judge("PAIR003", mapping=holed, pairs=pairs((3, 0, 0, 0, 0), (0, 1, 1, 0, 1)))
    assert result.outcome == "pass"


def test_text_identifiers_are_named_in_the_gap() -> None:
    result = judge("PAIR003", mapping=text_mapping(), pairs=pairs((0, 1, 1, 0), (0, 0, 1, 1)))
    assert result.message.endswith("first: idx 0 (CHEBI:1)")


@pytest.mark.parametrize("id", ["PAIR003", "PAIR004"])
def test_a_lone_node_has_nothing_to_be_paired_with(id: str) -> None:
    result = judge(id, mapping=mapping(taxids=ints(1)), pairs=pairs((0,), (0,), depth=None))
    assert result.reason == "the mapping has fewer than two nodes, so nothing that could be paired"


@pytest.mark.parametrize("given", [mapping(), text_mapping()])
def test_a_declared_root_without_children_is_no_gap(given: object) -> None:
    roots = (10, 40, "CHEBI:1", "CHEBI:4")
    apart = pairs((2, 0, 0, 0), (0, 1, 1, 0))
    result = judge("PAIR003", mapping=given, pairs=apart, dataset=Dataset(roots=roots))
    assert result.outcome == "pass"
    assert result.message == "all 3 nodes are in a pair"
    assert result.observed["declared roots without children"] == 1


def test_a_table_sized_from_the_pairs() -> None:
    result = judge("PAIR004", pairs=pairs((1, 0, 0, 0), (0, 0, 1, 0)))
    assert result.outcome == "fail"
    assert result.message == (
        "a table sized from the pairs has 3 rows, 1 too few for 4; "
        "1 idx inside its range is in no pair"
    )
    assert result.judged
    assert result.fix == '``n_nodes = int(mapping["idx"].max()) + 1``'


def test_holes_inside_the_range_do_not_make_a_table_too_small() -> None:
    result = judge("PAIR004", pairs=pairs((1, 0, 0, 0), (0, 0, 0, 1)))
    assert result.outcome == "pass"
    assert result.observed["holes inside the pairs' range"] == 2


def test_self_pairs() -> None:
    result = judge("PAIR005", pairs=pairs(self_pairs=some(2, 4, ROW)))
    assert result.outcome == "fail"
    assert result.message.startswith("2 of 4 rows (50.0 %) pair a node with itself; first: row 11")


def test_duplicates_by_key() -> None:
    result = judge("PAIR006", closure=closure(duplicates=some(3, 60, ROW)))
    assert result.outcome == "fail"
    assert result.message == (
        "3 of 60 rows (5.0 %) repeat a pair that an earlier row holds; "
        "first: row 11 (ancestor_idx 5, descendant_idx 9)"
    )


def test_declared_weights_have_to_be_there() -> None:
    declared = Dataset(duplicates="weights")
    lost = judge("PAIR006", dataset=declared)
    assert lost.outcome == "fail"
    assert lost.message == (
        'the policy declares duplicates = "weights", but the pairs have no weight column'
    )
    assert judge("PAIR006", dataset=declared, pairs=pairs(weights=weights())).outcome == "pass"


def test_both_directions() -> None:
    result = judge("PAIR007", closure=closure(reversed=some(1, 4, ROW)))
    assert result.outcome == "fail"
    assert result.message.startswith("1 of 4 pairs (25.0 %) is there in both directions")


def test_depth_columns_that_contradict() -> None:
    bad = some(5, 100, differs_from_columns=3, below_one=2)
    result = judge("PAIR008", pairs=pairs(depth=depth(mismatch=bad)))
    assert result.outcome == "fail"
    assert result.message == (
        "5 of 100 rows (5.0 %) have depths that contradict one another: "
        "3 differs from columns, 2 below one"
    )


def test_what_a_sound_depth_satisfies_depends_on_the_columns_and_the_kind() -> None:
    law = "depth_diff is 1 or more in all 4 rows"
    bare = pairs(depth=depth(judged_columns=()))
    assert judge("PAIR008", pairs=bare).message == law
    assert judge("PAIR008").message == f"{law} and equals descendant_depth - ancestor_depth"
    assert judge("PAIR008", tree=tree(kind=Kind.DAG)).message == (
        f"{law} and is at least descendant_depth - ancestor_depth"
    )
    none = judge("PAIR008", pairs=pairs(depth=None))
    assert none.reason == "the pairs have no depth_diff column"


def test_rows_whose_taxid_and_idx_disagree() -> None:
    result = judge("PAIR010", pairs=pairs(taxid_disagreement=some(1, 4, ROW)))
    assert result.outcome == "fail"
    assert "joins a taxid to an idx that the mapping gives to another" in result.message
    none = judge("PAIR010", pairs=pairs(taxid_disagreement=None))
    assert "nothing here says that their idx mean the taxids" in none.reason


def test_exchanged_columns_by_each_of_the_three_signs() -> None:
    reversed_tree = judge("PAIR015", tree=tree(reversed_is_tree=True))
    assert reversed_tree.outcome == "fail"
    assert reversed_tree.message == (
        "ancestor and descendant are exchanged: the depth-1 pairs make a forest only with "
        "parents and children exchanged"
    )
    # Echinodermata upside down: its 5,676 leaves become roots, its root the only leaf
    roots = judge("PAIR015", tree=tree(roots=Defect(5_676, 7_112), leaves=1))
    assert roots.message.endswith("5,676 roots stand against 1 leaf")
    backwards = judge("PAIR015", pairs=pairs(depth=depth(backwards=3)))
    assert backwards.message.endswith(
        "descendant_depth is below ancestor_depth in 3 of 4 rows (75.0 %)"
    )


def test_columns_in_order_have_more_leaves_than_roots() -> None:
    assert judge("PAIR015").message == "ancestors stand above: 1 root, 2 leaves"
    assert judge("PAIR015", tree=tree(roots=Defect(20, 40), leaves=2)).outcome == "pass"
    assert judge("PAIR015", pairs=pairs(depth=depth(backwards=2))).outcome == "pass"
    assert judge("PAIR015", tree=tree(edges=0)).outcome == "skipped"
