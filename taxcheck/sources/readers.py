"""How readers join: one record each, in the list of its room; a plugin's stand beside our own.

A room (tables, taxonomies, checkpoints) has its records in its ``readers.py``. An entry point of
the group ``taxcheck.readers`` names a module with ``READERS``, a sequence of Reader, or one Reader;
it is loaded only where no reader of our own is certain of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from taxcheck.model.errors import InputError, TaxcheckError
from taxcheck.model.paths import INSIDE
from taxcheck.sources.candidate import Candidate as Candidate
from taxcheck.sources.candidate import Guess as Guess
from taxcheck.sources.candidate import Kind as Kind
from taxcheck.sources.unsupported import refuse_unsupported

if TYPE_CHECKING:
    pass

# How sure a reader is of a file, by its evidence: a magic number; names and words that only its
# files have; those that they usually have; the shape of the cells alone; none. A file that nobody
# claims is refused, and one that several claim alike is asked about.
CERTAIN, STRONG, LIKELY, POSSIBLE, NEVER = 1.0, 0.75, 0.5, 0.25, 0.0
PICKLED = (b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5")  # protocols 0 and 1 have no magic number
_ROOMS = {"table": "tables", "taxonomy": "taxonomies", "checkpoint": "checkpoints"}


def begins(*magic: bytes) -> Callable[[Candidate], float]:
    """A sniff that is certain of files with one of these beginnings, and of no other."""
    return lambda candidate: CERTAIN if candidate.head.startswith(magic) else NEVER


def lazily(function: str, of: Literal["file", "path", "itself"]) -> Callable[..., Any]:
    """What reads a candidate, such as "tables.pickled.PickleReader", imported when it is called.

    It is given the candidate's file or path, or the candidate itself, and the options.
    """
    module, _, name = f"taxcheck.sources.{function}".rpartition(".")

    def read(candidate: Candidate, **options: object) -> object:
        given = candidate if of == "itself" else getattr(candidate, of)
        return getattr(import_module(module), name)(given, **options)

    return read


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: how its files are known, and what reads them.

    ``sniff`` gives its confidence, from 0 (not mine) to 1, or raises an error that says why such a
    file cannot be read; that counts where no other reader knows better than by the shape of cells.
    ``read`` gives a ``tables.opening.Rows``, a ``Hierarchy`` or a ``Contents``; what a reader of
    taxonomies ``takes`` beside the candidate are options of a build.
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
    inside: str = ""  # what a part of its files is that can be named: "sheet"; none without


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
    """The reader that is surest of a candidate.

    Plugins are asked where none of ours is CERTAIN. InputError where the file is of a known kind
    that nobody reads, where two readers claim it alike, or where nobody does: then in the words of
    the first reader that said why it refuses the file.
    """
    refused: list[TaxcheckError] = []
    claims = _claims(candidate, own(kind), refused)
    if not claims or max(claims.values()) < CERTAIN:
        claims |= _claims(candidate, (r for r in plugged_in() if r.kind == kind), refused)
    surest = max(claims.values(), default=NEVER)
    best = [reader for reader, sure in claims.items() if sure == surest]
    if surest < CERTAIN and set(best) <= set(own(kind)):  # a plugin may read what we do not
        refuse_unsupported(candidate, kind)
    if len(best) > 1:
        best = [r for r in best if candidate.file.hint.endswith(r.suffixes or "\0")] or best
    if len(best) > 1:
        raise _tie(candidate, best)
    if best and (surest > POSSIBLE or not refused):
        return _whole(candidate, best[0])
    if refused:
        raise refused[0]
    raise InputError(
        f"{candidate.file.shown}: is no {kind} that taxcheck knows; give {formats(kind)}"
    )


def _whole(candidate: Candidate, reader: Reader) -> Reader:
    """The reader; InputError where a part is named of what has none."""
    if candidate.part and not reader.inside:
        raise InputError(
            f"{candidate.path}: {reader.called} has no parts to be named behind {INSIDE}; "
            f"give the file alone"
        )
    return reader


def _claims(
    candidate: Candidate, asked: Iterable[Reader], refused: list[TaxcheckError]
) -> dict[Reader, float]:
    """Who claims a candidate and how surely; what others say against it goes to ``refused``."""
    claims: dict[Reader, float] = {}
    for reader in asked:
        try:
            sure = reader.sniff(candidate)
        except TaxcheckError as error:
            refused.append(error)
            continue
        if sure > NEVER:
            claims[reader] = sure
    return claims


def _tie(candidate: Candidate, best: Sequence[Reader]) -> InputError:
    """The question which of several readers is meant."""
    names = " or ".join(f"{reader.called} ({reader.name})" for reader in best)
    which = "say which with `format`" if best[0].kind == "taxonomy" else "say which by its suffix"
    if best[0].kind != "taxonomy":
        which += f", such as {' or '.join((*r.suffixes, '?')[0] for r in best)}"
    return InputError(f"{candidate.file.shown}: may be {names}, one as well as the other; {which}")


def formats(kind: Kind) -> str:
    """What can be given, in a sentence: "Parquet, Feather or CSV"."""
    names = list(dict.fromkeys(reader.called for reader in readers(kind)))
    return ", ".join(names[:-1]) + f" or {names[-1]}"


def no_table(shown: str) -> InputError:
    """The refusal of binary data that is of no known format."""
    return InputError(
        f"{shown}: is no table that taxcheck knows (it holds NUL or control bytes); give "
        f"{formats('table')}"
    )
