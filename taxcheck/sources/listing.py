"""Which files a table is made of, and in which order: one, several, a pattern, a folder.

Several stand in the order in which they were stated. What a pattern or a folder holds is sorted,
numbers in names by their value: ``part-2`` is before ``part-10``. By convention names that begin
with ``_`` or ``.`` are not of the table, nor are ``README`` and ``LICENSE``; whatever else cannot
be read is refused, so that no shard is left out silently.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from taxcheck.model.errors import InputError
from taxcheck.model.paths import INSIDE, Paths, called, each, split_part
from taxcheck.sources import hugging_face
from taxcheck.sources.places import Place, place_of

_MAGIC = re.compile(r"[*?\[]")
_PAPERS = ("readme", "license", "licence")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """One file of a table: how it is opened, and where it stands among the others."""

    path: str  # as one would type it
    name: str  # seen from the folder that all of them are in
    keys: tuple[tuple[str, str], ...] = ()  # of Hive's folders, key=value


@dataclass(frozen=True, slots=True)
class Listing:
    """All files of a table, in their order."""

    shown: str  # what people call them
    files: tuple[Listed, ...]
    notes: tuple[str, ...] = ()  # what was left out, and why they stand in this order
    folder: bool = False  # whether a folder or a pattern chose them

    @property
    def single(self) -> bool:
        """Whether this is one plain file, read as it always was."""
        return len(self.files) == 1 and not self.files[0].keys


@dataclass(slots=True)
class _Found:
    files: list[Listed] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def list_files(given: Paths) -> Listing:
    """Every file that is given, in order.

    Raises InputError where there is none, a folder holds several datasets, or one is named twice.
    """
    stated = each(given)
    if not stated:
        raise InputError("an empty list of files; name at least one")
    if len(stated) == 1 and not _several(stated[0]):
        return Listing(stated[0], (Listed(stated[0], posixpath.basename(stated[0])),))
    if len(stated) > 1 and "-" in stated:
        raise InputError("'-', standard input, is one table by itself; give it alone, or files")
    found = [_expand(path) for path in stated]
    files = [one for part in found for one in part.files]
    if len(stated) > 1:
        files = _under_one_folder(files)
    _refuse_twice(files)
    ignored = [name for part in found for name in part.ignored]
    notes = [note for part in found for note in part.notes]
    if ignored:
        notes.append(f"Not part of the table by their names: {listed(ignored)}.")
    return Listing(called(given), tuple(files), tuple(notes), folder=True)


def listed(names: Sequence[str], most: int = _SHOWN) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _several(path: str) -> bool:
    """Whether a path means what lies in a folder, or what matches a pattern."""
    path, _ = split_part(path)
    if path == "-":
        return False
    place = place_of(path)
    if _MAGIC.search(place.path) and not place.exists():
        return True
    return place.is_folder()


def _expand(path: str) -> _Found:
    file, part = split_part(path)
    found = _expanded(file)
    if part:  # the same of every file
        found.files = [
            replace(one, path=f"{one.path}{INSIDE}{part}", name=f"{one.name}{INSIDE}{part}")
            for one in found.files
        ]
    return found


def _expanded(path: str) -> _Found:
    place = place_of(path)
    if _MAGIC.search(place.path) and not place.exists():
        return _matching(place)
    if place.is_folder():
        return _in_folder(place)
    return _Found([Listed(path, posixpath.basename(path))])


def _matching(place: Place) -> _Found:
    """What matches a pattern; of folders that do, all that they hold."""
    base = _fixed(place.path)
    files: list[str] = []
    ignored: list[str] = []
    for match in sorted(place.matches(), key=natural):
        if left_out(posixpath.relpath(match, base or ".")):
            ignored.append(match)
            continue
        one = place.at(match)
        inside = one.find() if one.is_folder() else [match]
        for name in sorted(inside, key=natural):
            (ignored if left_out(posixpath.relpath(name, base or ".")) else files).append(name)
    if not files:
        but = f" but {listed(ignored)}, not of a table by name" if ignored else ""
        raise InputError(f"{place.shown}: matches no file{but}; check the pattern")
    return _Found([_listed(place, name, base) for name in dict.fromkeys(files)], ignored)


def _fixed(pattern: str) -> str:
    """The folder above the first component that is a pattern."""
    parts = pattern.split("/")
    first = next(at for at, part in enumerate(parts) if _MAGIC.search(part))
    return "/".join(parts[:first]) or ("/" if pattern.startswith("/") else "")


def _in_folder(place: Place) -> _Found:
    names = place.find()
    inside = {posixpath.relpath(name, place.path): name for name in names}
    stored = hugging_face.files_of(place, inside)
    if stored is not None:
        files, left = stored
        note = "A folder of Hugging Face datasets: its files stand in the order of state.json."
        return _Found([_listed(place, inside[n], place.path) for n in files], left, [note])
    kept = sorted((n for n in inside if not left_out(n)), key=natural)
    ignored = sorted(n for n in inside if left_out(n))
    if not kept:
        but = f" (only {listed(ignored)})" if ignored else ""
        raise InputError(f"{place.shown}: a folder without a table file{but}; check the path")
    return _Found([_listed(place, inside[n], place.path) for n in kept], ignored)


def _listed(place: Place, path: str, base: str) -> Listed:
    name = posixpath.relpath(path, base or ".")
    keys = [part.partition("=") for part in name.split("/")[:-1]]
    told = tuple((unquote(key), unquote(value)) for key, is_, value in keys if is_ and key)
    return Listed(place.at(path).shown, name, told)


def left_out(name: str) -> bool:
    """Whether a file, seen from its folder, is not of the table by its name.

    A folder of Hive may be called ``_part=1``; a file or another folder with such a name is not.
    """
    *folders, file = name.split("/")
    hidden = any(part.startswith((".", "_")) and "=" not in part for part in folders)
    return hidden or file.startswith((".", "_")) or file.lower().split(".")[0] in _PAPERS


def natural(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """The key by which names sort: numbers by value, all else by its characters."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts), name


def _under_one_folder(files: Iterable[Listed]) -> list[Listed]:
    """Files of several places, each named as it is seen from the folder that all are in."""
    files = list(files)
    parents = [posixpath.dirname(place_of(one.path).whole) for one in files]
    schemes = {parent.partition("://")[0] for parent in parents if "://" in parent}
    if len(schemes) > 1 or (schemes and not all("://" in parent for parent in parents)):
        return [Listed(one.path, one.path, one.keys) for one in files]
    common = posixpath.commonpath(parents) if all(parents) else ""
    return [
        Listed(one.path, posixpath.relpath(place_of(one.path).whole, common or "/"), one.keys)
        for one in files
    ]


def _refuse_twice(files: Sequence[Listed]) -> None:
    seen: set[str] = set()
    for one in files:
        whole = place_of(one.path).whole
        if whole in seen:
            raise InputError(f"{one.path}: is given twice, so its rows would count twice")
        seen.add(whole)
