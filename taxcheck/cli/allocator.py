"""How this process hands memory back: hardly, while it reads.

Every batch frees its columns and asks for as many anew. What glibc returns to the system comes back
as pages to be cleared, one fault each, for which threads wait on each other. Kept, it serves the
next batch, from one heap for all threads.
"""

from __future__ import annotations

import ctypes
import sys

# of malloc.h: which setting, and to what
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT = 2**31 - 1  # bytes of freed memory at the heap's end
_LARGEST = 1 << 25  # bytes of a block that comes from the heap; glibc takes no more


def keep_freed() -> None:
    """Have freed memory serve the next request; nothing where the C library is not glibc."""
    if not sys.platform.startswith("linux"):
        return
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    if setting is not None:
        setting(_ARENA_MAX, 1)
        setting(_MMAP_THRESHOLD, _LARGEST)
        setting(_TRIM_THRESHOLD, _KEPT)
