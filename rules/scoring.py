"""How the rules judge a score: beside its nulls, by the lower bound of the paired bootstrap."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.audit.values import HierarchyScores, Score
from taxcheck.rule import Finding, Observed, Sample, Scalar, Skip

# What leaves rows without training, most fundamental first; each one's own causes stand before it.
TABLE_CAUSES = ("MAP005", "PAIR014", "MAP007", "PAIR003", "PAIR004")
UNTRAINED_CAUSES = (
    "MAP005",
    "PAIR014",
    "MAP007",
    "MAP003",
    "MAP004",
    "PAIR003",
    "PAIR004",
    "TRAIN005",
    "EMB001",
)
# What takes the meaning out of whole rows, and so explains any weak score.
SCORE_CAUSES = (*UNTRAINED_CAUSES, "EMB002", "EMB003", "EMB006")


def number(value: float) -> str:
    """``.612``, ``3.98``, ``1,390``: three figures, as scores are printed in the literature."""
    if value != value:
        return "not a number"
    if abs(value) < 0.9995:
        return f"{value:.3f}".replace("0.", ".", 1)
    return f"{value:.2f}" if abs(value) < 99.995 else f"{value:,.0f}"


def best_null(score: Score) -> str:
    """The name of the null that the score exceeds least, or fails to exceed by most."""
    return min(score.nulls, key=lambda name: (score.nulls[name].margin_low, name))


def worded(name: str, score: Score, noun: str) -> str:
    """``MAP .612 (95 % .598 to .627) over 2,000 of 82,114 sources; best null popularity .210``."""
    told = (
        f"{name} {number(score.value)} (95 % {number(score.low)} to {number(score.high)}) over "
        f"{score.sources:,} of {score.total:,} {noun}"
    )
    if not score.nulls:
        return told
    best = best_null(score)
    return f"{told}; best null {best} {number(score.nulls[best].value)}"


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
    return values | {key: value for key, value in further.items() if value is not None}


def prefixed(name: str, values: dict[str, Observed]) -> dict[str, Observed]:
    """The same values under ``name: key``, where one finding holds several scores."""
    return {f"{name}: {key}": value for key, value in values.items()}


def beaten_by(scores: dict[str, Score]) -> list[str]:
    """The names of the scores that do not exceed every null; Skip where none can be judged.

    A score without nulls proves nothing and is left out: no input is no pass.
    """
    judged = {name: score for name, score in scores.items() if score.nulls}
    if not judged:
        raise Skip("no null was computed to hold the score against")
    return [name for name, score in judged.items() if not passes(score)]


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
        f"the null {high} has {name} {number(scores[name].nulls[high].value)}, which no table can "
        "exceed"
        for name, high in closed.items()
    )
    if len(closed) == len(scores):
        values = ", ".join(f"{name} {number(score.value)}" for name, score in scores.items())
        raise Skip(f"{unjudged}; this table: {values}")
    weak = beaten_by({name: score for name, score in scores.items() if name not in closed})
    told = []
    for name, score in scores.items():
        text = worded(name, replace(score, nulls={}) if name in closed else score, noun)
        if name in weak:
            null = score.nulls[best_null(score)]
            text += f", not exceeded (margin from {number(null.margin_low)})"
        elif name not in closed and score.nulls and not score.beats_every_null:
            text += ", and nothing could be better"
        told.append(text)
    observed: dict[str, Observed] = {}
    for name, score in scores.items():
        own = observed_of(score)
        observed |= own if len(scores) == 1 else prefixed(name, own)
    found = bool(weak)
    return Finding(
        found=found,
        message="; ".join(told) + unit + (f"; not judged: {unjudged}" if unjudged else ""),
        count=len(weak),
        total=len(scores),
        observed=observed,
        samples=tuple(_sample(name, scores[name]) for name in weak),
        impact=impact if found else None,
        fix=fix if found else None,
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
