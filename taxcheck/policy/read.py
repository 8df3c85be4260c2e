"""Reading a policy: ``taxcheck.toml``, or ``[tool.taxcheck]`` in a pyproject.toml.

Every key is known: an unknown one is an error that names the nearest known key. Paths in the file
are relative to it, so that a folder with data and policy can be moved; in the value they are what
one would type where the command runs.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Severity
from taxcheck.model.geometry import GEOMETRIES
from taxcheck.model.paths import is_address
from taxcheck.model.rule import Rule, find_rule
from taxcheck.model.waiver import KEYS, Waiver
from taxcheck.policy.model import (
    FILES,
    TABLES,
    TABLES_OF_ROWS,
    Dataset,
    Inputs,
    Policy,
    RulePolicy,
    Service,
)


def load_policy(path: Path | None, rules: Iterable[Rule], causes: Collection[str] = ()) -> Policy:
    """Read a policy file; without one, ``taxcheck.toml`` or a pyproject.toml beside the caller.

    A waiver names one of the rules, or of the ``causes`` by name. Raises UsageError where the file
    is missing, is no TOML, or holds an unknown key or value.
    """
    for candidate in [path] if path else [Path("taxcheck.toml"), Path("pyproject.toml")]:
        try:
            raw = parse_toml(candidate.read_text(encoding="utf-8-sig"), str(candidate))
        except FileNotFoundError:
            if path:
                raise UsageError(f"policy: {path} does not exist") from None
            continue
        except (OSError, ValueError) as error:
            raise UsageError(f"policy: {candidate} cannot be read as TOML: {error}") from None
        if candidate.name == "pyproject.toml":
            tool = _table(raw.get("tool", {}), "[tool]")
            if "taxcheck" not in tool:
                if path:
                    raise UsageError(f"policy: {path} has no [tool.taxcheck]")
                continue
            raw = dict(_table(tool["taxcheck"], "[tool.taxcheck]"))
        return parse_policy(raw, rules, str(candidate), causes)
    return Policy()


def loads(
    text: str, rules: Iterable[Rule], source: str | None = None, causes: Collection[str] = ()
) -> Policy:
    """The policy that a text states; ``source`` is the file that it is of. Raises UsageError."""
    return parse_policy(parse_toml(text, source or "the text"), rules, source, causes)


def parse_toml(text: str, source: str) -> dict[str, Any]:
    """The tables of a text; UsageError names its ``source`` where it is no TOML."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"policy: {source} cannot be read as TOML: {error}") from None


def parse_policy(
    raw: Mapping[str, object],
    rules: Iterable[Rule],
    source: str | None,
    causes: Collection[str] = (),
) -> Policy:
    """Check a policy's tables against the rules and causes that exist.

    UsageError names the wrong key.
    """
    rules = tuple(rules)
    for key in raw:
        _known(key, TABLES, "the policy")
    return Policy(
        dataset=_dataset(_table(raw.get("dataset", {}), "[dataset]")),
        rules=_rules(_table(raw.get("rules", {}), "[rules]"), rules),
        source=source,
        waivers=parse_waivers(raw.get("waiver", []), rules, causes),
        inputs=_inputs(_table(raw.get("inputs", {}), "[inputs]"), Path(source or "").parent),
        service=_service(_table(raw.get("service", {}), "[service]")),
    )


def parse_waivers(
    raw: object, rules: Iterable[Rule], causes: Collection[str] = ()
) -> tuple[Waiver, ...]:
    """The policy's [[waiver]] tables; UsageError names what is missing or wrong."""
    if not isinstance(raw, list) or not all(isinstance(table, Mapping) for table in raw):
        raise UsageError("policy: waivers are written as [[waiver]], one table each")
    rules = tuple(rules)
    return tuple(_waiver(table, f"waiver {at}", rules, causes) for at, table in enumerate(raw, 1))


def _rule_at(where: str, wanted: str, rules: Iterable[Rule]) -> Rule:
    try:
        return find_rule(wanted, rules)
    except UsageError as error:
        raise UsageError(f"policy: {where}: {error}") from None


def _known(key: str, known: Iterable[str], where: str) -> None:
    known = list(known)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        raise UsageError(f"policy: unknown key {key!r} in {where}; {hint}")


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UsageError(f"policy: {where} must be a table, not {value!r}")
    return value


def _number(value: object, where: str) -> float:
    try:
        if not isinstance(value, bool | str):
            return float(value)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        pass
    raise UsageError(f"policy: {where} must be a number, not {value!r}")


def _identifiers(value: object, where: str, kinds: tuple[type, ...] = (int, str)) -> Any:
    if not isinstance(value, list) or any(
        isinstance(one, bool) or not isinstance(one, kinds) for one in value
    ):
        raise UsageError(f"policy: {where} must be a list of identifiers")
    return tuple(value)


def _dataset(raw: Mapping[str, object]) -> Dataset:
    values: dict[str, Any] = dict(raw)
    for key, value in raw.items():
        _known(key, (f.name for f in fields(Dataset)), "[dataset]")
        if key == "roots":
            values[key] = _identifiers(value, "[dataset] roots")
        elif not isinstance(value, str):
            raise UsageError(f"policy: [dataset] {key} must be a text, not {value!r}")
    return Dataset(**values)


