"""Pairs written by hand, as the schema gives them, and the state that they fold into."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from taxcheck.sources.batches import PairBatch, Quarantined
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import Nodes, PairState
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import Identifiers
from tests.statistics.small_taxonomy import ids

NOTHING = Quarantined(ids(), (), {})


class Heard:
    """A sink: the names and columns that it was given, as Python values."""

    def __init__(self):
        self.calls = []

    def __call__(self, name, columns):
        self.calls.append((name, {key: column.tolist() for key, column in columns.items()}))

    def rows(self):
        return [(name, columns["row"]) for name, columns in self.calls]


def pair_batch(rows, names=("depth_diff",), first=1, **taxids):
    """Rows (ancestor, descendant, and what ``names`` says), numbered from ``first``."""
    columns = dict(zip(("ancestor", "descendant", *names), zip(*rows, strict=True), strict=False))
    return PairBatch(
        np.arange(first, first + len(rows)),
        **{name: ids(*cells) for name, cells in columns.items()},
        **{name: pa.array(cells) for name, cells in taxids.items()},
    )


def pair_state(n, *batches, mapped=None, identifiers=None, sink=None):
    """The state of n idx, all mapped unless ``mapped`` says otherwise, after some batches."""
    mapped = np.ones(n, dtype=bool) if mapped is None else np.array(mapped, dtype=bool)
    known = identifiers or Identifiers(np.where(mapped, np.arange(n), -1), None)
    state = PairState(Nodes(mapped, known), PairSpool(has_depth=True), sink)
    for batch in batches:
        state.update(batch if isinstance(batch, tuple) else (batch, NOTHING))
    return state


def graph(n, *edges, present=None):
    """A graph of (parent, child) edges; all n idx are in some pair unless ``present`` says so."""
    parents, children = (ids(*(edge[k] for edge in edges)) for k in (0, 1))
    there = np.ones(n, dtype=bool) if present is None else np.array(present, dtype=bool)
    return Graph.from_edges(parents, children, there)
