"""Causes in which the pairs hold too much: negatives, a pair of each node with itself, homonyms."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray, ranges, within
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.places import SaidRow
from taxcheck.model.reading import Reading
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import percent, plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics

from .joined_files import is_closure, rows_between
from .lost import called

Cells = Iterator[tuple[int, pa.Array]]  # the row of the first, and the cells
_SHARE = 0.99
_FEWEST = 20  # rows that are contradicted
_LEAST = 0.05  # of the rows: whoever adds negatives adds many
_KNOWN = 0.1  # of the negatives, that something contradicts
_LOOKED_AT = 100_000  # rows that tell a period
_LONGEST = 33  # rows in which one is positive
_MOST = 5_000_000  # pairs whose closure upwards is looked at
_ROW_BYTES = 250  # that each of them takes meanwhile
_CONTRADICTED = (
    "disagrees_with_taxonomy",
    "false_ancestor_pair",
    "cycle",
    "reversed_pair",
)
_NO = ["0", "0.0", "-1", "-1.0", "false", "f", "no", "n", "neg", "negative"]
_YES = ["1", "1.0", "true", "t", "yes", "y", "pos", "positive"]
_NO_SAID = "0 or no"


@cause()
def reflexive_closure(symptoms: Symptoms, totals: PairState) -> Explanation | None:
    """Every node is paired with itself.

    There is a pair of a node with itself for each node, once: the closure was taken with 'above or
    equal'.

    Why it matters:
    A pair at distance 0 has nothing to teach, and takes a share of all draws. It makes a node that
    is in no other pair look covered.

    How to fix:
    Leave them out, which changes nothing else:

        pairs = pairs[pairs["ancestor_idx"] != pairs["descendant_idx"]]

    ``taxcheck fix`` does so.

    Known exceptions:
    Some self pairs, here and there, are self_pair without a cause.

    References:
    - Nickel & Kiela 2017, over pairs of distinct nodes: https://arxiv.org/abs/1705.08039
    """
    symptom = symptoms.get("self_pair")
    if symptom is None or symptom.rows is None:
        return None
    own = np.bincount(symptom.nodes[0], minlength=totals.origin.n)
    covered = (totals.as_ancestor > 0) | (totals.as_descendant > 0)
    lacking = int(np.count_nonzero(covered & (own[: len(covered)] == 0)))
    count = int(np.count_nonzero(own))
    if count < 2 or lacking > (1 - _SHARE) * count or len(symptom) > count / _SHARE:
        return None
    return Explanation(
        message=f"every node is paired with itself: {plural(len(symptom), 'row')}, one of each of "
        f"{plural(count, 'node')}",
        parameters={"rows": len(symptom)},
        free=0,
        mend=Mend(
            what="leave out the pairs of a node with itself",
            why="they say nothing of any other node",
            rows=symptom.rows,
            dropped=True,
        ),
    )


@cause()
def negatives_mixed_in(
    symptoms: Symptoms,
    kept: KeptPairs,
    totals: PairState,
    graph: Graph,
    pair_reading: Reading,
    column: Callable[[str], Cells],
    said_row: SaidRow,
    room: Room,
) -> Explanation | None:
    """Negative samples stand among the pairs.

    Rows that relate nodes at random are there in a regular way: in one block, in turn with the true
    ones, or as many times as those; or a column that nobody reads says which they are.

    Why it matters:
    Every negative is trained as an ancestor: unrelated clades are pulled together as strongly as
    related ones, and evaluation rewards it.

    How to fix:
    Keep the positive rows alone; whoever trains draws negatives anew:

        pairs = pairs[pairs["label"] == 1]

    ``taxcheck fix`` leaves them out where it is known which they are.

    Known exceptions:
    False pairs here and there, in no regular way, are false_ancestor_pair without a cause.

    References:
    - Nickel & Kiela 2017, negatives are drawn while training: https://arxiv.org/abs/1705.08039
    """
    if not {*_CONTRADICTED} & {*symptoms}:
        return None
    found = _by_column(pair_reading, column)
    if found is None and (false := _false_rows(symptoms, kept, graph, room)) is not None:
        header = bool(pair_reading.header and pair_reading.first_row)
        found = _regular(false, totals.rows + header, said_row)
        if found is not None and found[1].startswith("from"):
            found = _to_the_end(found[0], kept, said_row)
        if found is not None and _of_a_dataset(found[0], kept, symptoms, totals.origin.n, room):
            return None
    if found is None or 2 * len(found[0]) < _LEAST * totals.rows:
        return None
    chosen, how = found
    explains: dict[str, BoolArray | bool] = {}
    for name in ("inconsistent_depth", "depth_mismatch"):
        symptom = symptoms.get(name)
        if symptom is not None and symptom.rows is not None:
            explains[name] = within(chosen, symptom.rows)
        elif symptom is not None:  # nodes that the negatives state another depth of
            explains[name] = np.ones(len(symptom), dtype=bool)
    return Explanation(
        message=f"negative samples stand among the pairs: {plural(len(chosen), 'row')} "
        f"({percent(len(chosen) / totals.rows)}), {how}",
        explains=explains,
        parameters={"rows": len(chosen)},
        free=2,
        mend=Mend(
            what=f"leave out the negatives, {how}",
            why="without them nothing contradicts the pairs",
            rows=chosen,
            dropped=True,
        ),
    )


def _of_a_dataset(block: IntArray, kept: KeptPairs, symptoms: Symptoms, n: int, room: Room) -> bool:
    """Whether rows without a gap are a closure of their own, as negatives are not."""
    first, last = int(block[0]), int(block[-1])
    if last - first + 1 != len(block) or len(block) > _MOST:
        return False
    return is_closure(rows_between(first, last, kept, symptoms, room), n)


def _by_column(reading: Reading, column: Callable[[str], Cells]) -> tuple[IntArray, str] | None:
    """The rows in which a column that nobody reads, with two values, says no."""
    for name in reading.unread:
        rows = _denied(column(name))
        if rows is not None and len(rows):
            return rows, f"those with {_NO_SAID} in the column '{name}', which nobody reads"
    return None


def _denied(batches: Cells) -> IntArray | None:
    """Rows with the one of two values that means no; None where there are others."""
    found = []
    for first_row, column in batches:
        cells = pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
        no = pc.is_in(cells, pa.array(_NO))
        yes = pc.is_in(cells, pa.array(_YES))
        if not pc.all(pc.or_(no, yes)).as_py():
            return None
        here = np.flatnonzero(no.to_numpy(zero_copy_only=False))
        found.append(here + first_row)
    return np.concatenate([np.empty(0, np.int64), *found])


def _false_rows(symptoms: Symptoms, kept: KeptPairs, graph: Graph, room: Room) -> IntArray | None:
    """Rows that the taxonomy contradicts, or that are not closed upwards, (k,) ascending."""
    symptom = symptoms.get("disagrees_with_taxonomy")
    if symptom is not None and symptom.rows is not None:
        return symptom.rows if len(symptom) >= _FEWEST else None
    if not kept.has_depth or len(kept) <= _FEWEST:
        return None
    room.look(len(kept), _ROW_BYTES, _MOST)
    n, up = graph.n, graph.parents_of
    batches = [*kept.batches()]
    keys = np.sort(np.concatenate([b.descendant * n + b.ancestor for b in batches]))
    hits, asked = np.zeros((2, len(up.targets)), dtype=np.int64)
    steps = []
    for batch in batches:
        position, parent = up.expand(batch.ancestor)
        edge = ranges(up.starts[batch.ancestor], up.counts[batch.ancestor])
        above = within(keys, batch.descendant[position] * n + parent)
        asked += np.bincount(edge, minlength=len(asked))
        hits += np.bincount(edge[above], minlength=len(hits))
        steps.append((batch.rows, position, edge, above))
    sound = 2 * hits > asked  # a parent that is one of most descendants, too
    false = []
    for rows, position, edge, above in steps:
        told, closed = np.zeros((2, len(rows)), dtype=bool)
        told[position[sound[edge]]] = True
        closed[position[sound[edge] & above]] = True
        false.append(rows[told & ~closed])
    found = np.concatenate(false)
    return found if len(found) >= _FEWEST else None


def _to_the_end(block: IntArray, kept: KeptPairs, said_row: SaidRow) -> tuple[IntArray, str]:
    """A block up to the last row begins where the order of the rows before it breaks."""
    first = int(block[0])
    for batch in kept.batches():
        at = int(np.searchsorted(batch.rows, first))
        if at < len(batch.rows):
            for column in (batch.descendant, batch.ancestor):
                falls = np.flatnonzero(np.diff(column[: at + 1]) < 0)
                if len(falls) == 1 or (len(falls) and at - falls[0] < _FEWEST):
                    first = int(batch.rows[falls[0] + 1])
                    break
            break
    return np.arange(first, block[-1] + 1), f"from {said_row('pairs', first)} to the end"


def _regular(false: IntArray, rows: int, said_row: SaidRow) -> tuple[IntArray, str] | None:
    """The rows at which negatives must stand, and where that is, by those that are known to be.

    ``rows`` is the number of the last one. Some are true by chance, or nothing shows that they are
    not.
    """
    first, last = int(false[0]), int(false[-1])
    lowest, highest = np.quantile(false, [0.001, 0.999]).astype(np.int64)
    span = int(highest - lowest) + 1
    if len(false) >= _KNOWN * span and span < 0.95 * rows:
        if last >= rows - 20:
            return np.arange(first, rows + 1), f"from {said_row('pairs', first)} to the end"
        if first <= 20:
            return np.arange(1, last + 1), f"up to {said_row('pairs', last)}"
        begin, end = said_row("pairs", first), said_row("pairs", last).removeprefix("row ")
        return np.arange(first, last + 1), f"{begin.replace('row', 'rows', 1)} to {end}"
    some = false[:_LOOKED_AT]
    upto = rows if len(some) == len(false) else int(some[-1])
    for period in range(2, _LONGEST):
        places = np.bincount(some % period, minlength=period)
        full = places >= _KNOWN * upto / period
        if full.any() and not full.all() and places[~full].sum() <= 0.01 * len(some):
            every = np.arange(1, rows + 1)
            return every[full[every % period]], f"{int(full.sum())} of every {period} rows"
    return None


@cause()
def merged_homonyms(
    symptoms: Symptoms,
    graph: Graph,
    mapping: MappingStatistics,
    truth: Truth | None = None,
) -> Explanation | None:
    """Two taxa of one name were joined into one node.

    A node has the ancestors, and the descendants, of two, and each descendant has those of one.

    Why it matters:
    Two unrelated clades are tied together at one node: a genus of plants and one of animals are
    pulled to the same place. The other taxon is in no pair, and never trained.

    How to fix:
    Join by identifier. A name is no key: NCBI has hundreds of homonyms, told apart by their
    authority or by the clade that they stand in.

    Known exceptions:
    In a DAG a node may have several parents by nature; there only the descendants, which inherit
    from one of them alone, show it.

    References:
    - Page 2005, on homonyms in taxonomic databases: https://doi.org/10.1186/1471-2105-6-48
    """
    symptom = symptoms.get("several_parents")
    if symptom is None:
        return None
    nodes = symptom.nodes[0]
    if not 0 < len(nodes) <= 1_000:
        return None
    if truth is not None and truth.names is not None:
        return _homonyms_by_name(symptoms, nodes, mapping, truth)
    return _homonyms_by_shape(symptoms, nodes, graph, mapping)


def _homonyms_by_name(
    symptoms: Symptoms,
    nodes: IntArray,
    mapping: MappingStatistics,
    truth: Truth,
) -> Explanation | None:
    """The nodes with two parents that share their name with an uncovered node, or each other."""
    names = truth.names
    assert names is not None
    gap = symptoms.get("coverage_gap")
    lost = np.empty(0, np.int64) if gap is None else gap.nodes[0]
    own = names.take(pa.array(nodes))
    others = pc.is_in(own, names.take(pa.array(lost)).drop_null()).to_numpy(zero_copy_only=False)
    counts = pc.value_counts(own.drop_null())
    twice = counts.field(0).filter(pc.greater(counts.field(1), 1))
    shared = pc.is_in(own, twice).to_numpy(zero_copy_only=False)
    chosen = others | shared
    if not chosen.any():
        return None
    merged = nodes[chosen]
    partners = lost[
        pc.is_in(names.take(pa.array(lost)), own.filter(pa.array(chosen))).to_numpy(
            zero_copy_only=False
        )
    ]
    explains = _through(symptoms, merged, partners, truth)
    explains["several_parents"] = chosen
    return _merged(merged, mapping, truth, explains)


def _through(
    symptoms: Symptoms, merged: IntArray, partners: IntArray, truth: Truth
) -> dict[str, BoolArray | bool]:
    """What touches the merged nodes or what is below them and their partners."""
    inside = np.zeros(len(truth.position), dtype=bool)
    for node in (*merged, *partners):
        inside |= truth.clade(int(node))
    explains: dict[str, BoolArray | bool] = {}
    for name in (
        "missing_ancestor_pair",
        "false_ancestor_pair",
        "false_ancestor_pair.unproven",
        "duplicate_pair",
        "disagrees_with_taxonomy",
        "disagrees_with_taxonomy.missing",
    ):
        if name in symptoms:
            explains[name] = inside[symptoms[name].nodes[1]]
    if "coverage_gap" in symptoms:
        explains["coverage_gap"] = np.isin(symptoms["coverage_gap"].nodes[0], partners)
    return explains


def _homonyms_by_shape(
    symptoms: Symptoms, nodes: IntArray, graph: Graph, mapping: MappingStatistics
) -> Explanation | None:
    """All that is missing runs through one of the nodes: from above it to below it."""
    missing = symptoms.get("missing_ancestor_pair")
    if missing is None or len(nodes) > 20:
        return None
    ancestor, descendant = missing.nodes
    explained = np.zeros(len(missing), dtype=bool)
    merged = []
    for node in nodes:
        below = graph.below(np.array([node]))
        above = _above(graph, int(node))
        through = above[ancestor] & below[descendant] & (descendant != node)
        if through.any():
            merged.append(int(node))
            explained |= through
    if not merged or np.count_nonzero(explained) < _SHARE * len(missing):
        return None
    if (np.isin(descendant, nodes)).any():
        return None  # the node itself lacks some: it was given a false parent
    explains: dict[str, BoolArray | bool] = {
        "missing_ancestor_pair": explained,
        "several_parents": np.isin(nodes, merged),
    }
    return _merged(np.array(merged), mapping, None, explains)


def _above(graph: Graph, node: int) -> BoolArray:
    marked = np.zeros(graph.n, dtype=bool)
    level = np.array([node])
    while len(level):
        above = graph.parents_of.expand(level)[1]
        level = np.unique(above[~marked[above]])
        marked[level] = True
    return marked


def _merged(
    merged: IntArray,
    mapping: MappingStatistics,
    truth: Truth | None,
    explains: dict[str, BoolArray | bool],
) -> Explanation:
    who = ", ".join(called(mapping, int(x), truth) for x in merged[:3])
    more = f" and {len(merged) - 3:,} more" if len(merged) > 3 else ""
    return Explanation(
        message=f"two taxa of one name were joined in {plural(len(merged), 'node')}: {who}{more}",
        explains=explains,
        parameters={"nodes": len(merged), "first": who},
        free=len(merged),
        why_not="no row says which of the two taxa it means; join by identifier",
    )
