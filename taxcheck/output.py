"""Writing reports: whole, or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from taxcheck.errors import OutputError


def encoded(text: str) -> bytes:
    r"""UTF-8; bytes of a path that are no text, which Python calls \udc80 to \udcff, stay named so.

    In JSON that is their escape as well.
    """
    return text.encode("utf-8", "backslashreplace")


def write_text(path: str, text: str) -> None:
    """Write a file under its final name only when it is complete; "-" is standard output.

    A device or a pipe is written to and never replaced. Raises OutputError, and leaves nothing
    behind, where there is no folder, permission or space.
    """
    if path == "-":
        _print(text)
        return
    target = Path(path)
    partial: str | None = None
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as device:
                device.write(encoded(text))
            return
        descriptor, partial = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encoded(text))
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(partial).chmod(0o666 & ~umask)
        Path(partial).replace(target)
    except OSError as error:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    except BaseException:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)
        raise


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is buffered still
        raise OutputError(
            f"standard output: cannot be written: {error.strerror or error}"
        ) from None


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
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
