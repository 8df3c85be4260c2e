"""No cause is named where nothing happened, or where chance did: sound data, random damage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.random import Generator

from taxcheck.commands.selftest.frame import DatasetFrame, touching
from taxcheck.run.check import check
from tests.commands.selftest.bases import BASES, TABLES, base

pytestmark = pytest.mark.long

Damage = Callable[[DatasetFrame, Generator], DatasetFrame]
FORMS = [name for name in BASES if name not in TABLES]
WITH_IDX = [name for name in FORMS if base(name).mapping_given]


def identified(frame: DatasetFrame) -> DatasetFrame:
    """The same with the identifiers of both ends beside their idx."""
    of = frame.mapping[frame.mapping.columns[0]].to_numpy()
    ends = {f"{end}_taxid": of[frame.pairs[f"{end}_idx"]] for end in ("ancestor", "descendant")}
    return replace(frame, pairs=frame.pairs.assign(**ends))


def relabelled(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """Every idx of the pairs is another one, drawn; the identifiers beside them stay."""
    new = generator.permutation(len(frame.mapping))
    pairs = identified(frame).pairs
    for end in ("ancestor_idx", "descendant_idx"):
        pairs[end] = new[pairs[end]]
    return replace(frame, pairs=pairs)


def rows_lost(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """A twentieth of the rows is lost, wherever it happens."""
    return frame.only(generator.random(len(frame.pairs)) > 0.05)


def rows_wrong(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """A fiftieth as many rows more, of ends that are drawn."""
    count, n = len(frame.pairs) // 50, len(frame.mapping)
    more = frame.pairs.sample(count, random_state=int(generator.integers(2**31)))
    more = more.assign(
        ancestor_idx=generator.integers(0, n, count),
        descendant_idx=generator.integers(0, n, count),
    )
    place = generator.permutation(len(frame.pairs) + count)
    return replace(frame, pairs=pd.concat([frame.pairs, more]).iloc[place].reset_index(drop=True))


def identifiers_wrong(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """A tenth of the identifiers beside the idx is of another node, drawn."""
    pairs = identified(frame).pairs
    of = frame.mapping[frame.mapping.columns[0]].to_numpy()
    hit = generator.random(len(pairs)) < 0.1
    pairs.loc[hit, "descendant_taxid"] = of[generator.integers(0, len(of), int(hit.sum()))]
    return replace(frame, pairs=pairs)


def nodes_lost(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """Some nodes are in no pair, wherever they stand."""
    lost = generator.choice(len(frame.mapping), len(frame.mapping) // 20, replace=False)
    pairs = frame.pairs
    return frame.only(~(pairs["ancestor_idx"].isin(lost) | pairs["descendant_idx"].isin(lost)))


def ancestors_wrong(frame: DatasetFrame, generator: Generator) -> DatasetFrame:
    """A tenth of the rows has the ancestor of another row, drawn."""
    pairs = frame.pairs.copy()
    hit = generator.choice(len(pairs), len(pairs) // 10, replace=False)
    pairs.loc[hit, "ancestor_idx"] = generator.choice(pairs["ancestor_idx"], len(hit))
    return replace(frame, pairs=pairs)


DAMAGES = (relabelled, rows_lost, rows_wrong, identifiers_wrong, nodes_lost)


def named(frame: DatasetFrame, folder: Path) -> list[str]:
    return [cause.name for cause in check(frame.write(folder)).causes]


@pytest.mark.parametrize("name", FORMS)
def test_of_sound_data(name: str, tmp_path: Path):
    assert named(base(name), tmp_path) == []


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", WITH_IDX)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_of_what_chance_did(damage: Damage, name: str, seed: int, tmp_path: Path):
    frame = damage(base(name), np.random.default_rng(seed))
    report = check(frame.write(tmp_path))
    assert report.exit_code == 1
    assert [cause.name for cause in report.causes] == []


TREES = ("tree with taxonomy", "tree", "tree without depths")
WHOLE = base("tree with taxonomy")


def form(frame: DatasetFrame, name: str) -> DatasetFrame:
    """A damaged tree with all of its columns, in the form of another base."""
    own = [column for column in base(name).pairs if column in frame.pairs]
    taxonomy = WHOLE.taxonomy if name == "tree with taxonomy" else None
    return replace(frame, pairs=frame.pairs[own], taxonomy=taxonomy)


def edges_wrong(share: float) -> Callable[[Generator], DatasetFrame]:
    """So many nodes have another parent, drawn, in place of their own."""

    def spoil(generator: Generator) -> DatasetFrame:
        pairs = WHOLE.pairs.copy()
        edges = np.flatnonzero(pairs["depth_diff"] == 1)
        hit = generator.choice(edges, int(share * len(edges)), replace=False)
        pairs.loc[hit, "ancestor_idx"] = generator.integers(0, len(WHOLE.mapping), len(hit))
        return replace(WHOLE, pairs=pairs)

    return spoil


IN_A_TREE = {
    "three edges in a hundred wrong": edges_wrong(0.03),
    "eight edges in a thousand wrong": edges_wrong(0.008),
}


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("damage", IN_A_TREE)
def test_of_what_a_tree_contradicts(damage: str, name: str, tmp_path: Path):
    """A tree with false edges is no DAG whose second parents are lost."""
    frame = form(IN_A_TREE[damage](np.random.default_rng(1)), name)
    report = check(frame.write(tmp_path))
    assert report.exit_code == 1
    assert [cause.name for cause in report.causes] == []


def test_of_ancestors_that_are_wrong(tmp_path: Path):
    """Each descendant and distance still comes once, and the rest is no tree."""
    frame = ancestors_wrong(base("tree"), np.random.default_rng(1))
    report = check(frame.write(tmp_path))
    assert report.exit_code == 1
    assert [cause.name for cause in report.causes] == []


@pytest.mark.parametrize("ranks", [("family", "genus"), ("genus",), ("order", "family")])
def test_of_ranks_that_no_taxonomy_tells(ranks: tuple[str, ...], tmp_path: Path):
    """They leave gaps in every chain, and none that a count of rows would leave."""
    assert WHOLE.taxonomy is not None
    nodes = WHOLE.taxonomy.nodes
    lost = WHOLE.mapping.loc[
        WHOLE.mapping["taxid"].isin(nodes.loc[nodes["rank"].isin(ranks), "taxid"]), "idx"
    ]
    frame = form(WHOLE.only(~touching(WHOLE.pairs, lost)), "tree")
    assert named(frame, tmp_path) == []
