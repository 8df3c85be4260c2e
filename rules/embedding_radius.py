"""EMB005 and EMB010: radii that are all alike, and distances that can grow no further."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import NEAR_CLIP, percent

from .embedding_saturation import EXPLAINED, TRAINED, needs_hyperbolic
from .wording import be, part

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics


@rule(
    "EMB005",
    "warn",
    about="table",
    thresholds={
        "spread": Threshold(
            0.05,
            "a warning where the 10th to 90th percentile of the radii span less of their median",
            f"{TRAINED}: 0.26; untrained, by depth: 1.29",
        ),
        "origin": Threshold(
            0.1,
            "a warning where the 99th percentile of the radii is below this",
            f"{TRAINED}: 9.1; untrained, uniform within 0.001 (Nickel & Kiela 2017): under 0.007",
        ),
    },
    pictures=("row_radii", "radius_by_depth"),
)
def norm_collapse(embedding: EmbeddingStatistics, threshold: Mapping[str, float]) -> Finding:
    """All rows lie at one radius, or all near the origin.

    Judged are hyperbolic radii: the span from the 10th to the 90th percentile as a part of the
    median, and the 99th percentile.

    Why it matters:
    In hyperbolic space the room grows with the radius, and a tree needs both: few nodes inside,
    many outside. At one radius the space is a sphere and no better than a Euclidean one of a
    dimension less. Near the origin it is flat, and no tree of any size fits; a table that is still
    there has mostly not been trained, since usual initialisations draw from (-0.001, 0.001).

    How to fix:
    Near the origin: check that the optimizer got the table's parameters, that gradients arrive
    (``weight.grad.norm()``), and that the learning rate suits the optimizer: Riemannian descent
    needs 0.1 to 1 where Adam needs 0.001. At one radius: remove a normalisation of rows, weaken a
    regularizer on the radius, or a clip that cuts everything (EMB004).

    Known exceptions:
    Euclidean tables are skipped: unit vectors are usual there. In a hierarchy of one level all
    leaves rightly share a radius.

    References:
    - Nickel & Kiela 2017, initialisation and learning rates: https://arxiv.org/abs/1705.08039
    - Sala et al. 2018, room and precision: https://arxiv.org/abs/1804.03329
    """
    needs_hyperbolic(embedding)
    at = embedding.radius_percentiles
    if embedding.rows < 2 or not at:
        raise Skip("fewer than two rows are points of the space")
    span = (at[90] - at[10]) / at[50] if at[50] > 0 else 0.0
    origin = at[99] < threshold["origin"]
    narrow = span < threshold["spread"]
    found = origin or narrow
    message = (
        f"radii {at[10]:.3g} to {at[90]:.3g} (10th to 90th percentile) around a median of "
        f"{at[50]:.3g}"
    )
    if origin:
        message += ": all rows are near the origin"
    elif narrow:
        message += f": a span of {percent(span)} of the median"
    return Finding(
        found=found,
        message=message,
        count=embedding.rows if found else 0,
        total=embedding.rows,
        observed={
            "radius percentiles": {str(k): value for k, value in at.items()},
            "span as a part of the median": span,
        },
        impact=(
            "All rows are where they were initialised, in a space that is flat there."
            if origin
            else "All rows lie at one radius, so that it cannot tell a parent from its child."
        ),
        fix=(
            "check that ``weight.grad.norm()`` is not 0 and that the optimizer holds the table; "
            "Riemannian descent needs learning rates of 0.1 to 1"
            if origin
            else "remove what holds the radius: a normalisation of rows, a strong ``lambda_reg``, "
            "a clip that cuts all rows"
        ),
    )


@rule(
    "EMB010",
    "warn",
    about="table",
    thresholds={
        "share": Threshold(
            0.01,
            "a warning where more of the sampled pairs are within 2 % of the largest distance",
            f"{TRAINED}, clip 1 - 1e-5: 0 of 20,000 pairs, the largest 18.0 of 24.4",
        )
    },
    caused_by=(*EXPLAINED, "EMB004"),
    pictures=("distances",),
)
def distance_ceiling(embedding: EmbeddingStatistics, threshold: Mapping[str, float]) -> Finding:
    """Distances pile up at the largest one that the clip, or the engine's own clamp, allows.

    Two rows clipped at norm c on opposite sides are 2 rho_c apart, rho_c = ln((1 + c) / (1 - c)):
    24.4 for a clip at 1 - 1e-5, 9.2 at 0.98. Seeded random pairs within 2 % of it are counted.

    Why it matters:
    At the ceiling all far pairs are equally far: a near cousin of another order and a stranger from
    another kingdom have one distance. Rankings end in ties, and the loss cannot push further, so
    that it turns to pulling inwards what it should leave.

    How to fix:
    Give the distances room: a lower temperature or a smaller margin asks for shorter ones, more
    dimensions give more directions, and float64 or tangent coordinates allow radii of 37 in place
    of 17 in float32. Moving the clip inwards lowers the ceiling.

    Known exceptions:
    Rows of two classes trained to be as far apart as possible reach the ceiling by design. Where
    neither clip nor clamp is known the rule is skipped.

    References:
    - Sala et al. 2018, distances and precision: https://arxiv.org/abs/1804.03329
    - Mishne et al. 2023, largest radii by dtype: https://arxiv.org/abs/2211.00181
    """
    needs_hyperbolic(embedding)
    ceiling, distances = embedding.ceiling, embedding.sampled_distances
    if ceiling is None:
        raise Skip("neither a clip nor a clamp is known that would bound the distances")
    finite = distances[np.isfinite(distances)]
    if not len(finite):
        raise Skip("no sampled pair has a finite distance")
    at = int(np.count_nonzero(finite >= NEAR_CLIP * ceiling))
    found = at / len(finite) > threshold["share"]
    return Finding(
        found=found,
        message=f"{part(at, len(finite), 'sampled pairs')} {be(at)} within 2 % of the largest "
        f"distance, {ceiling:.4g}; the largest seen is {finite.max():.4g}",
        count=at if found else 0,
        total=len(finite),
        observed={
            "ceiling": ceiling,
            "largest": float(finite.max()),
            "median": float(np.median(finite)),
            "share at the ceiling": at / len(finite),
            "sample": embedding.sample,
        },
        impact=f"{percent(at / len(finite))} of all pairs are as far apart as the engine allows, "
        "and can no longer be ordered.",
        fix="train in float64 or in tangent coordinates, whose radii reach 37 and more, and lower "
        "the margin or the temperature that asks for such distances",
    )
