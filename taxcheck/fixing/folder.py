"""A folder that exists under its final name only when everything in it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxcheck.build.hidden import hidden_folder
from taxcheck.errors import OutputError, UsageError


def expect_free(out: Path) -> None:
    """UsageError where there is something at ``out`` already, which is never overwritten."""
    try:
        if out.is_dir() and not any(out.iterdir()):
            return
        there = out.exists() or out.is_symlink()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None
    if there:
        raise UsageError(f"--out: {out} is there already and is never overwritten; name another")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A sibling to write into; it gets the final name when the block ends well, else it goes.

    Raises OutputError where there is no folder, permission or space.
    """
    partial: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with hidden_folder(out, "repairing") as partial:
            yield partial
            for path in (*partial.iterdir(), partial):
                _sync(path)
            umask = os.umask(0)
            os.umask(umask)
            partial.chmod(0o777 & ~umask)
            expect_free(out)
            partial.rename(out)
            _sync(out.parent)
    except OutputError as error:
        raise OutputError(str(error).replace(str(partial or out), str(out))) from None
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{out}: cannot be written: {reason}; nothing was") from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