def _inputs(raw: Mapping[str, object], folder: Path) -> Inputs:
    values: dict[str, Any] = dict(raw)
    for key, value in raw.items():
        _known(key, (f.name for f in fields(Inputs)), "[inputs]")
        where = f"[inputs] {key}"
        if key == "curvature":
            values[key] = _number(value, where)
            if not 0 < values[key] < math.inf:
                raise UsageError(
                    f"policy: {where} = {value}: give c > 0, the space has curvature -c"
                )
        elif key in TABLES_OF_ROWS and isinstance(value, list) and value:
            values[key] = tuple(_path(one, where, folder) for one in value)
        elif not isinstance(value, str) or not value:
            several = ", or a list of texts" if key in TABLES_OF_ROWS else ""
            raise UsageError(f"policy: {where} must be a text{several}, not {value!r}")
        elif key == "geometry" and value not in GEOMETRIES:
            raise UsageError(f"policy: {where} = {value!r} is none of {', '.join(GEOMETRIES)}")
        elif key in FILES:
            values[key] = _path(value, where, folder)
    return Inputs(**values)


def _path(value: object, where: str, folder: Path) -> str:
    """A path of the policy as one would type it; an address is one everywhere."""
    if not isinstance(value, str) or not value:
        raise UsageError(f"policy: {where} must hold texts, not {value!r}")
    if value == "-":
        raise UsageError(f"policy: {where} = '-': only a command line can name standard input")
    if is_address(value):
        return value
    path = str(folder / value)
    return "./-" if path == "-" else path  # a file of that name


def _service(raw: Mapping[str, object]) -> Service:
    values: dict[str, str] = {}
    for key, value in raw.items():
        if key in ("to", "token"):
            raise UsageError(
                f"policy: [service] {key}: who may change the file could have runs and token sent "
                f"elsewhere; give it by TAXCHECK_{key.upper()}"
            )
        _known(key, (f.name for f in fields(Service)), "[service]")
        if not isinstance(value, str) or not value:
            raise UsageError(f"policy: [service] {key} must be a text, not {value!r}")
        values[key] = value
    return Service(**values)


def _rules(raw: Mapping[str, object], rules: tuple[Rule, ...]) -> dict[str, RulePolicy]:
    chosen: dict[str, RulePolicy] = {}
    for key, value in raw.items():
        rule = _rule_at("[rules]", key, rules)
        if rule.id in chosen:
            raise UsageError(f"policy: [rules] has two tables of {rule.id}, by its id and its name")
        chosen[rule.id] = _rule_policy(_table(value, f"[rules.{key}]"), rule, f"[rules.{key}]")
    return chosen


def _rule_policy(raw: Mapping[str, object], rule: Rule, where: str) -> RulePolicy:
    thresholds: dict[str, float] = {}
    enabled, severity = True, None
    for key, value in raw.items():
        _known(key, ("enabled", "severity", *rule.thresholds), where)
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
        else:
            thresholds[key] = _number(value, f"{where} {key}")
            if math.isnan(thresholds[key]):  # nothing is above it and nothing below
                raise UsageError(f"policy: {where} {key} must be a number, not nan")
    return RulePolicy(enabled, severity, thresholds)


def _waiver(
    raw: Mapping[str, object], where: str, rules: tuple[Rule, ...], causes: Collection[str]
) -> Waiver:
    for key in raw:
        _known(key, KEYS, where)
    texts = {}
    for key in ("rule", "owner", "reason"):
        value = raw.get(key)
        if not isinstance(value, str) or not value.strip():
            raise UsageError(f'policy: {where} needs {key} = "…"')
        texts[key] = value.strip()
    named = texts["rule"]
    if named not in causes or any(named == rule.name for rule in rules):
        named = _rule_at(f"{where} waives", named, rules).id
    waiver = Waiver(
        rule=named,
        owner=texts["owner"],
        reason=texts["reason"],
        expires=_date(raw.get("expires"), where),
        max_count=_count(raw.get("max_count"), where),
        fingerprint=_fingerprint(raw.get("fingerprint"), where),
        taxid=_identifiers(raw.get("taxid", []), f"{where}: taxid"),
        idx=_identifiers(raw.get("idx", []), f"{where}: idx", (int,)),
    )
    if waiver.max_count is None and not (waiver.fingerprint or waiver.taxid or waiver.idx):
        bounds = "max_count, fingerprint, taxid, idx"
        raise UsageError(f"policy: {where} has no bound: give one of {bounds}")
    return waiver


def _date(value: object, where: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"policy: {where} needs expires = YYYY-MM-DD, a date") from None


def _count(value: object, where: str) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | None) or (value or 0) < 0:
        raise UsageError(f"policy: {where}: max_count must be a whole number, not {value!r}")
    return value


def _fingerprint(value: object, where: str) -> str | None:
    if value is not None and (not isinstance(value, str) or ":" not in value):
        raise UsageError(f'policy: {where}: fingerprint must read "blake3:…", as in a report')
    return value
