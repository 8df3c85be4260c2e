"""Small sound datasets, generated: a tree with a taxonomy, a DAG, tables. No file is needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.folder import Folder, Row
from taxcheck.commands.selftest.frame import HEADER, DatasetFrame, TaxonomyFrame, closure
from taxcheck.commands.selftest.table import Table, healthy_history, in_ball, laid_out, unit

from .library import CASES, base

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


@base("tree with taxonomy")
def tree() -> DatasetFrame:
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


def _variant(name: str) -> DatasetFrame:
    return CASES.bases["tree with taxonomy"]().variant(name)


for _name in ("tree", "tree without depths", "labels"):
    base(_name)(partial(_variant, _name))


@base("DAG")
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


# Valvatacea: of its two orders the families, of each family the species of its genera.
_ORDERS = (
    (
        (4, 4, 4, 4), (4, 3, 3, 3), (2, 1, 1, 1), (4, 4, 4, 3),
        (4, 4, 4, 3), (8,), (4, 3, 2, 1), (4, 1, 1, 1),
    ),
    ((4, 4, 4, 4), (8,), (4, 4, 3, 1)),
)  # fmt: skip


def starfish() -> tuple[int, ...]:
    """Parents by idx, -1 of the root; parents come before their children."""
    parents = [-1]

    def enter(parent: int) -> int:
        parents.append(parent)
        return len(parents) - 1

    for families in _ORDERS:
        order = enter(0)
        for genera in families:
            family = enter(order)
            for species in genera:
                genus = enter(family)
                for _ in range(species):
                    enter(genus)
    return tuple(parents)


def trained_starfish(taxids: Iterable[int], parents: tuple[int, ...]) -> DatasetFrame:
    """The laid-out table with a whole record of its training: 200 updates a row, 20 epochs.

    177 nodes are few for 10 dimensions; the policy says that it is a trial.
    """
    table = Table(laid_out(parents, 10))
    table.updates = np.full(len(parents), 200)
    table.history = healthy_history()
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": list(taxids), "idx": range(len(parents))}),
        pairs=pd.DataFrame(closure(parents), columns=list(HEADER)),
        policy={"rules": {"TRAIN007": {"fewest": 2}}},
        table=table,
    )


@base("table")
def _starfish() -> DatasetFrame:
    parents = starfish()
    return trained_starfish((_FIRST + k for k in range(len(parents))), parents)


def starfish_folder() -> Folder:
    """The starfish with all of their pairs, and their table alone, (177, 10)."""
    parents = starfish()
    mapping: list[Row] = [(_FIRST + k, k) for k in range(len(parents))]
    return Folder(mapping=mapping, pairs=closure(parents), table=Table(laid_out(parents, 10)))


@base("genus")
def strains() -> DatasetFrame:
    """A genus of 600 strains, idx 0 and 1 to 600: whatever happens to an idx, no chain breaks."""
    pairs: list[tuple[Any, ...]] = closure([-1] + [0] * 600)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": [3_000_000 + 7 * k for k in range(601)], "idx": range(601)}),
        pairs=pd.DataFrame(pairs, columns=list(HEADER)),
    )


@base("table of a genus")
def one_genus() -> DatasetFrame:
    """A genus of 600 strains in 30 groups: the nearest rows of a strain are those of its group.

    Popularity names the genus for every strain, so that no table can rank any better. The skew of
    601 rows is 24.5 at most, so the policy asks for less than it would of a large table.
    """
    rng = np.random.default_rng(0)
    groups = unit(rng.standard_normal((30, 10)))
    towards = unit(np.repeat(groups, 20, axis=0) + 0.05 * rng.standard_normal((600, 10)))
    radius = np.r_[0.05, rng.uniform(2.7, 2.93, 600)]
    rows = in_ball(np.concatenate([groups[:1], towards]), radius)
    idx = range(601)
    pairs: list[tuple[Any, ...]] = closure([-1] + [0] * 600)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": [3_000_000 + k for k in idx], "idx": idx}),
        pairs=pd.DataFrame(pairs, columns=list(HEADER)),
        policy={"rules": {"HIER008": {"skew": 15}}},
        table=Table(np.round(rows, 4).astype(np.float32)),
    )
