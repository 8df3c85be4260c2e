"""`taxcheck compare`: two reports, and the data behind them where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from taxcheck.commands.compare.comparison import (
    BeforeAfter,
    Comparison,
    Drift,
    Number,
    NumberChange,
    Part,
    Run,
)
from taxcheck.model.change import CauseChange, Change, RuleChange, ScoreChange, Side
from taxcheck.model.clock import created
from taxcheck.model.errors import InputError, NoReportError, OtherVersionError
from taxcheck.model.report import Report, Tool
from taxcheck.model.result import RuleResult
from taxcheck.model.statistics import HeldOutSummary, ScoreSummary
from taxcheck.model.written import report_from_json

_JUDGED = {"pass": 0, "info": 0, "waived": 0, "warn": 1, "fail": 2}  # what counts, and how much
_FUZZ = 1e-9
_SCORES = {
    "map": "MAP",
    "mean_rank": "mean rank",
    "spearman": "radius with depth (Spearman)",
    "monotone_edges": "child beyond its parent",
    "siblings": "siblings nearer (AUC)",
    "separation": "class separation",
}
_ROLES = (
    ("both roles", "both"),
    ("only descendant", "only_descendant"),
    ("only ancestor", "only_ancestor"),
    ("in no pair", "never"),
)
_DEPTHS = (("1", "near"), ("2-5", "middle"), (">5", "far"))
_PERCENTILES = (0, 10, 25, 50, 75, 90, 99, 100)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. ``data`` reads the tables that the reports name; folders are theirs."""

    before: str
    after: str
    tolerance: float = 0.01
    data: bool = False
    before_data: Path | None = None
    after_data: Path | None = None
    mapping_columns: str | None = None
    pair_columns: str | None = None
    command: str = ""


def compare(asked: Asked) -> Comparison:
    """Read both reports and set them beside each other; InputError where one cannot be read."""
    before, after = read_report(asked.before), read_report(asked.after)
    drift = _drift(asked, before, after)
    reason = unlike(before, after, drift)
    found = beside(
        before,
        after,
        (asked.before, asked.after),
        tolerance=asked.tolerance,
        command=asked.command,
        drift=drift,
        different=bool(reason),
    )
    return replace(found, notes=(reason, *found.notes)) if reason else found


def unlike(before: Report, after: Report, drift: Drift | None = None) -> str:
    """Why two reports are of two datasets and not of one at two times; empty where they may be.

    The data itself tells, where it was compared: less than half of the smaller side is in both.
    Else one side has more than twice the nodes of the other.
    """
    if drift is not None:
        kept, smaller = drift.nodes[0] - drift.removed.count, min(drift.nodes)
        if 2 * kept >= smaller:
            return ""
        return f"Of {smaller:,} nodes of the smaller dataset {kept:,} are in the other."
    sides = [side.statistics.mapping for side in (before, after)]
    if sides[0] is None or sides[1] is None:
        return ""
    was, now = sides[0].nodes, sides[1].nodes
    if max(was, now) <= 2 * min(was, now):
        return ""
    return f"The first run has {was:,} nodes, the second {now:,}."


def beside(
    before: Report,
    after: Report,
    names: tuple[str, str],
    *,
    tolerance: float = 0.01,
    command: str = "",
    drift: Drift | None = None,
    different: bool = False,
) -> Comparison:
    """Two reports beside each other; ``names`` say where each is.

    Of ``different`` datasets nothing is better or worse: what is not the same only differs.
    """
    rules = rule_changes(before, after, tolerance)
    causes, scores = cause_changes(before, after), score_changes(before, after, tolerance)
    if different:
        rules = tuple(replace(r, change=_differs(r.before != r.after)) for r in rules)
        causes = tuple(replace(c, change=_differs(c.before != c.after)) for c in causes)
        scores = tuple(replace(s, change=_differs(s.before != s.after)) for s in scores)
    return Comparison(
        before=_run(names[0], before),
        after=_run(names[1], after),
        tolerance=tolerance,
        different=different,
        rules=rules,
        causes=causes,
        scores=scores,
        numbers=number_changes(before, after),
        pictures=before_after(before, after),
        tool=Tool(version("taxcheck")),
        created=created()[0],
        command=command,
        notes=_notes(before, after),
        drift=drift,
    )


def _differs(changed: bool) -> Change:
    return Change.DIFFERS if changed else Change.UNCHANGED


def _run(path: str, report: Report) -> Run:
    names = ("title", "created", "version", "verdict", "headline", "inputs")
    return Run(path=path, **{name: getattr(report, name) for name in names})


