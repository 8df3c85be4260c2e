"""Which space the rows of a table are points of: what the file says, else what the numbers do."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from taxcheck.model.vocabulary import percent
from taxcheck.sources.checkpoints.checkpoint import Geometry, Reading
from taxcheck.sources.checkpoints.precision import roundoff_of

Floats = npt.NDArray[np.floating]

_CHUNK = 1 << 16  # rows
_TRIED = 1 << 10  # rows that are looked at before all are
_NEARLY_ALL = 0.99
_MOST = 0.5  # of the rows are on a sheet of a known curvature by no chance
# Of x0^2; in float32, rows at radius 9 miss the sheet by 1e-7 of it, and engines add errors.
_SHEET_TOLERANCE, _ROUNDED = 1e-5, 32.0  # at least, and in units of the roundoff
_LOOSEST = 5e-2
_COARSE = 1e-4  # roundoff of half precision: rows that share nothing but its spacing share a norm
_UNIT = 0.9  # of the radius: rows of length 1 are none nearer to the centre
_SPREAD = 1e-3  # of the time of rows that are not all at one radius
_CROWD = 3  # rows at one largest norm; without a clip, even two would be a coincidence
_SPACING = 16  # roundoffs below the largest norm: what rounding spreads rows at a clip over
_BESIDE = 4  # as wide again below it: how many rows the spacing alone would bring together


@dataclass(frozen=True, slots=True)
class Stated:
    """What is known beside the numbers: given by the user, stated by the file, or the engine's."""

    geometry: Geometry | None = None
    source: str = ""  # "given", "conf.manifold says poincare" ...
    curvature: float | None = None
    curvature_source: str = ""
    clip: float | None = None
    clip_source: str = ""
    default_clip: float | None = None  # of the engine, where nothing else is known
    tangent_name: bool = False  # the key reads like tangent vectors
    refused: str = ""  # what says that the space is one that is not measured here
    only_sheet: str = ""  # what says so unless rows lie on a Lorentz sheet
    curvature_note: str = ""  # what says something of the curvature that is not understood


@dataclass(frozen=True, slots=True)
class _Norms:
    norms: npt.NDArray[np.float64]  # (rows,) Euclidean, NaN where a row is not finite
    time: npt.NDArray[np.float64]  # (rows,) the first coordinate
    finite: npt.NDArray[np.float64]  # the norms of the rows that are finite


def _measure(vectors: Floats) -> _Norms:
    norms = np.empty(len(vectors))
    for start in range(0, len(vectors), _CHUNK):
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite stays so
            part = vectors[start : start + _CHUNK].astype(np.float64)
            norms[start : start + len(part)] = np.sqrt(np.einsum("ij,ij->i", part, part))
    with np.errstate(invalid="ignore"):
        time = vectors[:, 0].astype(np.float64)
    return _Norms(norms, time, norms[np.isfinite(norms)])


def reading_of(vectors: Floats, dtype: str, stated: Stated) -> Reading:
    """How to understand ``vectors`` (rows, width), which are stored as ``dtype``.

    What is stated is certain; else the numbers decide, and the reasons say how. Where they leave it
    open, ``rivals`` has the other spaces.
    """
    measured, roundoff = _measure(vectors), roundoff_of(vectors, dtype)
    curvature, rivals = stated.curvature or 1.0, tuple[Geometry, ...]()
    if stated.geometry is not None:
        geometry, confidence, reasons = stated.geometry, "certain", [stated.source]
    else:
        geometry, confidence, reason, found = _guess(measured, roundoff, stated)
        rivals = _rivals(measured, geometry, roundoff, stated)
        reasons = [reason]
        if stated.curvature is None and found is not None:
            curvature = found
            reasons.append(f"Curvature -{found:.4g}, as the rows nearest to the origin have it.")
    if geometry in (Geometry.BALL, Geometry.LORENTZ, Geometry.TANGENT):
        if stated.curvature is not None:
            reasons.append(stated.curvature_source)
        elif len(reasons) == 1:
            reasons.append("Nothing states the curvature: taken as -1.")
        if stated.curvature_note:
            reasons.append(f"{stated.curvature_note}.")
    clip = None
    if geometry is Geometry.BALL:
        clip, why = _clip(measured, dtype, roundoff, curvature, stated)
        reasons.extend([why] if why else [])
    return Reading(geometry, curvature, clip, confidence, tuple(reasons), rivals, roundoff)


