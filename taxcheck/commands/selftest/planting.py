"""Planting corruptions and looking whether each is found, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.cases import Corrupted, Corruption, Verdict, load_cases
from taxcheck.commands.selftest.frame import HEADER, DatasetFrame, closure
from taxcheck.model.errors import InputError
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.check import check
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.values import Identifiers

SEED = 20240907
LARGEST = 3_000  # nodes of the clade of a user's own data
OWN = frozenset({"tree", "tree without depths", "labels"})


class State(StrEnum):
    """What became of one corruption."""

    FOUND = "found"
    MISSED = "MISSED"
    NOT_PLANTED = "not planted"  # this data has no place for it


@dataclass(frozen=True, slots=True)
class Planted:
    """One corruption: which rules it is about, and what of that was found."""

    name: str
    base: str
    rules: tuple[str, ...]  # none: it is no defect, and nothing may be found
    state: State
    note: str = ""  # what differed, or why it could not be planted


def verdicts(report: Report) -> dict[str, Verdict]:
    """Outcome and count of every rule."""
    return {r.id: (r.outcome.value, r.count) for r in report.results}


def plant(
    base: Callable[[str], DatasetFrame],
    own: frozenset[str] = frozenset(),
    workers: int = 2,
    corruptions: Sequence[Corruption] | None = None,
) -> Iterator[Planted]:
    """Every corruption, one after the other, on fresh copies of its base.

    The verdict of every rule has to be the expected one, with its count. On a user's ``own`` data,
    whose taxids and shape nobody chose, it is the outcome of the rules that a corruption is about
    that counts; and what finds no place there is not planted.
    """
    if corruptions is None:
        corruptions = tuple(load_cases().corruptions.values())
    with (
        tempfile.TemporaryDirectory(prefix="taxcheck-selftest-") as folder,
        ThreadPoolExecutor(workers) as pool,
    ):
        names = dict.fromkeys(corruption.base for corruption in corruptions)
        judged = pool.map(lambda name: _judged(base(name), Path(folder) / f"sound {name}"), names)
        sound = dict(zip(names, judged, strict=True))

        def planted(corruption: Corruption) -> Planted:
            name = corruption.base
            place = Path(folder) / corruption.name
            return _plant(corruption, base(name), sound[name], place, name in own)

        yield from pool.map(planted, corruptions)


def _judged(frame: DatasetFrame, folder: Path) -> dict[str, Verdict]:
    return verdicts(check(frame.write(folder)))


def _plant(
    corruption: Corruption,
    frame: DatasetFrame,
    sound: Mapping[str, Verdict],
    folder: Path,
    own: bool,
) -> Planted:
    planted = Planted(corruption.name, corruption.base, corruption.rules, State.FOUND)
    try:
        corrupted = corruption.corrupt(frame, np.random.default_rng(SEED))
        request = corrupted.frame.write(folder)
    except Exception as error:  # a corruption asks for nodes of some depth, for a genus, ...
        if not own:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        return replace(planted, state=State.NOT_PLANTED, note=reason)
    report = check(request)
    found = verdicts(report)
    wanted = _outcomes(corrupted, corruption, sound) if own else _exact(corrupted, sound)
    different = [
        f"{id} {_said(found.get(id))} instead of {_said(want)}"
        for id, want in wanted.items()
        if not _same(found.get(id), want)
    ]
    if not own:
        different += _misled(corrupted, report)
    if different:
        return replace(planted, state=State.MISSED, note="; ".join(different))
    return planted


def _misled(corrupted: Corrupted, report: Report) -> list[str]:
    """What differs in the causes that are named, and in what they explain."""
    named = {c.name: {e.rule: (e.count, e.of) for e in c.explains} for c in report.causes}
    wanted = {name: dict(explains) for name, explains in corrupted.causes.items()}
    if [*named] != [*wanted]:
        said = (", ".join(names) or "none" for names in (named, wanted))
        return ["causes {} instead of {}".format(*said)]
    return [
        f"{name} explains {named[name]} instead of {explains}"
        for name, explains in wanted.items()
        if named[name] != explains
    ]


def _exact(corrupted: Corrupted, sound: Mapping[str, Verdict]) -> dict[str, Verdict]:
    free = _descriptive() - corrupted.expected.keys()
    table = {**sound, **corrupted.expected}
    return {id: (outcome, None if id in free else count) for id, (outcome, count) in table.items()}


def _outcomes(
    corrupted: Corrupted, corruption: Corruption, sound: Mapping[str, Verdict]
) -> dict[str, Verdict]:
    if corruption.rules:
        wanted = {id: corrupted.expected.get(id, sound[id])[0] for id in corruption.rules}
    else:
        wanted = {id: outcome for id, (outcome, _) in sound.items() if id not in _descriptive()}
        wanted |= {id: outcome for id, (outcome, _) in corrupted.expected.items()}
    return {id: (outcome, None) for id, outcome in wanted.items()}


def _descriptive() -> set[str]:
    """What only describes moves by a few with every row that comes or goes, and judges nothing."""
    return {rule.id for rule in load_rules() if rule.descriptive}


def _same(found: Verdict | None, want: Verdict) -> bool:
    return found is not None and found[0] == want[0] and (want[1] is None or found[1] == want[1])


def _said(verdict: Any) -> str:
    if verdict is None:
        return "is not there"
    return verdict[0] if verdict[1] is None else f"{verdict[0]} {verdict[1]:,}"


def own_clade(request: Request) -> DatasetFrame:
    """The largest clade of at most 3,000 nodes, numbered anew, with the closure of its edges.

    Raises InputError where the gate fails the data, or it is no tree: a corruption on top of
    another proves nothing.
    """
    with gather(request) as data:
        report = judge(data)
        if report.verdict in (Outcome.FAIL, Outcome.ERROR):
            raise InputError(f"the data itself is not sound ({report.headline}); mend it first")
        tree = report.statistics.tree
        if data.graph is None or data.mapping is None or tree is None:
            raise InputError("give `mapping` and `pairs`: a clade is taken from them")
        if tree.kind != "tree":
            raise InputError(f"the data is a {tree.kind}; corruptions are planted into trees")
        nodes, parents = _clade(data.graph)
        identifiers = _identifiers(data.mapping.identifiers, nodes)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": identifiers, "idx": range(len(nodes))}),
        pairs=pd.DataFrame(closure(parents), columns=list(HEADER)),
    )


def bases_of(tree: DatasetFrame, name: str) -> DatasetFrame:
    """The user's clade where a base is a tree, and the generated data elsewhere."""
    return tree.variant(name) if name in OWN else load_cases().bases[name]()


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
