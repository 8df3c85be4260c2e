"""Parts of pages that were drawn before: as many as there is room for, those used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from markupsafe import Markup

_CHARACTERS = 32_000_000  # of all that is kept


class Kept:
    """What follows from a key alone; ``most`` characters of it at most. Threads may share it."""

    def __init__(self, most: int = _CHARACTERS) -> None:
        self._most = most
        self._left = most
        self._held: OrderedDict[str, tuple[Markup, ...]] = OrderedDict()
        self._lock = Lock()

    def of(self, key: str, draw: Callable[[], tuple[Markup, ...]]) -> tuple[Markup, ...]:
        """What was drawn for this key, or is now; nothing is kept where the key is empty."""
        with self._lock:
            if key and key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        made = draw()
        with self._lock:
            size = sum(map(len, made))
            if key and key not in self._held and size <= self._most:
                self._held[key] = made
                self._left -= size
                while self._left < 0:
                    _, gone = self._held.popitem(last=False)
                    self._left += sum(map(len, gone))
        return made
