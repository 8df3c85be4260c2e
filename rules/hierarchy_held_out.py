"""HIER011: whether a table tells of pairs that it was not trained on, or only remembers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Sample, Scalar, Severity, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import percent, plural
from taxcheck.model.vocabulary import score as figure

from .scoring import SCORE_CAUSES, best_null, observed_of, passes, prefixed, worded
from .wording import part

if TYPE_CHECKING:
    from taxcheck.audit.values import HeldOutScores, Score

_MOST = 0.5  # of the pairs: what explains more than this explains the score


@rule(
    "HIER011",
    "info",
    about="hierarchy",
    thresholds={
        "fewest": Threshold(
            10,
            "of fewer descendants only a MAP that a null reaches warns; one above it is told",
            "WordNet nouns, d = 10, trained for a minute on 95 % of the pairs: of 10 held-out "
            "descendants, drawn 200 times, MAP exceeded popularity each time, of 5 in 94.5 %",
        )
    },
    caused_by=(*SCORE_CAUSES, "EMB005", "HIER003"),
    pictures=("scores", "mean_rank"),
)
def memorised(held_out_scores: HeldOutScores, threshold: Mapping[str, float]) -> Finding:
    """Pairs that were held out are ranked no better than without learning.

    For descendants of held-out pairs all rows are ranked by distance, and the MAP of their held-out
    ancestors is held against the same nulls as that of the training pairs: popularity, that is
    candidates by their number of descendants in training, rows exchanged within their depth,
    random directions at radii by depth, and a collapsed table. The setting is the filtered one of
    link prediction: ancestors that training states are true, and no candidates. Held-out pairs that
    training has are not scored. A MAP passes where the lower bound of the paired bootstrap exceeds
    every null, and else warns; of too few descendants, one above all nulls is told.

    Why it matters:
    A table is asked of pairs that nobody listed. MAP over the pairs that it was trained on measures
    how much it remembers, and a table with as many numbers as pairs can remember all. Beside each
    other the two tell memory from generalisation.

    How to fix:
    Give the table less room, fewer dimensions or a shorter training, and choose checkpoints by what
    they say of held-out pairs:

        taxcheck evaluate checkpoint.pt --pairs pairs.parquet --held-out held_out.parquet

    Hold pairs out so that the rest still places their nodes:

        taxcheck build taxonomy.obo --split 0.05 --out dataset

    Known exceptions:
    The pairs of a node that training names in no pair cannot be told by any embedding: they are
    counted, and beside the score stands that of the trained rows alone. Of few held-out pairs the
    interval is wide. MAP over many ancestors and MAP over the one that was held out differ by
    nature; each is to be read against its own nulls.

    References:
    - Bordes et al. 2013, the filtered setting:
      https://papers.nips.cc/paper/5071-translating-embeddings-for-modeling-multi-relational-data
    - Nickel & Kiela 2017, link prediction: https://arxiv.org/abs/1705.08039
    - Ganea et al. 2018, held-out pairs of a closure: https://arxiv.org/abs/1804.01882
    """
    found = held_out_scores
    if not found.map.nulls:
        raise Skip("no null was computed to hold the score against")
    if high := found.map.perfect_null:
        raise Skip(
            f"the null {high} has MAP {figure(found.map.nulls[high].value)}, which no table can "
            f"exceed; this table: {figure(found.map.value)}"
        )
    best = best_null(found.map)
    few = found.map.sources < threshold["fewest"]
    reached = not passes(found.map) and not (few and found.map.value > found.map.nulls[best].value)
    told = worded("MAP of held-out pairs", found.map, "descendants")
    message = [told, *_beside(found.training)]
    if not passes(found.map):
        message[0] += f", not exceeded (margin from {figure(found.map.nulls[best].margin_low)})"
        message.append(_cause(found) if reached else "these are too few to tell")
    if found.in_training:
        message.append(f"{plural(found.in_training, 'held-out pair')} in training not scored")
    observed: dict[str, Observed] = {
        "held-out pairs": found.pairs,
        "in training": found.in_training,
        "with a row never trained": found.untrained,
        **prefixed("MAP", observed_of(found.map)),
        **prefixed("mean rank", observed_of(found.mean_rank)),
        "hits": {f"hits@{k}": score.value for k, score in sorted(found.hits.items())},
    }
    if found.training is not None:
        observed["MAP of the training pairs"] = found.training.value
    values: dict[str, Scalar] = {
        "score": "MAP of held-out pairs",
        "value": found.map.value,
        "null": best,
        "value of the null": found.map.nulls[best].value,
    }
    return Finding(
        found=not passes(found.map),
        message="; ".join(message),
        severity=Severity.WARN if reached else Severity.INFO,
        observed=observed,
        samples=(Sample(values),),
        impact="Of pairs that it was not trained on the table tells nothing." if reached else None,
        fix=None
        if passes(found.map)
        else "give the table fewer dimensions or a shorter training, and choose checkpoints by "
        "``taxcheck evaluate checkpoint.pt --pairs pairs.parquet --held-out held_out.parquet``"
        if reached
        else "hold out more pairs: ``taxcheck build SOURCE --split 0.05``",
    )


def _beside(training: Score | None) -> list[str]:
    """The training pairs in words, beside their own best null."""
    if training is None:
        return []
    told = f"of training pairs {figure(training.value)}"
    if training.nulls:
        best = best_null(training)
        told += f" (best null {best} {figure(training.nulls[best].value)})"
    return [told]


def _cause(found: HeldOutScores) -> str:
    """Why what was held out is not told: it could not be learnt, nothing was, or only the rest."""
    if found.untrained > _MOST * found.pairs:
        rows = part(found.untrained, found.pairs, "held-out pairs")
        return f"{rows} have a node whose row was never trained: the split took it out of training"
    if found.training is None or not passes(found.training):
        return "nor do training pairs exceed what needs no learning: the table holds neither"
    idle = f" ({percent(found.untrained / found.pairs)} with an untrained row)"
    return (
        "the table remembers the pairs that it was trained on, and tells nothing of those that "
        "were held out" + (idle if found.untrained else "")
    )
