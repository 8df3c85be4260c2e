"""How the rules judge a score: beside its nulls, by the lower bound of the paired bootstrap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Observed, Sample, Scalar, Skip
from taxcheck.model.vocabulary import score as figure

if TYPE_CHECKING:
    from taxcheck.audit.values import HierarchyScores, Score

# What leaves rows without training, most fundamental first; each one's own causes stand before it.
TABLE_CAUSES = ("MAP005", "PAIR014", "MAP007", "PAIR003", "PAIR004")
MISNUMBERED = ("MAP005", "PAIR014", "MAP007", "MAP003", "MAP004")
UNCOVERED = ("PAIR003", "PAIR004")
WITHOUT_ROW = ("TRAIN005", "EMB001")
UNTRAINED_CAUSES = (*MISNUMBERED, *UNCOVERED, *WITHOUT_ROW)
# What takes the meaning out of whole rows, and so explains any weak score.
MEANINGLESS = ("EMB002", "EMB003", "EMB006", "TRAIN010")
SCORE_CAUSES = (*UNTRAINED_CAUSES, *MEANINGLESS)


def best_null(score: Score) -> str:
    """The name of the null that the score exceeds least, or fails to exceed by most."""
    return min(score.nulls, key=lambda name: (score.nulls[name].margin_low, name))


def worded(name: str, score: Score, noun: str) -> str:
    """``MAP 0.612 (95 % 0.598 to 0.627) over 2,000 of 82,114 sources; best null zero 0.210``."""
    spread = f"95 % {figure(score.low)} to {figure(score.high)}"
    if {50, 99} <= score.percentiles.keys():
        middle, tail = figure(score.percentiles[50]), figure(score.percentiles[99])
        spread += f"; median {middle}, 99th percentile {tail}"
    told = (
        f"{name} {figure(score.value)} ({spread}) over {score.sources:,} of {score.total:,} {noun}"
    )
    if not score.nulls:
        return told
    best = best_null(score)
    return f"{told}; best null {best} {figure(score.nulls[best].value)}"


def observed_of(score: Score) -> dict[str, Observed]:
    """Everything that is known of a score, for the report's cards and for machines."""
    values: dict[str, Observed] = {
        "value": score.value,
        "interval": [score.low, score.high],
        "sources": score.sources,
        "total": score.total,
        "protocol": score.protocol,
        "nulls": {name: null.value for name, null in score.nulls.items()},
        "margin over each null, at least": {
            name: null.margin_low for name, null in score.nulls.items()
        },
    }
    further = {
        "trained rows only": score.trained_only,
        "by Euclidean distance": score.euclidean,
        "ceiling under ties": score.ceiling,
    }
    if score.percentiles:
        values["percentiles of single ranks"] = {str(k): v for k, v in score.percentiles.items()}
    return values | {key: value for key, value in further.items() if value is not None}


def prefixed(name: str, values: dict[str, Observed]) -> dict[str, Observed]:
    """The same values under ``name: key``, where one finding holds several scores."""
    return {f"{name}: {key}": value for key, value in values.items()}


def passes(score: Score) -> bool:
    """Whether a score exceeds every null, or is the best there is.

    At the optimum a null that is high itself leaves no margin for the bootstrap to tell from a tie,
    and no table could do more.
    """
    return score.beats_every_null or score.at_optimum


def against_nulls(
    scores: dict[str, Score], noun: str, *, impact: str, fix: str, unit: str = ""
) -> Finding:
    """Give the finding of a rule that passes when every score exceeds every one of its nulls.

    Scores with a null that no table can exceed are shown and not judged; see ``passes``.
    """
    closed = {name: high for name, score in scores.items() if (high := score.perfect_null)}
    unjudged = "; ".join(
        f"the null {high} has {name} {figure(scores[name].nulls[high].value)}, which no table can "
        "exceed"
        for name, high in closed.items()
    )
    if len(closed) == len(scores):
        values = ", ".join(f"{name} {figure(score.value)}" for name, score in scores.items())
        raise Skip(f"{unjudged}; this table: {values}")
    judged = [name for name, score in scores.items() if score.nulls and name not in closed]
    if not judged:  # a score without nulls proves nothing: no input is no pass
        raise Skip("no null was computed to hold the score against")
    weak = [name for name in judged if not passes(scores[name])]
    told = [_standing(name, score, noun) for name, score in scores.items()]
    observed: dict[str, Observed] = {}
    for name, score in scores.items():
        own = observed_of(score)
        observed |= own if len(scores) == 1 else prefixed(name, own)
    return Finding(
        found=bool(weak),
        message="; ".join(told) + unit + (f"; not judged: {unjudged}" if unjudged else ""),
        count=len(weak),
        total=len(scores),
        observed=observed,
        samples=tuple(_sample(name, scores[name]) for name in weak),
        impact=impact,
        fix=fix,
    )


def needed(score: Score | None, what: str) -> Score:
    """The score, or Skip where it was not computed."""
    if score is None:
        raise Skip(f"{what} was not computed for this table")
    return score


def strong(scores: HierarchyScores | None) -> bool | None:
    """Whether the ranking exceeds every null; None where that is not known, or nothing could."""
    if scores is None or scores.map is None or not scores.map.nulls or scores.map.perfect_null:
        return None
    return passes(scores.map)


def _standing(name: str, score: Score, noun: str) -> str:
    """The score in words, and how it stands to its nulls where these can judge it."""
    if score.perfect_null or not score.nulls:
        return worded(name, replace(score, nulls={}), noun)
    text = worded(name, score, noun)
    if not passes(score):
        margin = score.nulls[best_null(score)].margin_low
        return f"{text}, not exceeded (margin from {figure(margin)})"
    return text if score.beats_every_null else f"{text}, and nothing could be better"


def _sample(name: str, score: Score) -> Sample:
    best = best_null(score)
    values: dict[str, Scalar] = {
        "score": name,
        "value": score.value,
        "null": best,
        "value of the null": score.nulls[best].value,
        "margin, at least": score.nulls[best].margin_low,
    }
    return Sample(values)
