"""The table by itself: norms, radii, rows that are no points, repeated rows, rank, precision."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from taxcheck.audit.repeats import first_of_equal, largest_groups, rounded_directions
from taxcheck.audit.spectrum_state import SpectrumState
from taxcheck.audit.values import PERCENTILES, Copies, EmbeddingStatistics, FloatArray
from taxcheck.geometry import lorentz
from taxcheck.geometry.ball import radius_of_norm
from taxcheck.geometry.precision import UNIT_ROUNDOFF
from taxcheck.geometry.space import Space
from taxcheck.metrics.precision import sampled_distances
from taxcheck.rule import Defect
from taxcheck.sources.checkpoints.value import Checkpoint, Geometry, Reading
from taxcheck.statistics.samples import SAMPLES, Sink, node_samples
from taxcheck.statistics.values import BoolArray, IntArray

_CHUNK = 1 << 17
_BINS = 50
# Off the sheet: the Minkowski norm differs from -1 by more than 8 u x0^2 (relative to x0^2: 8 u).
_SHEET = 8.0


# Given the norms of rows and how far outside the model they are (1 is the boundary), (k,) each:
# which rows are not finite, and which are no points. The contract of the table decides.
RowJudge = Callable[[FloatArray, FloatArray], tuple[BoolArray, BoolArray]]


def embedding_statistics(
    checkpoint: Checkpoint,
    judge: RowJudge,
    rng: np.random.Generator,
    seed: int,
    sink: Sink | None = None,
) -> EmbeddingStatistics:
    """Everything that the table tells without data; see EmbeddingStatistics."""
    reading, rows = checkpoint.reading, checkpoint.rows
    norms, radii = np.full(rows, np.nan), np.full(rows, np.nan)
    finite, outside = np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
    spectrum, directions = SpectrumState.empty(checkpoint.dim), SpectrumState.empty(checkpoint.dim)
    for part, space in chunks(checkpoint):
        with np.errstate(invalid="ignore"):  # a signalling NaN is told as any NaN
            x = np.asarray(checkpoint.vectors[part], dtype=np.float64)
        stored = np.linalg.norm(x, axis=1)
        norms[part], beyond = _norms(stored, x, space, reading, checkpoint.dtype)
        broken, outside[part] = judge(stored, beyond)
        finite[part] = ~broken
        radii[part] = space.radii
        spectrum.update(part.start, space.tangent()[space.sound])
        directions.update(part.start, space.directions()[space.sound])
    norms[~finite] = np.nan
    radii[outside] = np.inf
    sound = norms[np.isfinite(norms)]
    clip_radius = _clip_radius(reading)
    repeated = first_of_equal(checkpoint.vectors)
    groups, largest = largest_groups(repeated)
    same_direction = rounded_directions(checkpoint)
    pairs, ceiling = _sampled(checkpoint, rng), None
    if clip_radius is not None and np.isfinite(clip_radius):
        ceiling = 2 * clip_radius
    bad = np.flatnonzero(~finite)
    off = np.flatnonzero(outside)
    twins = np.flatnonzero(repeated >= 0)
    if sink:
        sink("non_finite", {"idx": bad})
        sink("outside_ball", {"idx": off, "norm": norms[off]})
        sink("duplicate_row", {"idx": twins, "equal_to": repeated[twins]})
    kind = "off the sheet" if reading.geometry is Geometry.LORENTZ else "norm >= 1"
    return EmbeddingStatistics(
        rows=rows,
        dim=checkpoint.dim,
        dtype=checkpoint.dtype,
        reading=reading,
        norms=norms,
        radii=radii,
        norm_percentiles=_percentiles(sound),
        radius_percentiles=_percentiles(radii[np.isfinite(radii)]),
        norm_histogram=_histogram(sound),
        clip_radius=clip_radius,
        at_clip=_at_clip(norms, reading, checkpoint.dtype),
        non_finite=Defect(len(bad), rows, node_samples(bad)),
        outside=Defect(
            len(off), rows, node_samples(off, norm=norms[off[:SAMPLES]]), {kind: len(off)}
        ),
        duplicates=Defect(
            len(twins), rows, node_samples(twins, equal_to=repeated[twins[:SAMPLES]])
        ),
        same_direction=same_direction - len(twins) if same_direction > len(twins) else 0,
        effective_rank=spectrum.effective_rank(),
        participation_ratio=spectrum.participation_ratio(),
        direction_rank=directions.effective_rank(),
        unit_roundoff=UNIT_ROUNDOFF.get(checkpoint.dtype, UNIT_ROUNDOFF["float32"]),
        sampled_distances=pairs,
        ceiling=ceiling,
        copy_groups=groups,
        largest_copies=tuple(
            Copies(size, tuple(rows), float(norms[rows[0]])) for size, rows in largest
        ),
        sample=f"{len(pairs):,} pairs of rows for distances, seed {seed}; all rows otherwise",
    )


def chunks(checkpoint: Checkpoint) -> Iterator[tuple[slice, Space]]:
    """Bounded parts of the table as points, in order."""
    reading = checkpoint.reading
    for start in range(0, checkpoint.rows, _CHUNK):
        part = slice(start, min(start + _CHUNK, checkpoint.rows))
        yield part, Space.of(checkpoint.vectors[part], reading.geometry, reading.curvature)


def _norms(
    stored: FloatArray, x: FloatArray, space: Space, reading: Reading, dtype: str
) -> tuple[FloatArray, FloatArray]:
    """Norms in the unit ball, and how far outside the model rows are: 1 is the boundary."""
    nowhere = np.zeros(len(stored))
    if reading.geometry is Geometry.EUCLIDEAN:
        return stored, nowhere
    if reading.geometry is Geometry.BALL:
        norms = stored * float(np.sqrt(reading.curvature))
        return norms, norms
    norms = np.tanh(space.radii / 2)
    if reading.geometry is Geometry.TANGENT:
        return norms, nowhere
    slack = _SHEET * UNIT_ROUNDOFF.get(dtype, UNIT_ROUNDOFF["float32"])
    off = lorentz.sheet_error(x, reading.curvature) / slack
    return norms, np.where(x[:, 0] > 0, off, np.inf)


def _clip_radius(reading: Reading) -> float | None:
    if reading.clip is None or reading.geometry is Geometry.EUCLIDEAN:
        return None
    return radius_of_norm(reading.clip * float(np.sqrt(reading.curvature)))


def _at_clip(norms: FloatArray, reading: Reading, dtype: str) -> int:
    """Rows at the clip up to the rounding of the stored norm."""
    if reading.clip is None or reading.geometry is Geometry.EUCLIDEAN:
        return 0
    clip = reading.clip * float(np.sqrt(reading.curvature))
    slack = 8 * UNIT_ROUNDOFF.get(dtype, UNIT_ROUNDOFF["float32"])
    return int(np.count_nonzero(norms >= clip - slack))


def _percentiles(values: FloatArray) -> dict[int, float]:
    if not len(values):
        return {}
    found = np.percentile(values, PERCENTILES)
    return {p: float(v) for p, v in zip(PERCENTILES, found, strict=True)}


def _histogram(norms: FloatArray) -> tuple[tuple[float, float, int], ...]:
    if not len(norms):
        return ()
    highest = max(1.0, float(norms.max()))
    counts, edges = np.histogram(norms, bins=_BINS, range=(0.0, highest))
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
