"""The table by itself: norms, radii, rows that are no points, repeated rows, rank, precision."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taxcheck.audit.equal_rows import first_of_equal, largest_groups, rounded_directions
from taxcheck.audit.metrics.distortion import sampled_distances
from taxcheck.audit.metrics.spectrum import SpectrumState, effective_rank, participation_ratio
from taxcheck.audit.values import PERCENTILES, Copies, EmbeddingStatistics, FloatArray
from taxcheck.geometry import lorentz
from taxcheck.geometry.ball import radius_of_norm
from taxcheck.geometry.space import Space
from taxcheck.model.arrays import IntArray
from taxcheck.model.vocabulary import UNIT_ROUNDOFF
from taxcheck.sources.checkpoints.checkpoint import Checkpoint, Geometry, Reading
from taxcheck.sources.contract import judge_rows
from taxcheck.statistics.offenders import Column, Offenders, Sink, defect_of

_CHUNK = 1 << 17
_BINS = 50
# What rounding takes a row off the sheet by, relative to x0^2, is 8 u + d v at most: each of the
# d + 1 squares is off by 2 u of itself, and an engine rounds for each again when it sums them up,
# in float32 at least (v). A norm is off by u + (d / 2 + 2) v. A hundred times as much is no
# rounding any more, nor is a half; what is less than single precision makes spoils no distance.
_ROUNDED, _FAR_OFF, _HALF = 8.0, 100.0, 0.5
_SINGLE = UNIT_ROUNDOFF["float32"]


def embedding_statistics(
    checkpoint: Checkpoint, seed: int, sink: Sink | None = None, owner: IntArray | None = None
) -> EmbeddingStatistics:
    """Everything that the table tells without data; see EmbeddingStatistics.

    ``owner`` (rows,) is the idx of each row, -1 for none; without it row k is idx k.
    """
    reading, rows = checkpoint.reading, checkpoint.rows
    norms, radii = np.full(rows, np.nan), np.full(rows, np.nan)
    finite, outside = np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
    drifted, on_sheet = np.zeros(rows, dtype=bool), reading.geometry is Geometry.LORENTZ
    spectrum, directions = SpectrumState(checkpoint.dim), SpectrumState(checkpoint.dim)
    held = reading.roundoff
    if held is None:
        held = UNIT_ROUNDOFF.get(checkpoint.dtype, _SINGLE)
    rounding, far = _rounding(held, checkpoint.dim), _far(held, checkpoint.dim)
    for part, space in chunks(checkpoint):
        with np.errstate(invalid="ignore"):  # a signalling NaN is told as any NaN
            x = np.asarray(checkpoint.vectors[part], dtype=np.float64)
        stored = np.linalg.norm(x, axis=1)
        norms[part], beyond = _norms(stored, x, space, reading, far)
        drifted[part] = (beyond >= rounding / far) & (beyond < 1) & on_sheet
        broken, outside[part] = judge_rows(stored, beyond)
        finite[part] = ~broken
        radii[part] = space.radii
        spectrum.update(part.start, space.tangent()[space.sound])
        directions.update(part.start, space.directions()[space.sound])
    norms[~finite] = np.nan
    radii[outside] = np.inf
    sound = norms[np.isfinite(norms)]
    clip = reading.unit_clip
    clip_radius = None if clip is None else radius_of_norm(clip)
    repeated = first_of_equal(checkpoint.vectors)
    groups, largest = largest_groups(repeated)
    same_direction = rounded_directions(checkpoint)
    pairs, ceiling = _sampled(checkpoint, np.random.default_rng(seed)), None
    if clip_radius is not None and np.isfinite(clip_radius):
        ceiling = 2 * clip_radius
    bad = np.flatnonzero(~finite)
    off = np.flatnonzero(outside)
    twins = np.flatnonzero(repeated >= 0)
    beyond_rows = _of_rows("outside_ball", off, owner, norm=norms[off])
    equal_rows = _of_rows("duplicate_row", twins, owner, equal_to=repeated[twins])
    kind = "off the sheet" if on_sheet else "norm >= 1"
    near = np.flatnonzero(drifted)
    near_rows = _of_rows("outside_ball.drifted", near, owner, norm=norms[near])
    return EmbeddingStatistics(
        rows=rows,
        dim=checkpoint.dim,
        dtype=checkpoint.dtype,
        reading=reading,
        norms=norms,
        radii=radii,
        norm_percentiles=_percentiles(sound),
        radius_percentiles=_percentiles(radii[np.isfinite(radii)]),
        norm_histogram=_histogram(sound, 1.0),
        radius_histogram=_histogram(radii[np.isfinite(radii)]),
        clip_radius=clip_radius,
        # up to the rounding of the norm
        at_clip=None if clip is None else int(np.count_nonzero(norms >= clip - 8 * held)),
        non_finite=defect_of(_of_rows("non_finite", bad, owner), rows, sink),
        outside=defect_of(beyond_rows, rows, sink, **{kind: len(off)}),
        rounded_out=0 if on_sheet else _rounded_out(norms[off], held, checkpoint.dim),
        drifted=defect_of(near_rows, rows, sink),
        duplicates=defect_of(equal_rows, rows, sink),
        same_direction=same_direction - len(twins) if same_direction > len(twins) else 0,
        effective_rank=effective_rank(spectrum.eigenvalues()),
        participation_ratio=participation_ratio(spectrum.eigenvalues()),
        direction_rank=effective_rank(directions.eigenvalues()),
        unit_roundoff=held,
        sampled_distances=pairs,
        ceiling=ceiling,
        copy_groups=groups,
        largest_copies=tuple(
            Copies(size, tuple(rows), float(norms[rows[0]])) for size, rows in largest
        ),
        sample=f"{len(pairs):,} pairs of rows for distances, seed {seed}; all rows otherwise",
    )


def _of_rows(defect: str, rows: IntArray, owner: IntArray | None, **columns: Column) -> Offenders:
    """Rows of the table, (k,): by their idx, or by their number in the file and whose they are."""
    if owner is None:
        return Offenders(defect, {"idx": rows, **columns}, (rows,))
    return Offenders(defect, {"table_row": rows, **columns}, (owner[rows],))


def chunks(checkpoint: Checkpoint) -> Iterator[tuple[slice, Space]]:
    """Bounded parts of the table as points, in order."""
    reading = checkpoint.reading
    for start in range(0, checkpoint.rows, _CHUNK):
        part = slice(start, min(start + _CHUNK, checkpoint.rows))
        yield part, Space.of(checkpoint.vectors[part], reading.geometry, reading.curvature)


def _rounding(u: float, dim: int) -> float:
    """What rounding alone takes a row off the Lorentz sheet by, at most, relative to x0^2."""
    return _ROUNDED * u + dim * min(u, _SINGLE)


def _far(u: float, dim: int) -> float:
    """How far off the sheet, relative to x0^2, a row is no point any more."""
    return min(_FAR_OFF * _rounding(max(u, _SINGLE), dim), _HALF)


def _rounded_out(norms: FloatArray, u: float, dim: int) -> int:
    """How many norms of 1 or more, (k,), are so by less than a hundredfold of rounding."""
    u = max(u, _SINGLE)
    far = min(_FAR_OFF * (u + (dim / 2 + 2) * min(u, _SINGLE)), _HALF)
    return int(np.count_nonzero(norms <= 1 + far))


def _norms(
    stored: FloatArray, x: FloatArray, space: Space, reading: Reading, far: float
) -> tuple[FloatArray, FloatArray]:
    """Norms in the unit ball, and how far outside the model rows are: 1 is the boundary.

    ``far`` is how far off the sheet, relative to x0^2, a row is no point any more.
    """
    nowhere = np.zeros(len(stored))
    if reading.geometry is Geometry.EUCLIDEAN:
        return stored, nowhere
    if reading.geometry is Geometry.BALL:
        norms = stored * float(np.sqrt(reading.curvature))
        return norms, norms
    norms = np.tanh(space.radii / 2)
    if reading.geometry is Geometry.TANGENT:
        return norms, nowhere
    off = lorentz.sheet_error(x, reading.curvature) / far
    return norms, np.where(x[:, 0] > 0, off, np.inf)


def _percentiles(values: FloatArray) -> dict[int, float]:
    if not len(values):
        return {}
    found = np.percentile(values, PERCENTILES)
    return {p: float(v) for p, v in zip(PERCENTILES, found, strict=True)}


def _histogram(found: FloatArray, least: float = 0.0) -> tuple[tuple[float, float, int], ...]:
    """Bins from 0 to the largest of ``found`` (rows,), and to ``least`` at the least."""
    if not len(found):
        return ()
    counts, edges = np.histogram(found, bins=_BINS, range=(0.0, max(least, float(found.max()))))
    return tuple(
        (float(a), float(b), int(n)) for a, b, n in zip(edges, edges[1:], counts, strict=False)
    )


def _sampled(checkpoint: Checkpoint, rng: np.random.Generator) -> FloatArray:
    """Distances of random pairs of rows, for curvature -1."""
    reading = checkpoint.reading

    def points(rows: IntArray) -> Space:
        return Space.of(checkpoint.vectors[rows], reading.geometry, reading.curvature)

    found = sampled_distances(points, checkpoint.rows, rng)
    flat = reading.geometry is Geometry.EUCLIDEAN
    return found if flat else found * float(np.sqrt(reading.curvature))
