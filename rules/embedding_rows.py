"""EMB001 to EMB003: rows that are missing, that hold no numbers, or that lie outside the space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Severity
from taxcheck.model.rule import rule
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.values import MappingStatistics

from .mapping_rows import needs_mapping
from .scoring import TABLE_CAUSES
from .wording import be, first, have, judged, mapping_rows, node, part, reasons

if TYPE_CHECKING:
    from taxcheck.audit.values import EmbeddingStatistics


@rule(
    "EMB001", "fail", about="table", caused_by=(*TABLE_CAUSES, "TRAIN005"), pictures=("untrained",)
)
def row_count_mismatch(embedding: EmbeddingStatistics, mapping: MappingStatistics) -> Finding:
    """The embedding table has not one row for every idx of the mapping.

    Compared are the table's rows and the mapping's largest idx + 1. Too few rows and too many are
    both found.

    Why it matters:
    Row k is taken for the node with idx k. With too few rows the last nodes have no vector, and a
    join by position cuts the mapping to the shorter side without a word. With too many the table
    belongs to another mapping, or was sized by taxids, and its rows may all be shifted. In the
    incident that this tool was written for the table had 92,290 rows for 111,103 nodes.

    How to fix:
    Size the table by the mapping, never by the pairs, and train again:

        n_nodes = int(mapping["idx"].max()) + 1

    Where the counts differ because the checkpoint is of another build, give the mapping it was
    trained with: ``taxcheck inspect checkpoint.pt`` shows what the file says of its rows. The rows
    that are added are trained only where PAIR003 is clean.

    Known exceptions:
    A table that reserves rows on purpose, for example one for padding, differs by design: name
    them in the mapping, or lower the rule's severity in the policy.

    References:
    - torch.nn.Embedding, num_embeddings and padding_idx:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    needs_mapping(mapping)
    rows, nodes = embedding.rows, mapping.n_nodes
    lacking, surplus = max(nodes - rows, 0), max(rows - nodes, 0)
    samples = mapping_rows(mapping, range(rows, nodes))
    message = f"the table has a row for each of {nodes:,} idx"
    if lacking:
        message = (
            f"the table has {rows:,} rows for {nodes:,} nodes: "
            f"{plural(lacking, 'node')} {have(lacking)} no row"
        )
        message += f"; first: {node(mapping, samples[0].node or 0)}" if samples else ""
    elif surplus:
        message = (
            f"the table has {rows:,} rows for {nodes:,} nodes: "
            f"{plural(surplus, 'row')} {'stands' if surplus == 1 else 'stand'} for no node"
        )
    found = rows != nodes
    return Finding(
        found=found,
        message=message,
        count=lacking or surplus,
        total=nodes,
        observed={"rows": rows, "n_nodes": nodes, "missing rows": lacking, "surplus rows": surplus},
        samples=samples,
        impact=(
            f"{part(lacking, nodes, 'nodes')} {have(lacking)} no vector at all."
            if lacking
            else f"The table belongs to another mapping: {surplus:,} of its rows "
            f"{have(surplus)} no node."
        ),
        fix='``n_nodes = int(mapping["idx"].max()) + 1`` where the table is made, then train again'
        if lacking
        else "give the mapping that the table was trained with; ``taxcheck inspect`` shows what "
        "the file says of its rows",
    )


@rule("EMB002", "fail", about="table", fatal=True)
def non_finite(embedding: EmbeddingStatistics) -> Finding:
    """Rows hold NaN or infinite numbers.

    Why it matters:
    A NaN row has no distance to anything, and every comparison with it is false. A ranking that
    counts how many candidates are nearer then finds none and puts the true neighbour first: a
    table of NaN once scored a MAP of 0.94 in a careless evaluator. One such row poisons each mean,
    and in training each batch that draws it.

    How to fix:
    Find the first step that made it, and stop there instead of going on:

        bad = ~np.isfinite(vectors).all(axis=1)
        np.flatnonzero(bad)

    lists the rows. The usual sources are the arcosh form of the distance at equal points (its
    gradient divides by 0), a row outside of the ball, and a learning rate without burn-in. In the
    form 2 asinh(sqrt(...)) no argument leaves its domain. Then go back to the last finite
    checkpoint.

    Known exceptions:
    None. Rows kept free on purpose are better zero than NaN.

    References:
    - Mishne et al. 2023, the numerical stability of hyperbolic representation learning:
      https://arxiv.org/abs/2211.00181
    - Nickel & Kiela 2017, burn-in and projection: https://arxiv.org/abs/1705.08039
    """
    bad = embedding.non_finite
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {be(bad.count)} not finite{first(bad.samples)}",
        f"all {bad.total:,} rows are finite",
        observed={"dtype": embedding.dtype},
        impact=f"{part(bad.count, bad.total, 'rows')} {have(bad.count)} no distance to anything.",
        fix="``np.flatnonzero(~np.isfinite(vectors).all(axis=1))`` lists the rows; go back to the "
        "last checkpoint without them, and compute distances as ``2 * asinh(sqrt(...))``",
    )


