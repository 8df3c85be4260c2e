"""`taxcheck why`: one node, everything that is known of it, and the findings that touch it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.audit.alignment import Aligned
from taxcheck.audit.examination import Examined
from taxcheck.audit.node_place import node_place
from taxcheck.model.arrays import IntArray, distinct
from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Outcome, Sample, known
from taxcheck.model.places import Places
from taxcheck.model.report import Report
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import percent, plural
from taxcheck.run.gather import gather
from taxcheck.run.intake import Intake
from taxcheck.run.judge import examine, judge
from taxcheck.run.request import Progress, Request
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.cells import identifiers, whole_numbers
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.mapping import INVALID
from taxcheck.statistics.offenders import Offenders
from taxcheck.statistics.symptoms import rule_of
from taxcheck.statistics.values import MappingStatistics

_NEIGHBOURS = 10
_PLACES = 10  # rows of the mapping that are listed


@dataclass(frozen=True, slots=True)
class _Place:
    """A row of the mapping in which the identifier stands."""

    at: Sample  # the row
    idx: int | None  # that it has by this row; None: the row was not taken
    said: str


def explain_node(request: Request, node: str, progress: Progress | None = None) -> Iterator[str]:
    """Lines about a node, named by its identifier; its findings are those of ``check``.

    An identifier with several idx is told with each. Raises UsageError where the mapping lacks the
    identifier, or an input is not given.
    """
    if request.mapping is None or request.pairs is None or request.embeddings is None:
        raise UsageError(
            "a node is told by its table and its data: give `mapping`, `pairs` and `embeddings`"
        )
    offenders, rows = _Offenders(node), _Rows(node)
    with gather(request, progress, offenders, watch=rows) as data:
        mapping, intake, graph = data.mapping, data.intake, data.graph
        assert mapping is not None
        assert intake is not None
        assert graph is not None
        places = list(rows.places(node, mapping, offenders, data.places))
        if not places:
            raise UsageError(f"{node}: the mapping has no such identifier")
        nodes = list(dict.fromkeys(place.idx for place in places if place.idx is not None))
        examined = examine(data)
        assert examined is not None
        aligned = examined.table
        yield from _who(node, places, data.naming_taxa)
        for idx in nodes:
            if len(nodes) > 1:
                yield f"as idx {idx}"
            yield _hierarchy(idx, mapping, graph)
            yield from _pairs(idx, intake)
            yield from _row(idx, aligned, graph, mapping, data.taxonomy)
            yield from _place(idx, examined, graph, _Names(mapping, data.naming_taxa))
        if examined.evidence.geometry.guess:
            yield f"guessed     {examined.evidence.geometry.guess}"
        updates = aligned.spread(aligned.checkpoint.facts.update_counts, 0)
        report = judge(data, examined=examined)
    for idx in nodes:
        said = _training(offenders, idx, None if updates is None else int(updates[idx]))
        yield f"training    {f'as idx {idx}: ' if len(nodes) > 1 else ''}{said}"
    yield from _findings(report, offenders, places)


class _Offenders:
    """A sink that knows whom each rule's offenders touch, and why a node was never trained."""

    def __init__(self, identifier: str) -> None:
        self._identifier = identifier
        self._named: set[str] = set()  # rules with an offender that shows the identifier
        self._nodes: dict[str, list[IntArray]] = {}
        self._untrained: list[Offenders] = []
        self._refused: list[tuple[IntArray, str]] = []  # rows of the mapping, and why

    def __call__(self, offenders: Offenders) -> None:
        """Keep the nodes of these, each once."""
        nodes = distinct(np.concatenate(offenders.nodes))
        if offenders.defect != INVALID:  # by a row that was not taken nobody has its idx
            self._nodes.setdefault(rule_of(offenders.defect), []).append(nodes)
        elif offenders.rows is not None:
            self._refused.append((offenders.rows, offenders.reason or "it breaks the schema"))
        if offenders.defect == "never_trained":
            self._untrained.append(offenders)
        for name, column in offenders.columns.items():
            if name.endswith("taxid"):
                cells = pa.array(column).cast(pa.string())
                if pc.any(pc.equal(pc.utf8_trim_whitespace(cells), self._identifier)).as_py():
                    self._named.add(offenders.defect)

    def touch(self, rule: str, nodes: list[int]) -> bool:
        """Whether one of the rule's offenders touches one of the nodes, or shows the identifier."""
        return rule in self._named or any(
            bool(np.isin(nodes, touched).any()) for touched in self._nodes.get(rule, ())
        )

    def why_refused(self, row: int) -> str | None:
        """Why a row of the mapping was not taken; None where it was."""
        return next((reason for rows, reason in self._refused if (rows == row).any()), None)

    def reasons(self, idx: int) -> Iterator[str]:
        """Why the node was never trained; nothing where it was."""
        for some in self._untrained:
            for at in np.flatnonzero(some.touching(idx)):
                evidence, explanation = (some.columns[k][at] for k in ("evidence", "explanation"))
                yield f"{evidence}; explained by: {explanation}"


