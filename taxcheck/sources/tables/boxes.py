"""Tables inside of other files: a member of a zip or tar archive, or packed data that is no text.

What is inside is written to a temporary file, as what comes on standard input is, and read by
whoever reads such a file. Sizes are bounded before and while it is written.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from taxcheck.model.errors import InputError, one_line
from taxcheck.model.paths import INSIDE
from taxcheck.sources.encodings import as_utf8
from taxcheck.sources.files import InputFile, Unpacked, reading
from taxcheck.sources.listing import left_out
from taxcheck.sources.packed import bomb, compression_of, limit_of, unpacking
from taxcheck.sources.readers import CERTAIN, LIKELY, NEVER, Candidate, reader_of

_MOST_MEMBERS, _MOST_DEEP, _LISTED = 10_000, 3, 8
_PIECE = 1 << 20


def claim_zip(candidate: Candidate) -> float:
    """Whether it is a zip archive; workbooks, checkpoints and so on know their own better."""
    return LIKELY if candidate.head.startswith((b"PK\3\4", b"PK\5\6")) else NEVER


def claim_tar(candidate: Candidate) -> float:
    """Whether it is a tar archive, packed or not."""
    return LIKELY if candidate.unpacked[257:262] == b"ustar" else NEVER


def claim_packed(candidate: Candidate) -> float:
    """Whether it is packed, and what is inside is no text."""
    packed = compression_of(candidate.head) is not None
    return LIKELY if packed and not candidate.is_text and not claim_tar(candidate) else NEVER


def claim_wide(candidate: Candidate) -> float:
    """Whether it is text in UTF-16 or UTF-32, packed or not."""
    return CERTAIN if candidate.encoding else NEVER


def read_wide(candidate: Candidate) -> object:
    """The rows of the same text in UTF-8."""
    file, name = candidate.file, candidate.encoding or ""
    with reading(file.shown, f"{name.upper()} text"), file.open() as stream:
        plain = unpacking(stream, compression_of(candidate.head), file.shown, file.bytes)
        read = as_utf8(plain, name).read
        inner = Unpacked(file, file.hint, _pieces(read), file.part, whole=True)
    candidate.told.append(f"It is {name.upper()} text, and converted for reading.")
    return _rows(inner, candidate)


def read_zip(candidate: Candidate) -> object:
    """The rows of the member that is named, or of the only one."""
    file = candidate.file
    with reading(file.shown, "a zip archive"), file.open() as stream, _zip(stream, file) as archive:
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
        name, part = chosen(file, [i.filename for i in infos], "a zip archive", candidate)
        info = next(info for info in infos if info.filename == name)
        if info.flag_bits & 1:
            raise InputError(f"{file.shown}: {name!r} in it is encrypted; unpack it, and give it")
        if info.file_size > limit_of(info.compress_size):
            raise bomb(file.shown)
        with archive.open(info) as member:
            inner = Unpacked(file, name, _pieces(member.read), part)
    return _rows(inner, candidate)


@contextmanager
def _zip(stream: BinaryIO, file: InputFile) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{file.shown}: cannot be read as a zip archive ({one_line(error)}); it may be "
            "truncated or damaged, or packed in an unusual way: write or copy it again"
        ) from error


def read_tar(candidate: Candidate) -> object:
    """The rows of the member that is named, or of the only one."""
    file = candidate.file
    with reading(file.shown, "a tar archive"):
        names = [member.name for member, _ in _members(candidate)]
        name, part = chosen(file, names, "a tar archive", candidate)
        for member, archive in _members(candidate):
            if member.name == name and (data := archive.extractfile(member)) is not None:
                inner = Unpacked(file, name, _pieces(data.read), part)
                return _rows(inner, candidate)
    raise AssertionError("a member that was there is gone")


def _members(candidate: Candidate) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """The plain files of a tar in their order; those with holes would be unpacked to any size."""
    file = candidate.file
    with file.open() as stream:
        plain = unpacking(stream, compression_of(candidate.head), file.shown, file.bytes)
        try:
            with tarfile.open(fileobj=plain, mode="r|") as archive:
                for number, member in enumerate(archive):
                    if number > _MOST_MEMBERS:
                        raise InputError(f"{file.shown}: has more than {_MOST_MEMBERS:,} members")
                    if member.isreg() and member.sparse is None:
                        yield member, archive
        except tarfile.TarError as error:
            raise ValueError(one_line(error)) from error


def read_packed(candidate: Candidate) -> object:
    """The rows of what a packed file is when it is unpacked."""
    file = candidate.file
    name = file.hint.rpartition(".")[0] or file.hint
    with reading(file.shown, "a packed file"), file.open() as stream:
        plain = unpacking(stream, compression_of(candidate.head), file.shown, file.bytes)
        inner = Unpacked(file, name, _pieces(plain.read), file.part, whole=True)
    return _rows(inner, candidate)


def chosen(
    file: InputFile, names: Sequence[str], what: str, candidate: Candidate, more: str = ""
) -> tuple[str, str]:
    """Which of the parts of a file is meant, and what is meant inside of that; one alone is told.

    ``more`` is what else helps to choose.
    InputError, with the names, where none is named and several could be, or one is not there.
    """
    if file.part:
        fits = [n for n in names if file.part == n or file.part.startswith(n + INSIDE)]
        if not fits:
            raise InputError(f"{file.shown}: {what} without that; it holds {_listed(names)}")
        name = max(fits, key=len)
        refuse_twice(file, names, name, what)
        return name, file.part[len(name) + len(INSIDE) :]
    kept = [name for name in names if name.strip("/") and not left_out(name.lstrip("/"))]
    if not kept:
        raise InputError(f"{file.shown}: is {what} that holds no table")
    refuse_twice(file, names, kept[0], what)
    if len(kept) > 1:
        typed = "-" if file.shown == "standard input" else file.shown
        raise InputError(
            f"{file.shown}: is {what} of {len(kept):,}: {_listed(kept)}; name the one that is "
            f"meant, as in {typed}{INSIDE}{_shown(kept[0])}"
            f"{f' ({one_line(more, 400)})' if more else ''}"
        )
    candidate.told.append(f"Read from {_shown(kept[0])}, the only one in {what}.")
    if len(kept) < len(names):
        left = [name for name in names if name not in kept]
        candidate.told.append(f"Not part of the table by their names: {_listed(left)}.")
    return kept[0], ""


def refuse_twice(file: InputFile, names: Sequence[str], name: str, what: str) -> None:
    """InputError where two parts have one name, so that either may be meant."""
    if (count := names.count(name)) > 1:
        raise InputError(
            f"{file.shown}: is {what} in which {_shown(name)} is there {count:,} times; unpack it, "
            "and give the one that is meant as a file"
        )


def _shown(name: str) -> str:
    return one_line(name, 80)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(map(_shown, names[:_LISTED])) + more


def _pieces(read: Callable[[int], bytes]) -> Iterator[bytes]:
    return iter(lambda: read(_PIECE), b"")


def _rows(inner: Unpacked, candidate: Candidate) -> object:
    """What a reader of the inner file makes of it."""
    if inner.depth > _MOST_DEEP:
        raise InputError(f"{inner.shown}: is packed more than {_MOST_DEEP} times; unpack it")
    within = Candidate(inner.shown, inner, candidate.columns)
    rows = reader_of(within, "table").read(within)
    candidate.told += within.told
    return rows
