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

from taxcheck.pipeline import check
from taxcheck.report import Report
from taxcheck.selftest.corruptions import CORRUPTIONS, Corrupted, Corruption, Verdict
from taxcheck.selftest.corruptions.frame import DatasetFrame

SEED = 20240907
# What only describes moves by a few with every row that comes or goes, and judges nothing.
DESCRIPTIVE = frozenset({"PAIR009", "PAIR011"})


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
    return {
        r.rule.id: (r.outcome.value, r.finding.count if r.finding else None) for r in report.results
    }


def plant(
    base: Callable[[str], DatasetFrame],
    own: frozenset[str] = frozenset(),
    workers: int = 2,
    corruptions: Sequence[Corruption] = tuple(CORRUPTIONS.values()),
) -> Iterator[Planted]:
    """Every corruption, one after the other, on fresh copies of its base.

    The verdict of every rule has to be the expected one, with its count. On a user's ``own`` data,
    whose taxids and shape nobody chose, it is the outcome of the rules that a corruption is about
    that counts; and what finds no place there is not planted.
    """
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
    found = verdicts(check(request))
    wanted = _outcomes(corrupted, corruption, sound) if own else _exact(corrupted, sound)
    different = [
        f"{id} {_said(found.get(id))} instead of {_said(want)}"
        for id, want in wanted.items()
        if not _same(found.get(id), want)
    ]
    if different:
        return replace(planted, state=State.MISSED, note="; ".join(different))
    return planted


def _exact(corrupted: Corrupted, sound: Mapping[str, Verdict]) -> dict[str, Verdict]:
    free = DESCRIPTIVE - corrupted.expected.keys()
    table = {**sound, **corrupted.expected}
    return {id: (outcome, None if id in free else count) for id, (outcome, count) in table.items()}


def _outcomes(
    corrupted: Corrupted, corruption: Corruption, sound: Mapping[str, Verdict]
) -> dict[str, Verdict]:
    if corruption.rules:
        wanted = {id: corrupted.expected.get(id, sound[id])[0] for id in corruption.rules}
    else:
        wanted = {id: outcome for id, (outcome, _) in sound.items() if id not in DESCRIPTIVE}
        wanted |= {id: outcome for id, (outcome, _) in corrupted.expected.items()}
    return {id: (outcome, None) for id, outcome in wanted.items()}


def _same(found: Verdict | None, want: Verdict) -> bool:
    return found is not None and found[0] == want[0] and (want[1] is None or found[1] == want[1])


def _said(verdict: Any) -> str:
    if verdict is None:
        return "is not there"
    return verdict[0] if verdict[1] is None else f"{verdict[0]} {verdict[1]:,}"