@rule("EMB003", "fail", about="table", fatal=True)
def outside_ball(embedding: EmbeddingStatistics) -> Finding:
    """Rows are no points of the space: on or beyond the ball's boundary, or off the sheet.

    In the Poincare ball a norm of 1 or more (norms are taken in float64). Rounding may put a row on
    the boundary: by u + (d / 2 + 2) v, with u the unit roundoff of what is stored, v that of the
    sum (float32 where the table is stored in half precision) and d the dimension. Rows that are
    outside by less than a hundredfold of that warn, since they have no finite distance all the
    same. Rows farther out fail.

    On the Lorentz sheet -x0^2 + x1^2 + ... differs from -1 by rounding alone: by (8 u + d v) x0^2
    at most. A row that is off by more than that warns, and one that is off by a hundredfold of it,
    or by half of x0^2, is no point any more and fails.

    u is that of the coarsest numbers that the table holds: float32 rows saved as float64 are judged
    as float32, and those of a text with six decimals by these. A hundredfold is never less than
    float32's: what is smaller spoils no distance.

    Why it matters:
    The distance from a point on the boundary is infinite, and beyond it the formula takes the root
    of a negative number. Off the sheet the Lorentz product falls below 1 for near points and its
    arcosh is undefined. Engines that clamp the argument hide this: they report distances that no
    point has.

    How to fix:
    Project after every step, with a margin that the dtype resolves:

        norm = x.norm(dim=-1, keepdim=True)
        x = torch.where(norm < 1 - 1e-5, x, x / norm * (1 - 1e-5))

    On the sheet recompute the time coordinate, ``x0 = sqrt(1 + |x|^2)``, in float64. Where the
    geometry was guessed wrong, state it: a table of tangent vectors or a Euclidean one may have any
    norm. ``taxcheck inspect`` shows the guess and its reasons.

    Known exceptions:
    A ball of curvature -c has radius 1 / sqrt(c); norms are judged after scaling, so the curvature
    must be known. A clip that rounds to 1 in a narrow dtype (1 - 1e-5 in bfloat16) warns: the rows
    lost their distance when they were saved.

    References:
    - Nickel & Kiela 2017, projection into the ball: https://arxiv.org/abs/1705.08039
    - Nickel & Kiela 2018, the Lorentz model: https://arxiv.org/abs/1806.03417
    - Mishne et al. 2023: https://arxiv.org/abs/2211.00181
    """
    bad = embedding.outside
    reading = embedding.reading
    if not bad.count and embedding.drifted.count:
        return _drifted(embedding)
    if bad.count and bad.count == embedding.rounded_out:
        return _rounded_out(embedding)
    nowhere = "is no point" if bad.count == 1 else "are no points"
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {nowhere} of the space, read as "
        f"{reading.geometry}{reasons(bad.detail)}{first(bad.samples)}",
        f"all {bad.total:,} rows are points of the space, read as {reading.geometry}",
        observed={
            "geometry": str(reading.geometry),
            "confidence": reading.confidence,
            "largest norm": embedding.norm_percentiles.get(100),
        },
        impact=f"{part(bad.count, bad.total, 'rows')} {have(bad.count)} no finite distance.",
        fix="project after every step, ``x = torch.where(norm < 1 - 1e-5, x, x / norm * "
        "(1 - 1e-5))``; where the geometry was guessed wrong, state it (``taxcheck inspect`` shows "
        "the guess)",
    )


def _rounded_out(embedding: EmbeddingStatistics) -> Finding:
    """The finding of rows that rounding, or little more, has put on the ball's boundary."""
    on = embedding.outside
    return Finding(
        found=True,
        severity=Severity.WARN,
        message=f"{part(on.count, on.total, 'rows')} {be(on.count)} on the boundary of the ball by "
        f"rounding, stored as {embedding.dtype}{first(on.samples)}",
        count=on.count,
        total=on.total,
        observed={
            "geometry": str(embedding.reading.geometry),
            "dtype": embedding.dtype,
            "largest norm": embedding.norm_percentiles.get(100),
        },
        samples=on.samples,
        impact=f"{part(on.count, on.total, 'rows')} {have(on.count)} no finite distance as stored.",
        fix="save the table as it was computed, in float64, or clip where the dtype can still tell "
        "norms from 1: ``1 - 1e-5`` in float32, ``1 - 1e-2`` in bfloat16",
    )


def _drifted(embedding: EmbeddingStatistics) -> Finding:
    """The finding of rows that are off the sheet, though not so far that they are no points."""
    off = embedding.drifted
    return Finding(
        found=True,
        severity=Severity.WARN,
        message=f"{part(off.count, off.total, 'rows')} {be(off.count)} off the sheet by more than "
        f"rounding in {embedding.dtype} makes{first(off.samples)}",
        count=off.count,
        total=off.total,
        observed={"geometry": str(embedding.reading.geometry), "dtype": embedding.dtype},
        samples=off.samples,
        impact=f"{part(off.count, off.total, 'rows')} {be(off.count)} drifting off the sheet, and "
        "near rows lose their distance first.",
        fix="recompute the time coordinate in float64 after every step, ``x0 = sqrt(1 + |x|^2)``",
    )
