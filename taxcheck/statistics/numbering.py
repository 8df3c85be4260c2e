"""How the pairs are numbered: for each idx in them, the idx of the mapping that it stands for.

Identifiers beside the idx tell it, by the majority of their rows. Without any a taxonomy does: the
hierarchy of the pairs and that of the mapped taxa are one hierarchy, so that a node whose subtree
has a shape that no other has is the same in both, whatever its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.joins import UNKNOWN, UNSAID, Joins
from taxcheck.statistics.pairs import PairState

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Numbering:
    """Distinct idx of the pairs, ascending, and what each stands for, (k,) both.

    ``meant`` is UNKNOWN where the mapping has no such identifier. Only idx of which something is
    known are there.
    """

    idx: IntArray
    meant: IntArray
    told_by: Literal["identifiers", "taxonomy"]
    outliers: float = 0.0  # share of the rows' ends that say something else

    @property
    def known(self) -> BoolArray:
        """Which idx stand for one of the mapping, (k,)."""
        return self.meant >= 0

    @property
    def moved(self) -> BoolArray:
        """Which idx stand for another one of the mapping, (k,)."""
        return np.asarray(self.known & (self.idx != self.meant))

    def differences(self) -> tuple[IntArray, IntArray]:
        """(idx, how much higher it is than in the mapping), of all that are known, (k,) both."""
        known = self.known
        return self.idx[known], self.idx[known] - self.meant[known]


def by_identifiers(joins: Mapping[str, Joins], state: PairState) -> Numbering | None:
    """What the identifiers beside the idx tell; None where there are none, or all agree."""
    judged = [end for name in joins for end in joins[name].ends]
    told = [end for end in judged if (end.meant != UNSAID).any()]
    if not any(end.wrong.any() for end in told):
        return None
    idx = np.concatenate([end.idx[end.meant != UNSAID] for end in told])
    meant = np.concatenate([end.meant[end.meant != UNSAID] for end in told])
    low, width = min(int(idx.min()), 0), max(int(meant.max()), state.origin.n) + 2
    # rows to which nobody objects agree with the mapping
    doubted = np.zeros(state.origin.n, dtype=np.int64)
    disagreement = joins.get("taxid_disagreement")
    uses = np.zeros(state.origin.n, dtype=np.int64)
    for place, own in enumerate((state.as_ancestor, state.as_descendant)):
        if all((part.ends[place].meant == UNSAID).all() for part in joins.values()):
            continue
        uses += own
        if disagreement is not None:
            end = disagreement.ends[place]
            doubted += np.bincount(end.idx[end.meant != UNSAID], minlength=len(doubted))
    sound = np.flatnonzero(uses > doubted)
    keys = np.concatenate([(idx - low) * width + meant + 1, (sound - low) * width + sound + 1])
    votes = np.concatenate([np.ones(len(idx), np.int64), (uses - doubted)[sound]])
    return _majority(keys, votes, low, width)


def _majority(keys: IntArray, votes: IntArray, low: int, width: int) -> Numbering:
    order = np.argsort(keys, kind="stable")
    keys, votes = keys[order], votes[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    keys, votes = keys[first], np.add.reduceat(votes, first)
    idx, meant = np.divmod(keys, width)
    order = np.lexsort((-votes, idx))
    chosen = order[np.r_[True, idx[order[1:]] != idx[order[:-1]]]]
    outliers = 1 - float(votes[chosen].sum()) / float(votes.sum())
    return Numbering(idx[chosen] + low, meant[chosen] - 1, "identifiers", outliers)


def by_shape(own: Forest, present: BoolArray, given: IntArray, mapped: BoolArray) -> Numbering:
    """What the shapes of subtrees tell.

    ``own`` is the hierarchy of the pairs, whose nodes are ``present``; ``given`` (n,) the parent
    that a taxonomy gives to each idx that is ``mapped``, -1 for none.
    """
    left, right = np.flatnonzero(present), np.flatnonzero(mapped)
    hashes = _contexts(own), _contexts(Forest.from_parents(given))
    found = np.full(len(present), UNKNOWN)
    for one, other in zip(*hashes, strict=True):
        a, b = _alone(one[left]), _alone(other[right])
        _, at, to = np.intersect1d(one[left[a]], other[right[b]], return_indices=True)
        source, target = left[a][at], right[b][to]
        new = found[source] == UNKNOWN
        found[source[new]] = target[new]
    idx = np.flatnonzero(found >= 0)
    return Numbering(idx, found[idx], "taxonomy")


def subtree_hashes(forest: Forest, labels: Hashes | None = None) -> Hashes:
    """A number for the shape of each subtree, (n,); ``labels`` not 0 stand for a node's own."""
    below: Hashes = np.zeros(len(forest.parent), dtype=np.uint64)
    for level in reversed(forest.levels[1:]):
        np.add.at(below, forest.parent[level], _own(below[level], level, labels))
    every = np.arange(len(below))
    return _own(below, every, labels)


