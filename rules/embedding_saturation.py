"""EMB004: rows that crowd at the boundary, read by norms and read by radii."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Severity, Skip
from taxcheck.model.geometry import Geometry
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import percent

from .scoring import strong

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics, HierarchyScores, Saturation

TRAINED = "Echinodermata, d = 10, trained in the ball to MAP 0.84"
_INCIDENT = (
    "the incident: 30 % of the norms above 0.9, 90th percentile 0.9997, at least 1 % at the clip"
)
EXPLAINED = ("TRAIN001", "TRAIN003", "TRAIN002")


def saturation_of(embedding: EmbeddingStatistics) -> Saturation:
    """The two readings of a table; Skip where it has no boundary, or no row is a point."""
    needs_hyperbolic(embedding)
    if embedding.saturation is None:
        raise Skip("no row is a finite point of the space")
    return embedding.saturation


def needs_hyperbolic(embedding: EmbeddingStatistics) -> None:
    """Skip where rows have no boundary: a Euclidean table may have any norm."""
    if embedding.reading.geometry is Geometry.EUCLIDEAN:
        raise Skip("the table is Euclidean: it has no boundary and no hyperbolic radius")


def percentiles(embedding: EmbeddingStatistics) -> str:
    """``0 0.1000, 10 0.3210, ...``: the norm percentiles in the form of the incident's table."""
    return ", ".join(f"{k} {value:.4f}" for k, value in embedding.norm_percentiles.items())


