"""What a report may be at most, told from its bytes before anything is made of them."""

from __future__ import annotations

import numpy as np

from taxcheck.service.settings import Settings
from taxcheck.service.store.errors import TooLargeError

_VALUES = 4_000_000  # in one report; that of all of NCBI, audited, has under 100,000
_QUOTE, _COMMA, _OPEN, _CLOSE = b'",[]'
_KINDS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b'",[]{}'))  # what does not structure JSON


def expect_bounded(raw: bytes, settings: Settings) -> None:
    """Raises TooLargeError where JSON has more bytes, levels or values than a report may have."""
    if len(raw) > settings.report_bytes:
        raise TooLargeError(
            f"the report has {len(raw):,} bytes, and this server takes {settings.report_bytes:,}"
        )
    depth, values = measured(raw)
    if depth > settings.report_depth:
        raise TooLargeError(
            f"the report is nested {depth:,} levels deep, and this server takes "
            f"{settings.report_depth}"
        )
    if values > _VALUES:
        raise TooLargeError(f"the report has {values:,} values, and this server takes {_VALUES:,}")


def measured(raw: bytes) -> tuple[int, int]:
    r"""How deep JSON is nested, and about how many values it has; strings are passed over.

    Escapes go first, in the order in which a parser would meet them: ``\\`` before ``\"``.
    """
    text = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    kinds = np.frombuffer(text.translate(_KINDS, _OTHERS), np.uint8)
    outside = np.cumsum(kinds == _QUOTE, dtype=np.uint8) & 1 == 0
    kinds = kinds[outside & (kinds != _QUOTE)]
    opens = kinds == _OPEN
    levels = np.cumsum(opens.astype(np.int8) - (kinds == _CLOSE).astype(np.int8), dtype=np.int32)
    return int(levels.max(initial=0)), int(np.count_nonzero(kinds != _CLOSE))
