"""What is shown of a mapping and pairs that a taxonomy contradicts."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.model.finding import Sample
from taxcheck.statistics import ancestry
from taxcheck.statistics.ancestry import Ancestry
from taxcheck.statistics.hierarchy import slots
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.taxonomy import taxonomy_statistics
from tests.statistics.pair_tables import Heard
from tests.statistics.small_taxonomy import batch, ids, small_taxonomy

# 1 - 10 - 100 - 1000, 1001
#        - 101
#   - 11
SMALL = {1: 1, 10: 1, 11: 1, 100: 10, 101: 10, 1000: 100, 1001: 100}


def test_where_the_taxonomy_came_from_is_told():
    result = taxonomy_statistics(small_taxonomy(SMALL), ids(1, 10))
    assert (result.source, result.version, result.taxa) == ("taxdump", "2024-09-07", 7)
    assert (result.disagreement, result.missing) == (None, 0)
    assert result.unknown.detail == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Unclassified Bacteria", "unclassified"),
        ("unclassified environmental sample", "unclassified"),
        ("ENVIRONMENTAL uncultured sample", "environmental"),
        ("uncultured unidentified fungus", "uncultured"),
        ("Unidentified aff. fungus", "unidentified"),
        ("Asterias aff. cf. rubens", "aff."),
        ("Asterias cf. rubens sp. 2", "cf."),
        ("Asterias sp. 2", "sp."),
        ("Asterias ssp. 2", None),
        ("Asterias spX", None),
        ("Asterias SP. 2", None),
        ("Asterias cfX", None),
        ("Asterias affinis", None),
        ("declassified", None),
    ],
)
def test_the_first_mark_of_an_unsettled_name_counts(name, kind):
    noise = taxonomy_statistics(small_taxonomy({1: 1}, names={1: name}), ids(1)).noise
    assert noise.detail == ({kind: 1} if kind else {})
    assert noise.count == (kind is not None)


def test_unsettled_names_are_shown_by_idx_at_most_twenty():
    taxa = {1: 1} | dict.fromkeys(range(2, 40), 1)
    names = {1: "root", 2: None} | {k: f"Asterias sp. {k}" for k in range(3, 40)}
    identifiers = np.arange(39, 0, -1)
    noise = taxonomy_statistics(small_taxonomy(taxa, names=names), identifiers).noise
    assert (noise.count, noise.total, len(noise.samples)) == (37, 39, 20)
    assert noise.samples[1] == Sample({"idx": 1, "taxid": 38, "name": "Asterias sp. 38"}, node=1)


def test_a_taxid_is_merged_rather_than_deleted():
    taxonomy = small_taxonomy(SMALL, merged={50: 10, 51: 100}, deleted=[50, 60])
    unknown = taxonomy_statistics(taxonomy, ids(60, 51, 50, 10)).unknown
    assert unknown.detail == {"merged": 2, "deleted": 1}
    assert [s.values["status"] for s in unknown.samples] == [
        "deleted",
        "merged into 100",
        "merged into 10",
    ]


def test_the_taxonomys_own_edges_have_the_first_idx_for_a_parent_too():
    ranks = {1: "species", 10: "genus", 100: "family"}
    found = taxonomy_statistics(small_taxonomy(SMALL, ranks=ranks), ids(1, 10, 100)).rank_inversion
    assert (found.count, found.total) == (2, 2)
    assert found.samples[0].values["parent_idx"] == 0


def test_pairs_turned_and_pairs_unrelated_are_told_to_the_sink():
    heard = Heard()
    rows = [(1, 0, 1), (2, 1, 0), (3, 1, 2), (4, 3, 1), (5, 1, 3)]
    result = taxonomy_statistics(
        small_taxonomy(SMALL), ids(1, 10, 11, 77), [batch(*rows)], sink=heard
    )
    assert (result.disagreement.count, result.disagreement.total) == (2, 3)
    name = "disagrees_with_taxonomy"
    assert [call for call in heard.calls if call[0] == name] == [
        (name, {"row": [2], "ancestor_idx": [1], "descendant_idx": [0], "reason": ["reversed"]}),
        (name, {"row": [3], "ancestor_idx": [1], "descendant_idx": [2], "reason": ["unrelated"]}),
    ]
    assert ("unknown_taxid", {"idx": [3], "taxid": [77]}) in heard.calls


def test_two_idx_on_one_taxon_are_each_an_ancestor_and_neither_of_the_other():
    # idx 0 and 1 are taxid 10, 2 and 3 are 100
    identifiers = ids(10, 10, 100, 100)
    rows = [(1, 0, 2), (2, 1, 2), (3, 0, 3), (4, 1, 3), (5, 0, 1)]
    result = taxonomy_statistics(small_taxonomy(SMALL), identifiers, [batch(*rows)])
    assert (result.disagreement.count, result.disagreement.total) == (1, 5)
    assert result.disagreement.detail == {"unrelated": 1}
    assert result.missing == 0
    assert taxonomy_statistics(small_taxonomy(SMALL), identifiers, [batch(*rows[1:])]).missing == 1


@pytest.mark.parametrize("bitmap", [6, 5])
def test_the_slots_of_pairs_are_kept_as_marks_or_sorted(monkeypatch, bitmap):
    assert ancestry.LARGEST_BITMAP == 8 * 1024**3
    monkeypatch.setattr(ancestry, "LARGEST_BITMAP", bitmap)
    monkeypatch.setattr(slots, "_BYTES", bitmap)
    monkeypatch.setattr(slots, "_LEAST", bitmap)
    #  1 > 10 > 100 > 1000 in one line: six pairs
    taxonomy = small_taxonomy(SMALL)
    closure = Ancestry(
        Forest.from_parents(taxonomy.parents), taxonomy.positions(ids(1, 10, 100, 1000))
    )
    assert (closure.expected, closure.weight.sum()) == (6, 4)
    pairs = [batch((1, 0, 1), (2, 0, 3)), batch((3, 0, 3), (4, 1, 2))]
    false, missing = closure.judge(pairs, [batch((1, 2, 3), (2, 3, 0))])
    assert (false.count, false.total, missing) == (0, 4, 2)


def test_parents_outside_are_shown_with_both_taxids():
    result = taxonomy_statistics(small_taxonomy(SMALL), ids(1000, 1, 101, 77)).parent_outside
    assert (result.count, result.total) == (2, 3)
    assert result.samples == (
        Sample({"idx": 0, "taxid": 1000, "parent_taxid": 100}, node=0),
        Sample({"idx": 2, "taxid": 101, "parent_taxid": 10}, node=2),
    )
