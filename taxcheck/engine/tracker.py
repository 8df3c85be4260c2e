"""The metrics of a run as lines of JSON, one for each epoch."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from taxcheck.engine.run_folder import unwritten, whole
from taxcheck.engine.standing import Record


class MetricsTracker:
    """Appends records to a file; each line is written at once, so that a reader sees it whole.

    Lines are not forced onto the disk: checkpoints hold the same records, and rewrite the file.
    """

    def __init__(self, path: Path, history: list[Record]) -> None:
        """Begin with the records of a checkpoint: what a lost run wrote after it is gone."""
        self._path = path
        with whole(path) as file:
            file.write(b"".join(map(_line, history)))

    def append(self, record: Mapping[str, float]) -> None:
        """Add the record of an epoch. OutputError where there is no space."""
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            with contextlib.closing(os.fdopen(descriptor, "wb", buffering=0)) as file:
                line = _line(record)
                if file.write(line) != len(line):
                    raise OSError("No space left on device")
        except OSError as error:
            raise unwritten(self._path, error) from None


def _line(record: Mapping[str, float]) -> bytes:
    """Strict JSON: what is no finite number is null."""
    plain = {name: value if math.isfinite(value) else None for name, value in record.items()}
    return json.dumps(plain).encode() + b"\n"
