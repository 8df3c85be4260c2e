"""The same questions answered one source at a time, by sorting everything."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np

from taxcheck.geometry.space import Space


def negatives_before(
    space: Space, source: int, positives: list[int], left_out: set[int], keep_self: bool
) -> tuple[list[float], list[int], list[int], int]:
    """(separations of positives, nearer negatives, tied ones, how many negatives there are)."""
    candidates = set(range(space.n)) - set(positives) - left_out
    if not keep_self:
        candidates.discard(source)
    negatives = np.array(sorted(candidates), dtype=int)
    distances = space.separation(np.array([source]), negatives)
    keys = [float(space.separation(np.array([source]), np.array([p]))[0]) for p in positives]
    if not len(negatives):
        return keys, [0] * len(keys), [0] * len(keys), 0
    less = [int((distances < k).sum()) if k == k else len(negatives) for k in keys]
    equal = [int((distances == k).sum()) if k == k else 0 for k in keys]
    return keys, less, equal, len(negatives)


def average_precision_of_order(labels: list[bool]) -> float:
    found, total = 0, 0.0
    for k, positive in enumerate(labels, start=1):
        if positive:
            found += 1
            total += found / k
    return total / found


def average_precision(keys: list[float], labels: list[bool], ties: str) -> float:
    """By the definition: optimistic and pessimistic sort, mean tries every order of each tie."""
    if ties == "optimistic":
        order = sorted(range(len(keys)), key=lambda i: (keys[i], not labels[i]))
        return average_precision_of_order([labels[i] for i in order])
    if ties == "pessimistic":
        order = sorted(range(len(keys)), key=lambda i: (keys[i], labels[i]))
        return average_precision_of_order([labels[i] for i in order])
    if ties == "sklearn":
        total, positives = 0.0, sum(labels)
        for level in sorted(set(keys)):
            here = sum(lab for k, lab in zip(keys, labels, strict=True) if k == level)
            upto = sum(k <= level for k in keys)
            found = sum(lab for k, lab in zip(keys, labels, strict=True) if k <= level)
            total += here * found / upto
        return total / positives
    scores = [
        average_precision_of_order([labels[i] for i in order])
        for order in permutations(range(len(keys)))
        if all(keys[a] <= keys[b] for a, b in pairwise(order))
    ]
    return float(np.mean(scores))


def facebook_reconstruction(
    distances: np.ndarray, adjacency: dict[int, list[int]]
) -> tuple[float, float]:
    """Mean rank and MAP as ``reconstruction_worker`` defines them; distances (n, n).

    facebookresearch/poincare-embeddings, hype/graph.py: the source goes to the far end, ranks are
    positions in the sorted row minus N (N - 1) / 2 a source, MAP is sklearn's.
    """
    from sklearn.metrics import average_precision_score

    rank_sum, edges, scores = 0.0, 0, []
    for source, neighbours in adjacency.items():
        row = distances[source].copy()
        row[source] = 1e12
        place = np.flatnonzero(np.isin(np.argsort(row, kind="stable"), neighbours)) + 1
        rank_sum += place.sum() - len(place) * (len(place) - 1) / 2
        edges += len(place)
        labels = np.zeros(len(row))
        labels[neighbours] = 1
        scores.append(average_precision_score(labels, -row))
    return rank_sum / edges, float(np.mean(scores))
