"""EMB009: radii that the stored numbers cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Threshold, rule

from .embedding_saturation import TRAINED, needs_hyperbolic
from .wording import be, part

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics


@rule(
    "EMB009",
    "warn",
    about="table",
    thresholds={
        "error": Threshold(
            0.1,
            "a row counts where the bound of its error is larger than this, in hyperbolic distance",
            f"{TRAINED}: at most 3e-4 in float32, 2.8 in float16",
        ),
        "share": Threshold(
            0.01,
            "a warning where more than this share of the rows counts",
            f"{TRAINED}: 0 in float32, over 90 % in float16",
        ),
    },
)
def precision_loss(embedding: EmbeddingStatistics, threshold: Mapping[str, float]) -> Finding:
    """The numbers no longer hold the radii: rounding moves rows by more than levels differ.

    What counts is what the numbers hold, not the dtype they stand in: float32 rows that were saved
    as float64 are known to float32, and float16 ones stay as coarse in whatever they are saved.
    With unit roundoff u the radius rho of a ball row is known to u e^rho / 2: rounding a norm near
    1 by u moves the radius by that much. A row on the Lorentz sheet misses the sheet by up to
    u e^(2 rho) / 2, and the arcosh of near rows then starts from noise. In tangent coordinates the
    error is only u rho.

    Why it matters:
    Saving in half precision halves the file and quietly removes the outer levels of the tree: at
    radius 8 a float16 norm moves by 0.7, a bfloat16 one by 5.8, and leaves of different depth
    become one point. The training run looked well, and the table that is handed out does not.

    How to fix:
    Keep the table in float32 or float64, or store it in tangent coordinates, which lose nothing:

        norm = x.double().norm(dim=-1, keepdim=True)
        z = (2 * torch.atanh(norm) * x.double() / norm).to(torch.float16)

    and read them back with ``x = tanh(|z| / 2) z / |z|`` in float64.

    Known exceptions:
    It is a bound: the error in float32 at radius 12.2 was 0.0013 where the bound is 0.0059.
    Euclidean tables are skipped.

    References:
    - Mishne et al. 2023, the numerical stability of hyperbolic representation learning:
      https://arxiv.org/abs/2211.00181
    - Sala et al. 2018, bits needed by depth: https://arxiv.org/abs/1804.03329
    """
    needs_hyperbolic(embedding)
    radii = embedding.radii[np.isfinite(embedding.radii)]
    if not len(radii):
        raise Skip("no row is a finite point of the space")
    from taxcheck.geometry.models import model_of  # a gate does not need it

    stored = model_of(embedding.reading.geometry)
    errors = stored.rounding(embedding.unit_roundoff, radii)
    over = int(np.count_nonzero(errors > threshold["error"]))
    found = over / len(radii) > threshold["share"]
    largest = float(errors.max())
    return Finding(
        found=found,
        message=f"{part(over, len(radii), 'rows')} {be(over)} known to no better than "
        f"{threshold['error']:g} in {embedding.held_as}; the largest bound is {largest:.2g}",
        count=over if found else 0,
        total=len(radii),
        observed={
            "dtype": embedding.dtype,
            "held as": embedding.held_as,
            "unit roundoff": embedding.unit_roundoff,
            "largest bound": largest,
            "median bound": float(np.median(errors)),
            "largest radius": float(radii.max()),
        },
        impact=f"{part(over, len(radii), 'rows')} {'lies' if over == 1 else 'lie'} nearer the "
        f"boundary than {embedding.held_as} can tell.",
        fix="save the trained table anew, as float64, ``torch.save(x.double(), path)``, or in "
        "tangent coordinates, ``z = 2 * atanh(norm) * x / norm``",
    )