def _notes(before: Report, after: Report) -> tuple[str, ...]:
    notes = [
        f"The runs are not of one kind; the first: {reason}."
        for reason in incomparable(before, after)
    ]
    old, new = ({s.role: s.fingerprint for s in r.inputs} for r in (before, after))
    same = [role for role in old if old[role] == new.get(role)]
    if same and len(same) == len(old) == len(new):
        notes.append("Both reports are of the same files, byte by byte.")
    other = [role for role in ("mapping", "pairs") if role in old.keys() & new.keys() - set(same)]
    if other and any(_scores(before)) and any(_scores(after)):
        notes.append(f"The tables are scored on other data: the {' and '.join(other)} changed.")
    return tuple(notes)


def _drift(asked: Asked, before: Report, after: Report) -> Drift | None:
    if not (asked.data or asked.before_data or asked.after_data):
        return None
    from taxcheck.commands.compare.drift import drift, read_side  # reads tables: takes a while

    columns = asked.mapping_columns, asked.pair_columns
    old, told = read_side(asked.before, before, asked.before_data, *columns)
    new, also = read_side(asked.after, after, asked.after_data, *columns)
    return drift(old, new, (*told, *also))


class OtherSchemaError(InputError):
    """A report whose schema this taxcheck does not know."""


def read_report(path: str) -> Report:
    """Read a report; InputError where it is none, OtherSchemaError where it is a later one's."""
    try:
        return report_of(path, Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def report_of(path: str, content: bytes) -> Report:
    """The same for what was read already, from a file or an address."""
    try:
        return report_from_json(content)
    except OtherVersionError as error:
        raise OtherSchemaError(f"{path}: {error}") from None
    except NoReportError as error:
        raise InputError(f"{path}: {error}") from None


def incomparable(before: Report, after: Report) -> tuple[str, ...]:
    """Why a verdict on one run says nothing against another; empty where it does."""
    reasons = []
    if before.version != after.version:
        reasons.append(f"written by taxcheck {before.version}, this is {after.version}")
    roles = [sorted({source.role for source in run.inputs}) for run in (before, after)]
    if roles[0] != roles[1]:
        read, now = (", ".join(said) or "nothing" for said in roles)
        reasons.append(f"it read {read}, this run {now}")
    old, new = before.policy.differences, after.policy.differences
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    if changed:
        reasons.append(f"the policy differs in {', '.join(changed)}")
    return tuple(reasons)


def rule_changes(before: Report, after: Report, tolerance: float) -> tuple[RuleChange, ...]:
    """Every rule of either run, by id.

    ``tolerance`` is a part of the earlier value: 0.01 lets a count or a share grow by a hundredth.
    """
    old, new = ({result.id: result for result in run.results} for run in (before, after))
    return tuple(
        RuleChange(
            id=id,
            name=(new.get(id) or old[id]).name,
            change=_rule_change(old.get(id), new.get(id), tolerance),
            before=_side(old.get(id)),
            after=_side(new.get(id)),
        )
        for id in sorted(old.keys() | new.keys())
    )


def cause_changes(before: Report, after: Report) -> tuple[CauseChange, ...]:
    """Every cause of either run, the later run's first, with how many offenders it explains."""
    old, new = (
        {c.name: sum(e.count for e in c.explains) for c in r.causes} for r in (before, after)
    )

    def change(name: str) -> Change:
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            return Change.NEW if was is None else Change.FIXED
        return Change.UNCHANGED if was == now else Change.WORSE if now > was else Change.BETTER

    return tuple(
        CauseChange(name, change(name), old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old])
    )


def _side(rule: RuleResult | None) -> Side | None:
    if rule is None:
        return None
    return Side(rule.outcome, rule.count, rule.total, rule.share, rule.message)


def _rule_change(old: RuleResult | None, new: RuleResult | None, tolerance: float) -> Change:
    was = _JUDGED.get(old.outcome) if old else None
    now = _JUDGED.get(new.outcome) if new else None
    if was is None or now is None or old is None or new is None:
        if now:
            return Change.NEW  # it was never judged before, and it fails
        if was is None:
            return Change.UNCHANGED if now is None else Change.GAINED
        return Change.LOST
    if new.outcome == "waived" and was:
        return Change.WAIVED
    if was != now:
        if not was:
            return Change.NEW
        return Change.FIXED if not now else Change.WORSE if now > was else Change.BETTER
    if not now:
        same = (old.outcome, old.count) == (new.outcome, new.count)
        return Change.UNCHANGED if same or new.outcome == "pass" else Change.DIFFERS
    return _by_amount(old, new, tolerance)


def _by_amount(old: RuleResult, new: RuleResult, tolerance: float) -> Change:
    """Two findings of one weight, by their share where both have one, else by their count."""
    by_share = old.total and new.total
    was, now = ((side.share if by_share else side.count) or 0 for side in (old, new))
    slack = abs(was) * tolerance + _FUZZ
    if now > was + slack:
        return Change.WORSE
    return Change.BETTER if now < was - slack else Change.UNCHANGED


