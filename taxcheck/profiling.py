"""`taxcheck init`: a policy that fits the data as it is, each line with what justifies it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from taxcheck.clock import Clock
from taxcheck.config import SAMPLERS, Dataset, Policy
from taxcheck.errors import UsageError
from taxcheck.pipeline import Gathered, gather, judge
from taxcheck.policy_inputs import inputs_lines
from taxcheck.report import Report, RuleResult
from taxcheck.request import Request
from taxcheck.rule import Outcome
from taxcheck.runner import known

_HERE = Path()
_ROOTS = 10  # so many are worth writing down


@dataclass(frozen=True, slots=True)
class Line:
    """One setting of [dataset] with what was seen; ``sure`` tells a proof from a guess."""

    key: str
    value: str
    seen: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Measure:
    """What a threshold is compared with: where a rule tells it, and which side is allowed."""

    rule: str
    key: str
    observed: Callable[[RuleResult], object]
    at_most: bool = True


def _told(name: str) -> Callable[[RuleResult], object]:
    return lambda result: result.observed.get(name)


_MEASURES = (
    Measure("MAP008", "share", lambda result: result.finding.share if result.finding else None),
    Measure("PAIR009", "parent_share", _told("depth 1"), at_most=False),
    Measure("PAIR009", "deep_share", _told("deeper than 5")),
    Measure("PAIR009", "departure", _told("departure from the hierarchy's own")),
    Measure("PAIR011", "top_ten_share", _told("share of the top ten")),
    Measure("PAIR011", "gini", _told("Gini")),
    Measure("PAIR013", "risk", _told("risk")),
)


def profile(request: Request, folder: Path = _HERE) -> str:
    """The text of a taxcheck.toml for the data of a request, whose own policy is not consulted.

    ``folder`` is where it will lie: the policy names the inputs as seen from there.

    Raises UsageError where there is no mapping or no pairs to profile.
    """
    if request.pairs is None:
        raise UsageError("give --pairs, and --mapping where the pairs hold idx")
    request = replace(request, policy=Policy(), drawn=False)
    clock = Clock()
    with gather(request, clock) as (data, tables):
        first = judge(request, data, tables, clock)
        lines = tuple(_dataset(first, data))
    dataset = Dataset(**{line.key: json.loads(line.value) for line in lines if line.key != "roots"})
    with gather(replace(request, policy=Policy(dataset=dataset)), clock) as (data, tables):
        report = judge(replace(request, policy=Policy(dataset=dataset)), data, tables, clock)
    parts = (
        _head(report),
        _intent(lines),
        ("", *inputs_lines(request.inputs, folder)),
        _thresholds(report),
        _found(report),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield "# The policy of taxcheck for this data, as `taxcheck init` found it:"
    for source in report.inputs:
        yield f"#   {source.role}: {_bare(source.path)}, {source.rows:,} rows"
    yield "# Lines that say 'seen' were measured; lines that say 'guessed' are for you to confirm."


def _dataset(report: Report, data: Gathered) -> Iterator[Line]:
    pairs, tree = (report.statistics.get(name) for name in ("pairs", "tree"))
    if not isinstance(pairs, Mapping) or not isinstance(tree, Mapping):
        raise UsageError("the pairs are too damaged to tell what they mean to be")
    yield _pairs(pairs, tree)
    kind = {"tree": "tree", "dag": "dag"}.get(str(tree["kind"]), "auto")
    yield Line("kind", json.dumps(kind), f"{tree['kind']}: {tree['kind_reason']}", kind != "auto")
    hierarchy, identifiers = known(data.evidence.tree), data.mapping
    if hierarchy is not None and identifiers is not None:
        roots = [identifiers.identifiers.of(int(idx)) for idx in hierarchy.root_idx[: _ROOTS + 1]]
        named = [root for root in roots if root is not None]
        if 0 < len(named) <= _ROOTS:
            yield Line("roots", json.dumps(named), "without a parent", True)
    weighted = data.intake is not None and data.intake.has_weights
    yield Line(
        "duplicates",
        json.dumps("weights" if weighted else "forbid"),
        f"{tree['duplicate_pairs'] or 0:,} repeated rows, "
        + ("a column of weights in their place" if weighted else "no column of weights"),
        not weighted,
    )


def _pairs(pairs: Mapping[str, Any], tree: Mapping[str, Any]) -> Line:
    """What the pairs mean to be: a guess, but where the closure is complete."""
    expected, missing = tree["expected_pairs"], tree["missing_pairs"]
    deepest = (pairs["depth"] or {}).get("max")
    if expected is not None and not missing:
        return Line("pairs", '"closure"', f"all {expected:,} pairs of the closure are there", True)
    if deepest == 1:
        return Line("pairs", '"edges"', f"all {pairs['rows']:,} pairs are at depth 1", False)
    if deepest is not None and deepest < (tree["max_depth"] or 0):
        seen = f"no pair is deeper than {deepest}, the hierarchy is {tree['max_depth']} deep"
        return Line("pairs", f'"depth<={deepest}"', seen, False)
    if expected and missing is not None and missing / expected > 0.5:
        seen = f"{missing:,} of {expected:,} pairs of the closure are not there"
        return Line("pairs", '"sampled"', seen, False)
    seen = "the closure could not be proved" if missing is None else f"{missing:,} pairs missing"
    return Line("pairs", '"closure"', seen, False)


def _intent(lines: tuple[Line, ...]) -> Iterator[str]:
    yield from ("", "[dataset]")
    for line in lines:
        how = "seen" if line.sure else "guessed"
        yield f"{line.key} = {line.value}  # {how}: {_bare(line.seen)}"
    yield "# How training draws is in no file. One of: " + ", ".join(SAMPLERS)
    yield 'sampler = "unknown"'


def _thresholds(report: Report) -> Iterator[str]:
    """Every threshold that the data was measured against; a warning is for a person to accept."""
    results = {result.rule.id: result for result in report.results}
    section = ""
    for measure in _MEASURES:
        result = results.get(measure.rule)
        value = measure.observed(result) if result is not None else None
        if result is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if section != measure.rule:
            section = measure.rule
            yield from ("", f"[rules.{section}]  # {result.rule.name}: {_bare(result.message)}")
        default = result.threshold[measure.key]
        inside = value <= default if measure.at_most else value >= default
        if inside:
            yield f"{measure.key} = {default:g}  # the default; seen: {value:.4g}"
            continue
        own = (math.ceil if measure.at_most else math.floor)(value * 100) / 100
        hushed = "# " if result.outcome in (Outcome.WARN, Outcome.FAIL) else ""
        why = "to accept that, " if hushed else "told when it becomes more so; "
        seen = f"seen: {value:.4g}, the default is {default:g}"
        yield f"{hushed}{measure.key} = {own:g}  # {why}{seen}"


def _found(report: Report) -> Iterator[str]:
    """What fails or warns under this policy, and how a finding is waived."""
    found = [r for r in report.by_outcome if r.outcome in (Outcome.FAIL, Outcome.WARN)]
    if found:
        yield from ("", "# Found now; mend it, or waive it below for as long as that takes:")
        for result in found:
            yield f"#   {result.outcome.value} {result.rule.id}: {_bare(result.message)}"
    example = found[0] if found else None
    yield from (
        "",
        "# [[waiver]]",
        f'# rule = "{example.rule.id if example else "PAIR006"}"',
        f"# max_count = {example.finding.count if example and example.finding else 10}",
        '# owner = "who answers for it"',
        '# reason = "why it may stay, and what will mend it"',
        "# expires = 2030-01-31  # the last day",
    )


def _bare(text: str) -> str:
    """One line for a comment, whatever a file's name or a taxon's holds."""
    return "".join(c if c.isprintable() else "�" for c in " ".join(text.split()))
