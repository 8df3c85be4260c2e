"""EMB007 and EMB008: rows that repeat one another, and dimensions that nothing uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import percent

from .wording import first, part

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics


@rule(
    "EMB007",
    "warn",
    about="table",
    thresholds={
        "same_direction": Threshold(
            0.01,
            "a warning where more than this share of rows repeat the direction of another row",
            "Echinodermata, d = 10, trained in the ball or untrained: 0 of 7,112 rows",
        )
    },
    pictures=("copies", "projection"),
)
def duplicate_row(embedding: EmbeddingStatistics, threshold: Mapping[str, float]) -> Finding:
    """Rows are copies of one another, or share one direction.

    Counted are rows equal to an earlier one, number by number, and, apart from them, rows whose
    unit direction an earlier one has.

    Why it matters:
    Two nodes with one vector cannot be told apart by anything that reads the table: distance 0,
    each the other's nearest neighbour, ties in every ranking. Training does not produce equal
    vectors in floating point; copying, padding, an initialisation with constants or a broken merge
    of two tables does. Collapsed directions put whole groups on one ray, which makes a ratio of
    distances between and within classes look excellent while siblings are lost.

    How to fix:
    List the groups and look at what they have in common:

        _, group, size = np.unique(vectors, axis=0, return_inverse=True, return_counts=True)
        np.flatnonzero(size[group] > 1)

    Zero rows were never initialised; rows equal to a neighbour's were copied. Add noise of 1e-3 to
    copies before training goes on, or two equal rows get equal gradients for ever.

    Known exceptions:
    In float16 or bfloat16 rounding alone can make two near rows equal. In one dimension there are
    only two directions.

    References:
    - Nickel & Kiela 2017, initialisation by uniform noise: https://arxiv.org/abs/1705.08039
    - Jing et al. 2022, dimensional collapse: https://arxiv.org/abs/2110.09348
    """
    bad = embedding.duplicates
    same = embedding.same_direction if embedding.dim > 1 else 0
    share = same / embedding.rows if embedding.rows else 0.0
    rays = share > threshold["same_direction"]
    found = bad.count > 0 or rays
    told = []
    if bad.count:
        copies = "is a copy" if bad.count == 1 else "are copies"
        told.append(f"{part(bad.count, bad.total, 'rows')} {copies} of another row")
    if rays:
        told.append(
            f"{part(same, embedding.rows, 'rows')} {'lies' if same == 1 else 'lie'} on "
            "the ray of another row"
        )
    return Finding(
        found=found,
        message="; ".join(told) + first(bad.samples)
        if found
        else f"all {bad.total:,} rows differ; {percent(share)} share a direction",
        count=bad.count or (same if rays else 0),
        total=bad.total or embedding.rows,
        observed={"copies": bad.count, "on another row's ray": same, "share on a ray": share},
        samples=bad.samples,
        impact=f"{part(bad.count or same, embedding.rows, 'rows')} cannot be told apart from "
        "another node, or only by their radius.",
        fix="``np.unique(vectors, axis=0, return_inverse=True, return_counts=True)`` groups the "
        "copies; add noise of 1e-3 to them and train on, since equal rows get equal gradients",
    )


@rule(
    "EMB008",
    "warn",
    about="table",
    thresholds={
        "used": Threshold(
            0.2,
            "a warning where less than this part of the dimensions beyond the first is used",
            "Echinodermata, d = 10, trained in the ball to MAP 0.84: 0.94 on log-map and "
            "directions, 0.52 by participation",
        )
    },
    pictures=("projection",),
)
def dimensional_collapse(embedding: EmbeddingStatistics, threshold: Mapping[str, float]) -> Finding:
    """The rows fill only a few of the table's dimensions.

    The effective rank is the exponential of the entropy of the normalised singular values. It is
    taken on the log-map at the origin and on the unit directions, with the participation ratio
    beside it. Judged is the smaller of the two, beyond the first dimension: (rank - 1) / (d - 1).

    Why it matters:
    Dimensions are what keeps the branches of a tree apart. Where all rows lie near a line or a
    plane, more dimensions were paid for than are used, and branches overlap. Directions are looked
    at by themselves because one long axis, such as the radius of deep rows, can hide how the others
    are used.

    How to fix:
    See what holds the rows together: too strong a regularizer, too few or too easy negatives, a
    learning rate that collapsed the table in its first epochs. Start anew with burn-in and more
    negatives:

        taxcheck inspect checkpoint.pt
        np.linalg.svd(z - z.mean(0), compute_uv=False)

    Where the structure is nevertheless found (HIER003), a table of a lower dimension will do.

    Known exceptions:
    A path or a very small hierarchy needs few dimensions. In one dimension there is nothing to
    judge. A tree of high depth and low width may rightly use two or three.

    References:
    - Roy & Vetterli 2007, the effective rank, EUSIPCO:
      https://ieeexplore.ieee.org/document/7098875
    - Jing et al. 2022, dimensional collapse: https://arxiv.org/abs/2110.09348
    """
    d = embedding.dim
    if d < 2 or embedding.rows <= d:
        raise Skip(f"{embedding.rows:,} rows of {d} dimensions cannot collapse any further")
    least = min(embedding.effective_rank, embedding.direction_rank)
    if not np.isfinite(least):
        raise Skip("no row is a finite point of the space")
    used = (least - 1) / (d - 1)
    found = used < threshold["used"]
    return Finding(
        found=found,
        message=f"effective rank {embedding.effective_rank:.3g} of {d} on the log-map, "
        f"{embedding.direction_rank:.3g} on directions; participation ratio "
        f"{embedding.participation_ratio:.3g}",
        count=d - round(least) if found else 0,
        total=d,
        observed={
            "effective rank": embedding.effective_rank,
            "effective rank of directions": embedding.direction_rank,
            "participation ratio": embedding.participation_ratio,
            "used beyond the first": used,
        },
        impact=f"Of {d} dimensions about {least:.2g} are used: branches overlap that had room.",
        fix="start again with burn-in (ten epochs at ``lr / 100``) and more negatives; "
        "``np.linalg.svd(z - z.mean(0), compute_uv=False)`` shows which dimensions are empty",
    )
