"""TRAIN009: what the metrics recorded over the epochs show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import plural

if TYPE_CHECKING:
    from taxcheck.audit.values import TrainingRecord

_TRAINED = "Echinodermata, d = 10, trained in the ball to MAP 0.84: "


@rule(
    "TRAIN009",
    "warn",
    about="training",
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
    pictures=("training_curve",),
    judges="training_curve",
)
def unhealthy_curve(training: TrainingRecord, threshold: Mapping[str, float]) -> Finding:
    """Over the epochs the loss stands still or rises, norms reach the clip, or steps gave NaN.

    The loss is smoothed by the median of a tenth of each stage; stages are stretches of records
    that agree on ``stage``, or on ``refining`` where there is none. No two are compared: burn-in,
    other distances or another temperature have another level. Those of at least five records are
    judged. A plateau is a loss that in none of them ends much below its largest value, unless that
    is 0.001 or less, or the first recorded MAP is 0.9: then nothing was left to learn. A rise is
    judged in the second half of the last; less than a hundredth of the largest loss, than 0.001, or
    than four times the scatter of single records is none. Norms reach the clip where their
    recorded 90th percentile comes within 2 % of its radius.

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
    or the temperature changes: record a number ``stage`` that changes with it. That a falling loss
    flattens at its end is health.

    References:
    - Nickel & Kiela 2017, burn-in: https://arxiv.org/abs/1705.08039
    - Mishne et al. 2023, instabilities near the boundary: https://arxiv.org/abs/2211.00181
    """
    curve = training.curve
    if curve is None or (curve.drop is None and not curve.nan_steps and not curve.norms):
        kept = plural(0 if curve is None else curve.losses, "record")
        raise Skip(f"{kept} of the loss make no curve")
    told = list(curve.signs(threshold).values())
    observed: dict[str, Observed] = {"records": curve.records, "clip": curve.max_norm}
    passed = f"{plural(curve.records, 'record')} without a sign of trouble"
    if curve.largest and curve.ended:
        largest, last = curve.largest[1], curve.ended[1]
        observed |= {
            "largest loss": largest,
            "last loss": last,
            "drop": curve.drop,
            "rise at the end": curve.rise,
        }
        passed = f"the loss went from {curve.course()} over {passed}"
    if curve.near_clip is not None:
        observed["records with norms at the clip"] = curve.near_clip
    observed["NaN steps"] = curve.nan_steps
    return Finding(
        found=bool(told),
        message="; ".join(told) or passed,
        count=len(told),
        total=curve.records,
        observed=observed,
        samples=tuple(Sample({"sign": text}) for text in told),
        impact=f"The run showed it while it could still be stopped: {told[0]}." if told else None,
        fix="let the learning rate fall to 0 over the run, burn in with ``lr / 100``, and stop at "
        "the first NaN: ``assert torch.isfinite(loss), step``",
    )
