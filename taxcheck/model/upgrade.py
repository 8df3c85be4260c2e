"""Reports of schema 1.0 to 1.4 in the words of today; what they did not hold stays empty.

Whatever has not the shape that it should have is passed on, for the model to refuse by its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taxcheck.model.errors import NoReportError

Old = dict[str, Any]
_KEYS = ("verdict", "tool", "title", "command", "inputs", "rules", "statistics", "policy")


def from_first(old: Old) -> Old:
    """The content of a report of schema 1; NoReportError where it lacks a part."""
    if missing := [key for key in _KEYS if key not in old]:
        raise NoReportError(f"is no whole report, it lacks {', '.join(missing)}")
    waivers = _each(old.get("waivers", []), _waiver)
    waived = {str(one["waiver"].get("rule")): one["waiver"] for one in _objects(waivers)}
    kept = ("title", "command", "inputs", "statistics", "policy", "tool", "proof", "timings")
    return {
        **{key: old[key] for key in kept if key in old},
        "created": old.get("created", ""),
        "cached": old.get("cached", False),
        "results": _each(old["rules"], lambda rule: _result(rule, waived)),
        "waivers": waivers,
        "baseline": _baseline(old.get("baseline"), old["rules"]),
    }


def _each(value: Any, change: Callable[[Old], Old]) -> Any:
    if not isinstance(value, list):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


def _objects(value: Any) -> list[Old]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _result(old: Old, waived: Old) -> Old:
    reason = old.get("message") if old.get("outcome") == "error" else old.get("skipped_reason")
    waiver = waived.get(str(old.get("id"))) if old.get("outcome") == "waived" else None
    return {**old, "reason": reason, "waiver": waiver}


def _waiver(old: Old) -> Old:
    return {"waiver": old, "state": old.get("state"), "message": old.get("message")}


def _baseline(old: Any, rules: Any) -> Any:
    """A baseline; of the rules it kept what became of them, in the rules themselves."""
    if not isinstance(old, dict):
        return old
    changed = [{**rule, "before": None, "after": rule} for rule in _objects(rules)]
    return {
        **old,
        "created": old.get("created") or "",
        "rules": [rule for rule in changed if rule.get("change")],
        "scores": _each(old.get("scores"), _score),
    }


def _score(old: Old) -> Old:
    names = {"label": "score", "before_interval": "before_ci", "after_interval": "after_ci"}
    return {**old, **{new: old.get(name) for new, name in names.items()}}
