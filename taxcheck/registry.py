"""Rules and renderers, found through entry points, as a user's own are.

An entry point of the group ``taxcheck.rules`` names a module with ``RULES`` (a sequence of Rule),
or one Rule. One of ``taxcheck.renderers`` names a module with ``RENDERERS`` (a mapping of name to
renderer), or one renderer, which then goes by the entry point's name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import cast

from taxcheck.errors import BrokenError, UsageError
from taxcheck.report import Renderer
from taxcheck.rule import Rule


def _load(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:
        raise BrokenError(
            f"plugin {entry.name!r} ({entry.value}) cannot be loaded: {error}; "
            "uninstall it or ask its author"
        ) from error


@cache
def load_rules() -> tuple[Rule, ...]:
    """All installed rules by id; BrokenError where a plugin cannot be loaded or ids collide."""
    rules: dict[str, Rule] = {}
    for entry in entry_points(group="taxcheck.rules"):
        found = _load(entry)
        for rule in found.RULES if isinstance(found, ModuleType) else [cast(Rule, found)]:
            if rule.id in rules:
                raise BrokenError(f"plugin {entry.name!r}: rule {rule.id} exists already")
            rules[rule.id] = rule
    return tuple(rules[key] for key in sorted(rules))


def find_rule(wanted: str) -> Rule:
    """A rule by its id or its name; UsageError suggests the nearest."""
    import difflib

    rules = load_rules()
    for rule in rules:
        if wanted.upper() == rule.id or wanted.lower() == rule.name:
            return rule
    known = [text for rule in rules for text in (rule.id, rule.name)]
    near = difflib.get_close_matches(wanted, known, n=1) or difflib.get_close_matches(
        wanted.upper(), known, n=1
    )
    hint = f"did you mean {near[0]}?" if near else "`taxcheck rules` lists them"
    raise UsageError(f"no rule {wanted!r}; {hint}")


@cache
def load_comparison_renderers() -> dict[str, Callable[..., str]]:
    """All installed renderers of comparisons by name; a module has them as ``COMPARISONS``."""
    renderers: dict[str, Callable[..., str]] = {}
    for entry in entry_points(group="taxcheck.renderers"):
        renderers.update(getattr(_load(entry), "COMPARISONS", {}))
    return renderers


@cache
def load_renderers() -> dict[str, Renderer]:
    """All installed renderers by name."""
    renderers: dict[str, Renderer] = {}
    for entry in entry_points(group="taxcheck.renderers"):
        found = _load(entry)
        if isinstance(found, ModuleType):
            renderers.update(found.RENDERERS)
        else:
            renderers[entry.name] = cast(Renderer, found)
    return renderers
