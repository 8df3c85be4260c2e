"""The preset that suits the data is told from the shape of its hierarchy."""

from __future__ import annotations

import numpy as np
import pytest

from taxcheck.engine.dataset import TrainingData, training_data
from taxcheck.engine.suited import Shape, suited


def hierarchy(parents: list[list[int]]) -> TrainingData:
    """The closure of nodes of which each names parents before it, with shortest distances."""
    above: list[dict[int, int]] = []
    for named in parents:
        found: dict[int, int] = {}
        for parent in named:
            for ancestor, steps in ((parent, 0), *above[parent].items()):
                found[ancestor] = min(found.get(ancestor, steps + 1), steps + 1)
        above.append(found)
    rows = [(a, d, k) for d, found in enumerate(above) for a, k in found.items()]
    a, d, k = np.array(rows).T
    return training_data(a, d, k, len(parents))


def chain(nodes: int) -> list[list[int]]:
    return [[], *([k] for k in range(nodes - 1))]


def between(share: float) -> list[list[int]]:
    """Two hundred nodes below ten, of which a share has two of them for parents."""
    two = round(200 * share)
    return [[], *([0] for _ in range(10)), *([1 + k % 10] for k in range(200 - two)),
            *([1 + k % 10, 1 + (k + 3) % 10] for k in range(two))]  # fmt: skip


@pytest.mark.parametrize(
    ("parents", "preset", "why"),
    [
        (chain(30), "default", "29 levels, 1.0 children a parent, 0 % of"),
        (chain(100), "dag", "99 levels leave each 0.36 of radius"),
        ([[], *([0] for _ in range(50))], "default", "1 level, 50.0 children a parent"),
        ([[], *([(k - 1) // 2] for k in range(1, 255))], "default", "7 levels, 2.0 children"),
        (between(0.3), "default", "28.4 % of the nodes with several parents"),
        (between(0.73), "dag", "69.2 % of the nodes lie between several parents"),
    ],
)
def test_the_shape_decides(parents: list[list[int]], preset: str, why: str) -> None:
    found = suited(Shape.of(hierarchy(parents)))
    assert (found.preset, why in found.why) == (preset, True), found.why


def test_pairs_without_distances_have_the_parents_of_their_reduction() -> None:
    whole = hierarchy(between(0.3))
    owner = np.repeat(np.arange(whole.n_nodes), np.diff(whole.starts))
    bare = training_data(whole.ancestors, owner, None, whole.n_nodes)
    assert Shape.of(bare) == Shape.of(whole)
    assert whole.several_parents == 60


def test_one_line_names_both_presets() -> None:
    found = suited(Shape.of(hierarchy(chain(100))))
    assert found.beside("default").startswith("preset dag suits the data better than default: 99")
    assert found.beside("default").endswith("start anew with `preset` dag")
    assert found.beside("dag").startswith("preset dag suits the data: 99 levels")
