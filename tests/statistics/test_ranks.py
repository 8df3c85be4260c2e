"""The order of ranks, typed out again from its sources, and the edges that run against it."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.statistics.ranks import inversions, places
from tests.statistics.small_taxonomy import ids, small_taxonomy

# Coarse to fine; '/' joins ranks that stand beside each other, ',' goes one step down.
BY_HAND = """
    cellular root/acellular root, superkingdom/domain/realm, subrealm,
    kingdom, subkingdom, infrakingdom, superphylum, phylum/division, subphylum/subdivision,
    infraphylum, superclass, class, subclass, infraclass, cohort, subcohort, superorder, order,
    suborder, infraorder, parvorder, superfamily, family, subfamily, supertribe, tribe, subtribe,
    genus, subgenus, section, subsection, series, subseries, species group, species subgroup,
    species, subspecies, varietas/variety, subvariety/subvarietas, forma/form,
    biotype/forma specialis/genotype/isolate/morph/pathogroup/serogroup/serotype/strain
"""
STEPS = [step.split("/") for step in BY_HAND.replace("\n   ", "").strip().split(", ")]


def test_ranks_stand_in_the_order_of_nomenclature():
    for place, names in enumerate(STEPS):
        stripped = tuple(name.strip() for name in names)
        assert places(stripped).tolist() == [place] * len(names), stripped
    assert len(STEPS) == 41
    assert places(("PHYLUM", "no rank", "clade", "")).tolist() == [7, -1, -1, -1]


RANKS = {1: "domain", 2: "genus", 3: "family", 4: "order", 5: "clade", 6: "order"}
TAXONOMY = small_taxonomy(dict.fromkeys(range(1, 7), 1), ranks=RANKS)


def judged(parents, children, positions=(0, 1, 2, 3, 4, 5)):
    return inversions(TAXONOMY, ids(*positions), (ids(*parents), ids(*children)))


def test_an_edge_between_equal_ranks_is_not_inverted():
    found = judged([3, 5], [5, 3])
    assert (found.count, found.total, found.samples) == (0, 2, ())


def test_the_coarsest_rank_below_a_finer_one_is_inverted():
    found = judged([1, 1], [0, 2])
    assert (found.count, found.total) == (2, 2)
    assert found.samples[0].values == {
        "parent_idx": 1,
        "parent_rank": "genus",
        "child_idx": 0,
        "child_rank": "domain",
    }
    assert [s.node for s in found.samples] == [0, 2]


def test_ranks_that_stand_anywhere_and_unknown_nodes_are_not_judged():
    assert (judged([4, 1, 1], [0, 4, 3]).count, judged([4, 1, 1], [0, 4, 3]).total) == (1, 1)
    unknown = judged([1, 0], [0, 1], positions=(-1, 1))
    assert (unknown.count, unknown.total) == (0, 0)


@pytest.mark.parametrize("turned", [False, True])
def test_inverted_edges_are_shown_by_child_then_parent(turned):
    edges = np.array([(1, 3), (2, 3), (1, 2), (1, 0), (3, 0)])
    parents, children = (edges[::-1] if turned else edges).T
    found = judged(parents, children)
    assert [(s.values["parent_idx"], s.node) for s in found.samples] == [
        (1, 0),
        (3, 0),
        (1, 2),
        (1, 3),
        (2, 3),
    ]
    many = judged([1] * 30, [0] * 30)
    assert (many.count, len(many.samples)) == (30, 20)