def score_changes(before: Report, after: Report, tolerance: float) -> tuple[ScoreChange, ...]:
    """Every score that either run has, the deciding one first."""
    old, new = dict(_scores(before)), dict(_scores(after))
    return tuple(
        _score_change(label, old.get(label), new.get(label), tolerance)
        for label in dict.fromkeys([*new, *old])
    )


def _scores(report: Report) -> Iterator[tuple[str, ScoreSummary]]:
    embeddings = report.statistics.embeddings
    if embeddings is None or embeddings.quality is None:
        return
    quality = embeddings.quality
    for key, label in _SCORES.items():
        if (single := getattr(quality, key)) is not None:
            yield label, single
        if key == "map":
            for group, said in ((quality.hits, "hits"), (quality.parent_hits, "parent hits")):
                for k, score in group.items():
                    if score:
                        yield f"{said}@{k}", score
            yield from _held_out(quality.held_out)


def _held_out(quality: HeldOutSummary | None) -> Iterator[tuple[str, ScoreSummary]]:
    if quality is None:
        return
    hits = {f"hits@{k}": score for k, score in quality.hits.items()}
    for label, score in {"MAP": quality.map, **hits, "mean rank": quality.mean_rank}.items():
        if score is not None:
            yield f"{label}, held out", score


def _score_change(
    label: str, old: ScoreSummary | None, new: ScoreSummary | None, tolerance: float
) -> ScoreChange:
    was, now = (score.value if score else None for score in (old, new))
    told = new or old
    higher = told is None or told.higher_is_better
    change, note = Change.UNCHANGED, ""
    if old and new and was is not None and now is not None:
        gain = (now - was) * (1 if higher else -1)
        change, note = _by_gain(old, new, gain, abs(was) * tolerance + 1e-12)
    elif was != now:
        change = Change.LOST if now is None else Change.GAINED
    return ScoreChange(label, change, was, now, _interval(old), _interval(new), higher, note)


def _by_gain(old: ScoreSummary, new: ScoreSummary, gain: float, slack: float) -> tuple[Change, str]:
    """What became of a score that both runs have, and what weakens that."""
    if old.protocol != new.protocol:
        return Change.DIFFERS, f"not comparable: {old.protocol}, then {new.protocol}"
    if abs(gain) <= slack:
        return Change.UNCHANGED, ""
    low, high = _interval(old), _interval(new)
    overlap = low and high and low[1] >= high[0] and high[1] >= low[0]
    change = Change.BETTER if gain > 0 else Change.WORSE
    return change, "the intervals overlap" if overlap else ""


def _interval(score: ScoreSummary | None) -> tuple[float, float] | None:
    low, high = score.ci if score else (None, None)
    return None if low is None or high is None else (low, high)


def number_changes(before: Report, after: Report) -> tuple[NumberChange, ...]:
    """All single values of the statistics, by section, in the order of the reports."""
    sides = [
        {(section, name): value for section, name, value in _values(run)} for run in (before, after)
    ]
    keys = dict.fromkeys([*sides[1], *sides[0]])
    order = {section: at for at, section in enumerate(dict.fromkeys(key[0] for key in keys))}
    return tuple(
        NumberChange(key[0], key[1], sides[0].get(key), sides[1].get(key))
        for key in sorted(keys, key=lambda key: order[key[0]])
    )


def _values(report: Report) -> Iterator[tuple[str, str, Number]]:
    for section, values in to_builtins(report.statistics, str_keys=True).items():
        for name, value in _flat(values or {}):
            yield section, name, value


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Number]]:
    for key, value in values.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            if "protocol" not in value:  # a score
                yield from _flat(value, name)
        elif not isinstance(value, list | tuple):
            yield name, value


def before_after(before: Report, after: Report) -> BeforeAfter:
    """What the pictures show; what neither run has is left out."""
    sides = before.statistics, after.statistics
    pairs = [side.pairs for side in sides]
    paired = any(pairs)
    needed = [side.mapping.n_nodes if side.mapping else None for side in sides]
    was, now = (side.depth.shares if side and side.depth else None for side in pairs)
    radii = [side.embeddings.radius.percentiles if side.embeddings else {} for side in sides]
    return BeforeAfter(
        coverage=tuple(
            Part(label, *(getattr(side, key, None) for side in pairs))
            for label, key in _ROLES
            if paired
        ),
        rows=(
            Part("rows that the nodes need", *needed),
            Part(
                "rows of a table sized from the pairs",
                *(getattr(side, "table_size", None) for side in pairs),
            ),
        )
        if paired
        else (),
        depths=tuple(
            (label, getattr(was, key, None), getattr(now, key, None))
            for label, key in _DEPTHS
            if was or now
        ),
        radii=tuple((p, radii[0].get(p), radii[1].get(p)) for p in _PERCENTILES if any(radii)),
    )
