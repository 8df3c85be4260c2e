"""Who has gone silent, told by a clock of our own that never jumps."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from taxcheck.service.store.jobs import Sign


class Watch:
    """Remembers since when each running job shows the same sign.

    What the lease says of the time is not believed: its writer's clock may have jumped, and so may
    the one of this machine. A sign that stayed the same for ``patience`` seconds, as this process
    counts them, is of a worker that no longer beats.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._since: dict[Sign, float] = {}

    def silent(self, signs: Collection[Sign]) -> list[Sign]:
        """The signs of workers that are silent, of those that jobs show now."""
        moment = self._clock()
        self._since = {sign: self._since.get(sign, moment) for sign in signs}
        return [sign for sign, since in self._since.items() if moment - since >= self._patience]