def time_is_last(vectors: Floats, dtype: str, curvature: float | None) -> bool:
    """Whether rows lie on a hyperboloid by their last coordinate as time, and not by the first."""
    if vectors.shape[1] < 2:
        return False
    roundoff = roundoff_of(vectors, dtype)
    for rows in (vectors[:_TRIED], vectors):  # of most tables a few tell that they are no such
        measured = _measure(rows)
        last = rows[:, -1].astype(np.float64)
        if not len(measured.finite) or np.nanmax(last) < (1 + _SPREAD) * np.nanmin(last):
            return False  # equal numbers lie on a sheet wherever they are
        if _on_sheet(measured, roundoff, curvature) is not None or (
            _on_sheet(replace(measured, time=last), roundoff, curvature) is None
        ):
            return False
    return True


def _guess(
    measured: _Norms, roundoff: float, stated: Stated
) -> tuple[Geometry, str, str, float | None]:
    finite = measured.finite
    if not len(finite):
        geometry = Geometry.TANGENT if stated.tangent_name else Geometry.EUCLIDEAN
        return geometry, "guess", "No row is finite, so the numbers say nothing.", None
    sheet = _on_sheet(measured, roundoff, stated.curvature)
    if sheet is not None:
        share, curvature = sheet
        reason = (
            f"{percent(share)} of the rows satisfy x0^2 - x1^2 - ... = {1 / curvature:.4g}, x0 > 0."
        )
        return Geometry.LORENTZ, "likely", reason, None if curvature == 1 else curvature
    highest, bound = float(finite.max()), 1 / math.sqrt(stated.curvature or 1.0)
    edge = _edge(finite, bound, roundoff)
    if stated.tangent_name:
        reason = f"The name is that of tangent vectors; the largest norm is {highest:.4g}."
        return Geometry.TANGENT, "likely", reason, None
    outside = int((finite >= edge).sum())
    if not outside:
        confidence = "likely" if highest > 0.5 * bound else "guess"
        below = "below" if highest < bound else "as good as below"
        reason = f"Every norm is {below} {bound:.4g} (largest {highest:.6g}): a ball."
        return Geometry.BALL, confidence, reason, None
    crowded = float(np.quantile(finite, 0.9)) > 0.8 * bound or highest < 1.01 * bound
    if 1 - outside / len(finite) >= _NEARLY_ALL and crowded:
        rows = "row lies" if outside == 1 else "rows lie"
        reason = (
            f"The rows crowd inside of a ball of radius {bound:.4g}; {outside:,} {rows} outside."
        )
        return Geometry.BALL, "likely", reason, None
    reason = (
        f"{outside:,} of {len(finite):,} norms are {bound:.4g} or more (largest {highest:.4g})."
    )
    return Geometry.EUCLIDEAN, "guess", reason, None


def _edge(finite: npt.NDArray[np.float64], bound: float, roundoff: float) -> float:
    """The norm from which on rows are in no ball of a radius.

    Half precision brings rows onto the boundary. Where no norm is far below it, all have length 1.
    """
    coarse = roundoff > _COARSE and float(finite.min()) < _UNIT * bound
    return bound * (1 + 2 * roundoff) if coarse else bound


def _rivals(
    measured: _Norms, geometry: Geometry, roundoff: float, stated: Stated
) -> tuple[Geometry, ...]:
    """Other spaces that the rows may be points of; no chance brings rows onto a sheet."""
    if geometry is Geometry.LORENTZ or not len(measured.finite):
        return ()
    bound = 1 / math.sqrt(stated.curvature or 1.0)
    inside = float(measured.finite.max()) < _edge(measured.finite, bound, roundoff)
    known = (Geometry.BALL,) if inside else ()
    return tuple(g for g in (*known, Geometry.TANGENT, Geometry.EUCLIDEAN) if g is not geometry)


