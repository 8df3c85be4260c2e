"""Whether groups such as taxonomic classes are nearer to themselves than to one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from taxcheck.audit.metrics.bootstrap import RESAMPLES, Interval, interval
from taxcheck.audit.metrics.lists import IntArray, Ints
from taxcheck.geometry.space import Space

SMALLEST = 10
PER_GROUP = 100
_ROWS = 4000  # so that all pairs of sampled rows stay within 16 million


@dataclass(frozen=True, slots=True)
class Separation:
    """Mean distance between groups / mean distance within them; 1: the groups mean nothing."""

    ratio: Interval
    sampled: int  # rows that were used


def groups_of(labels: Ints, rng: np.random.Generator, at_most: int = PER_GROUP) -> list[IntArray]:
    """Up to ``at_most`` rows of every label of SMALLEST rows or more, labels ascending.

    ``labels`` (n,), below 0: no group.
    """
    order = np.argsort(labels, kind="stable")
    values, first, counts = np.unique(
        np.asarray(labels)[order], return_index=True, return_counts=True
    )
    out = []
    for value, start, count in zip(values, first, counts, strict=True):
        if value < 0 or count < SMALLEST:
            continue
        rows = order[start : start + count]
        out.append(rows if count <= at_most else rng.choice(rows, at_most, replace=False))
    return out


def class_separation(
    space: Space,
    labels: Ints,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    workers: int = 1,
) -> Separation:
    """All pairs of groups: each pair, and each group, weighs the same whatever its size.

    At most 100 rows a group are sampled, fewer where that makes over 4,000 rows, with all their
    pairs; rows that are no points are left out. The interval resamples groups. NaN with fewer than
    two groups.
    """
    masked = np.where(space.sound, np.asarray(labels), -1)
    count = max(1, int((np.unique(masked[masked >= 0], return_counts=True)[1] >= SMALLEST).sum()))
    groups = groups_of(masked, rng, at_most=max(2, min(PER_GROUP, _ROWS // count)))
    g = len(groups)
    if g < 2:
        return Separation(Interval(np.nan, np.nan, np.nan), sum(map(len, groups)))
    rows = np.concatenate(groups)
    ends = np.cumsum([len(group) for group in groups])
    starts = np.r_[0, ends[:-1]]
    means = np.empty((g, g))

    def fill(i: int) -> None:
        """Group i against itself and all that follow."""
        distances = space.between(groups[i], rows[starts[i] :]).sum(axis=0)
        sizes = (ends[i:] - starts[i:]) * len(groups[i])
        sizes[0] -= len(groups[i])  # of a row with itself: 0, and no pair
        means[i, i:] = means[i:, i] = np.add.reduceat(distances, starts[i:] - starts[i]) / sizes

    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(fill, range(g)))
    within = np.diag(means).copy()
    between = means - np.diag(within)
    weights = rng.multinomial(g, np.full(g, 1 / g), resamples).astype(np.float64)
    weights = weights[(weights > 0).sum(axis=1) > 1]
    pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    inter = np.einsum("bi,ij,bj->b", weights, between, weights, optimize=True) / pairs
    intra = weights @ within / weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(between.sum() / (g * (g - 1)) / within.mean())
        return Separation(interval(ratio, inter / intra), len(rows))


def successors_separation(space: Space, labels: Ints, rng: np.random.Generator) -> float:
    """The form that the incident's successors report (1.68 on Echinodermata); for comparison only.

    Groups of 10 or more, at most 100 sampled each. Intra: each member against the next 19 of its
    group. Inter: each group against the next 9 groups, min(100, n1 n2) random pairs. Pooled mean
    inter / pooled mean intra. It depends on the order of groups, here by label, and of members.
    NaN where either is empty, where groups are points, or where a row is none.
    """
    groups = groups_of(labels, rng)
    intra: list[tuple[IntArray, IntArray]] = []
    inter: list[tuple[IntArray, IntArray]] = []
    for i, group in enumerate(groups):
        intra.extend((group[:-step], group[step:]) for step in range(1, min(20, len(group))))
        for other in groups[i + 1 : i + 10]:
            k = min(100, len(group) * len(other))
            inter.append(
                (group[rng.integers(0, len(group), k)], other[rng.integers(0, len(other), k)])
            )
    if not inter:
        return float("nan")
    within, between = (
        float(space.distance(*map(np.concatenate, zip(*pairs, strict=True))).mean())
        for pairs in (intra, inter)
    )
    return between / within if within else float("nan")
