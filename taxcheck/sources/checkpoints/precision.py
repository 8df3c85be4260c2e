"""To what precision the numbers of a table are known: its dtype's, or less where less is in it.

A table is often stored wider than it was computed: float32 rows saved as float64, bfloat16 ones as
float32, or numbers read from a text with six decimals. Their rounding is the narrower one's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from taxcheck.model.vocabulary import UNIT_ROUNDOFF

Floats = npt.NDArray[np.floating]

_FEW = 1 << 8  # numbers that may be short by chance
_TRIED = 1 << 10  # rows that are looked at before all are
_CHUNK = 1 << 17
_NARROWER = {"float64": ("bfloat16", "float16", "float32"), "float32": ("bfloat16", "float16")}
_DECIMALS = range(3, 9)  # of a text; with more, its rounding is hardly more than a float's


def roundoff_of(vectors: Floats, dtype: str) -> float:
    """The unit roundoff of what ``vectors`` (rows, width) hold, which are stored as ``dtype``.

    It is that of the coarsest dtype that holds every number exactly, or half of the last decimal
    place where all of them are decimals of few places.
    """
    own = UNIT_ROUNDOFF.get(dtype, UNIT_ROUNDOFF["float32"])
    if np.count_nonzero(vectors[:_TRIED]) < _FEW:
        return own
    for narrower in _NARROWER.get(dtype, ()):
        if _all_are(vectors, partial(_rounded_to, narrower)):
            return UNIT_ROUNDOFF[narrower]
    if dtype == "float64":
        for places in _DECIMALS:
            if _all_are(vectors, partial(_to_places, places)):
                return 0.5 * 10.0**-places
    return own


def _all_are(vectors: Floats, rounded: Callable[[Floats], Floats]) -> bool:
    """Whether rounding changes no number; NaN stays what it is."""
    if not _alike(vectors[:_TRIED], rounded):  # of most tables a few rows tell
        return False
    parts = (vectors[at : at + _CHUNK] for at in range(0, len(vectors), _CHUNK))
    return all(_alike(part, rounded) for part in parts)


def _alike(part: Floats, rounded: Callable[[Floats], Floats]) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.all((rounded(part) == part) | np.isnan(part)))


def _to_places(places: int, part: Floats) -> Floats:
    return np.asarray(np.round(part, places))


def _rounded_to(dtype: str, part: Floats) -> Floats:
    """As ``dtype`` holds the numbers; bfloat16, which NumPy does not know, cuts them off."""
    if dtype != "bfloat16":
        return part.astype(dtype)
    bits = np.ascontiguousarray(part, dtype=np.float32).view(np.uint32)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)
