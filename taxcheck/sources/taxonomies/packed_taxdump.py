"""Where the files of an NCBI taxdump are: in a folder, beside its nodes.dmp, or packed.

Of an archive, .tar, .tar.gz or .zip, the files of a dump and nothing else are unpacked.
"""

from __future__ import annotations

import gzip
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from taxcheck.files import hidden_folder
from taxcheck.model.errors import InputError, OutputError, one_line
from taxcheck.model.paths import is_file
from taxcheck.sources.files import reading
from taxcheck.sources.packed import Limited, compression_of, unpacking
from taxcheck.sources.readers import CERTAIN, NEVER, Candidate
from taxcheck.sources.taxonomies.dump_file import FILES
from taxcheck.sources.taxonomies.dump_version import FILE

_KEPT = (*FILES, FILE)
_MOST_MEMBERS = 10_000
_LINE = re.compile(rb"\d+\t\|\t[^\n]*\|\r?\n")
_NODES = re.compile(rb"\d+\t\|\t\d+\t\|\t[a-z ]+\t\|")
_EXPECTED = "give the folder of an NCBI taxdump, with nodes.dmp in it, packed or not"


def is_archive(path: str) -> bool:
    """Whether a file is a tar, packed or not, or a zip."""
    try:
        return is_file(path) and (tarfile.is_tarfile(path) or zipfile.is_zipfile(path))
    except (OSError, EOFError, zlib.error, ValueError):
        return False


def claim(candidate: Candidate) -> float:
    """How surely a file is a dump; InputError where it is another file of one, or another zip."""
    path = Path(candidate.path)
    if path.name in FILES and is_file(path.parent / "nodes.dmp"):
        return CERTAIN
    if candidate.is_text and _LINE.match(candidate.unpacked):
        if _NODES.match(candidate.unpacked):
            way_out = "call it nodes.dmp, in a folder of its own with names.dmp, and give that"
        else:
            way_out = "give nodes.dmp of the same dump, which has the parents"
        raise InputError(f"{path}: is a file of an NCBI taxdump; {way_out}")
    if not is_archive(candidate.path):
        return NEVER
    with reading(candidate.path, "an archive"):
        names = (name.replace("\\", "/") for name in _names(candidate))
        return CERTAIN if any(name.endswith(FILES) for name in names) else NEVER


def _names(candidate: Candidate) -> Iterator[str]:
    file = candidate.file
    if zipfile.is_zipfile(file.path):
        with zipfile.ZipFile(file.path) as archive:
            yield from archive.namelist()
        return
    with file.open() as stream:
        plain = unpacking(stream, compression_of(candidate.head), file.shown, file.bytes)
        with tarfile.open(fileobj=plain, mode="r|") as packed:
            for member in packed:
                yield member.name


@contextmanager
def dump_folder(path: str) -> Iterator[tuple[Path, str]]:
    """The folder with a dump's files, and what there is to tell of where it was found.

    InputError where there is none: the path may be of a folder, one above it, an archive, or of one
    of the files.
    """
    given = Path(path)
    try:
        if not given.exists():
            raise InputError(f"{path}: no such folder; {_EXPECTED}")
        if given.is_dir():
            found, note = _inside(given)
        elif given.name in FILES and (given.parent / "nodes.dmp").is_file():
            found, note = given.parent, "the files beside it are read as well"
        else:
            found, note = None, ""
    except (OSError, ValueError) as error:
        raise InputError(f"{path!r}: cannot be opened ({one_line(error)})") from error
    if found is not None:
        yield found, note
    elif is_archive(path):
        with unpacked(path) as folder:
            yield folder, ""
    else:
        raise InputError(f"{path}: is a file; {_EXPECTED}")


def _inside(folder: Path) -> tuple[Path, str]:
    """The folder itself, or the one folder in it that has a dump."""
    if (folder / "nodes.dmp").is_file():
        return folder, ""
    deeper = sorted(one.parent for one in folder.glob("*/nodes.dmp"))
    if len(deeper) == 1:
        return deeper[0], f"found in its folder {deeper[0].name}"
    several = f" itself, and its folders {deeper[0].name} and {deeper[1].name} do" if deeper else ""
    raise InputError(f"{folder}: holds no nodes.dmp{several}; {_EXPECTED}")


@contextmanager
def unpacked(path: str) -> Iterator[Path]:
    """A temporary folder with the dump's files, named as the archive for the date in its name.

    InputError where a member leads out of the folder, or the archive expands like a bomb.
    """
    with hidden_folder(Path(tempfile.gettempdir()) / "taxcheck", "unpacking") as place:
        folder = place / (Path(path).name.split(".")[0] or "taxdump")
        folder.mkdir()
        try:
            if zipfile.is_zipfile(path):
                _unzip(path, folder)
            else:
                _untar(path, folder)
        except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{path}: cannot be unpacked ({one_line(error)}); it may be truncated: copy it "
                "again"
            ) from None
        except (RuntimeError, NotImplementedError) as error:
            raise InputError(f"{path}: cannot be unpacked ({one_line(error)})") from None
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile):
                raise InputError(f"{path}: cannot be unpacked ({one_line(error)})") from None
            raise OutputError(
                f"{folder.parent}: {path} cannot be unpacked there ({one_line(error)}); set TMPDIR "
                "to a folder with room"
            ) from None
        if not (folder / "nodes.dmp").exists():
            raise InputError(f"{path}: holds no nodes.dmp; give a packed NCBI taxdump")
        yield folder


def _unzip(path: str, folder: Path) -> None:
    packed = Path(path).stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        _refuse_many(len(members), path)
        for member in members:
            if (name := _wanted(member.filename, path)) and not member.is_dir():
                with archive.open(member) as stream:
                    _copy(stream, folder / name, path, packed)


def _untar(path: str, folder: Path) -> None:
    packed = Path(path).stat().st_size
    with Path(path).open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if zipped else raw
        limited = cast(BinaryIO, Limited(stream, path, packed))
        kind = "r|" if zipped else "r|*"
        with tarfile.open(fileobj=limited, mode=kind) as archive:  # type: ignore[call-overload]
            for count, member in enumerate(archive):
                _refuse_many(count, path)
                name = _wanted(member.name, path)
                if name is None:
                    continue
                if not member.isreg():
                    raise InputError(f"{path}: {one_line(member.name)} in it is no regular file")
                _copy(archive.extractfile(member), folder / name, path, packed)


def _refuse_many(count: int, path: str) -> None:
    if count > _MOST_MEMBERS:
        raise InputError(f"{path}: holds more than {_MOST_MEMBERS:,} files; it is no taxdump")


def _wanted(member: str, path: str) -> str | None:
    """The file of a dump that a member is; InputError where its name leads out of the archive."""
    inside = PurePosixPath(member.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0:1]:
        raise InputError(
            f"{path}: its member {one_line(member, 60)!r} leads out of the archive; do not trust it"
        )
    return inside.name if inside.name in _KEPT and len(inside.parts) <= 4 else None


def _copy(stream: IO[bytes] | None, target: Path, path: str, packed: int) -> None:
    if stream is None:
        raise InputError(f"{path}: {target.name} in it cannot be read")
    if target.exists():
        raise InputError(f"{path}: holds {target.name} twice")
    limited = Limited(cast(BinaryIO, stream), path, packed)
    with target.open("wb") as file:
        shutil.copyfileobj(cast(IO[bytes], limited), file, 1 << 20)
