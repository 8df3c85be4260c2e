"""Pairs written by hand, as the schema gives them, and the table that they make."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from taxcheck.policy.model import Dataset
from taxcheck.run.executors.threads import Threads
from taxcheck.sources.tables.batches import PairBatch, Quarantined
from taxcheck.statistics.hierarchy.chains import Chains
from taxcheck.statistics.hierarchy.edges import edges_of
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.hierarchy.kind import likeness_of
from taxcheck.statistics.hierarchy.proof import hold, prove
from taxcheck.statistics.hierarchy.shape import hierarchy_statistics
from taxcheck.statistics.pairs import Nodes, PairState, PairTable
from taxcheck.statistics.spool import PairSpool
from taxcheck.statistics.values import Identifiers
from tests.statistics.small_taxonomy import ids

NOTHING = Quarantined(ids(), (), {})


class Heard:
    """A sink: the names and columns that it was given, and the nodes, as Python values."""

    def __init__(self):
        self.calls, self.nodes = [], []

    def __call__(self, offenders):
        columns = {} if offenders.rows is None else {"row": offenders.rows.tolist()}
        columns |= {key: column.tolist() for key, column in offenders.columns.items()}
        if offenders.reason is not None:
            columns["reason"] = [offenders.reason] * len(offenders)
        self.calls.append((offenders.defect, columns))
        self.nodes.append([column.tolist() for column in offenders.nodes])

    def rows(self):
        return [(name, columns["row"]) for name, columns in self.calls]


def pair_batch(rows, names=("depth_diff",), first=1, **cells):
    """Rows (ancestor, descendant, and what ``names`` says), numbered from ``first``."""
    columns = dict(zip(("ancestor", "descendant", *names), zip(*rows, strict=True), strict=False))
    return PairBatch(
        np.arange(first, first + len(rows)),
        **{name: ids(*cells) for name, cells in columns.items()},
        **{name: pa.array(column) for name, column in cells.items()},
    )


def _weighted(batch):
    return (batch[0] if isinstance(batch, tuple) else batch).weight is not None


def pair_table(n, *batches, mapped=None, identifiers=None, sink=None):
    """A table of n idx, all mapped unless ``mapped`` says otherwise, after some batches."""
    mapped = np.ones(n, dtype=bool) if mapped is None else np.array(mapped, dtype=bool)
    nodes = Nodes(mapped, identifiers or Identifiers(np.where(mapped, np.arange(n), -1), None))
    table = PairTable(
        PairState.empty(nodes.origin("pairs.tsv", "pairs")),
        PairSpool(True, any(_weighted(batch) for batch in batches)),
    )
    for batch in batches:
        read = nodes.sort_out(batch if isinstance(batch, tuple) else (batch, NOTHING))
        sound = read.sound
        table.spool.append(
            sound.rows,
            sound.ancestor,
            sound.descendant,
            sound.depth_diff,
            read.marks,
            read.weights,
        )
        table.state.update(read)
        for offenders in read.offenders if sink else ():
            sink(offenders)
    return table


def graph(n, *edges, present=None):
    """A graph of (parent, child) edges; all n idx are in some pair unless ``present`` says so."""
    parents, children = (ids(*(edge[k] for edge in edges)) for k in (0, 1))
    there = np.ones(n, dtype=bool) if present is None else np.array(present, dtype=bool)
    return Graph.from_edges(parents, children, there)


def proved(table, held_out=None, dataset=None, sink=None, workers=1, edges=None):
    """The proof of a table, and the description of its hierarchy.

    ``edges`` are those of another table, whose hierarchy it is held against.
    """
    dataset = dataset or Dataset()
    tables = [edges or table, *([held_out] if held_out else [])]
    found = edges_of(tables, dataset)
    graph, closure = found.graph, found.closure
    spool = held_out.spool if held_out else None
    held = hold(table.spool, spool, closure, graph.n, Threads(workers), found.flat)
    chains = Chains.of(graph, closure, held.every)
    likeness = likeness_of(graph, closure, held.every, chains, dataset, found.source)
    below = table.state.as_descendant
    proof = prove(table.spool, held, closure, chains, likeness, found.flat, sink, below)
    return proof, hierarchy_statistics(found, table.state.as_descendant > 0, likeness)
