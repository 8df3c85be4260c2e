"""Corruptions of what is drawn and what is held out: PAIR009, PAIR012, PAIR013."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import Folder, hierarchy, two_levels
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, one, touching

from .library import bad, corruption, fail, info, warn
from .pair_rows import deep_rows, gap


@corruption("PAIR009")
def drawn_uniformly(frame: DatasetFrame, _: Generator) -> Corrupted:
    """A uniform sampler is declared, and more pairs are deep than the policy suffers."""
    deep = int((frame.pairs["depth_diff"] > 5).sum())
    limit = deep / len(frame.pairs) - 0.01
    damaged = frame.declaring(sampler="uniform")
    damaged = replace(
        damaged, policy={**damaged.policy, "rules": {"PAIR009": {"deep_share": limit}}}
    )
    return Corrupted(damaged, warn(PAIR009=deep))


@corruption()
def drawn_by_depth(frame: DatasetFrame, _: Generator) -> Corrupted:
    """With a balanced sampler the shape of the closure is not even told."""
    deep = int((frame.pairs["depth_diff"] > 5).sum())
    return Corrupted(frame.declaring(sampler="balanced"), {"PAIR009": ("pass", deep)})


@corruption("PAIR013")
def same_depth_negatives(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The declared sampler takes negatives of the same depth unfiltered."""
    return Corrupted(frame.declaring(sampler="same-depth"), warn(PAIR013=0))


@corruption()
def same_depth_negatives_filtered(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Filtered, there is nothing to tell."""
    return Corrupted(frame.declaring(sampler="same-depth-filtered"), {"PAIR013": ("pass", 0)})


@corruption("PAIR012")
def held_out_pairs_left_in_training(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """The held-out part is a copy of training pairs, edges among them."""
    rows = generator.choice(len(frame.pairs), size=500, replace=False)
    damaged = replace(frame, held_out=frame.pairs.iloc[rows])
    return Corrupted(damaged, fail(PAIR012=500))


@corruption("PAIR012")
def held_out_pairs_reversed_in_training(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Pairs between distant nodes are held out the other way round."""
    rows = frame.pairs.iloc[deep_rows(frame, generator, 40, top=1)]
    ends = rows[["descendant_idx", "ancestor_idx", "depth_diff"]]
    held_out = Tree(frame.pairs).rows(ends.itertuples(index=False))
    return Corrupted(replace(frame, held_out=held_out), fail(PAIR012=40))


def _split(frame: DatasetFrame, held: np.ndarray) -> DatasetFrame:
    return replace(frame.only(~held), held_out=frame.pairs[held])


@corruption("PAIR012")
def held_out_pairs_implied(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Distant pairs moved to the held-out part follow from the edges that stay: told.

    Completeness is judged over both parts, so nothing is missing.
    """
    held = frame.pairs.index.isin(deep_rows(frame, generator, 1_000))
    return Corrupted(_split(frame, held), info(PAIR012=1_000))


@corruption("PAIR012")
def held_out_pairs_that_are_false(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Distant pairs are held out at a distance that their chains contradict."""
    split = _split(frame, frame.pairs.index.isin(deep_rows(frame, generator, 30)))
    assert split.held_out is not None
    wrong = split.held_out.assign(depth_diff=split.held_out["depth_diff"] + 1)
    return Corrupted(replace(split, held_out=wrong), fail(PAIR012=30))


@corruption("PAIR012", "PAIR003")
def node_held_out_whole(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """All pairs of a leaf are held out: training never names it."""
    leaf = one(generator, Tree(frame.pairs).leaves(depth=2))
    damaged = _split(frame, touching(frame.pairs, [leaf]))
    return Corrupted(damaged, gap(frame, [leaf]) | info(PAIR012=1))


@corruption()
def edges_held_out_with_what_they_support(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Edges of leaves are held out, other pairs of them stay: a fair test, and no gap.

    Nothing in training implies an edge whose leaf has no other parent.
    """
    leaves = generator.choice(Tree(frame.pairs).leaves(depth=3), size=30, replace=False)
    held = (frame.pairs["depth_diff"] == 1) & frame.pairs["descendant_idx"].isin(leaves)
    return Corrupted(_split(frame, held.to_numpy()), {"PAIR012": ("pass", 0)})


def _held_out() -> Folder:
    """The wolf's edge is held out: nothing in training implies it."""
    folder = Folder(held_out=[(3, 7, 1, 2, 3)])
    folder.drop((3, 7))
    return folder


@bad(
    "PAIR009",
    "warn",
    253,
    "a uniform sampler, and of a chain of 28 nodes 22 + 21 + ... + 1 = 253 of 378 pairs, 67 %, "
    "are deeper than 5",
)
def _(_folder: Folder) -> Folder:
    folder = hierarchy(list(range(-1, 27)))
    folder.policy = '[dataset]\nsampler = "uniform"\n'
    return folder


@bad(
    "PAIR011",
    "info",
    110,
    "10 of 101 ancestors have 11 children each, 110 of 201 pairs, 55 %",
    ok=lambda: two_levels([1] * 120),
    ok_count=10,
)
def _(_folder: Folder) -> Folder:
    return two_levels([11] * 10 + [1] * 91)


@bad(
    "PAIR012",
    "fail",
    3,
    "two held-out pairs are in training, and one the other way round",
    ok=_held_out,
)
def _(folder: Folder) -> None:
    assert folder.held_out is not None
    folder.held_out += [(3, 8, 1, 2, 3), (0, 9, 3, 0, 3), (7, 1, 2, 3, 1)]


@bad(
    "PAIR013",
    "warn",
    0,
    "the declared sampler takes negatives of the same depth unfiltered",
    ok=lambda: Folder(policy='[dataset]\nsampler = "same-depth-filtered"\n'),
)
def _(folder: Folder) -> None:
    folder.policy = '[dataset]\nsampler = "same-depth"\n'
