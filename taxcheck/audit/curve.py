"""The recorded metrics of a training run as a curve: smoothed whole, then thinned out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np

from taxcheck.arrays import smoothed
from taxcheck.audit.radius_scores import NEAR_CLIP
from taxcheck.audit.values import FloatArray, TrainingRecord
from taxcheck.audit_bins import Curve
from taxcheck.geometry.ball import radius_of_norm

SHORTEST = 5  # records that make a curve
_POINTS = 200
_BROKEN = 50

Points = tuple[tuple[float, float], ...]


def curve_of(training: TrainingRecord, clip: float | None) -> Curve | None:
    """Bin a run's history; ``clip`` is the table's, where the run records none.

    None where there is nothing to draw.
    """
    history = training.facts.history
    stated = all("epoch" in record for record in history)
    at = [record["epoch"] if stated else float(k + 1) for k, record in enumerate(history)]
    epochs, loss = _column(history, at, "loss")
    finite = np.isfinite(loss)
    broken = [(x, 1) for x in epochs[~finite]]
    for x, steps in zip(*_column(history, at, "nan_steps"), strict=True):
        broken += [(x, int(steps))] if steps > 0 else []
    radii, farthest = _radii(history, at, "norm_p90"), _radii(history, at, "norm_max")
    epochs, loss = epochs[finite], loss[finite]
    if len(loss) < 2 and len(radii) < 2 and not broken:
        return None
    largest = least = last = drop = rise = None
    smooth = smoothed(loss)
    if len(loss) >= SHORTEST:
        half = len(loss) // 2
        top, low = int(np.argmax(smooth)), half + int(np.argmin(smooth[half:]))
        largest, least, last = (
            (float(epochs[k]), float(smooth[k])) for k in (top, low, len(loss) - 1)
        )
        drop, rise = _part(largest[1] - last[1], largest[1]), _part(last[1] - least[1], least[1])
    limit = _clip_radius(training, clip)
    reached = [x for x, radius in radii if limit is not None and radius >= NEAR_CLIP * limit]
    return Curve(
        unit="epoch" if stated else "record",
        records=len(history),
        loss=_stretches(epochs, loss),
        smooth=_thinned(list(zip(epochs.tolist(), smooth.tolist(), strict=True))),
        largest=largest,
        least=least,
        last=last,
        drop=drop,
        rise=rise,
        radii=_thinned([point for point in radii if np.isfinite(point[1])]),
        farthest=_thinned([point for point in farthest if np.isfinite(point[1])]),
        clip=limit if radii or farthest else None,
        reached=min(reached, default=None),
        broken=tuple(sorted((float(x), steps) for x, steps in broken))[:_BROKEN],
        nan_steps=sum(steps for _, steps in broken),
    )


def _column(
    history: Sequence[Mapping[str, float]], at: Sequence[float], key: str
) -> tuple[FloatArray, FloatArray]:
    """The records that have a metric: their epochs and its values, (records,) each."""
    found = [(x, record[key]) for x, record in zip(at, history, strict=True) if key in record]
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _radii(
    history: Sequence[Mapping[str, float]], at: Sequence[float], key: str
) -> list[tuple[float, float]]:
    """A recorded norm as hyperbolic radius; infinite from the boundary on."""
    return [
        (float(x), radius_of_norm(float(norm)) if norm < 1 else float("inf"))
        for x, norm in zip(*_column(history, at, key), strict=True)
        if norm >= 0
    ]


def _part(difference: float, of: float) -> float:
    return difference / abs(of) if of else 0.0


def _clip_radius(training: TrainingRecord, clip: float | None) -> float | None:
    own = training.facts.config.get("max_norm")
    if own is not None and not isinstance(own, bool):
        with suppress(ValueError):
            clip = float(own)
    return radius_of_norm(clip) if clip is not None and 0 < clip < 1 else None


def _stretches(epochs: FloatArray, values: FloatArray) -> tuple[tuple[float, float, float], ...]:
    starts = np.unique(np.linspace(0, len(values), min(_POINTS, len(values)) + 1).astype(np.int64))
    return tuple(
        (float(epochs[b - 1]), float(values[a:b].min()), float(values[a:b].max()))
        for a, b in pairwise(starts)
    )


def _thinned(points: Sequence[tuple[float, float]]) -> Points:
    kept = np.unique(np.linspace(0, max(len(points) - 1, 0), _POINTS).round().astype(np.int64))
    return tuple(points[k] for k in kept) if points else ()
