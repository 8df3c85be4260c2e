"""Standard output and standard error, either of which may be closed, full or left by its reader."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

_PIPE_CLOSED = 141  # 128 + SIGPIPE, as a shell shows it


def fill_closed_streams() -> None:
    """Put something in the place of each stream that was closed before we started.

    Else the next file that is opened would get its descriptor, and whatever writes to that would
    write into the file. What is printed fails, as on a full disk; complaints vanish.
    """
    for name, flags in (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            os.set_inheritable(descriptor, True)
            mode = "r" if name == "stdin" else "w"
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def say(text: str = "") -> None:
    """Print a line; OutputError where standard output takes none."""
    from taxcheck.files import write_text

    write_text("-", f"{text}\n")


def aside(text: str) -> None:
    """A line on standard error; where that takes none, the command goes on without it."""
    try:
        click.echo(text, err=True)
    except BrokenPipeError:
        raise
    except OSError:
        _drop(sys.stderr)


@contextmanager
def piped() -> Iterator[None]:
    """A reader of the output who leaves ends the command, as SIGPIPE would, and without a word."""
    try:
        yield
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            _drop(stream)
        raise SystemExit(_PIPE_CLOSED) from None


def _drop(stream: object) -> None:
    """Let what a stream still holds, and all that follows, go nowhere."""
    with suppress(OSError):  # of a test, which has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]
