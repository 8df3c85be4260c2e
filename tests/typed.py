"""A command as a person types it, in this process: where its start is not what is tested."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from taxcheck.cli import main


def typed(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: int | None = None,
) -> CompletedProcess[str]:
    """How ``taxcheck`` with these words ends, and what it says on either stream.

    ``stdout`` is a descriptor that it prints to instead, which is closed then.
    """
    out = _stream(io.BytesIO()) if stdout is None else os.fdopen(stdout, "w", encoding="utf-8")
    error = _stream(io.BytesIO())
    with (
        mock.patch.dict(os.environ, env or {}),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
        mock.patch.object(sys, "argv", ["taxcheck", *map(str, words)]),
    ):
        code = _code(list(map(str, words)))
    said = ""
    if stdout is None:
        said = _said(out)
    else:
        with contextlib.suppress(BrokenPipeError):
            out.close()
    return CompletedProcess(words, code, said, _said(error))


def _code(words: list[str]) -> int:
    try:
        main(words)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _stream(into: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(into, encoding="utf-8", write_through=True)


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
