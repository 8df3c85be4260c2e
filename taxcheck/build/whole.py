"""Files that exist under their final name only when they are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxcheck.errors import OutputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, which gets its final name when the block ends well.

    Whatever ends it badly leaves nothing behind. Raises OutputError where there is no folder,
    permission or space.
    """
    partial: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        os.close(descriptor)
        partial = Path(name)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        partial.replace(path)
    except BaseException as error:
        if partial is not None:
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError | UnicodeEncodeError):  # Arrow wants names that are text
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"{path}: cannot be written: {reason}") from None
        raise
