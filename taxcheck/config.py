"""The policy: what the data is meant to be, where it is, how strict each rule is.

It is read from ``taxcheck.toml``, or from ``[tool.taxcheck]`` in a pyproject.toml. Every key is
known: an unknown one is an error that names the nearest known key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from taxcheck.errors import UsageError
from taxcheck.policy_inputs import Inputs, parse_inputs
from taxcheck.rule import Rule, Severity
from taxcheck.waivers import KEYS, Waiver, parse_waivers

INTENTS = ("closure", "edges", "sampled")
KINDS = ("auto", "tree", "dag")
DUPLICATES = ("forbid", "weights")
_TABLES = ("dataset", "inputs", "rules", "waiver")
SAMPLERS = ("unknown", "uniform", "balanced", "same-depth", "same-depth-filtered")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Declared intent: what the pairs mean to be, against which the rules judge.

    ``pairs`` is "closure", "edges", "sampled" or "depth<=k"; ``roots`` are identifiers.
    ``sampler`` names how training draws: "uniform" takes pairs as they come, "balanced" gives the
    depths 1, 2 to 5 and beyond 5 equal shares of the draws; "same-depth" draws negatives of the
    descendant's depth unfiltered, "same-depth-filtered" leaves out the anchor's own descendants.
    """

    pairs: str = "closure"
    kind: str = "auto"
    roots: tuple[int | str, ...] = ()
    duplicates: str = "forbid"
    sampler: str = "unknown"

    @property
    def depth_cap(self) -> int | None:
        """The k of "depth<=k"; 1 for edges; None where no cap is declared."""
        if self.pairs == "edges":
            return 1
        return int(self.pairs.removeprefix("depth<=")) if self.pairs.startswith("depth") else None

    def __post_init__(self) -> None:
        if self.pairs not in INTENTS and not re.fullmatch(r"depth<=[1-9]\d*", self.pairs):
            raise UsageError(
                f"policy: [dataset] pairs = {self.pairs!r} is none of {', '.join(INTENTS)}, "
                "depth<=k (k a whole number from 1)"
            )
        for key, allowed in (("kind", KINDS), ("duplicates", DUPLICATES), ("sampler", SAMPLERS)):
            value = getattr(self, key)
            if value not in allowed:
                raise UsageError(
                    f"policy: [dataset] {key} = {value!r} is none of {', '.join(allowed)}"
                )


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """What the policy says of one rule."""

    enabled: bool = True
    severity: Severity | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy; ``source`` is the file it came from, None for the defaults."""

    dataset: Dataset = Dataset()
    rules: Mapping[str, RulePolicy] = field(default_factory=dict)
    source: str | None = None
    waivers: tuple[Waiver, ...] = ()
    inputs: Inputs = field(default_factory=Inputs)

    def of(self, rule: Rule) -> RulePolicy:
        """What the policy says of a rule, the defaults where it is silent."""
        return self.rules.get(rule.id, RulePolicy())

    def thresholds(self, rule: Rule) -> dict[str, float]:
        """The thresholds in force for a rule."""
        return {key: t.default for key, t in rule.thresholds.items()} | dict(
            self.of(rule).thresholds
        )

    def differences(self, rules: Iterable[Rule]) -> dict[str, str]:
        """Every setting that differs from its default, as key -> value, for the report."""
        changed = {
            f"dataset.{f.name}": str(getattr(self.dataset, f.name))
            for f in fields(Dataset)
            if getattr(self.dataset, f.name) != getattr(Dataset(), f.name)
        }
        for rule in rules:
            own = self.of(rule)
            if not own.enabled:
                changed[f"rules.{rule.id}.enabled"] = "false"
            if own.severity is not None and own.severity != rule.severity:
                changed[f"rules.{rule.id}.severity"] = own.severity.value
            for key, value in own.thresholds.items():
                if value != rule.thresholds[key].default:
                    changed[f"rules.{rule.id}.{key}"] = f"{value:g}"
        return changed


def _unknown(where: str, key: str, known: Iterable[str]) -> UsageError:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"
    return UsageError(f"policy: unknown key {key!r} in {where}{hint}")


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UsageError(f"policy: {where} must be a table, not {value!r}")
    return value


def _dataset(raw: Mapping[str, object]) -> Dataset:
    known = {f.name for f in fields(Dataset)}
    for key, value in raw.items():
        if key not in known:
            raise _unknown("[dataset]", key, known)
        if key == "roots":
            if not isinstance(value, list) or not all(isinstance(v, int | str) for v in value):
                raise UsageError("policy: [dataset] roots must be a list of identifiers")
        elif not isinstance(value, str):
            raise UsageError(f"policy: [dataset] {key} must be a text, not {value!r}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return Dataset(**values)  # type: ignore[arg-type]


def _rule_policy(rule: Rule, raw: Mapping[str, object]) -> RulePolicy:
    where = f"[rules.{rule.id}]"
    thresholds: dict[str, float] = {}
    enabled, severity = True, None
    for key, value in raw.items():
        if key == "enabled":
            if not isinstance(value, bool):
                raise UsageError(f"policy: {where} enabled must be true or false, not {value!r}")
            enabled = value
        elif key == "severity":
            if value not in list(Severity):
                raise UsageError(
                    f"policy: {where} severity = {value!r} is none of info, warn, fail"
                )
            severity = Severity(str(value))
        elif key in rule.thresholds:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UsageError(f"policy: {where} {key} must be a number, not {value!r}")
            try:
                thresholds[key] = float(value)
            except OverflowError:
                raise UsageError(f"policy: {where} {key} is too large a number") from None
        else:
            raise _unknown(where, key, ["enabled", "severity", *rule.thresholds])
    return RulePolicy(enabled, severity, thresholds)


def parse_policy(raw: Mapping[str, object], rules: Iterable[Rule], source: str | None) -> Policy:
    """Check a policy's tables against the rules that exist; UsageError names the wrong key."""
    by_id = {rule.id: rule for rule in rules}
    for key in raw:
        if key not in _TABLES:
            raise _unknown("the policy", key, _TABLES)
    chosen = _table(raw.get("rules", {}), "[rules]")
    for key in chosen:
        if key not in by_id:
            raise _unknown("[rules]", key, by_id)
    return Policy(
        dataset=_dataset(_table(raw.get("dataset", {}), "[dataset]")),
        rules={
            key: _rule_policy(by_id[key], _table(value, f"[rules.{key}]"))
            for key, value in chosen.items()
        },
        source=source,
        inputs=parse_inputs(
            _table(raw.get("inputs", {}), "[inputs]"),
            Path(source or "").parent,
            lambda where, key: _unknown(where, key, (f.name for f in fields(Inputs))),
        ),
        waivers=parse_waivers(
            raw.get("waiver", []),
            {text: rule.id for rule in by_id.values() for text in (rule.id, rule.name)},
            lambda where, key: _unknown(where, key, KEYS),
        ),
    )


def load_policy(path: Path | None, rules: Iterable[Rule]) -> Policy:
    """Read a policy file; without one, ``taxcheck.toml`` or a pyproject.toml beside the caller.

    Raises UsageError where the file is missing, is no TOML, or holds an unknown key or value.
    """
    candidates = [path] if path else [Path("taxcheck.toml"), Path("pyproject.toml")]
    for candidate in candidates:
        try:
            raw = tomllib.loads(candidate.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if path:
                raise UsageError(f"policy: {path} does not exist") from None
            continue
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"policy: {candidate} cannot be read as TOML: {error}") from None
        if candidate.name == "pyproject.toml":
            tool = _table(raw.get("tool", {}), "[tool]")
            if "taxcheck" not in tool:
                if path:
                    raise UsageError(f"policy: {path} has no [tool.taxcheck]")
                continue
            raw = dict(_table(tool["taxcheck"], "[tool.taxcheck]"))
        return parse_policy(raw, rules, str(candidate))
    return Policy()
