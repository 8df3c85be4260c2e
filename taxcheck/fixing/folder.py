"""A folder that exists under its final name only when everything in it is whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxcheck.errors import OutputError, UsageError


def expect_free(out: Path) -> None:
    """UsageError where there is something at ``out`` already, which is never overwritten."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        raise UsageError(f"--out: {out} is there already and is never overwritten; name another")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A sibling to write into; it gets the final name when the block ends well, else it goes.

    Raises OutputError where there is no folder, permission or space.
    """
    partial: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        yield partial
        for path in (*partial.iterdir(), partial):
            _sync(path)
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o777 & ~umask)
        expect_free(out)
        partial.rename(out)
        _sync(out.parent)
    except BaseException as error:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OutputError) and partial is not None:
            raise OutputError(str(error).replace(str(partial), str(out))) from None
        if isinstance(error, OSError):
            reason = error.strerror or error
            raise OutputError(f"{out}: cannot be written: {reason}; nothing was") from None
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
