"""How readers join: one record each, in the list of its room; a plugin's stand beside our own.

A room (tables, taxonomies, checkpoints) has its records in its ``readers.py``. An entry point of
the group ``taxcheck.readers`` names a module with ``READERS``, a sequence of Reader, or one Reader;
it is loaded only where no reader of our own is certain of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from taxcheck.model.errors import InputError, TaxcheckError

if TYPE_CHECKING:
    from taxcheck.sources.files import InputFile

Kind = Literal["table", "taxonomy", "checkpoint"]
T = TypeVar("T")

# How sure a reader is of a file: by a magic number, by what its content looks like, or because the
# file could be anything of a broad kind. Of equals the first in the list has it.
CERTAIN, LIKELY, LAST, NEVER = 1.0, 0.5, 0.1, 0.0
PICKLED = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")  # protocols 0 and 1 have no magic number
_ROOMS = {"table": "tables", "taxonomy": "taxonomies", "checkpoint": "checkpoints"}
_HEAD = 1 << 14


class Candidate:
    """A source that no reader has yet: its path as given, and its first bytes."""

    def __init__(self, path: str, file: InputFile | None = None) -> None:
        self.path = path
        self._opened = file
        self._found: dict[object, object] = {}

    @cached_property
    def file(self) -> InputFile:
        """The file; InputError where there is none that can be read."""
        from taxcheck.sources.files import InputFile

        return self._opened or InputFile(self.path)

    @cached_property
    def head(self) -> bytes:
        """The first 16 KiB, as they lie on disk."""
        from taxcheck.sources.files import reading

        with reading(self.file.shown), self.file.open() as stream:
            return stream.read(_HEAD)

    def once(self, look: Callable[[Candidate], T]) -> T:
        """What a look into the file finds, for all readers that ask for the same."""
        if look not in self._found:
            self._found[look] = look(self)
        return self._found[look]  # type: ignore[return-value]


def begins(*magic: bytes) -> Callable[[Candidate], float]:
    """A sniff that is certain of files with one of these beginnings, and of no other."""
    return lambda candidate: CERTAIN if candidate.head.startswith(magic) else NEVER


def lazily(function: str, of: Literal["file", "path"]) -> Callable[..., Any]:
    """What reads a candidate, such as "tables.pickled.PickleReader", imported when it is called.

    It is given the candidate's file or path, and the options.
    """
    module, _, name = f"taxcheck.sources.{function}".rpartition(".")

    def read(candidate: Candidate, **options: object) -> object:
        return getattr(import_module(module), name)(getattr(candidate, of), **options)

    return read


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: how its files are known, and what reads them.

    ``sniff`` gives its confidence, from 0 (not mine) to 1, or raises an error that says why such a
    file cannot be read; that counts where no other reader is LIKELY to know better. ``read`` gives
    a ``tables.opening.Rows``, a ``Hierarchy`` or a ``Contents``; what a reader of taxonomies
    ``takes`` beside the candidate are options of a build.
    """

    kind: Kind
    name: str  # by which it can be asked for
    called: str  # for people
    told_by: str  # what its files are known by, for people
    sniff: Callable[[Candidate], float]
    read: Callable[..., Any]
    suffixes: tuple[str, ...] = ()  # the usual ones; the content decides
    about: str = ""  # what else a reader of the documentation should know
    takes: tuple[str, ...] = ()
    extra: str | None = None  # of taxcheck, without which it cannot read


@cache
def plugged_in() -> tuple[Reader, ...]:
    """The readers of plugins; BrokenError where one cannot be loaded."""
    from taxcheck.model.installed import load_plugin, plugins  # a third of the start of a command

    found: list[Reader] = []
    for entry in plugins("taxcheck.readers"):
        loaded = load_plugin(entry)
        found += [loaded] if isinstance(loaded, Reader) else loaded.READERS
    return tuple(found)


def own(kind: Kind) -> tuple[Reader, ...]:
    """Our own readers of a kind, in the order in which they are asked."""
    readers: tuple[Reader, ...] = import_module(f"taxcheck.sources.{_ROOMS[kind]}.readers").READERS
    return readers


def readers(kind: Kind) -> Iterator[Reader]:
    """Our own readers of a kind, then those of plugins, which are loaded only then."""
    yield from own(kind)
    yield from (reader for reader in plugged_in() if reader.kind == kind)


def reader_named(kind: Kind, name: str) -> Reader:
    """The reader of that name; InputError where there is none."""
    for reader in readers(kind):
        if reader.name == name:
            return reader
    known = ", ".join(reader.name for reader in readers(kind))
    raise InputError(f"no reader is called {name!r}; there are: {known}")


def reader_of(candidate: Candidate, kind: Kind) -> Reader:
    """The reader that is surest of a candidate; the first that is CERTAIN ends the search.

    Raises what the first reader said that refuses the file, or InputError where none knows it.
    """
    best, surest = None, NEVER
    refused: TaxcheckError | None = None
    for reader in readers(kind):
        try:
            sure = reader.sniff(candidate)
        except TaxcheckError as error:
            refused = refused or error
            continue
        if sure >= CERTAIN:
            return reader
        if sure > surest:
            best, surest = reader, sure
    if best is not None and (surest > LAST or refused is None):
        return best
    if refused is not None:
        raise refused
    raise InputError(
        f"{candidate.file.shown}: is no {kind} that taxcheck knows; give {formats(kind)}"
    )


def formats(kind: Kind) -> str:
    """What can be given, in a sentence: "Parquet, Feather or CSV"."""
    names = list(dict.fromkeys(reader.called for reader in readers(kind)))
    return ", ".join(names[:-1]) + f" or {names[-1]}"
