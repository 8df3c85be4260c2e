"""`taxcheck run` of several tables of one run: each judged, in an order that they themselves tell.

The data is read once, and one table is open at a time. The report is that of the last table, which
the run ended with; its ``series`` has an entry for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3
from msgspec import structs

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.finding import Outcome, Sample, Scalar
from taxcheck.model.paths import is_folder
from taxcheck.model.report import Report
from taxcheck.model.series import Found, Order, Series, TableAt
from taxcheck.run.gather import gather
from taxcheck.run.judge import judge
from taxcheck.run.request import Progress, Request
from taxcheck.sources.checkpoints.checkpoint import Checkpoint, Facts
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.checkpoints.sharded import file_in

_SUFFIXES = {".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".npy", ".npz", ".h5", ".hdf5", ".pkl"}
_STEPS = ("step", "global_step", "iteration", "steps", "iter")
_CHUNK = 1 << 17  # rows
_NAMED = 3  # tables that a refusal names


@dataclass(frozen=True, slots=True)
class _Table:
    """What a file tells of its table before it is judged."""

    path: str
    shape: tuple[int, int]
    names: str  # digest of what its rows are called, in any order; empty where nothing says
    digest: str  # of its numbers
    epoch: int | None
    step: int | None

    @property
    def name(self) -> str:
        return Path(self.path).name


def as_series(request: Request) -> Request:
    """The same, whose table is a series where it is a folder of tables and no checkpoint itself."""
    folder = request.embeddings
    if request.series or folder is None or not is_folder(folder):
        return request
    try:
        file_in(folder)
    except InputError:
        if any(file.suffix.lower() in _SUFFIXES for file in Path(folder).iterdir()):
            return replace(request, series=(folder,))
    return request


def judge_series(request: Request, progress: Progress | None = None) -> Report:
    """Judge every table of ``request.series``, files or folders of them; the last one's report.

    UsageError, in one line, where they are not of one run or nothing tells their order.
    """
    found, left_out, unread = _opened(request)
    found, twice = _once(found)
    order, placed = _ordered(found)
    last, entries = placed[-1][1], []
    request = replace(request, embeddings=last.path)
    with gather(request, progress) as data:
        for number, table in placed:
            drawn = request.drawn and table is last
            report = judge(data.with_next(table.path, drawn))
            entries.append(_entry(report, table.path, number))
    series = Series(
        order=order,
        tables=tuple(entries),
        left_out=(*left_out, *twice),
        unread=tuple(unread),
    )
    return structs.replace(report, series=series)


def _opened(request: Request) -> tuple[list[_Table], list[str], list[str]]:
    """The tables, what is none of them, and what cannot be read."""
    found, left_out, unread = list[_Table](), list[str](), list[str]()
    for path, listed in _files(request.series):
        try:
            found.append(_looked_at(path, request))
        except InputError as error:
            if listed and Path(path).suffix.lower() not in _SUFFIXES:
                left_out.append(f"{Path(path).name} (no table)")
            else:
                unread.append(str(error))
    if not found:
        raise InputError(unread[0] if unread else f"{request.series[0]}: holds no table")
    if any(table.epoch is not None for table in found):
        for table in [one for one in found if one.epoch is None and _in_folder(one, request)]:
            found.remove(table)
            left_out.append(f"{table.name} (records no epoch, as the others do)")
    _refuse_others(found)
    return found, left_out, unread


def _files(given: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Every file that was given or is in a folder that was, and whether it is from a folder."""
    for path in given:
        if not is_folder(path):
            yield path, False
            continue
        for file in sorted(Path(path).iterdir()):
            if file.is_file() and not file.name.startswith("."):
                yield str(file), True


def _in_folder(table: _Table, request: Request) -> bool:
    return table.path not in request.series


def _looked_at(path: str, request: Request) -> _Table:
    table = open_checkpoint(
        path,
        key=request.key,
        geometry=request.geometry,
        curvature=request.curvature,
        labels=request.labels,
    )
    hasher = blake3()
    for start in range(0, table.rows, _CHUNK):
        part = np.ascontiguousarray(table.vectors[start : start + _CHUNK])
        hasher.update(part.view(np.uint8).data)
    facts = table.facts
    return _Table(
        path, (table.rows, table.dim), _names(table), hasher.hexdigest(), facts.epoch, _step(facts)
    )


def _names(table: Checkpoint) -> str:
    labels = table.labels
    if labels is None:
        return ""
    ordered = pc.take(labels, pc.sort_indices(labels)).cast(pa.string())
    return blake3("\n".join(map(str, ordered.to_pylist())).encode()).hexdigest()


