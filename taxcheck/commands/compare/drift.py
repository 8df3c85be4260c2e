"""One taxonomy at two times: nodes that came, went, moved or were renamed, pairs that changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from taxcheck.commands.compare.comparison import Drift, Listed
from taxcheck.model.arrays import IntArray, distinct, within
from taxcheck.model.errors import InputError
from taxcheck.model.paths import called, is_there
from taxcheck.model.report import InputSummary, Report
from taxcheck.run.gather import gather
from taxcheck.run.request import Request
from taxcheck.sources.taxonomies.taxonomy import Taxonomy

_FIRST = 20
_TABLES = ("mapping", "pairs")
_SUFFIXES = (".parquet", ".feather", ".tsv", ".csv", ".pkl", ".pickle")

Labels = npt.NDArray[np.generic]  # identifiers: int64, or object of str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A mapping with its pairs: nodes by position, (n,), edges and pairs between positions."""

    labels: Labels
    idx: IntArray  # (n,) of each node
    edges: IntArray  # (edges, 2), child and parent
    pairs: npt.NDArray[np.int32]  # (pairs, 2), descendant and ancestor
    taxonomy: Taxonomy | None


def read_side(
    told_by: str,
    report: Report,
    folder: Path | None,
    mapping_columns: str | None = None,
    pair_columns: str | None = None,
) -> tuple[Snapshot, tuple[str, ...]]:
    """The data of the report in a file, and what is to be said of it.

    It lies in the files that the report names, or in a ``folder``. The columns are told as in a
    Request.

    Raises InputError where a file is not there, or is not a table of this kind.
    """
    named = {source.role: source for source in report.inputs}
    notes: tuple[str, ...] = ()
    if folder is not None:
        paths = {role: _in_folder(folder, role) for role in _TABLES}
        dump = folder / "taxdump"
        taxonomy = str(dump) if dump.is_dir() else None
    else:
        paths = {role: named[role].path if role in named else None for role in _TABLES}
        taxonomy = named["taxonomy"].path if "taxonomy" in named else None
        if taxonomy is not None and not is_there(taxonomy):
            notes += (f"{taxonomy} is not there any more: nodes have no names.",)
            taxonomy = None
        notes += _changed(told_by, named)
    if paths["pairs"] is None:
        raise InputError(f"{folder or told_by}: names no pairs; give a folder with the data")
    request = Request(
        mapping=paths["mapping"],
        pairs=paths["pairs"],
        taxonomy=taxonomy,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        drawn=False,
    )
    return snapshot(request), notes


def _in_folder(folder: Path, role: str) -> str | None:
    """``pairs.parquet`` and the like; compressed text has one suffix more."""
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder")
    found = sorted(
        path
        for path in folder.glob(f"{role}.*")
        if any(suffix in _SUFFIXES for suffix in path.suffixes)
    )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise InputError(f"{folder}: which of {names} are the {role}?")
    return str(found[0]) if found else None


def _changed(told_by: str, named: dict[str, InputSummary]) -> tuple[str, ...]:
    """The files whose size is not the one that the report tells."""
    changed = []
    for role in _TABLES:
        if role in named:
            path = Path(named[role].path)
            if path.is_file() and path.stat().st_size != named[role].bytes:
                changed.append(f"{path} has changed since {told_by} was written.")
    return tuple(changed)


def snapshot(request: Request) -> Snapshot:
    """Read one side; InputError where there are no pairs to tell parents from."""
    with gather(request) as data:
        if data.mapping is None or data.intake is None or data.graph is None:
            side = called(request.mapping or "")
            raise InputError(f"{side}: without pairs, nothing tells who moved")
        idx = np.flatnonzero(data.mapping.mapped)
        position = np.full(max(data.graph.n, len(data.mapping.mapped)), -1, dtype=np.int64)
        position[idx] = np.arange(len(idx))
        batches = [
            np.stack([position[batch.descendant], position[batch.ancestor]], axis=1).astype(
                np.int32
            )
            for batch in data.intake.training.spool.batches()
        ]
        edges = np.stack([position[data.graph.children], position[data.graph.parents]], axis=1)
        pairs = np.concatenate(batches) if batches else np.empty((0, 2), np.int32)
        return Snapshot(
            data.mapping.identifiers.column(idx).to_numpy(zero_copy_only=False),
            idx,
            edges[(edges >= 0).all(axis=1)],
            pairs[(pairs >= 0).all(axis=1)],
            data.taxonomy,
        )


