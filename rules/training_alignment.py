"""TRAIN010: do the rows of the table belong to the idx that they are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed
from taxcheck.model.rule import rule
from taxcheck.model.vocabulary import score as figure

from .scoring import MISNUMBERED
from .wording import first, part

if TYPE_CHECKING:
    from taxcheck.audit.alignment_scores import Alignments

_SHOWN = 8  # ways whose scores are observed


@rule("TRAIN010", "fail", about="training", caused_by=MISNUMBERED)
def unaligned_table(alignment: Alignments) -> Finding:
    """Rows, labels and mapping do not belong together: under another order the table scores.

    The rows are joined to idx by what the file says of them, or row k is taken for idx k. A sample
    of nodes is then ranked under other ways of joining as well: shifted by one row, by the labels
    as identifiers and as idx, in the order of identifiers as text and as numbers, in the order of
    the mapping's file, reversed, transposed. It is found where another way is far better than the
    one that was used, and than rows dealt at random: by three standard errors and more than 0.05 of
    MAP.

    Why it matters:
    Every vector is then read under another taxon's name. The numbers of the table look sound, no
    norm gives it away, and all scores are those of a table that learnt nothing, so that weeks of
    training seem lost that are not. Whoever takes such a table into use gets neighbours that are
    nobody's relatives.

    How to fix:
    Join the rows as the finding says, where the table is read:

        taxcheck run --embeddings table.npz --labels labels:idx --mapping ... --pairs ...

    or write the table in the order of the mapping's idx, with its identifiers beside it, so that
    nobody has to know the order:

        numpy.savez("table.npz", embeddings=vectors, taxids=taxids)

    Nothing is joined otherwise than as the file says: what the finding names is a proposal.

    Known exceptions:
    An order that is none of those tried is not found: the table then looks untrained. A table that
    learnt nothing scores the same in every order, and passes here. Of more than a million
    identifiers the order as text is not tried, and the finding says so. Where siblings stand beside
    each other in the mapping a shift by one keeps part of the score.

    References:
    - torch.nn.Embedding, padding_idx, which moves all rows by one where it is 0:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    used, better = alignment.used, alignment.better
    best = alignment.others[0] if alignment.others else None
    scored = f"MAP {figure(used.map)} over {alignment.sources:,} nodes as it was joined"
    if better is not None:
        message = (
            f"under {better.name} MAP is {figure(better.map)}, as it was joined "
            f"{figure(used.map)}, of rows dealt at random {figure(alignment.chance)}"
            f"{first(alignment.defect.samples)}"
        )
    else:
        message = scored + ("" if best is None else f", {figure(best.map)} under {best.name}")
        message += "".join(f"; not tried: {way}" for way in alignment.untried)
    observed: dict[str, Observed] = {
        "joined": used.name,
        "MAP as joined": used.map,
        "MAP of rows at random": alignment.chance,
        "MAP under other ways": {way.name: way.map for way in alignment.others[:_SHOWN]},
        "nodes ranked": alignment.sources,
        "candidates": alignment.pool,
    }
    if alignment.untried:
        observed["not tried"] = list(alignment.untried)
    defect = alignment.defect
    fix = "write the table in the order of the mapping's idx, or its identifiers beside it"
    if better is not None and better.ask is not None:
        fix = f"``taxcheck run --labels {better.ask} ...`` joins the rows so; or {fix}"
    return Finding(
        found=better is not None,
        message=message,
        count=defect.count,
        total=defect.total,
        observed=observed,
        samples=defect.samples,
        impact=f"{part(defect.count, defect.total, 'nodes')} are read from another one's row.",
        fix=fix,
    )
