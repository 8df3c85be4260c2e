"""Small sound datasets, generated: a tree with a taxonomy, a DAG, tables. No file is needed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from taxcheck.selftest.corruptions.frame import DatasetFrame, TaxonomyFrame
from taxcheck.selftest.shape import HEADER, closure
from taxcheck.selftest.starfish import one_genus, starfish, trained_starfish

_INNER = 500
_LEAVES = 1_900
_FIRST = 300_000  # taxids lie above every number of nodes, as they do in small clades
_TERMS = 400
_LINEAGE = (
    (1, 1, "no rank", "root"),
    (2, 1, "domain", "Bacteria"),
    (1224, 2, "phylum", "Pseudomonadota"),
)
_SYLLABLES = ("ba", "co", "di", "fe", "gu", "la", "mi", "no", "pe", "ra", "su", "ti", "vo", "xe")


@cache
def base(name: str) -> DatasetFrame:
    """One of BASES of the corruptions; whoever takes it must not change its frames in place."""
    if name == "DAG":
        return _dag()
    if name == "table":
        parents = starfish()
        return trained_starfish((_FIRST + k for k in range(len(parents))), parents)
    if name == "table of a genus":
        return one_genus()
    return variant(_tree(), name)


def variant(tree: DatasetFrame, name: str) -> DatasetFrame:
    """A tree in the form that a base asks for."""
    if name == "tree with taxonomy":
        return tree
    if name == "tree without depths":
        return DatasetFrame(tree.mapping, tree.pairs[["ancestor_idx", "descendant_idx"]])
    if name == "labels":
        taxids = tree.mapping["taxid"].to_numpy()
        ends = {
            f"{end}_label": taxids[tree.pairs[f"{end}_idx"]] for end in ("descendant", "ancestor")
        }
        return DatasetFrame(tree.mapping, pd.DataFrame(ends), mapping_given=False)
    return DatasetFrame(tree.mapping, tree.pairs)


def _tree() -> DatasetFrame:
    """2,401 nodes, sixteen levels or so: a random skeleton, whose nodes all have leaves."""
    rng = np.random.default_rng(7)
    parents = [-1]
    parents += [int(rng.integers(max(0, x - 130), x)) if x > 6 else 0 for x in range(1, _INNER)]
    owners = [*range(1, _INNER), *rng.integers(1, _INNER, _LEAVES - _INNER + 1).tolist()]
    parents += owners
    n = len(parents)
    taxids = _FIRST + np.cumsum(rng.integers(1, 50, n))
    shuffled = rng.permutation(taxids)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": shuffled, "idx": range(n)}),
        pairs=pd.DataFrame(closure(parents), columns=list(HEADER)),
        taxonomy=_names(shuffled.tolist(), parents, rng),
    )


def _names(taxids: list[int], parents: list[int], rng: np.random.Generator) -> TaxonomyFrame:
    """Names and ranks: a node with leaves alone is a genus, a fifth of the species are unnamed."""
    inner = set(parents)
    genera = {p for p in inner if p > 0} - {parents[k] for k in inner if k > 0}
    rows: list[tuple[int, int, str]] = []
    names: dict[int, str] = {}
    for node, parent in enumerate(parents):
        word = "".join(_SYLLABLES[(node // 14**k) % 14] for k in range(4))
        rank, name = "no rank", word.capitalize()
        if node in genera:
            rank = "genus"
        elif node not in inner:
            rank, name = "species", f"{names.get(taxids[parent], 'Incerta')} {word}"
            if rng.random() < 0.2:
                name = f"{names[taxids[parent]]} sp. {node}"
        names[taxids[node]] = name
        rows.append((taxids[node], taxids[parent] if parent >= 0 else _LINEAGE[-1][0], rank))
    rows += [taxon[:3] for taxon in _LINEAGE]
    names |= {taxon[0]: taxon[3] for taxon in _LINEAGE}
    return TaxonomyFrame(pd.DataFrame(rows, columns=["taxid", "parent", "rank"]), names)


def _dag() -> DatasetFrame:
    """Terms with one to three parents: distances and depths are shortest."""
    rng = np.random.default_rng(11)
    above: list[dict[int, int]] = []
    depth: list[int] = []
    for node in range(_TERMS):
        parents: list[int] = []
        if node >= 3:
            count = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
            low = max(0, node - 60)
            parents = rng.choice(np.arange(low, node), min(count, node - low), False).tolist()
        found: dict[int, int] = {}
        for parent in parents:
            for ancestor, steps in ((parent, 0), *above[parent].items()):
                found[ancestor] = min(found.get(ancestor, steps + 1), steps + 1)
        above.append(found)
        depth.append(min((depth[parent] + 1 for parent in parents), default=0))
    rows = [(a, d, k, depth[a], depth[d]) for d, up in enumerate(above) for a, k in up.items()]
    terms = [f"TERM:{node:07}" for node in range(_TERMS)]
    return DatasetFrame(
        pd.DataFrame({"identifier": terms, "idx": range(_TERMS)}),
        pd.DataFrame(rows, columns=list(HEADER)),
    )