def _own(below: Hashes, nodes: IntArray, labels: Hashes | None) -> Hashes:
    mixed = _mixed(below)
    return mixed if labels is None else np.where(labels[nodes] != 0, labels[nodes], mixed)


def _contexts(forest: Forest) -> list[Hashes]:
    """Subtrees alone, then with that of the parent, then with the grandparent's too."""
    hashes = [subtree_hashes(forest)]
    for _ in range(2):
        above = np.where(forest.parent >= 0, hashes[-1][forest.parent], np.uint64(0))
        hashes.append(_mixed(hashes[0] + _mixed(above)))
    return hashes


def _mixed(values: Hashes) -> Hashes:
    """Other bits for each number, (k,): the finaliser of splitmix64 (Steele et al. 2014)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _alone(hashes: Hashes) -> IntArray:
    """Places of the hashes that stand once."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    new = np.ones(len(order) + 1, dtype=bool)
    new[1:-1] = ordered[1:] != ordered[:-1]
    return order[new[1:] & new[:-1]]


def matched(
    own: Forest, present: BoolArray, given: IntArray, mapped: BoolArray, widest: float
) -> tuple[IntArray, IntArray]:
    """(idx, the idx that it stands for), (k,) both, where one range of idx was permuted.

    The range is the narrowest that has an end of each edge that one hierarchy has and the other
    lacks; nodes outside it are who they are. From there on down, nodes of the range are the same
    where their parents are, and the shapes of their subtrees. Nothing where the range is wider than
    a share of all idx, or where the hierarchies do not match.
    """
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    if not np.array_equal(present, mapped):
        return nothing
    other = Forest.from_parents(given)
    range_ = _narrowest(own.parent.astype(np.int64), given, present)
    if range_ is None or other.reached is not None or len(own.levels) != len(other.levels):
        return nothing
    first, last = range_
    if last - first >= widest * len(present):
        return nothing
    idx = np.arange(len(present))
    inside = (idx >= first) & (idx <= last) & present
    labels = np.where(inside, np.uint64(0), _mixed(idx.astype(np.uint64)) | np.uint64(1))
    shapes = subtree_hashes(own, labels), subtree_hashes(other, labels)
    image = np.where(inside, -1, idx)
    for left, right in zip(own.levels, other.levels, strict=True):
        a, b = left[inside[left]], right[inside[right]]
        above = own.parent[a]
        above = np.where(above >= 0, image[above], -1)
        a = a[np.lexsort((a, shapes[0][a], above))]
        b = b[np.lexsort((b, shapes[1][b], given[b]))]
        if len(a) != len(b) or (shapes[0][a] != shapes[1][b]).any():
            return nothing
        image[a] = b
    moved = np.flatnonzero(image != idx)
    return moved, image[moved]


def _narrowest(one: IntArray, other: IntArray, present: BoolArray) -> tuple[int, int] | None:
    """The narrowest range with an end of each edge of one forest that the other lacks.

    Nodes beside it that have no edge in both forests go with it.
    """
    child = np.flatnonzero(one != other)
    edges = [(parent[child], child) for parent in (one, other)]
    u = np.concatenate([above for above, _ in edges])
    v = np.concatenate([below for _, below in edges])
    u = np.where(u >= 0, u, v)
    if not len(u):
        return None
    low, high = np.minimum(u, v), np.maximum(u, v)
    order = np.argsort(low)
    low, high = low[order], high[order]
    # begin at a: edges whose lower end is left out need their higher one
    least = np.minimum.accumulate(np.r_[np.iinfo(np.int64).max, high])  # of the edges before
    most = np.maximum.accumulate(np.r_[-1, high])
    first = np.flatnonzero(np.r_[True, low[1:] != low[:-1]])
    starts = np.r_[low[first], high.min()]
    before = np.r_[first, len(low)]
    ends = np.maximum(most[before], low[-1] if len(low) else -1)
    ends[-1] = most[-1]
    fit = least[before] >= starts
    best = np.flatnonzero(fit)[np.argmin((ends - starts)[fit])]
    first_, last_ = int(starts[best]), int(ends[best])
    settled = ~present
    same = np.flatnonzero(one == other)
    settled[same] = settled[one[same][one[same] >= 0]] = True
    before_, after_ = np.flatnonzero(settled[:first_]), np.flatnonzero(settled[last_ + 1 :])
    return (
        int(before_[-1]) + 1 if len(before_) else 0,
        last_ + int(after_[0]) if len(after_) else len(one) - 1,
    )