class _Rows:
    """Watches the mapping as it is read: every row in which the identifier may stand."""

    def __init__(self, node: str) -> None:
        self._said = pa.array({node, node.lstrip("0") or "0"} if node.isdecimal() else {node})
        self._found: list[tuple[int, str, int]] = []  # row, identifier, idx

    def __call__(self, raw: RawBatch) -> None:
        names = identifiers(raw.columns["taxid"])[0].cast(pa.string())
        at = np.flatnonzero(pc.is_in(names, value_set=self._said))
        values = whole_numbers(raw.columns["idx"].take(pa.array(at))).values
        said = names.take(pa.array(at)).to_pylist()
        self._found += zip((at + raw.first_row).tolist(), said, values.tolist(), strict=True)

    def places(
        self, node: str, mapping: MappingStatistics, offenders: _Offenders, stand: Places
    ) -> Iterator[_Place]:
        """Every row in which the identifier stands."""
        whole = mapping.identifiers.integers is not None and node.isdecimal()
        wanted = node.lstrip("0") or "0" if whole else node
        for row, name, idx in sorted(self._found):
            refused = offenders.why_refused(row)
            if name != wanted:
                continue
            if refused is None and idx >= mapping.n_nodes:
                refused = f"idx {idx} is too far beyond the number of rows"
            at = stand.sample(Sample({}, row=row, table="mapping"))
            said = f"{stand.said('mapping', row, 'd')} of the mapping"
            if refused is None:
                yield _Place(at, idx, f"idx {idx}, {said}")
            else:
                yield _Place(at, None, f"{said}, which was not taken: {refused}")


def _who(node: str, places: list[_Place], taxonomy: Taxonomy | NameTable | None) -> Iterator[str]:
    identifier = int(node) if node.isdecimal() else node
    named = taxonomy.name_of(identifier) if taxonomy else None
    where = "; ".join(place.said for place in places[:_PLACES])
    more = f"; and {len(places) - _PLACES:,} rows more" if len(places) > _PLACES else ""
    yield f"{node}{f' {named}' if named else ''}: {where}{more}"
    if taxonomy is not None and (node.isdecimal() or isinstance(taxonomy, NameTable)):
        told = "has its name and no rank" if named else "unknown to it"
        rank, lineage = taxonomy.rank_of(identifier), taxonomy.lineage(identifier)
        yield f"taxonomy    {rank or told}{f', {lineage}' if lineage else ''}"


def _hierarchy(idx: int, mapping: MappingStatistics, graph: Graph) -> str:
    depth = int(graph.depths[idx])
    above = graph.parents_of.expand(np.array([idx]))[1]
    below = graph.children_of.expand(np.array([idx]))[1]
    return (
        f"hierarchy   depth {depth if depth >= 0 else 'unknown'}, "
        f"{_listed(above, mapping, 'parent')}, {len(below):,} children"
    )


def _listed(nodes: IntArray, mapping: MappingStatistics, word: str) -> str:
    if not len(nodes):
        return f"no {word}"
    names = ", ".join(str(mapping.identifiers.of(int(n))) for n in nodes[:5])
    return f"{word}{'s' if len(nodes) > 1 else ''} {names}"


def _pairs(idx: int, intake: Intake) -> Iterator[str]:
    table = intake.training
    state = table.state
    up, down = int(state.as_descendant[idx]), int(state.as_ancestor[idx])
    yield f"pairs       {up:,} as descendant, {down:,} as ancestor"
    depths: dict[int, int] = {}
    for batch in table.spool.batches():
        if batch.depth_diff is not None:
            mine = (batch.descendant == idx) | (batch.ancestor == idx)
            for depth, count in zip(
                *np.unique(batch.depth_diff[mine], return_counts=True), strict=True
            ):
                depths[int(depth)] = depths.get(int(depth), 0) + int(count)
    if depths:
        text = ", ".join(f"{depth}: {count:,}" for depth, count in sorted(depths.items()))
        yield f"by depth    {text}"


