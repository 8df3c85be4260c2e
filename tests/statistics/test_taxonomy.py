"""The mapping and the pairs against a taxonomy, with values derived by hand."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Sample
from taxcheck.statistics.ranks import ORDER, places
from taxcheck.statistics.taxonomy import taxonomy_statistics
from tests.statistics.small_taxonomy import batch, ids, small_taxonomy

# 1 - 10 - 100 - 1000, 1001
#        - 101
#   - 11
SMALL = {1: 1, 10: 1, 11: 1, 100: 10, 101: 10, 1000: 100, 1001: 100}


def test_unknown_taxids_by_what_became_of_them():
    taxonomy = small_taxonomy(SMALL, merged={50: 10}, deleted=[60])
    result = taxonomy_statistics(taxonomy, ids(1, 50, -1, 60, 70, 71))
    assert result.unknown.count == 4
    assert result.unknown.total == 5
    assert result.unknown.detail == {"absent": 2, "merged": 1, "deleted": 1}
    assert [s.values for s in result.unknown.samples] == [
        {"idx": 1, "taxid": 50, "status": "merged into 10"},
        {"idx": 3, "taxid": 60, "status": "deleted"},
        {"idx": 4, "taxid": 70, "status": "absent"},
        {"idx": 5, "taxid": 71, "status": "absent"},
    ]
    assert result.unknown.samples[0].node == 1


def test_at_most_twenty_samples_the_smallest_first():
    result = taxonomy_statistics(small_taxonomy(SMALL), np.arange(2_000, 2_100))
    assert result.unknown.count == 100
    assert [s.node for s in result.unknown.samples] == list(range(20))


def test_noise_by_kind_each_name_once():
    names = {
        1: "root",
        10: "unclassified Ophiuroidea",
        11: "Asterias sp. environmental sample",
        100: "uncultured Asterias",
        101: "Asterias cf. rubens",
        1000: "Asterias sp. 1 aff. rubens",
        1001: "Asterias rubens subsp. spinosa",
    }
    result = taxonomy_statistics(small_taxonomy(SMALL, names=names), ids(*sorted(names)))
    assert result.noise.detail == {
        "unclassified": 1,
        "environmental": 1,
        "uncultured": 1,
        "aff.": 1,
        "cf.": 1,
    }
    assert (result.noise.count, result.noise.total) == (5, 7)
    assert result.noise.samples[0].values == {
        "idx": 1,
        "taxid": 10,
        "name": "unclassified Ophiuroidea",
    }
    assert taxonomy_statistics(small_taxonomy(SMALL), ids(1)).noise is None


def test_names_that_are_missing_are_no_noise():
    result = taxonomy_statistics(
        small_taxonomy(SMALL, names={10: "Ophiuroidea sp."}), ids(1, 10, 77)
    )
    assert (result.noise.count, result.noise.total) == (1, 2)


def test_a_clade_lacks_only_the_parent_of_its_root_and_is_closed():
    result = taxonomy_statistics(small_taxonomy(SMALL), ids(100, 1000, 1001))
    assert result.parent_outside.count == 1
    assert result.parent_outside.samples[0].values == {"idx": 0, "taxid": 100, "parent_taxid": 10}
    assert result.closing_adds == 0


@pytest.mark.parametrize(
    ("mapped", "outside", "adds"),
    [
        ((1, 1000), 1, 2),  # 100 and 10
        ((1, 1000, 1001, 101), 3, 2),  # the same two
        ((1000, 1001), 2, 1),  # 100, which holds both
        ((1000, 101), 2, 2),  # 100 and, holding both, 10
        ((11, 1001), 2, 3),  # 100, 10 and 1
        ((1, 10, 11, 100), 0, 0),
        ((), 0, 0),
    ],
)
def test_closing_upwards(mapped, outside, adds):
    result = taxonomy_statistics(small_taxonomy(SMALL), ids(*mapped))
    assert (result.parent_outside.count, result.closing_adds) == (outside, adds)


def test_closing_never_joins_separate_roots():
    forest = {1: 1, 2: 1, 3: 2, 7: 7, 8: 7, 9: 8}
    assert taxonomy_statistics(small_taxonomy(forest), ids(3, 9)).closing_adds == 4


def test_rank_inversion():
    ranks = {1: "no rank", 10: "genus", 11: "class", 100: "family", 101: "clade", 1000: "strain"}
    taxonomy = small_taxonomy(SMALL, ranks=ranks | {1001: "serotype"})
    identifiers = ids(1, 10, 11, 100, 101, 1000, 1001)
    # idx: 1 genus, 2 class, 3 family, 4 clade, 5 strain, 6 serotype
    parents, children = ids(3, 1, 5, 1, 2, 2), ids(1, 3, 6, 4, 1, 3)
    result = taxonomy_statistics(taxonomy, identifiers, edges=(parents, children)).rank_inversion
    # Comparable: family > genus, genus > family, strain > serotype, class > genus, class > family.
    assert (result.count, result.total) == (1, 5)
    assert result.samples == (
        Sample(
            values={
                "parent_idx": 1,
                "parent_rank": "genus",
                "child_idx": 3,
                "child_rank": "family",
            },
            node=3,
        ),
    )


def test_without_edges_the_taxonomys_own_are_judged():
    ranks = {10: "genus", 100: "family", 1000: "species"}
    result = taxonomy_statistics(small_taxonomy(SMALL, ranks=ranks), ids(1000, 100, 10, 1, -1))
    # genus > family is inverted, family > species is not.
    assert (result.rank_inversion.count, result.rank_inversion.total) == (1, 2)
    assert result.rank_inversion.samples[0].values["child_idx"] == 1


def test_without_ranks_nothing_is_judged():
    assert taxonomy_statistics(small_taxonomy(SMALL), ids(1, 10)).rank_inversion is None
    unknown = small_taxonomy(SMALL, ranks={1: "clade", 10: "phylotype"})
    assert taxonomy_statistics(unknown, ids(1, 10)).rank_inversion is None


def test_every_rank_has_one_place():
    listed = [rank for ranks in ORDER for rank in ranks]
    assert len(listed) == len(set(listed))
    family, none, clade, genus, varietas, variety = places(
        ("Family", "no rank", "clade", "genus", "varietas", "variety")
    )
    assert 0 <= family < genus < varietas == variety
    assert none == clade == -1


def test_pairs_that_the_taxonomy_does_not_hold():
    identifiers = ids(1, 10, 11, 100, 1000, 77)
    pairs = [
        batch((2, 0, 1), (3, 0, 4), (4, 2, 4), (5, 3, 1)),  # 11 > 1000 is false, 100 > 10 reversed
        batch((6, 1, 3), (7, 5, 1), (8, 0, 5), (9, 4, 2)),  # 77 is not known: not judged
    ]
    result = taxonomy_statistics(small_taxonomy(SMALL), identifiers, pairs)
    assert (result.disagreement.count, result.disagreement.total) == (3, 6)
    assert result.disagreement.detail == {"reversed": 1, "unrelated": 2}
    assert [s.row for s in result.disagreement.samples] == [4, 5, 9]
    assert result.disagreement.samples[0].values == {"ancestor_idx": 2, "descendant_idx": 4}
    assert result.disagreement.samples[0].node == 4
    # The closure of 1, 10, 11, 100, 1000: 1 > four, 10 > 100, 1000, 100 > 1000; three are there.
    assert result.missing == 7 - 3


def test_repeats_count_once_and_held_out_pairs_fill_gaps():
    identifiers = ids(1, 10, 100)
    training = [batch((1, 0, 1), (2, 0, 1)), batch((3, 0, 1))]
    assert taxonomy_statistics(small_taxonomy(SMALL), identifiers, training).missing == 2
    result = taxonomy_statistics(
        small_taxonomy(SMALL), identifiers, training, held_out=[batch((1, 1, 2), (2, 2, 0))]
    )
    assert result.missing == 1
    assert (result.disagreement.count, result.disagreement.total) == (0, 3)


def test_ancestry_not_distance_is_compared():
    # 10 is left out of the mapping: 1 > 100 is at distance 1 in the file, 2 in the taxonomy.
    result = taxonomy_statistics(small_taxonomy(SMALL), ids(1, 100), [batch((1, 0, 1))])
    assert (result.disagreement.count, result.missing) == (0, 0)


def test_every_offending_row_goes_to_the_sink():
    seen = []
    taxonomy_statistics(
        small_taxonomy(SMALL),
        ids(*SMALL),
        [batch(*((k, 2, 1) for k in range(30)))],
        sink=lambda offenders: seen.append((offenders.defect, len(offenders))),
    )
    # the closure of SMALL has 2 x 1 + 2 x 2 + 2 x 3 pairs, and none of them is there
    assert {name: count for name, count in seen if count} == {
        "disagrees_with_taxonomy": 30,
        "disagrees_with_taxonomy.missing": 12,
    }
