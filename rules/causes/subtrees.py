"""Causes in which a whole subtree of a table stands where it does not belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.audit.nested import explaining
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import plural
from taxcheck.model.vocabulary import score as figure
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.symptoms import Symptoms

if TYPE_CHECKING:
    from taxcheck.audit.exchanges import Exchanges
    from taxcheck.audit.values import HierarchyScores

_POINT = 0.1  # of the spread that is expected, and less: the members are nearly one point
_SMALLEST = 4


def _below(forest: Forest, heads: IntArray) -> BoolArray:
    """Which nodes are in one of the subtrees, (n,)."""
    change = np.zeros(len(forest.parent) + 1, dtype=np.int64)
    np.add.at(change, forest.entry[heads], 1)
    np.add.at(change, forest.entry[heads] + forest.size[heads], -1)
    return np.asarray(np.cumsum(change)[:-1][forest.entry] > 0)


def _above(forest: Forest, heads: IntArray) -> BoolArray:
    """Which nodes are above one of them, (n,)."""
    found = np.zeros(len(forest.parent), dtype=bool)
    at = forest.parent[heads]
    while len(at := at[at >= 0]):
        found[at] = True
        at = forest.parent[at]
    return found


def _explains(
    names: tuple[str, ...], below: BoolArray, symptoms: Symptoms
) -> dict[str, BoolArray | bool]:
    """Offenders that are nodes of these subtrees."""
    found: dict[str, BoolArray | bool] = {}
    for name in names:
        if (own := symptoms.get(name)) is not None:
            nodes = own.nodes[0]
            inside = (nodes >= 0) & (nodes < len(below))
            found[name] = inside & below[np.where(inside, nodes, 0)]
    return found


def _whole(result: RuleResult | None, nodes: BoolArray) -> bool:
    """Whether a rule names these nodes alone, and all that it counts."""
    if result is None or result.count != len(result.samples):
        return False
    return all(s.node is not None and nodes[s.node] for s in result.samples)


@cause()
def exchanged_subtrees(
    exchanges: Exchanges, graph: Graph, symptoms: Symptoms, found: Mapping[str, RuleResult]
) -> Explanation | None:
    r"""Two subtrees have each other's rows.

    The rows were put back on trial, and with their own both subtrees rank as well as nodes
    elsewhere; as they stand, they do not.

    Why it matters:
    Whoever looks up a node of one finds the neighbours of the other. Rows of a subtree moved
    together, so that it is neither scattered nor tight, and every mean hides it.

    How to fix:
    Find where the table was written in another order than that of idx, a merge of tables by clade
    for one, and put the rows back; ``--failures`` writes which row is whose:

        taxcheck run --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet \\
            --failures rows/

    Known exceptions:
    Subtrees of one shape below one node are exchanged without a trace. Of subtrees of two sizes as
    many rows are tried as the smaller one has, row by row in the order of idx or of the hierarchy;
    other orders are not found.

    References:
    - pandas.concat, which puts parts one after the other as they are given:
      https://pandas.pydata.org/docs/reference/api/pandas.concat.html
    """
    forest = graph.forest
    if forest is None or not exchanges.found:
        return None
    heads = np.array([head for one in exchanges.found for head in one.heads])
    below = _below(forest, heads)
    below[forest.parent[heads][forest.parent[heads] >= 0]] = True  # whose children went away
    explains = _explains(("weak_separation", "misplaced_rows"), below, symptoms)
    if _whole(found.get("scattered_group"), below | _above(forest, heads)):
        explains["scattered_group"] = True
    first, others = exchanges.found[0], len(exchanges.found) - 1
    more = f"; so were those of {plural(others, 'further pair')}" if others else ""
    return Explanation(
        message=f"the rows of {' and '.join(first.names)} were exchanged, {first.rows:,} of them: "
        f"MAP of both is {figure(first.map)}, with the rows put back {figure(first.mended)}{more}",
        explains=explains,
        parameters={
            "clades": ", ".join(" and ".join(one.names) for one in exchanges.found),
            "rows": sum(one.rows for one in exchanges.found),
            "MAP": first.map,
            "MAP, rows put back": first.mended,
        },
        free=1,
        fix="put the rows back where the table is written; ``taxcheck run --embeddings "
        "checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet --failures rows/`` writes which "
        "row is whose",
        why_not="no command rewrites a table; ``--failures`` writes which row is whose",
    )


@cause()
def collapsed_clade(
    graph: Graph,
    symptoms: Symptoms,
    found: Mapping[str, RuleResult],
    scores: HierarchyScores,
    name_of: Callable[[int], str],
) -> Explanation | None:
    """All rows of a clade are one point, or nearly so.

    They are copies of one row, or a tenth as far apart at most as their number, depth and height
    predict. Of nested clades the highest is named that is so without its parts. Where nodes stand
    on their parents, and some below these do not, it is told of how many.

    Why it matters:
    Its members cannot be told apart, and each of them finds any other as its nearest. The rest of
    the table is as good as before, so that no score shows it.

    How to fix:
    Look for what wrote the rows of a clade at once: a mean for nodes that lacked a row, an initial
    position that training never moved, a merge by the name of the clade. Then train these rows:

        taxcheck why NODE --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Known exceptions:
    Fewer than four rows in one point are told as copies alone (EMB007).

    References:
    - Jing et al. 2022, dimensional collapse: https://arxiv.org/abs/2110.09348
    """
    forest = graph.forest
    if forest is None or not {"duplicate_row", "scattered_group"} & found.keys():
        return None
    copies = _Copies.of(forest, symptoms)
    tight = explaining([c for c in scores.clades if c.spread <= _POINT * c.expected and c.z < 0])
    known = _below(forest, copies.heads) | _above(forest, copies.heads)
    more = np.array([clade.idx for clade in tight if not known[clade.idx]], dtype=np.int64)
    heads = np.r_[copies.heads, more]
    if not len(heads):
        return None
    below = _below(forest, heads)
    explains = _explains(("misplaced_rows",), below, symptoms)
    if "duplicate_row" in symptoms:
        explains["duplicate_row"] = (
            copies.explained
            | _explains(("duplicate_row",), _below(forest, more), symptoms)["duplicate_row"]
        )
    if _whole(found.get("scattered_group"), below | _above(forest, heads)):
        explains["scattered_group"] = True
    sizes = np.r_[copies.sizes, forest.size[more]]
    largest, size, others = int(heads[np.argmax(sizes)]), int(sizes.max()), len(heads) - 1
    name = name_of(largest)
    if (copies.sizes < forest.size[copies.heads]).any():
        message = (
            f"{plural(int((copies.sizes - 1).sum()), 'row')} are those of their parents, most "
            f"below {name} ({size - 1:,})"
        )
    else:
        message = f"all {size:,} rows of {name} are one point, or nearly so"
        message += f"; so are those of {plural(others, 'further clade')}" if others else ""
    return Explanation(
        message=message,
        explains=explains,
        parameters={
            "clade": name,
            "rows": size,
            "clades": len(heads),
            "rows in all": int(sizes.sum()),
        },
        free=1,
        fix="train these rows again; ``taxcheck run --embeddings checkpoint.pt --mapping "
        "mapping.tsv --pairs pairs.parquet --failures rows/`` writes which they are",
        why_not="where the rows belong is known to training alone",
    )


@dataclass(frozen=True)
class _Copies:
    """Nodes that have one row with their parent, theirs with its, and so on: groups of them."""

    heads: IntArray  # (m,) of each group, ascending
    sizes: IntArray  # (m,) its nodes, the head among them
    explained: BoolArray  # copies, as the symptom has them, that are in some group

    @classmethod
    def of(cls, forest: Forest, symptoms: Symptoms) -> _Copies:
        """Of four nodes or more; where four are, of any number.

        A symptom has every copy but the first, beside which it stands.
        """
        own, n = symptoms.get("duplicate_row"), len(forest.parent)
        said = None if own is None else own.column("equal_to")
        nothing = np.empty(0, dtype=np.int64)
        if own is None or said is None:
            return cls(nothing, nothing, np.zeros(0 if own is None else len(own), dtype=bool))
        node: IntArray = own.nodes[0]
        first = np.asarray(said, dtype=np.int64)
        known = (node >= 0) & (node < n) & (first < n)
        group = np.full(n, -1)
        group[first[known]] = first[known]
        group[node[known]] = first[known]
        parent = np.maximum(forest.parent, 0)
        linked = (group >= 0) & (forest.parent >= 0) & (group == group[parent])
        size, links = (np.bincount(group[mask], minlength=n) for mask in (group >= 0, linked))
        tree = (size > 1) & (links == size - 1)
        whole = tree & (size >= _SMALLEST)
        if np.count_nonzero(whole) >= _SMALLEST:  # nodes stand on their parents all over
            whole = tree
        heads = np.flatnonzero((group >= 0) & ~linked & whole[np.maximum(group, 0)])
        inside = known & whole[np.where(known, first, 0)]
        return cls(heads, size[group[heads]], inside)
