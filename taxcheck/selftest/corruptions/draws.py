"""Corruptions of what is drawn and what is held out: PAIR009, PAIR012, PAIR013."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.corruptions.hierarchy import Tree, one, touching
from taxcheck.selftest.corruptions.pair_rows import deep_rows, gap
from taxcheck.selftest.corruptions.registry import Corrupted, Verdict, corruption


@corruption("PAIR009")
def drawn_uniformly(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """A uniform sampler is declared, and more pairs are deep than the policy suffers."""
    deep = int((frame.pairs["depth_diff"] > 5).sum())
    limit = deep / len(frame.pairs) - 0.01
    damaged = frame.declaring(sampler="uniform")
    damaged = replace(
        damaged, policy={**damaged.policy, "rules": {"PAIR009": {"deep_share": limit}}}
    )
    return Corrupted(damaged, {"PAIR009": ("warn", deep)})


@corruption()
def drawn_by_depth(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """With a balanced sampler the shape of the closure is not even told."""
    deep = int((frame.pairs["depth_diff"] > 5).sum())
    return Corrupted(frame.declaring(sampler="balanced"), {"PAIR009": ("pass", deep)})


@corruption("PAIR013")
def same_depth_negatives(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """The declared sampler takes negatives of the same depth unfiltered."""
    return Corrupted(frame.declaring(sampler="same-depth"), {"PAIR013": ("warn", 0)})


@corruption()
def same_depth_negatives_filtered(frame: DatasetFrame, _: np.random.Generator) -> Corrupted:
    """Filtered, there is nothing to tell."""
    return Corrupted(frame.declaring(sampler="same-depth-filtered"), {"PAIR013": ("pass", 0)})


@corruption("PAIR012")
def held_out_pairs_left_in_training(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """The held-out part is a copy of training pairs, edges among them."""
    rows = generator.choice(len(frame.pairs), size=500, replace=False)
    damaged = replace(frame, held_out=frame.pairs.iloc[rows])
    return Corrupted(damaged, {"PAIR012": ("fail", 500)})


@corruption("PAIR012")
def held_out_pairs_reversed_in_training(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Pairs between distant nodes are held out the other way round."""
    rows = frame.pairs.iloc[deep_rows(frame, generator, 40, top=1)]
    ends = rows[["descendant_idx", "ancestor_idx", "depth_diff"]]
    held_out = Tree(frame.pairs).rows(ends.itertuples(index=False))
    return Corrupted(replace(frame, held_out=held_out), {"PAIR012": ("fail", 40)})


def _split(frame: DatasetFrame, held: np.ndarray) -> DatasetFrame:
    return replace(frame.only(~held), held_out=frame.pairs[held])


@corruption("PAIR012")
def held_out_pairs_implied(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """Distant pairs moved to the held-out part follow from the edges that stay: told.

    Completeness is judged over both parts, so nothing is missing.
    """
    held = np.zeros(len(frame.pairs), dtype=bool)
    held[deep_rows(frame, generator, 1_000)] = True
    return Corrupted(_split(frame, held), {"PAIR012": ("info", 1_000)})


@corruption("PAIR012", "PAIR003")
def node_held_out_whole(frame: DatasetFrame, generator: np.random.Generator) -> Corrupted:
    """All pairs of a leaf are held out: training never names it."""
    leaf = one(generator, Tree(frame.pairs).leaves(depth=2))
    damaged = _split(frame, touching(frame.pairs, [leaf]))
    expected: dict[str, Verdict] = gap(frame, [leaf]) | {"PAIR012": ("info", 1)}
    return Corrupted(damaged, expected)


@corruption()
def edges_held_out_with_what_they_support(
    frame: DatasetFrame, generator: np.random.Generator
) -> Corrupted:
    """Edges of leaves are held out, other pairs of them stay: a fair test, and no gap.

    Nothing in training implies an edge whose leaf has no other parent.
    """
    leaves = generator.choice(Tree(frame.pairs).leaves(depth=3), size=30, replace=False)
    held = (frame.pairs["depth_diff"] == 1) & frame.pairs["descendant_idx"].isin(leaves)
    return Corrupted(_split(frame, held.to_numpy()), {"PAIR012": ("pass", 0)})
