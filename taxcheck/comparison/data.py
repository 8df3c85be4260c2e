"""Where the data of a report lies now: the files that it names, or a folder that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from taxcheck.comparison.drift import Snapshot, snapshot
from taxcheck.comparison.reading import Recorded
from taxcheck.comparison.shape import Source
from taxcheck.errors import InputError
from taxcheck.request import Request

_TABLES = ("mapping", "pairs")
_SUFFIXES = (".parquet", ".feather", ".tsv", ".csv", ".pkl", ".pickle")


@dataclass(frozen=True, slots=True)
class Columns:
    """How the columns are called where their names do not tell, as in ``taxcheck run``."""

    mapping: str | None = None
    pairs: str | None = None


def read_side(
    report: Recorded, folder: Path | None, columns: Columns
) -> tuple[Snapshot, tuple[str, ...]]:
    """The data of one report, and what is to be said of it.

    Raises InputError where a file is not there, or is not a table of this kind.
    """
    named = {source.role: source for source in report.content.inputs}
    notes: tuple[str, ...] = ()
    if folder is not None:
        paths = {role: _in_folder(folder, role) for role in _TABLES}
        dump = folder / "taxdump"
        taxonomy = str(dump) if dump.is_dir() else None
    else:
        paths = {role: named[role].path if role in named else None for role in _TABLES}
        taxonomy = named["taxonomy"].path if "taxonomy" in named else None
        if taxonomy is not None and not Path(taxonomy).exists():
            notes += (f"{taxonomy} is not there any more: nodes have no names.",)
            taxonomy = None
        notes += _changed(report, named)
    if paths["pairs"] is None:
        raise InputError(f"{folder or report.path}: names no pairs; give a folder with the data")
    request = Request(
        mapping=paths["mapping"],
        pairs=paths["pairs"],
        taxonomy=taxonomy,
        mapping_columns=columns.mapping,
        pair_columns=columns.pairs,
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


def _changed(report: Recorded, named: dict[str, Source]) -> tuple[str, ...]:
    """The files whose size is not the one that the report tells."""
    changed = []
    for role in _TABLES:
        if role in named:
            path = Path(named[role].path)
            if path.is_file() and path.stat().st_size != named[role].bytes:
                changed.append(f"{path} has changed since {report.path} was written.")
    return tuple(changed)
