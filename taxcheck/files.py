"""A whole file, a whole folder, or nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from taxcheck.model.errors import OutputError, UsageError

_RANDOM = r"[a-z0-9_]{8}"  # what mkdtemp appends


def encoded(text: str) -> bytes:
    r"""UTF-8; bytes of a path that are no text, which Python calls \udc80 to \udcff, stay named so.

    In JSON that is their escape as well.
    """
    return text.encode("utf-8", "backslashreplace")


def unwritten(path: Path | str, error: Exception) -> OutputError:
    """The one line for what cannot be written."""
    return OutputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}")


@contextmanager
def whole_file(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """A path to write to, which gets its final name when the block ends well and all is on disk.

    Whatever ends it badly leaves nothing behind; a process that is killed leaves a hidden file
    ``.NAME.….partial``. Who may read and write it the umask says, else ``mode``. Raises OutputError
    where there is no folder, permission or space.
    """
    partial: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(".partial", f".{path.name[:40]}.", path.parent)
        os.close(descriptor)
        partial = Path(name)
        yield partial
        _sync(partial)
        partial.chmod(0o666 & ~_umask() if mode is None else mode)
        partial.replace(path)
        with suppress(OSError):  # not every file system opens a folder
            _sync(path.parent)
    except (OSError, UnicodeEncodeError) as error:  # Arrow wants names that are text
        raise unwritten(path, error) from None
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def write_text(path: str, text: str) -> None:
    """Write a whole file; "-" is standard output.

    A device or a pipe is written to and never replaced. Raises OutputError.
    """
    if path == "-":
        _print(text)
        return
    target = Path(path)
    try:
        device = target.exists() and not target.is_file() and not target.is_dir()
        if device:
            target.write_bytes(encoded(text))
    except OSError as error:
        raise unwritten(path, error) from None
    if not device:
        with whole_file(target) as partial:
            partial.write_bytes(encoded(text))


def _print(text: str) -> None:
    """The bytes of a file where nobody looks on: a pipe's reader expects UTF-8 everywhere."""
    try:
        sys.stdout.flush()
        if hasattr(sys.stdout, "buffer") and not sys.stdout.isatty():
            sys.stdout.buffer.write(encoded(text))
        else:
            sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unprinted(error) from None


def unprinted(error: OSError) -> OutputError:
    """The one line for what standard output does not take; what is buffered still goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    why = "it is closed" if error.errno == errno.EBADF else error.strerror or error
    return OutputError(f"standard output: cannot be written: {why}")


def append_text(path: str, text: str) -> None:
    """Add to a file that others write to as well; what cannot be added whole is taken back.

    Raises OutputError.
    """
    try:
        with Path(path).open("ab", buffering=0) as file:  # a buffer would try again on closing
            end, left = file.tell(), memoryview(encoded(text))
            try:
                while left:
                    left = left[file.write(left) :]
            except BaseException:
                file.truncate(end)
                raise
    except OSError as error:
        raise unwritten(path, error) from None


def expect_free(out: Path, or_else: str = "") -> None:
    """UsageError where there is something at ``out`` already, which is never overwritten."""
    try:
        if out.is_dir() and not any(out.iterdir()):
            return
        there = out.exists() or out.is_symlink()
    except OSError as error:
        raise unwritten(out, error) from None
    if there:
        raise UsageError(
            f"`out` {out}: is there already and is never overwritten; name another{or_else}"
        )


@contextmanager
def whole_folder(out: Path, doing: str, replaced: Sequence[str] = ()) -> Iterator[Path]:
    """A hidden folder beside ``out``, which gets its name when the block ends well, else it goes.

    Where ``out`` is a folder that holds something, the files called ``replaced`` give way to those
    of the new one, the first of them before and after all others, and its other files stay; without
    such names it is a UsageError. Raises OutputError where there is no permission or space.
    """
    place: Path | None = None
    try:
        added = bool(replaced) and out.is_dir() and any(out.iterdir())
        if not added:
            expect_free(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        with hidden_folder(out.resolve(), doing) as place:
            yield place
            for path in (*place.iterdir(), place):
                _sync(path)
            if added:
                _replace_files(place, out, replaced)
            else:
                place.chmod(0o777 & ~_umask())
                expect_free(out)
                place.rename(out.resolve())
                _sync(out.resolve().parent)
    except OutputError as error:  # by the name that was asked for
        raise OutputError(str(error).replace(str(place or out), str(out))) from None
    except OSError as error:
        raise unwritten(out, error) from None


def _replace_files(place: Path, out: Path, names: Sequence[str]) -> None:
    first, *others = names
    (out / first).unlink(missing_ok=True)
    for name in (*others, first):
        if (place / name).exists():
            (place / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def hidden_folder(place: Path, doing: str) -> Iterator[Path]:
    """A new folder ``.NAME.DOING-…`` beside ``place``, which goes when the block ends.

    Whoever works in it holds a lock on the folder itself (flock), which the kernel lets go of
    however the process ends. A folder that nobody holds was left by the dead, and the next run at
    the same place removes it. Where a file system knows no locks nothing is removed. Whoever moves
    the folder to another name keeps it. Raises OSError where it cannot be made.
    """
    # Its own name may be as long as names can be, which this one must not exceed.
    prefix, parent = f".{place.name[:40]}.{doing}-", place.absolute().parent
    _remove_abandoned(parent, prefix)
    folder, held = _locked(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _locked(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        # Another run may take it for abandoned between any two of these lines, and then it is gone.
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            if folder.exists():
                return folder, held
            os.close(held)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    with suppress(OSError):
        for path in parent.iterdir():
            if re.fullmatch(re.escape(prefix) + _RANDOM, path.name):
                _remove_if_free(path)


def _remove_if_free(path: Path) -> None:
    with suppress(OSError):  # it is held, is no folder, is another user's, or went meanwhile
        found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(found)
