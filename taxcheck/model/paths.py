"""How an input is named: one path, or several, each a file, a folder, a pattern or an address.

What is inside of a file, a sheet, a table or a member, is named behind it: ``book.xlsx::pairs``.
"""

from __future__ import annotations

import os
from pathlib import PurePath

Paths = str | tuple[str, ...]


# pathlib raises an error for a name with a NUL, or one that is too long for any file.
def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether there is anything of this name; there is not where no file can be called so."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file of this name."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder of this name."""
    return os.path.isdir(path)  # noqa: PTH112


def is_address(path: str) -> bool:
    """Whether a path is one of a file system elsewhere: ``s3://bucket/pairs``."""
    scheme, found, _ = path.partition("://")
    return bool(found) and scheme.isalnum() and not is_there(path)


INSIDE = "::"


def split_part(path: str) -> tuple[str, str]:
    """A path, and the part of its file that it names: ``book.xlsx::pairs`` is ``pairs`` of it.

    The part is empty where none is named, or where there is a file of the whole name.
    """
    file, found, part = path.partition(INSIDE)
    if not (file and found) or "://" in part or is_there(path):
        return path, ""
    return file, part


def each(given: Paths) -> tuple[str, ...]:
    """The paths one by one, in the order in which they were stated."""
    return (given,) if isinstance(given, str) else given


def stated(given: object) -> Paths | None:
    """What was given, a text, a path or several, as text; several of one are that one."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, list | tuple):
        paths = tuple(map(os.fspath, given))
        return paths[0] if len(paths) == 1 else paths or None
    return str(given)


def title_of(given: Paths) -> str:
    """A name for what an input holds: that of its file, or of the folder that its files are in."""
    first, *more = each(given)
    path = PurePath(first)
    if more:
        path = PurePath(path.parent.name or first)
    while any(sign in path.name for sign in "*?["):
        path = path.parent
    return path.stem


def called(given: Paths) -> str:
    """What people call an input: its path; of several the first, and how many more there are."""
    first, *more = each(given)
    if not more:
        return first
    return f"{first} and {more[0]}" if len(more) == 1 else f"{first} and {len(more)} more"