def _row(
    idx: int, table: Aligned, graph: Graph, mapping: MappingStatistics, taxonomy: Taxonomy | None
) -> Iterator[str]:
    if not table.has_row[idx]:
        yield f"row         none: the table has {table.checkpoint.rows:,} rows"
        return
    space = table.space()
    radius = float(space.radii[idx])
    if not np.isfinite(radius):
        yield "radius      none: the row is no point of the space"
        return
    peers = space.radii[: graph.n][graph.depths == graph.depths[idx]]
    below = float((peers[np.isfinite(peers)] <= radius).mean())
    yield f"radius      {radius:.3f}, beyond {below * 100:.0f} % of the nodes of its depth"
    distance = space.from_row(idx)
    distance[idx] = np.nan
    near = np.argsort(distance)[: min(_NEIGHBOURS, int(np.isfinite(distance).sum()))]  # NaN last
    yield "nearest"
    ancestors = set(graph.parents_of.expand(np.array([idx]))[1].tolist())
    for other in near:
        label = mapping.identifiers.of(int(other)) if other < mapping.n_nodes else None
        named = taxonomy.name_of(label) if taxonomy and isinstance(label, int) else None
        kin = "  its parent" if int(other) in ancestors else ""
        yield (
            f"  {distance[other]:7.3f}  {label if label is not None else f'idx {other}'}"
            + (f"  {named}" if named else "")
            + kin
        )


@dataclass(frozen=True, slots=True)
class _Names:
    """What nodes are called: their identifiers, each with its name where one is known."""

    mapping: MappingStatistics
    taxonomy: Taxonomy | NameTable | None

    def __call__(self, nodes: IntArray) -> str:
        def one(idx: int) -> str:
            found = self.mapping.identifiers.of(idx)
            name = self.taxonomy.name_of(found) if self.taxonomy and found is not None else None
            return f"{f'idx {idx}' if found is None else found}{f' {name}' if name else ''}"

        told = [one(int(node)) for node in nodes[:_NEIGHBOURS]]
        more = len(nodes) - len(told)
        return ", ".join(told) + (f", and {more:,} more" if more else "")


def _place(idx: int, examined: Examined, graph: Graph, names: _Names) -> Iterator[str]:
    """Who stands before the node's parent, and whether that is usual in its clade."""
    placement, space = known(examined.evidence.placement), examined.space
    if placement is None or space is None:
        return
    found = node_place(idx, placement, space, graph, examined.clades)
    if found is None:
        yield "place       not told: no parent with strangers as deep beside it"
        return
    yield (
        f"place       {round(found.before):,} of {placement.pool} strangers as deep stand before "
        f"its parent {names(np.array([found.parent]))}"
        + ("" if found.strangers == placement.pool else f" (of {found.strangers:,} compared)")
    )
    if len(found.who):
        yield f"before it   {names(found.who)}"
    if not np.isnan(found.beyond):
        median, tail = (round(value) for value in found.usual)
        yield (
            f"usual       among {plural(found.compared, 'node')} of {found.among} half have "
            f"{median:,} at most, 95 % {tail:,}: {percent(found.beyond)} have fewer than this one"
        )
    if not found.asked:
        yield "judged      no: it is not in the sample of nodes that are"
    elif not np.isnan(found.by_chance):
        verdict = "as good as random" if found.misplaced else "in its place"
        yield (
            f"judged      {verdict}: a random row has relatives as near with a probability of "
            f"{found.by_chance:.3g}"
        )


def _training(offenders: _Offenders, idx: int, updates: int | None) -> str:
    reason = next(offenders.reasons(idx), None)
    if reason:
        return f"never trained: {reason}"
    return f"{updates:,} updates" if updates is not None else "nothing says that it was not trained"


def _findings(report: Report, offenders: _Offenders, places: list[_Place]) -> Iterator[str]:
    """The failures and warnings that the node, or a row with it, is part of."""
    nodes = [place.idx for place in places if place.idx is not None]
    rows = {(place.at.file, place.at.row) for place in places}

    def about(result: RuleResult) -> bool:
        shown = any(
            sample.node in nodes
            or (sample.table == "mapping" and (sample.file, sample.row) in rows)
            for sample in result.samples
        )
        return shown or offenders.touch(result.name, nodes)

    found = [
        result
        for result in report.by_outcome
        if result.outcome in (Outcome.FAIL, Outcome.WARN) and about(result)
    ]
    yield "findings" if found else "findings    none that this node is part of"
    for result in found:
        yield f"  {result.id} {result.name}: {result.message}"
