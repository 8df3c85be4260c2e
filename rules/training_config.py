"""TRAIN001 to TRAIN003: settings that push rows to the boundary or leave them there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import NEAR_CLIP, percent

from .embedding_saturation import saturation_of
from .scoring import strong

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics, HierarchyScores, TrainingRecord

_INCIDENT_REPAIR = "the incident: {0} crowded the boundary, its repair took {1}"


def setting(training: TrainingRecord, key: str) -> float | None:
    """A recorded setting as a number; None where it is not recorded or no number."""
    value = training.facts.config.get(key)
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def recorded(training: TrainingRecord, key: str) -> float:
    """The same, or Skip."""
    value = setting(training, key)
    if value is None:
        raise Skip(f"{key} is recorded neither in the checkpoint nor beside it")
    return value


@rule(
    "TRAIN001",
    "warn",
    about="training",
    thresholds={
        "lambda_reg": Threshold(
            0.1,
            "a warning where the weight of the radial regularizer is this or more",
            _INCIDENT_REPAIR.format("0.1", "0.01"),
        )
    },
    pictures=("row_radii",),
)
def regularizer_too_strong(training: TrainingRecord, threshold: Mapping[str, float]) -> Finding:
    """The regularizer on the radius outweighs the loss.

    Why it matters:
    A regularizer that ties each row to a radius given by its depth decides where rows go before the
    data does. With it the correlation of radius and depth comes out near 1 whatever was learnt, the
    deepest levels are held at the largest target radius, and rows there have no freedom left but
    their direction. In the incident 0.1 was one of the reasons for 30 % of the norms above 0.9.

    How to fix:
    Start without it and add a little only where the order of radii does not come by itself:

        --lambda-reg 0.0        # the first epochs
        --lambda-reg 0.01       # then, at most

    Judge the result by MAP (HIER003), since the radius is what the regularizer itself sets.

    Known exceptions:
    The weight is relative to the loss: where the loss is a sum over the batch and not a mean, 0.1
    may be little. Raise the threshold in the policy and say why. Only a weight that is recorded as
    ``lambda_reg`` is judged; an L2 term that draws every row to the origin, as gensim's
    ``regularization_coeff``, is another one and says nothing of depths.

    References:
    - Nickel & Kiela 2017, where radii follow from the loss alone: https://arxiv.org/abs/1705.08039
    - Ganea et al. 2018, entailment cones: https://arxiv.org/abs/1804.01882
    """
    weight = recorded(training, "lambda_reg")
    found = weight >= threshold["lambda_reg"]
    return Finding(
        found=found,
        message=f"lambda_reg is {weight:g}"
        + (f", {threshold['lambda_reg']:g} or more" if found else ""),
        observed={"lambda_reg": weight},
        samples=(Sample({"lambda_reg": weight}),),
        impact="Radii are set by the regularizer and not learnt.",
        fix="``--lambda-reg 0.0`` for the first epochs, ``0.01`` at most afterwards",
    )


@rule(
    "TRAIN002",
    "warn",
    about="training",
    thresholds={
        "max_norm": Threshold(
            0.98,
            "the clip is near the boundary where it is larger than this",
            _INCIDENT_REPAIR.format("1 - 1e-5", "0.98"),
        ),
        "norm_share": Threshold(
            0.25,
            "and the table is saturated where more of the norms are above 0.9",
            "the incident: 30 %",
        ),
        "norm_percentile": Threshold(
            0.98,
            "or where the 90th percentile of the norms is above this",
            "the incident: 0.9997; Echinodermata, d = 10, trained in the ball (MAP 0.84): the same",
        ),
        "clip_share": Threshold(
            0.05,
            "a strong ranking excuses it while no more of the rows are within 2 % of the clip",
            "Echinodermata, trained in the ball: 0 at d = 10 (MAP 0.84), 53 % at d = 2 (0.23)",
        ),
    },
    caused_by=("TRAIN001", "TRAIN003"),
    pictures=("row_radii",),
)
def clip_too_near(
    embedding: EmbeddingStatistics,
    threshold: Mapping[str, float],
    training: TrainingRecord | None = None,
    scores: HierarchyScores | None = None,
) -> Finding:
    """The clip lets rows come so near the boundary that gradients vanish, and rows did.

    Found only where both hold: a clip beyond 0.98, and norms that measurably crowd there, as the
    Euclidean reading of EMB004 counts them, unless the ranking exceeds all of its nulls and hardly
    a row is at the clip: then the rows do their work where they are. The clip is taken from the
    run's settings, or from the geometry that the checkpoint states.

    Why it matters:
    The factor (1 - |x|^2)^2 / 4 of Riemannian descent shrinks gradients, against the origin, 640
    times at a norm of 0.98 and 2.5 thousand million times at 1 - 1e-5: a row that gets there on a
    wrong path does not come back. In the incident the clip stood at 1 - 1e-5.

    How to fix:
    Choose the clip by the radius that the hierarchy needs, ln((1 + c) / (1 - c)): 4.6 at 0.98, 7.6
    at 0.999, 12.2 at 1 - 1e-5. A deep tree does not fit in 4.6, so keep rows from the boundary by
    burn-in and a falling learning rate rather than by the clip alone, or train where gradients do
    not vanish:

        x = torch.tanh(z.norm(dim=-1, keepdim=True) / 2) * torch.nn.functional.normalize(z, dim=-1)

    Known exceptions:
    Good embeddings of the literature use 1 - 1e-5 and live at norms of 0.999; give the pairs, so
    that the ranking can speak for them.

    References:
    - Nickel & Kiela 2017, projection to 1 - 1e-5: https://arxiv.org/abs/1705.08039
    - Mishne et al. 2023, vanishing gradients near the boundary: https://arxiv.org/abs/2211.00181
    """
    own = None if training is None else setting(training, "max_norm")
    clip = embedding.reading.clip if own is None else own
    if clip is None:
        raise Skip("no clip is recorded, neither as max_norm nor in the checkpoint's geometry")
    seen = saturation_of(embedding)
    near = clip > threshold["max_norm"]
    crowded = seen.above > threshold["norm_share"] or seen.p90 > threshold["norm_percentile"]
    harmless = bool(strong(scores)) and (seen.at_clip or 0.0) <= threshold["clip_share"]
    found = near and crowded and not harmless
    return Finding(
        found=found,
        message=f"the clip is {_clip(clip)}; {percent(seen.above)} of the norms are above 0.9, "
        f"their 90th percentile is {seen.p90:.4f}"
        + (", where the ranking is strong" if near and crowded and harmless else ""),
        observed={
            "max_norm": clip,
            "share above 0.9": seen.above,
            "90th percentile": seen.p90,
            f"share beyond {NEAR_CLIP:g} of the clip's radius": seen.at_clip,
        },
        samples=(Sample({"max_norm": clip, "90th percentile": seen.p90}),),
        impact=f"{percent(seen.above)} of the rows are where gradients vanish, and the clip did "
        "not hold them.",
        fix="burn in (ten epochs at ``lr / 100``) and let the learning rate fall; a clip of "
        "``0.999`` leaves a radius of 7.6, ``0.98`` only 4.6",
    )


def _clip(norm: float) -> str:
    return f"1 - {1 - norm:.3g}" if 0.99 < norm < 1 else f"{norm:g}"


@rule(
    "TRAIN003",
    "warn",
    about="training",
    thresholds={
        "init_max_radius": Threshold(
            0.85,
            "a warning where the largest norm of the initialisation is more than this",
            _INCIDENT_REPAIR.format("0.95", "0.85"),
        )
    },
    pictures=("radius_by_depth",),
)
def init_too_near(training: TrainingRecord, threshold: Mapping[str, float]) -> Finding:
    """Rows are initialised near the boundary.

    Why it matters:
    Directions are random at the start, so a row that starts far out starts in a wrong place, and
    near the boundary it has to travel far in hyperbolic terms with gradients that are nearly gone:
    at a norm of 0.95 they are shrunk 105 times against the origin. Usual engines start within 0.001
    of the origin, where everything can still turn. In the incident the deepest level started at
    0.95.

    How to fix:
    Start near the origin and burn in, so that directions settle before radii grow:

        torch.nn.init.uniform_(weight, -1e-3, 1e-3)

    or, for an initialisation by depth, keep the largest radius at 0.5 or below.

    Known exceptions:
    A layout that already has the right directions, for example from a combinatorial construction,
    may start anywhere.

    References:
    - Nickel & Kiela 2017, initialisation and burn-in: https://arxiv.org/abs/1705.08039
    - Sala et al. 2018, combinatorial construction: https://arxiv.org/abs/1804.03329
    """
    radius = recorded(training, "init_max_radius")
    found = radius > threshold["init_max_radius"]
    return Finding(
        found=found,
        message=f"the largest norm of the initialisation is {radius:g}",
        observed={"init_max_radius": radius},
        samples=(Sample({"init_max_radius": radius}),),
        impact="The deepest rows start in random directions where gradients are nearly gone.",
        fix="``torch.nn.init.uniform_(weight, -1e-3, 1e-3)`` and ten epochs of burn-in",
    )