def _step(facts: Facts) -> int | None:
    said: dict[str, Scalar] = {
        path.lower().rsplit(".", 1)[-1]: value for path, value in facts.recorded.items()
    }
    for name in _STEPS:
        value = said.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _refuse_others(found: list[_Table]) -> None:
    """UsageError for tables of other rows than the first one's: those are of no one run."""
    first = found[0]
    for table in found[1:]:
        if table.shape != first.shape:
            (rows, dim), (own, width) = first.shape, table.shape
            why = f"has {own:,} rows of dimension {width}, {first.path} {rows:,} of {dim}"
        elif table.names and first.names and table.names != first.names:
            why = f"names other rows than {first.path}"
        else:
            continue
        raise UsageError(f"{table.path}: {why}; tables of one run are alike: judge it by itself")


def _once(found: list[_Table]) -> tuple[list[_Table], list[str]]:
    """Each table once: a copy of another one, such as the last or the best, is left out."""
    kept: dict[tuple[str, int | None, int | None], _Table] = {}
    twice = []
    for table in sorted(found, key=lambda one: (not re.search(r"\d", one.name), one.path)):
        first = kept.setdefault((table.digest, table.epoch, table.step), table)
        if first is not table:
            twice.append(f"{table.name} (the same table as {first.name})")
    return list(kept.values()), twice


def _ordered(found: list[_Table]) -> tuple[Order, list[tuple[int, _Table]]]:
    """What tells the order of the tables, and they in it, each with its number."""
    if len(found) == 1:
        (one,) = found
        return (Order.STEP if one.epoch is None else Order.EPOCH), [
            (one.epoch or one.step or 0, one)
        ]
    told: tuple[tuple[Order, Sequence[int | None]], ...] = (
        (Order.EPOCH, [table.epoch for table in found]),
        (Order.STEP, [table.step for table in found]),
        (Order.NAME, _in_names(found)),
    )
    for order, numbers in told:
        known = [number for number in numbers if number is not None]
        if len(known) == len(found) == len(set(known)):
            return order, sorted(zip(known, found, strict=True), key=lambda one: one[0])
    epochs = [table.epoch for table in found]
    alike = [one.name for one in found if one.epoch is not None and epochs.count(one.epoch) > 1]
    names = ", ".join((alike or [one.name for one in found])[:_NAMED])
    why = "record one epoch" if alike else "do not all record an epoch or a step"
    raise UsageError(
        f"`embeddings` {names}: {why}, and their names do not differ by one number alone, so "
        "nothing tells their order; leave some out, or name them by it, such as epoch-1.pt and "
        "epoch-2.pt"
    )


def _in_names(found: list[_Table]) -> list[int | None]:
    """The number by which the names of the tables differ, where nothing else in them does."""
    nothing: list[int | None] = [None] * len(found)
    if len({re.sub(r"\d+", "#", table.name) for table in found}) > 1:
        return nothing
    numbers = np.array([[int(one) for one in re.findall(r"\d+", t.name)] for t in found], object)
    if numbers.size == 0:
        return nothing
    differ = [column for column in numbers.T if len(set(column)) > 1]
    return list(differ[0]) if len(differ) == 1 else nothing


def _entry(report: Report, path: str, at: int) -> TableAt:
    """One table of the series, out of its own report."""
    table = report.statistics.embeddings
    assert table is not None
    quality, untrained = table.quality, table.never_trained
    ranked = None if quality is None else quality.map
    mean_rank = None if quality is None else quality.mean_rank
    told = (Outcome.FAIL, Outcome.WARN)
    return TableAt(
        path=path,
        fingerprint=next(one.fingerprint for one in report.inputs if one.role == "checkpoint"),
        at=at,
        verdict=report.verdict,
        headline=report.headline,
        map=None if ranked is None else ranked.value,
        map_ci=None if ranked is None else ranked.ci,
        mean_rank=None if mean_rank is None else mean_rank.value,
        saturated=table.norms.share_at_clip,
        failing=table.non_finite + table.outside + (0 if untrained is None else untrained.total),
        findings=tuple(
            Found(one.id, one.name, one.outcome, one.count or 0, _first(one.samples))
            for one in report.by_outcome
            if one.outcome in told
        ),
    )


def _first(samples: Iterable[Sample]) -> str:
    """What the first of the samples is called: its name, identifier or idx; empty where none is."""
    for one in samples:
        if one.node is not None:
            who = one.name or one.taxid
            return f"idx {one.node}" if who is None else f"{who} (idx {one.node})"
        if (row := one.values.get("table_row")) is not None:
            return f"row {row}"
    return ""
