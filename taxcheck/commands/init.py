"""`taxcheck init`: a policy that fits the data as it is, each line with what justifies it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Outcome, known
from taxcheck.model.report import Report
from taxcheck.model.result import RuleResult
from taxcheck.model.rule import Threshold
from taxcheck.model.statistics import PairSummary, TreeSummary
from taxcheck.policy.model import SAMPLERS, Dataset, Policy, RulePolicy
from taxcheck.policy.read import load_policy, loads, parse_toml
from taxcheck.policy.write import comment_lines, remark, update
from taxcheck.run.gather import Gathered, gather
from taxcheck.run.judge import judge
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.run.request import Progress, Request

_HERE = Path()
# What holds instead where a guess of [dataset] is wrong.
_ELSE = {"pairs": "a closure is meant", "duplicates": "no row may be repeated"}
_ROOTS = 10  # so many are worth writing down


@dataclass(frozen=True, slots=True)
class Line:
    """One setting of [dataset] with what was seen; ``sure`` tells a proof from a guess."""

    key: str
    value: object
    seen: str
    sure: bool


_HEAD = "The policy of taxcheck for this data, as `taxcheck init` found it:"
_LINES = "Lines that say 'seen' were measured; lines that say 'guessed' are for you to confirm."
_DRAWS = f"how training draws is in no file: one of {', '.join(SAMPLERS)}"
_FOUND = "Found now; mend it, or waive it below for as long as that takes:"
_WAIVER = (
    'owner = "who answers for it"',
    'reason = "why it may stay, and what will mend it"',
    "expires = 2030-01-31  # the last day",
)
# What an earlier profile said; everything else is a person's.
_OWN = (
    rf"^# (?:{_HEAD}|{_LINES}|{_FOUND})\n(?:#   .*\n)*(?:#\n)?\n*",
    r"^# \[\[waiver\]\]\n# rule = .*\n# max_count = .*\n" + "".join(f"# {x}\n" for x in _WAIVER),
    r"^(?:# )?\w+ = .*  # (?:the default|told when .*|to accept that)[;,] seen: .*\n",
    rf"  # (?:(?:seen|guessed): .*|{_DRAWS})$",
    r"^(\[rules\.\w+\])  # [a-z_]+: .*$",
)


def profile(
    request: Request, folder: Path = _HERE, progress: Progress | None = None, text: str = ""
) -> str:
    """The text of a taxcheck.toml for the data of a request, whose own policy is not consulted.

    ``folder`` is where it will lie: the policy names the inputs as seen from there. ``text`` is the
    policy that it replaces: what was not measured, and what a person wrote, is kept of it.

    Raises UsageError where there is no mapping or no pairs to profile.
    """
    if request.pairs is None:
        raise UsageError("give `pairs`, and `mapping` where the pairs hold idx")
    rules = load_rules()
    text, before = _person_s(text)
    request = replace(request, policy=Policy(), drawn=False)
    with gather(request, progress) as data:
        lines = tuple(_dataset(judge(data), data))
        dataset = Dataset(**{line.key: line.value for line in lines})  # type: ignore[arg-type]
        report = judge(data, Policy(dataset=dataset))
        hidden = {line.key: _hidden(line, dataset, report, data) for line in lines}
    settings, notes = _thresholds(report, before)
    for line in lines:
        told = [f"{'seen' if line.sure else 'guessed'}: {line.seen}", *hidden[line.key]]
        notes["dataset", line.key] = "; ".join(told)
    notes["dataset", "sampler"] = _DRAWS
    policy = Policy(
        dataset=replace(dataset, sampler=before.dataset.sampler),
        rules={**before.rules, **settings},
        source=str(folder / "taxcheck.toml"),
        waivers=before.waivers,
        inputs=request.inputs,
    )
    text = update(text, policy, rules, list(_head(report)), notes)
    return "\n".join([text, *comment_lines(_found(report, hidden))]) + "\n"


def shadowed(out: Path) -> Path | None:
    """The pyproject.toml whose policy a new file ``out`` would stand in for.

    Raises UsageError where that policy cannot be read.
    """
    beside = out.with_name("pyproject.toml")
    if out.name != "taxcheck.toml" or not beside.is_file():
        return None
    tool = parse_toml(beside.read_text("utf-8-sig", "replace"), str(beside)).get("tool")
    if not isinstance(tool, dict) or "taxcheck" not in tool:
        return None
    load_policy(beside, load_rules(), cause_names())
    return beside


def _person_s(text: str) -> tuple[str, Policy]:
    """What a person wrote in a policy, as text and as value; nothing where it is none."""
    try:
        given = loads(text, load_rules())
        left = text
        for own in _OWN:
            left = re.sub(own, lambda line: "".join(line.groups()), left, flags=re.M)
        found = loads(left, load_rules())
    except UsageError:
        return "", Policy()
    return (left.rstrip() + "\n", found) if found.waivers == given.waivers else (text, given)


def _head(report: Report) -> Iterator[str]:
    yield _HEAD
    yield from (f"  {one.role}: {one.path}, {one.rows:,} rows" for one in report.inputs)
    yield _LINES


def _dataset(report: Report, data: Gathered) -> Iterator[Line]:
    pairs, tree = report.statistics.pairs, report.statistics.tree
    if pairs is None or tree is None:
        raise UsageError("the pairs are too damaged to tell what they mean to be")
    yield _pairs(pairs, tree)
    kind = {"tree": "tree", "dag": "dag"}.get(tree.kind, "auto")
    yield Line("kind", kind, f"{tree.kind}: {tree.kind_reason}", kind != "auto")
    hierarchy, identifiers = known(data.evidence.tree), data.mapping
    if hierarchy is not None and identifiers is not None:
        roots = [identifiers.identifiers.of(int(idx)) for idx in hierarchy.root_idx[: _ROOTS + 1]]
        named = [root for root in roots if root is not None]
        if 0 < len(named) <= _ROOTS:
            yield Line("roots", tuple(named), "without a parent", True)
    weighted = data.intake is not None and data.intake.has_weights
    yield Line(
        "duplicates",
        "weights" if weighted else "forbid",
        f"{tree.duplicate_pairs or 0:,} repeated rows, "
        + ("a column of weights in their place" if weighted else "no column of weights"),
        not weighted,
    )


def _hidden(line: Line, dataset: Dataset, report: Report, data: Gathered) -> dict[str, str]:
    """What a guess alone keeps from failing or warning: in few words, each with its message."""
    default = getattr(Dataset(), line.key)
    if line.sure or line.value == default:
        return {}
    now = {result.id: result.outcome for result in report.results}
    plain = judge(data, Policy(dataset=replace(dataset, **{line.key: default})))
    return {
        f"{r.id} {r.outcome.value}s if {_ELSE[line.key]}": remark(r.message)
        for r in plain.by_outcome
        if r.outcome in (Outcome.FAIL, Outcome.WARN) and now[r.id] not in (Outcome.FAIL, r.outcome)
    }


def _pairs(pairs: PairSummary, tree: TreeSummary) -> Line:
    """What the pairs mean to be: a guess, but where the closure is complete."""
    expected, missing = tree.expected_pairs, tree.missing_pairs
    deepest = pairs.depth.max if pairs.depth else None
    if expected is not None and not missing:
        return Line("pairs", "closure", f"all {expected:,} pairs of the closure are there", True)
    if deepest == 1:
        return Line("pairs", "edges", f"all {pairs.rows:,} pairs are at depth 1", False)
    if deepest is not None and deepest < tree.max_depth:
        seen = f"no pair is deeper than {deepest}, the hierarchy is {tree.max_depth} deep"
        return Line("pairs", f"depth<={deepest}", seen, False)
    if expected and missing is not None and missing / expected > 0.5:
        seen = f"{missing:,} of {expected:,} pairs of the closure are not there"
        return Line("pairs", "sampled", seen, False)
    seen = "the closure could not be proved" if missing is None else f"{missing:,} pairs missing"
    return Line("pairs", "closure", seen, False)


def _thresholds(
    report: Report, before: Policy
) -> tuple[dict[str, RulePolicy], dict[tuple[str, ...], str]]:
    """Every threshold that the data was measured against, with what is said of it.

    Those that ``before`` states are a person's, and stay. Where a rule warns or fails the new one
    is a comment, for a person to accept.
    """
    known_rules = {rule.id: rule for rule in load_rules()}
    settings: dict[str, RulePolicy] = {}
    notes: dict[tuple[str, ...], str] = {}
    for result in report.results:
        rule = result.id
        given = before.rules.get(rule, RulePolicy())
        for key, threshold in known_rules[rule].thresholds.items():
            value = result.observed.get(threshold.bounds) if threshold.bounds else None
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            own = settings.setdefault(rule, given)
            notes.setdefault(("rules", rule), f"{result.name}: {remark(result.message)}")
            if key in given.thresholds:
                continue
            limit, note, fits = _threshold(result, key, threshold, value)
            if fits:
                settings[rule] = replace(own, thresholds={**own.thresholds, key: limit})
                notes["rules", rule, key] = note
            else:
                notes["rules", rule] += f"\n{key} = {limit:g}  # {note}"
    return settings, notes


def _threshold(
    result: RuleResult, key: str, threshold: Threshold, value: float
) -> tuple[float, str, bool]:
    """The limit, what is said of it, and whether nothing is accepted by it."""
    default = result.threshold[key]
    if value <= default if threshold.at_most else value >= default:
        return default, f"the default; seen: {value:.4g}", True
    own = (math.ceil if threshold.at_most else math.floor)(value * 100) / 100
    seen = f"seen: {value:.4g}, the default is {default:g}"
    if result.outcome in (Outcome.WARN, Outcome.FAIL):
        return own, f"to accept that, {seen}", False
    return own, f"told when it becomes more so; {seen}", True


def _found(report: Report, hidden: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What fails or warns under this policy or without its guesses, and how it is waived."""
    found = [r for r in report.by_outcome if r.outcome in (Outcome.FAIL, Outcome.WARN)]
    if found or any(hidden.values()):
        yield _FOUND
        yield from (f"  {r.outcome.value} {r.id}: {remark(r.message)}" for r in found)
        for guess in hidden.values():
            yield from (f"  {what}: {message}" for what, message in guess.items())
        yield "\n"
    example = found[0] if found else None
    yield "[[waiver]]"
    yield f'rule = "{(example or report.results[0]).id}"'
    yield f"max_count = {example.count if example and example.judged else 10}"
    yield from _WAIVER
