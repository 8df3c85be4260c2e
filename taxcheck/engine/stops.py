"""What ends a run before its time, as one line: a NaN, or somebody who stops it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from taxcheck.model.errors import TaxcheckError


class DivergedError(TaxcheckError):
    """A step met a NaN or an infinity."""

    exit_code = 1


class StoppedError(TaxcheckError):
    """A signal ended the run; the exit code is 128 and its number, as shells have it."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


@dataclass(slots=True)
class Interrupt:
    """The first signal that asked for an end; 0 while nobody has."""

    number: int = 0


@contextlib.contextmanager
def interruptions() -> Iterator[Interrupt]:
    """Note SIGINT and SIGTERM in place of dying by them; a second SIGINT interrupts at once.

    Outside of the main thread signals go where they went before.
    """
    asked = Interrupt()

    def note(number: int, _: FrameType | None) -> None:
        if asked.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.number = number

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
