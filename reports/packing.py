"""The rows of an explorer as bytes for its page: in the order of a walk, compressed, in base64.

In a depth-first walk a node stands behind its parent, so that depths alone tell the tree, and what
is near is alike, so that differences of neighbours are small. Of whole numbers the first bytes of
all rows stand before their second ones; zlib then finds what repeats.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import FloatArray, IntArray
from taxcheck.model.explorer import Explorer

from .text import clean, clip

UNDRAWN = 0x80  # the bit of a row that is no point
MOST_NAMED = 300_000  # rows of which all names are in the page; of more, those with children
LONGEST = 300  # characters of a name
_FULL_TURN, _STEPS = 2.0**32, 2.0**16 - 2
_LARGEST = 2**31 - 1  # that four bytes hold; larger identifiers are packed as texts
Numbers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Packed:
    """Sections of bytes by name, in base64, and what a reader must know of them."""

    sections: dict[str, str]
    facts: dict[str, object]


def pack(found: Explorer) -> Packed:
    """All rows of an explorer; ``facts`` are plain data for its JSON."""
    order, depth = found.walk, found.depth[found.walk]
    place = np.empty(found.n, dtype=np.int64)
    place[order] = np.arange(found.n)
    drawn = np.isfinite(found.radii)[order]
    flags = np.where(drawn, 0, UNDRAWN).astype(np.uint8)
    for bit, mark in enumerate(found.marks[:7]):
        flags |= (mark.rows[order] << bit).astype(np.uint8)
    facts: dict[str, object] = {"n": found.n, "undrawn": int(np.count_nonzero(~drawn))}
    sections = {
        "depth": _bytes(depth, 2),
        "idx": _bytes(_steps(order), 4),
        "flags": _zipped(flags.tobytes()),
    }
    if found.hyperbolic:
        sections |= _polar(found, order, drawn, facts)
    else:
        sections |= _flat(found, order, drawn, facts)
    if found.parent_rank is not None:
        sections["ranks"] = _bytes(found.parent_rank[order], 4)
    if len(found.more_parents):
        child, above = place[found.more_parents].T
        sections["more"] = _bytes(np.concatenate([_steps(child), _steps(above)]), 4)
    facts["clades"] = [int(place[head]) for head in found.clades]
    sections |= _labels(found, order, depth, facts)
    return Packed(sections, facts)


def _polar(
    found: Explorer, order: IntArray, drawn: npt.NDArray[np.bool_], facts: dict[str, object]
) -> dict[str, str]:
    """Angles in 2^32 parts of a turn, and radii in 2^16 parts of the largest.

    Where angles are closer than that, as in a table of two dimensions far out, another word has
    the 32 bits below.
    """
    x, y = np.where(drawn[:, None], found.across[order], 0.0).T
    turn = np.mod(np.arctan2(y, x) / (2 * np.pi), 1.0) * _FULL_TURN
    whole = np.floor(turn)
    radii = np.where(drawn, found.radii[order], 0.0)
    largest = float(radii.max(initial=0.0))
    facts["largest"] = largest
    steps = np.rint(radii / (largest or 1.0) * _STEPS)
    sections = {
        "angle": _bytes(_steps(whole.astype(np.int64)), 4),
        "radius": _bytes(_steps(steps.astype(np.int64)), 2),
    }
    if len(np.unique(whole)) < len(np.unique(turn)):
        sections["fine"] = _bytes(np.floor((turn - whole) * _FULL_TURN).astype(np.int64), 4)
    return sections


def _flat(
    found: Explorer, order: IntArray, drawn: npt.NDArray[np.bool_], facts: dict[str, object]
) -> dict[str, str]:
    """Coordinates in 2^32 parts of the square around all rows."""
    points = np.where(drawn[:, None], found.across[order], 0.0)
    low = points[drawn].min(axis=0) if drawn.any() else np.zeros(2)
    high = points[drawn].max(axis=0) if drawn.any() else np.zeros(2)
    reach = float((high - low).max()) or 1.0
    facts["middle"], facts["reach"] = ((low + high) / 2).tolist(), reach / 2
    steps = ((points - (low + high) / 2) / reach + 0.5) * (_FULL_TURN - 1)
    return {
        name: _bytes(_steps(np.clip(np.rint(column), 0, _FULL_TURN - 1).astype(np.int64)), 4)
        for name, column in (("x", steps[:, 0]), ("y", steps[:, 1]))
    }


def _labels(
    found: Explorer, order: IntArray, depth: IntArray, facts: dict[str, object]
) -> dict[str, str]:
    """Identifiers by idx, names in the order of the walk; of many rows those with children."""
    sections = {}
    numbers = [one for one in found.identifiers if isinstance(one, int)]
    if len(numbers) == len(found.identifiers) and numbers and max(numbers) <= _LARGEST:
        facts["identifiers"] = "numbers"
        sections["identifiers"] = _bytes(_steps(np.array(numbers, dtype=np.int64)), 4)
    elif any(one is not None for one in found.identifiers):
        facts["identifiers"] = "texts"
        sections["identifiers"] = _texts(found.identifiers)
    known = len(found.names)
    if any(found.names):
        named = np.ones(found.n, dtype=bool)
        if found.n > MOST_NAMED:
            named = np.r_[depth[1:] > depth[:-1], False]
        facts["named"] = "all" if named.all() else "inner"
        sections["names"] = _texts(
            [found.names[row] if row < known else None for row in order[named].tolist()]
        )
    return sections


def _texts(texts: Sequence[object]) -> str:
    said = ("" if text is None else clip(clean(text), LONGEST) for text in texts)
    return _zipped("\0".join(one.replace("\0", "") for one in said).encode("utf-8", "replace"))


def _steps(values: Numbers) -> IntArray:
    """The difference of each from the one before, (k,)."""
    steps: IntArray = values.astype(np.int64)
    steps[1:] -= steps[:-1].copy()
    return steps


def _bytes(values: Numbers, width: int) -> str:
    """Whole numbers modulo 2^(8 width), their lowest bytes first, then the next ones."""
    planes = values.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width]
    return _zipped(np.ascontiguousarray(planes.T).tobytes())


def _zipped(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 6)).decode("ascii")


def positions(found: Explorer) -> FloatArray:
    """Where rows stand in a square from -1 to 1, (n, 2), y upwards; NaN for what is not drawn."""
    if found.hyperbolic:
        largest = float(np.nanmax(found.radii, initial=0.0)) or 1.0
        return np.asarray(found.across * (found.radii / largest)[:, None])
    sound = np.isfinite(found.radii)
    points = np.where(sound[:, None], found.across, np.nan)
    if not sound.any():
        return points
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    reach = float((high - low).max()) / 2 or 1.0
    return np.asarray((points - (low + high) / 2) / reach)
