"""A sound clade out of a user's own data, into which corruptions are planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from taxcheck.clock import Clock
from taxcheck.errors import InputError
from taxcheck.pipeline import gather, judge
from taxcheck.request import Request
from taxcheck.rule import Outcome
from taxcheck.selftest.corruptions.frame import DatasetFrame
from taxcheck.selftest.shape import HEADER, closure
from taxcheck.selftest.sound import base, variant
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import Identifiers

LARGEST = 3_000  # nodes of the clade
OWN = frozenset({"tree", "tree without depths", "labels"})


def own_clade(request: Request) -> DatasetFrame:
    """The largest clade of at most 3,000 nodes, numbered anew, with the closure of its edges.

    Raises InputError where the gate fails the data, or it is no tree: a corruption on top of
    another proves nothing.
    """
    clock = Clock()
    with gather(request, clock) as (data, tables):
        report = judge(request, data, tables, clock)
        if report.verdict in (Outcome.FAIL, Outcome.ERROR):
            raise InputError(f"the data itself is not sound ({report.headline}); mend it first")
        kind = report.statistics.get("tree")
        if data.graph is None or data.mapping is None or not isinstance(kind, dict):
            raise InputError("give --mapping and --pairs: a clade is taken from them")
        if kind["kind"] != "tree":
            raise InputError(f"the data is a {kind['kind']}; corruptions are planted into trees")
        nodes, parents = _clade(data.graph)
        identifiers = _identifiers(data.mapping.identifiers, nodes)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": identifiers, "idx": range(len(nodes))}),
        pairs=pd.DataFrame(closure(parents), columns=list(HEADER)),
    )


def bases_of(tree: DatasetFrame, name: str) -> DatasetFrame:
    """The user's clade where a base is a tree, and the generated data elsewhere."""
    return variant(tree, name) if name in OWN else base(name)


def _clade(graph: Graph) -> tuple[list[int], list[int]]:
    """Nodes of the clade, parents before children, and their parents by position."""
    above = np.full(graph.n, -1, dtype=np.int64)
    above[graph.children] = graph.parents
    order = _downwards(graph, np.flatnonzero(graph.present & (above < 0)))
    sizes = np.ones(graph.n, dtype=np.int64)
    for node in order[::-1]:
        if above[node] >= 0:
            sizes[above[node]] += sizes[node]
    fitting = order[sizes[order] <= LARGEST]
    top = int(fitting[np.argmax(sizes[fitting])])
    nodes = _downwards(graph, np.array([top])).tolist()
    position = {node: at for at, node in enumerate(nodes)}
    return nodes, [-1 if node == top else position[int(above[node])] for node in nodes]


def _downwards(graph: Graph, level: np.ndarray) -> np.ndarray:
    """All nodes below and with those of a level, level by level."""
    found = [level]
    while len(level):
        _, level = graph.children_of.expand(level)
        found.append(level)
    return np.concatenate(found)


def _identifiers(identifiers: Identifiers, nodes: list[int]) -> list[int | str]:
    return [value if (value := identifiers.of(node)) is not None else node for node in nodes]
