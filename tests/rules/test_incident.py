"""The incident's own figures: 110,478 nodes, of which the pairs name those with a small taxid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.policy.model import Dataset
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
)

NODES, BELOW, HOLES, TABLE = 110_478, 81_868, 9_699, 91_567


def incident_mapping() -> object:
    """idx 0..9,698 and 91,567.. have taxids from 200,000; the 81,868 between have 1..81,868."""
    taxids = np.arange(200_000, 200_000 + NODES)
    taxids[HOLES:TABLE] = np.arange(1, BELOW + 1)
    return mapping(taxids=taxids)


def incident_pairs() -> object:
    """Roles 59,997 / 1 / 21,870 of the nodes with a taxid below the cut, none of the others."""
    up, down = np.zeros((2, NODES), dtype=np.int64)
    up[HOLES : HOLES + 21_871] = 1
    down[HOLES + 1 : TABLE] = 1
    return pairs(up, down)


def test_the_cut_at_the_number_of_nodes_is_the_cause() -> None:
    result = judge("PAIR014", mapping=incident_mapping(), pairs=incident_pairs())
    assert result.outcome == "fail"
    assert result.message == (
        "idx values were used as the set of valid taxids: the mapping's columns were read in the "
        "wrong order when the pairs were built: 81,868 of 81,868 nodes with taxid below 110,478 "
        "are in a pair, 0 of 28,610 above"
    )
    assert result.judged
    assert (result.count, result.total) == (28_610, 110_478)
    assert result.impact == "28,610 of 110,478 nodes (25.9 %) will never be trained."
    assert result.samples[0].values == {"idx": 0, "taxid": 200_000}
    assert result.fix
    assert 'names=["taxid", "idx"]' in result.fix


def test_a_quarter_of_the_nodes_is_in_no_pair() -> None:
    result = judge("PAIR003", mapping=incident_mapping(), pairs=incident_pairs())
    assert result.outcome == "fail"
    assert result.message == (
        "28,610 of 110,478 nodes (25.9 %) are in no pair; first: idx 0 (taxid 200000)"
    )
    assert result.observed == {
        "only descendant": 59_997,
        "only ancestor": 1,
        "both": 21_870,
        "never": 28_610,
        "declared roots without children": 0,
    }
    assert result.judged
    assert result.impact == "28,610 of 110,478 nodes (25.9 %) will never be trained."


def test_a_table_sized_from_the_pairs_lacks_rows() -> None:
    result = judge("PAIR004", mapping=incident_mapping(), pairs=incident_pairs())
    assert result.outcome == "fail"
    assert result.message == (
        "a table sized from the pairs has 91,567 rows, 18,911 too few for 110,478; "
        "9,699 idx inside its range are in no pair"
    )


def test_taxid_and_idx_agree_all_the_same() -> None:
    agreeing = replace(incident_pairs(), taxid_disagreement=some(0, 975_413))  # type: ignore[type-var]
    result = judge("PAIR010", mapping=incident_mapping(), pairs=agreeing)
    assert result.outcome == "pass"
    assert result.message == "taxid and idx agree with the mapping in all 975,413 rows"


def test_the_histogram_is_not_that_of_its_broken_chains() -> None:
    # shares 0.061 / 0.200 / 0.740 against 0.340 / 0.491 / .169: half the sum of differences is .571
    result = judge(
        "PAIR009",
        depth=depth({1: 59_191, 3: 194_873, 12: 721_349}),
        tree=tree(closure_depths=ints(0, 59_191, 0, 85_360, 0, 0, 0, 0, 0, 0, 0, 0, 29_298)),
        closure=closure(expected=173_849, distinct=975_413),
    )
    assert result.outcome == "warn"
    assert result.message == (
        "6.1 % of 975,413 pairs are at depth 1, 20.0 % at depth 2 to 5, 74.0 % deeper; "
        "the closure of their own depth-1 pairs has 34.0 %, 49.1 %, 16.9 %"
    )
    assert result.observed["departure from the hierarchy's own"] == pytest.approx(0.571, abs=5e-4)


def test_true_pairs_above_broken_chains_are_unproven_and_not_false() -> None:
    above = some(801_564, 975_413, broken_chain=801_564)
    result = judge("TREE005", closure=closure(false=some(0, 975_413), unproven=above))
    assert (result.outcome, result.count) == ("warn", 0)
    assert result.message == (
        "no pair is false, but 801,564 pairs (82.2 %) are unproven: their chains of depth-1 pairs "
        "are broken"
    )
    assert result.observed["proved"] == 173_849


def test_nodes_without_their_parent() -> None:
    result = judge("TREE007", tree=tree(missing_parent=some(22_676, 81_867, {"idx": 7})))
    assert result.outcome == "fail"
    assert result.message == (
        "22,676 of 81,867 descendants (27.7 %) have ancestors but no parent; first: row 11 (idx 7)"
    )


def test_a_gap_that_ignores_the_cut_is_another_defect() -> None:
    up = np.zeros(NODES, dtype=np.int64)
    up[: NODES // 2] = 1
    result = judge("PAIR014", mapping=incident_mapping(), pairs=pairs(up, up))
    assert result.outcome == "pass"


def test_the_thresholds_of_the_cut() -> None:
    # 2,000 nodes: taxids 1..1,000 and 5,000..5,999; 990 of the first and 10 of the second covered
    taxids = np.r_[np.arange(1, 1_001), np.arange(5_000, 6_000)]
    up = np.zeros(2_000, dtype=np.int64)
    up[:990] = up[1_000:1_010] = 1
    given = {"mapping": mapping(taxids=taxids), "pairs": pairs(up, up)}
    assert judge("PAIR014", **given).outcome == "fail"
    assert judge("PAIR014", {"covered_below": 0.995}, **given).outcome == "pass"
    assert judge("PAIR014", {"covered_above": 0.005}, **given).outcome == "pass"
    assert judge("PAIR014", {"group": 1_001}, **given).outcome == "skipped"


def test_few_taxids_on_one_side_show_no_cut_and_full_coverage_needs_none() -> None:
    gap = judge("PAIR014", pairs=pairs((2, 0, 0, 0), (0, 1, 1, 0)))
    assert gap.outcome == "skipped"
    assert gap.reason == (
        "0 mapped taxids lie below n_nodes = 4 and 4 above: too few on one side to show a cut"
    )
    assert judge("PAIR014").outcome == "pass"


def test_text_cannot_have_been_taken_for_idx() -> None:
    result = judge("PAIR014", mapping=text_mapping(), dataset=Dataset())
    assert result.reason == "the identifiers are text, so they cannot have been taken for idx"