def drift(before: Snapshot, after: Snapshot, notes: tuple[str, ...] = ()) -> Drift:
    """What changed; nodes are the same where their identifier is."""
    old, new = _comparable(before.labels, after.labels)
    codes, everyone = pd.factorize(np.concatenate([old, new]))
    code_old, code_new = codes[: len(old)], codes[len(old) :]
    n = len(everyone)
    idx_old, idx_new = (np.full(n, -1, dtype=np.int64) for _ in range(2))
    idx_old[code_old], idx_new[code_new] = before.idx, after.idx
    both = (idx_old >= 0) & (idx_new >= 0)
    edges_old, edges_new = _keys(before.edges, code_old, n), _keys(after.edges, code_new, n)
    changed = np.setxor1d(edges_old, edges_new, assume_unique=True)
    moved = distinct(changed // n)
    moved = moved[both[moved]]
    was_root, is_root = (~within(keys // n, moved) for keys in (edges_old, edges_new))
    pairs_old, pairs_new = _keys(before.pairs, code_old, n), _keys(after.pairs, code_new, n)
    shared = len(np.intersect1d(pairs_old, pairs_new, assume_unique=True))
    name_old, name_new = (_names(side.taxonomy, everyone) for side in (before, after))

    def called(code: int) -> str:
        found = name_old if name_new is None or not name_new[code] else name_new
        return "" if found is None else str(found[code] or "")

    def parents(keys: IntArray, code: int) -> str:
        low, high = np.searchsorted(keys, [code * n, (code + 1) * n])
        found = [int(key % n) for key in keys[low : min(high, low + 3)]]
        said = ", ".join(f"{everyone[c]} {called(c)}".strip() for c in found)
        return (said or "none") + (f" and {high - low - 3} more" if high - low > 3 else "")

    def listed(found: IntArray, said: Callable[[int], str] = lambda _: "") -> Listed:
        first = [int(code) for code in found[:_FIRST]]
        return Listed(len(found), tuple((str(everyone[c]), called(c), said(c)) for c in first))

    renamed = None
    if name_old is not None and name_new is not None:
        was = name_old
        named = both & (name_old != None) & (name_new != None)  # noqa: E711 - elementwise
        renamed = listed(np.flatnonzero(named & (name_old != name_new)), lambda c: f"was {was[c]}")
    return Drift(
        nodes=(len(old), len(new)),
        pairs=(len(pairs_old), len(pairs_new)),
        added=listed(np.flatnonzero((idx_old < 0) & (idx_new >= 0))),
        removed=listed(np.flatnonzero((idx_old >= 0) & (idx_new < 0))),
        moved=listed(
            moved[~was_root & ~is_root],
            lambda c: f"{parents(edges_old, c)} → {parents(edges_new, c)}",
        ),
        attached=listed(moved[was_root], lambda c: f"to {parents(edges_new, c)}"),
        detached=listed(moved[is_root], lambda c: f"from {parents(edges_old, c)}"),
        renamed=renamed,
        renumbered=int((idx_old[both] != idx_new[both]).sum()),
        pairs_added=len(pairs_new) - shared,
        pairs_removed=len(pairs_old) - shared,
        notes=notes,
    )


def _comparable(old: Labels, new: Labels) -> tuple[Labels, Labels]:
    if old.dtype.kind == "i" and new.dtype.kind == "i":
        return old, new
    return old.astype(str).astype(object), new.astype(str).astype(object)


def _keys(ends: npt.NDArray[np.integer], codes: IntArray, n: int) -> IntArray:
    """Distinct (lower, upper) as one ascending number each."""
    return distinct(codes[ends[:, 0]] * n + codes[ends[:, 1]])


def _names(taxonomy: Taxonomy | None, everyone: Labels) -> npt.NDArray[np.object_] | None:
    """The name of every node, None where it has none; None where nobody is named."""
    if taxonomy is None or taxonomy.names is None or everyone.dtype.kind != "i":
        return None
    at = taxonomy.positions(everyone.astype(np.int64))
    found: npt.NDArray[np.object_] = taxonomy.names.take(pa.array(at, mask=at < 0)).to_numpy(
        zero_copy_only=False
    )
    return found
