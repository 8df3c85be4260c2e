"""TRAIN009: what the metrics recorded over the epochs show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from taxcheck.arrays import smoothed
from taxcheck.audit.values import EmbeddingStatistics, FloatArray, TrainingRecord
from taxcheck.rule import Finding, Observed, Sample, Scalar, Skip, Threshold, rule

from .embedding_saturation import AT_CLIP
from .training_config import setting
from .wording import plural

_SHORTEST = 5  # epochs that make a curve
_NOISE = 0.01  # of the largest loss: a rise of less, near 0, is no rise
_TRAINED = "Echinodermata, d = 10, trained in the ball to MAP .84: "


def series(history: Sequence[Mapping[str, float]], key: str) -> FloatArray:
    """One metric over the records that have it, in their order, (records,)."""
    return np.array([entry[key] for entry in history if key in entry], dtype=np.float64)


def _radius(norm: float) -> float:
    """Hyperbolic radius of a norm in the ball; infinite from the boundary on, NaN of no norm."""
    if not norm >= 0:
        return float("nan")
    return float("inf") if norm >= 1 else float(np.log1p(norm) - np.log1p(-norm))


@rule(
    "TRAIN009",
    "warn",
    thresholds={
        "drop": Threshold(
            0.1,
            "a plateau: the loss fell by less than this part of its largest value",
            _TRAINED + "it fell by 91 %, with 26 % of the nodes in no pair by 93 %",
        ),
        "rise": Threshold(
            0.05,
            "a rise: the loss ends higher than its least value of the second half, by this part",
            _TRAINED + "1.3 % over the last 20 epochs, which is noise",
        ),
    },
)
def unhealthy_curve(
    training: TrainingRecord,
    threshold: Mapping[str, float],
    embedding: EmbeddingStatistics | None = None,
) -> Finding:
    """Over the epochs the loss stands still or rises, norms reach the clip, or steps gave NaN.

    The loss is smoothed by the median of a tenth of the curve. A plateau is a loss that never fell
    much below its largest value; a rise is judged in the second half, since a burn-in with fewer
    negatives has another level; where the records say ``refining``, in that of the last stretch of
    epochs that agree on it; less than a hundredth of the largest loss is no rise. Norms reach the
    clip where their recorded 90th percentile comes within 2 % of its radius.

    Why it matters:
    These are the three things to watch while a run can still be stopped. A loss that does not fall
    says that nothing is learnt (a learning rate of the wrong size, frozen parameters); one that
    rises at the end, that the learning rate did not fall; norms at the clip, that rows are being
    cut; a NaN step, that some rows are lost already (EMB002).

    How to fix:
    A plateau from the start: 0.1 to 1 as learning rate for Riemannian descent, 0.001 for Adam. A
    rise: let the learning rate fall to 0 over the run. Norms at the clip: see EMB004. NaN: compute
    distances as 2 asinh(sqrt(...)) and stop at the first one:

        assert torch.isfinite(loss), step

    Known exceptions:
    A curve of fewer than five records has no shape. A loss may jump where the number of negatives
    or the temperature changes; the second half decides. That a falling loss flattens at its end is
    health.

    References:
    - Nickel & Kiela 2017, burn-in: https://arxiv.org/abs/1705.08039
    - Mishne et al. 2023, instabilities near the boundary: https://arxiv.org/abs/2211.00181
    """
    history = training.facts.history
    loss = series(history, "loss")
    broken = int(np.nansum(series(history, "nan_steps"))) + int((~np.isfinite(loss)).sum())
    finite = loss[np.isfinite(loss)]
    p90 = series(history, "norm_p90")
    if len(finite) < _SHORTEST and not broken and not len(p90):
        raise Skip(f"{plural(len(finite), 'record')} of the loss make no curve")
    own = setting(training, "max_norm")
    stated = embedding.reading.clip if embedding is not None else None
    clip = own if own is not None else stated
    told: list[str] = []
    observed: dict[str, Observed] = {"records": len(history), "clip": clip}
    if len(finite) >= _SHORTEST:
        end = _last_stage(history)
        told += _loss_told(smoothed(finite), smoothed(end), threshold, observed)
    if len(p90) and clip is not None:
        reached = np.array([_radius(norm) for norm in p90]) >= AT_CLIP * _radius(clip)
        observed["records with norms at the clip"] = int(reached.sum())
        if reached.any():
            epoch = _epoch(history, "norm_p90", int(np.argmax(reached)))
            told.append(f"a tenth of the norms reached the clip at {epoch}")
    observed["NaN steps"] = broken
    if broken:
        told.append(f"{plural(broken, 'step')} gave NaN or infinity")
    message = "; ".join(told)
    if not told:
        message = f"{plural(len(history), 'record')} without a sign of trouble"
        if len(finite):
            message = f"the loss went from {finite[0]:.4g} to {finite[-1]:.4g} over {message}"
    samples: tuple[dict[str, Scalar], ...] = tuple({"sign": text} for text in told)
    return Finding(
        found=bool(told),
        message=message,
        count=len(told),
        total=len(history),
        observed=observed,
        samples=tuple(Sample(values) for values in samples),
        impact=f"The run showed it while it could still be stopped: {told[0]}." if told else None,
        fix="let the learning rate fall to 0 over the run, burn in with ``lr / 100``, and stop at "
        "the first NaN: ``assert torch.isfinite(loss), step``"
        if told
        else None,
    )


def _last_stage(history: Sequence[Mapping[str, float]]) -> FloatArray:
    """The finite losses of the last records that agree on ``refining``, of all where none says."""
    stage = [record for record in history if "loss" in record]
    for k in range(len(stage) - 1, 0, -1):
        if stage[k - 1].get("refining") != stage[-1].get("refining"):
            stage = stage[k:]
            break
    loss = series(stage, "loss")
    return loss[np.isfinite(loss)]


def _loss_told(
    loss: FloatArray,
    end: FloatArray,
    threshold: Mapping[str, float],
    observed: dict[str, Observed],
) -> list[str]:
    """What a smoothed curve and its last stage show; notes the values that it was judged by."""
    largest, last = float(loss.max()), float(loss[-1])
    least = float(end[len(end) // 2 :].min()) if len(end) >= _SHORTEST else last
    drop = (largest - last) / abs(largest) if largest else 0.0
    rise = (last - least) / abs(least) if least else 0.0
    observed |= {"largest loss": largest, "last loss": last, "drop": drop, "rise at the end": rise}
    told = []
    if drop < threshold["drop"]:
        told.append(f"the loss stands still: {largest:.4g} at most, {last:.4g} at the end")
    if rise > threshold["rise"] and last - least > _NOISE * abs(largest):
        told.append(f"the loss rises: {least:.4g} at its least, {last:.4g} at the end")
    return told


def _epoch(history: Sequence[Mapping[str, float]], key: str, position: int) -> str:
    """The epoch of the record at a position among those that have the key."""
    entry = [record for record in history if key in record][position]
    return f"epoch {entry['epoch']:g}" if "epoch" in entry else f"record {position + 1}"
