"""EMB011: a table whose space nothing tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed
from taxcheck.model.rule import rule

if TYPE_CHECKING:
    from taxcheck.audit.geometry_scores import GeometryTold


@rule("EMB011", "warn", about="table")
def unknown_geometry(geometry: GeometryTold) -> Finding:
    """Nothing tells of which space the rows are points: the file does not, and the ranking neither.

    The geometry is given, stated by the file, or seen in the numbers: no chance brings rows onto a
    Lorentz sheet. Norms below 1 prove no ball, since Euclidean rows may be held inside of a radius,
    and tangent vectors may have any norm. Where pairs are given, a sample of nodes is therefore
    ranked under each space that the rows may lie in. One that ranks better than every other by
    three standard errors is taken, which the verdict tells as a guess. It is found where none does,
    or where there are no pairs to rank.

    Why it matters:
    Distances of one space say nothing about points of another. Read wrongly a good table fails, and
    a poor one may pass; radii, saturation and precision mean something in one space alone. Neither
    a PASS nor a failure should rest on what nobody stated.

    How to fix:
    Say what the rows are:

        taxcheck run --embeddings table.npy --geometry ball ...

    or save it with the table, as ``conf = {"manifold": "poincare"}`` or a parameter of geoopt does.

    Known exceptions:
    Near the origin all spaces are alike, and a table that learnt nothing ranks the same in all of
    them: then only what is stated helps. A ball or a sheet of another curvature than -1 is not
    tried.

    References:
    - Nickel & Kiela 2017, the Poincare ball: https://arxiv.org/abs/1705.08039
    - Nickel & Kiela 2018, the Lorentz model: https://arxiv.org/abs/1806.03417
    """
    found = geometry.told_by == "nothing"
    scored = geometry.scored
    message = f"read as {geometry.geometry}, which {_BY[geometry.told_by]}"
    observed: dict[str, Observed] = {
        "geometry": str(geometry.geometry),
        "told by": str(geometry.told_by),
    }
    if scored:
        observed["MAP by geometry"] = {str(k): v for k, v in geometry.scores.items()}
        observed["nodes ranked"] = geometry.sources
    return Finding(
        found=found,
        message=f"{message}: {scored}" if scored else message,
        count=int(found),
        total=1,
        observed=observed,
        impact="Distances, radii and scores are those of a guess.",
        fix="say what the rows are, ``--geometry ball``, ``lorentz``, ``tangent`` or ``euclidean``",
    )


_BY = {
    "stated": "is stated",
    "its numbers": "its numbers tell",
    "the ranking": "the ranking tells",
    "nothing": "is a guess by its norms",
}
