"""Writing reports: whole, or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from taxcheck.errors import OutputError


def write_text(path: str, text: str) -> None:
    """Write a file under its final name only when it is complete; "-" is standard output.

    A device or a pipe is written to and never replaced. Raises OutputError, and leaves nothing
    behind, where there is no folder, permission or space.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    target = Path(path)
    partial: str | None = None
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("w", encoding="utf-8", newline="\n") as device:
                device.write(text)
            return
        descriptor, partial = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
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
