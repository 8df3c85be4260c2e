"""The recorded metrics of a training run as a curve: smoothed whole, then thinned out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np

from taxcheck.audit.values import FloatArray
from taxcheck.geometry.ball import radius_of_norm
from taxcheck.model.arrays import BoolArray, smoothed
from taxcheck.model.pictures import Curve
from taxcheck.model.vocabulary import NEAR_CLIP
from taxcheck.sources.checkpoints.checkpoint import Facts

SHORTEST = 5  # records of a stage that make a curve
_PLACED = 0.9  # a MAP from which on rows are placed
_NOISES = 4.0  # so much of the scatter of single records is chance
_MEDIAN = 0.6745  # of the sizes of normal deviations, in standard deviations
_POINTS = 200
_BROKEN = 50

Points = tuple[tuple[float, float], ...]


def curve_of(facts: Facts, clip: float | None) -> Curve | None:
    """Measure a run's history; ``clip`` is the table's, where the run records none.

    None where nothing was recorded.
    """
    history = facts.history
    if not history:
        return None
    stated = all("epoch" in record for record in history)
    at = [record["epoch"] if stated else float(k + 1) for k, record in enumerate(history)]
    epochs, loss = _column(history, at, "loss")
    finite = np.isfinite(loss)
    nan = zip(*_column(history, at, "nan_steps"), strict=True)
    broken = _broken([*((x, 1) for x in epochs[~finite]), *nan])
    stages = _stages([record for record in history if "loss" in record], finite)
    epochs, loss = epochs[finite], loss[finite]
    smooth = np.concatenate([loss[:0], *(smoothed(loss[stage]) for stage in stages)])
    ends = _ends(epochs, loss, smooth, stages)
    radii, farthest = _radii(history, at, "norm_p90"), _radii(history, at, "norm_max")
    max_norm = _max_norm(facts, clip)
    limit = None if max_norm is None else radius_of_norm(max_norm)
    near = _near(radii, limit) if any("norm_p90" in record for record in history) else None
    return Curve(
        unit="epoch" if stated else "record",
        records=len(history),
        losses=len(loss),
        loss=_stretches(epochs, loss),
        smooth=_thinned(list(zip(epochs.tolist(), smooth.tolist(), strict=True))),
        radii=_thinned(_finite(radii)),
        farthest=_thinned(_finite(farthest)),
        max_norm=max_norm,
        clip=limit if radii or farthest else None,
        near_clip=None if near is None else len(near),
        reached=min(near or (), default=None),
        broken=broken[:_BROKEN],
        nan_steps=sum(steps for _, steps in broken),
        learnt=_learnt(history),
        **ends,
    )


def _learnt(history: Sequence[Mapping[str, float]]) -> bool:
    """Whether the first evaluation found the rows placed."""
    return next((record["map"] for record in history if "map" in record), 0.0) >= _PLACED


def _ends(
    epochs: FloatArray, loss: FloatArray, smooth: FloatArray, stages: Sequence[slice]
) -> dict[str, Any]:
    """What the stages of enough records show; nothing where there are none.

    Of the one in which the loss fell most, where it was largest and where it ended; of the last,
    its least in the second half, where it ended, and its noise there.
    """
    long = [stage for stage in stages if stage.stop - stage.start >= SHORTEST]
    if not long:
        return {}

    def point(at: int) -> tuple[float, float]:
        return float(epochs[at]), float(smooth[at])

    falls = []
    for stage in long:
        top, end = point(stage.start + int(np.argmax(smooth[stage]))), point(stage.stop - 1)
        falls.append((_part(top[1] - end[1], top[1]), top, end))
    drop, largest, ended = max(falls)
    final = long[-1]
    half = final.start + (final.stop - final.start) // 2
    least, last = point(half + int(np.argmin(smooth[half : final.stop]))), point(final.stop - 1)
    return {
        "largest": largest,
        "ended": ended,
        "least": least,
        "last": last,
        "drop": drop,
        "rise": _part(last[1] - least[1], least[1]),
        "noise": _NOISES * _noise(loss[final]),
    }


def _noise(values: FloatArray) -> float:
    """The standard deviation of single records (k >= 4,) about a curve through their neighbours.

    Second differences of independent records have sqrt(1 + 4 + 1) times theirs, third ones
    sqrt(1 + 9 + 9 + 1) times; the smaller estimate counts, since a bend of the curve adds to each.
    The median of their sizes is 0.6745 of it, whatever a few wild records are.
    """
    scale = ((2, 6**0.5), (3, 20**0.5))
    return min(
        float(np.median(np.abs(np.diff(values, order)))) / (_MEDIAN * times)
        for order, times in scale
    )


def _stages(records: Sequence[Mapping[str, float]], finite: BoolArray) -> list[slice]:
    """Where the finite losses of records in a row are of one stage, as parts of them.

    That is what ``stage`` says, and in older records ``refining``.
    """
    key = "stage" if any("stage" in record for record in records) else "refining"
    kept = [record.get(key) for record, sound in zip(records, finite, strict=True) if sound]
    starts = [k for k, stage in enumerate(kept) if not k or stage != kept[k - 1]]
    return [slice(a, b) for a, b in pairwise([*starts, len(kept)])]


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


def _broken(steps: Iterable[tuple[float, float]]) -> tuple[tuple[float, int], ...]:
    return tuple(sorted((float(x), int(count)) for x, count in steps if count > 0))


def _near(radii: Sequence[tuple[float, float]], limit: float | None) -> list[float] | None:
    """Where a radius is near its limit."""
    return None if limit is None else [x for x, radius in radii if radius >= NEAR_CLIP * limit]


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for point in points if np.isfinite(point[1])]


def _part(difference: float, of: float) -> float:
    return difference / abs(of) if of else 0.0


def _max_norm(facts: Facts, clip: float | None) -> float | None:
    own = facts.config.get("max_norm")
    if own is not None and not isinstance(own, bool):
        with suppress(ValueError):
            clip = float(own)
    return clip if clip is not None and 0 < clip < 1 else None


def _stretches(epochs: FloatArray, values: FloatArray) -> tuple[tuple[float, float, float], ...]:
    starts = np.unique(np.linspace(0, len(values), min(_POINTS, len(values)) + 1).astype(np.int64))
    return tuple(
        (float(epochs[b - 1]), float(values[a:b].min()), float(values[a:b].max()))
        for a, b in pairwise(starts)
    )


def _thinned(points: Sequence[tuple[float, float]]) -> Points:
    kept = np.unique(np.linspace(0, max(len(points) - 1, 0), _POINTS).round().astype(np.int64))
    return tuple(points[k] for k in kept) if points else ()