def _on_sheet(
    measured: _Norms, roundoff: float, curvature: float | None
) -> tuple[float, float] | None:
    """Share of rows on a hyperboloid and its curvature; None where they are on none."""
    known = np.isfinite(measured.norms)
    if not known.any():
        return None
    tolerance = min(max(_SHEET_TOLERANCE, _ROUNDED * roundoff), _LOOSEST)
    time, norms = measured.time[known], measured.norms[known]
    squares = time**2  # finite, as the norms are
    gap = 2 * squares - norms**2  # x0^2 - (x1^2 + ...), which is 1 / c on the sheet
    nearest = np.argpartition(squares, min(8, len(squares) - 1))[:8]
    for c in (curvature,) if curvature else (1.0, 1 / max(float(np.median(gap[nearest])), 1e-9)):
        close = np.abs(gap - 1 / c) <= tolerance * np.maximum(squares, 1 / c)
        share = float((close & (time > 0)).mean())
        # One number for 1 / c is learnt from the rows themselves, so a few of them prove nothing.
        told = c == 1 or curvature is not None
        if share >= (_MOST if told else _NEARLY_ALL) and (told or len(time) >= 8):
            return share, c
    return None


def _clip(
    measured: _Norms, dtype: str, roundoff: float, curvature: float, stated: Stated
) -> tuple[float | None, str]:
    if stated.clip is not None:
        return stated.clip, stated.clip_source
    unit = math.sqrt(curvature)
    inside = measured.finite[measured.finite * unit < 1]
    coarse = roundoff > _COARSE
    if len(inside) and not coarse:
        crowd = _crowd(inside * unit, roundoff) / unit
        if len(crowd):
            digits = max(1, min(12, int(-math.log10(_SPACING * roundoff))))
            clip = round(float(np.median(crowd)), digits)
            return clip, f"{len(crowd):,} rows share the largest norm {clip:g}: the engine's clip."
    if stated.default_clip is not None:
        return stated.default_clip, f"This engine clips norms at {stated.default_clip:g}."
    if coarse:
        return None, f"Whether norms were clipped cannot be told from {dtype}, which is too coarse."
    return None, ""


def _crowd(norms: npt.NDArray[np.float64], roundoff: float) -> npt.NDArray[np.float64]:
    """The norms of rows that share the largest one, beyond what the spacing of numbers makes.

    Near 1 few numbers are left, and rows of many radii have one norm. So rows at the largest norm
    are held against those in windows below it that are as wide in hyperbolic radius.
    """
    highest = float(norms.max())
    least = highest * (1 - _SPACING * roundoff)
    crowd = norms[norms >= least]
    if len(crowd) < _CROWD or highest <= 0:
        return norms[:0]
    top, low = (2 * math.atanh(min(norm, 1 - 2.0**-53)) for norm in (highest, least))
    beside = math.tanh((low - _BESIDE * (top - low)) / 2) if low > 0 else least
    expected = np.count_nonzero((norms >= beside) & (norms < least)) / _BESIDE
    return crowd if len(crowd) >= _CROWD + expected + 4 * math.sqrt(expected) else norms[:0]


_WORDS = (
    (Geometry.LORENTZ, re.compile(r"lorentz|hyperboloid|minkowski", re.I)),
    (Geometry.TANGENT, re.compile(r"tangent", re.I)),
    (Geometry.BALL, re.compile(r"poincare|poincar\u00e9|\bball\b", re.I)),
    (Geometry.EUCLIDEAN, re.compile(r"euclid|transe|\bflat\b", re.I)),
)


def named(word: str) -> Geometry | None:
    """The geometry that a word of a configuration means."""
    return next((geometry for geometry, pattern in _WORDS if pattern.search(word)), None)