@rule(
    "EMB004",
    "fail",
    about="table",
    thresholds={
        "norm_share": Threshold(
            0.25, "Euclidean reading: crowded where more of the norms are above 0.9", _INCIDENT
        ),
        "norm_percentile": Threshold(
            0.98, "Euclidean reading: crowded where the 90th percentile is above this", _INCIDENT
        ),
        "clip_share": Threshold(
            0.05,
            "hyperbolic reading: saturated where more rows are within 2 % of the clip's radius",
            f"{TRAINED}: 0, with 99.7 % of the norms above 0.9; in 2 dimensions 53 %, and MAP 0.23",
        ),
        "saturated_levels": Threshold(
            0.1,
            "hyperbolic reading: saturated where the median of more depths is at the clip",
            f"{TRAINED}: none of 16 depths",
        ),
        "radius_error": Threshold(
            1.0,
            "hyperbolic reading: no precision left where radii err by more at the 90th percentile",
            f"{TRAINED}: 2e-4 in float32, 1.8 in float16",
        ),
    },
    caused_by=EXPLAINED,
    pictures=("row_radii", "radius_by_depth"),
    judges="row_radii",
)
def boundary_saturation(
    embedding: EmbeddingStatistics,
    threshold: Mapping[str, float],
    scores: HierarchyScores | None = None,
) -> Finding:
    """The rows crowd at the boundary of the ball, where they can no longer be told apart.

    Two readings are taken, and both are shown. The Euclidean one looks at norms, as people do: more
    than 25 % above 0.9, or a 90th percentile above 0.98. It is judged for tables stored in the
    ball; on the sheet and in tangent coordinates a norm near 1 costs nothing. The hyperbolic one
    looks at what is lost: rows within 2 % of the radius of the engine's clip, depths whose median
    is there (where the hierarchy is known), and the error of the radius in the stored dtype.

    - One bad or both, and the ranking exceeds all of its nulls (HIER003): warning. The rows do
      their work where they are.
    - One bad or both, and the ranking exceeds none or not all: failure.
    - No ranking to tell by, since the table came without pairs or a null ranks perfectly: the
      Euclidean reading alone warns; the hyperbolic one fails, since rows at the clip were cut
      whatever they mean.

    A clip that nothing states is told by the rows that share the largest norm, if they are more
    than the spacing of numbers there brings together.

    Why it matters:
    A norm says little by itself: 0.9997 is a radius of 8.8 of the 12.2 that a clip at 1 - 1e-5
    allows, and well-trained embeddings of the literature live there. Rows at the clip are another
    matter. They were pushed outwards and cut, so that depth stops being seen in the radius, and
    the factor (1 - |x|^2)^2 / 4 of Riemannian descent shrinks their gradients 28 times at a norm of
    0.9 and 250,000 times at 0.999: whatever is wrong there stays wrong.

    How to fix:
    First see whether the structure is there: ``taxcheck evaluate checkpoint.pt --mapping
    mapping.tsv --pairs pairs.parquet``. Where it is not, moving the clip inwards moves the crowd
    with it. Take the pressure away instead: burn in with a hundredth of the learning rate for ten
    epochs, weaken a regularizer on the radius, start near the origin, and train in coordinates
    whose gradients do not vanish:

        x = torch.tanh(z.norm(dim=-1, keepdim=True) / 2) * torch.nn.functional.normalize(z, dim=-1)

    Known exceptions:
    Euclidean tables have no boundary and are skipped. Without a known clip its part of the reading
    is left out. Leaves of a wide, shallow hierarchy rightly share one radius; only at the clip is
    that a loss.

    References:
    - Nickel & Kiela 2017, Poincare embeddings: https://arxiv.org/abs/1705.08039
    - Mishne et al. 2023, the numerical stability of hyperbolic representation learning:
      https://arxiv.org/abs/2211.00181
    - Sala et al. 2018, precision and depth: https://arxiv.org/abs/1804.03329
    """
    seen = saturation_of(embedding)
    levels = scores.saturated_levels if scores is not None else None
    ball = embedding.reading.geometry is Geometry.BALL
    crowded = ball and _crowded(seen, threshold)
    lost = _lost(seen, levels, threshold)
    told = seen.at_clip is not None or levels is not None
    ranks = strong(scores)
    found = crowded or lost
    message = _message(embedding, seen, crowded, lost, ranks)
    observed: dict[str, Observed] = {
        "norm percentiles": {str(k): v for k, v in embedding.norm_percentiles.items()},
        "radius percentiles": {str(k): v for k, v in embedding.radius_percentiles.items()},
        "share above 0.9": seen.above,
        "rows cut by the clip": embedding.at_clip,
        "clip's radius": embedding.clip_radius,
        "share within 2 % of the clip's radius": seen.at_clip,
        "share of depths at the clip": levels,
        "radius error at the 90th percentile": seen.error,
        "Euclidean reading": "crowded" if crowded else "clean" if ball else "not judged",
        "hyperbolic reading": "saturated" if lost else "clean" if told else "no clip is known",
        "ranking": None if ranks is None else "strong" if ranks else "weak",
    }
    return Finding(
        found=found,
        message=message,
        severity=_severity(crowded, lost, ranks),
        count=((lost and seen.rows_at_clip) or seen.rows_above) if found else 0,
        total=seen.rows,
        observed=observed,
        impact=(
            f"{percent(seen.above)} of the rows have a norm above 0.9, and "
            + ("depths can no longer be told apart there." if lost else "gradients vanish there.")
        ),
        fix="``taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet`` "
        "shows whether the structure is lost; where it is, burn in with ``lr / 100`` for ten "
        "epochs, weaken the regularizer on the radius and start near the origin: a clip further in "
        "only moves the crowd",
    )


def _crowded(seen: Saturation, threshold: Mapping[str, float]) -> bool:
    return seen.above > threshold["norm_share"] or seen.p90 > threshold["norm_percentile"]


def _lost(seen: Saturation, levels: float | None, threshold: Mapping[str, float]) -> bool:
    return (
        (seen.at_clip or 0.0) > threshold["clip_share"]
        or (levels or 0.0) > threshold["saturated_levels"]
        or seen.error > threshold["radius_error"]
    )


def _message(
    embedding: EmbeddingStatistics, seen: Saturation, crowded: bool, lost: bool, ranks: bool | None
) -> str:
    at = "no clip is known" if seen.at_clip is None else f"{percent(seen.at_clip)} near the clip"
    message = f"norm percentiles {percentiles(embedding)}; {percent(seen.above)} above 0.9, {at}"
    if crowded or lost:
        standing = {True: "is strong", False: "does not exceed its nulls", None: "is not known"}
        reading = "both readings" if crowded and lost else "Euclidean" if crowded else "hyperbolic"
        message += f"; bad by {reading}, the ranking {standing[ranks]}"
    return message


def _severity(crowded: bool, lost: bool, ranks: bool | None) -> Severity:
    """A table that ranks is only warned of; unknown ranks excuse only a crowd."""
    excused = crowded and not lost if ranks is None else ranks
    return Severity.WARN if excused else Severity.FAIL
