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

SHORTEST = 5  # records that make a curve
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
    smooth = np.concatenate([smoothed(loss[stage]) for stage in stages]) if stages else loss
    ends = _ends(epochs, smooth, stages[-1]) if len(loss) >= SHORTEST else {}
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
        **ends,
    )


def _ends(epochs: FloatArray, smooth: FloatArray, stage: slice) -> dict[str, Any]:
    """Where the loss was largest, where it ended, and its least in the last half of a stage."""
    top, low, end = int(np.argmax(smooth)), len(smooth) - 1, len(smooth) - 1
    if (length := end + 1 - stage.start) >= SHORTEST:
        half = stage.start + length // 2
        low = half + int(np.argmin(smooth[half:]))
    largest, least, last = ((float(epochs[k]), float(smooth[k])) for k in (top, low, end))
    drop, rise = _part(largest[1] - last[1], largest[1]), _part(last[1] - least[1], least[1])
    return {"largest": largest, "least": least, "last": last, "drop": drop, "rise": rise}


def _stages(records: Sequence[Mapping[str, float]], finite: BoolArray) -> list[slice]:
    """Where the finite losses of records in a row agree on ``refining``, as parts of them."""
    kept = [record.get("refining") for record, sound in zip(records, finite, strict=True) if sound]
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
