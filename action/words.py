"""The words of INPUT_ARGS, each ended by a NUL; taken apart as by a shell, and nothing is run."""

from __future__ import annotations

import os
import shlex
import sys

try:
    words = shlex.split(os.environ.get("INPUT_ARGS", ""))
except ValueError as error:
    print(f"::error::args cannot be taken apart: {error}", file=sys.stderr)
    sys.exit(2)
sys.stdout.buffer.write(b"".join(os.fsencode(word) + b"\0" for word in words))
