"""Rules, causes and renderers, found through entry points, as a user's own are.

An entry point of the group ``taxcheck.rules`` names a module with ``RULES`` (a sequence of Rule),
or one Rule; of ``taxcheck.causes`` likewise, with ``CAUSES``. One of ``taxcheck.renderers`` names a
module with ``RENDERERS`` (a mapping of name to renderer), or one renderer, which then goes by the
entry point's name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from taxcheck.model import rule as model
from taxcheck.model.cause import Cause
from taxcheck.model.errors import BrokenError
from taxcheck.model.explorer import ExplorerPage
from taxcheck.model.installed import load_plugin, plugins
from taxcheck.model.report import Renderer
from taxcheck.model.rule import Rule


@cache
def load_rules() -> tuple[Rule, ...]:
    """All installed rules by id; BrokenError where a plugin is broken, or an id or name is taken.

    Ids and names are one space: whatever names a rule may use either.
    """
    rules: dict[str, Rule] = {}
    taken: dict[str, Rule] = {}
    for entry in plugins("taxcheck.rules"):
        found = load_plugin(entry)
        for rule in found.RULES if isinstance(found, ModuleType) else [found]:
            for key in (rule.id, rule.name):
                if other := taken.get(key.lower()):
                    raise BrokenError(
                        f"plugin {entry.name!r}: rule {rule.id} {rule.name} has the id or name of "
                        f"{other.id} {other.name}, which exists already"
                    )
            rules[rule.id] = taken[rule.id.lower()] = taken[rule.name.lower()] = rule
    return tuple(rules[key] for key in sorted(rules))


@cache
def load_causes() -> tuple[Cause, ...]:
    """All installed causes by name; BrokenError where a plugin is broken, or a name is taken.

    Rules and causes share their names only where a cause says that the rule finds it.
    """
    rules = {rule.name: rule.id for rule in load_rules()}
    causes: dict[str, Cause] = {}
    for entry in plugins("taxcheck.causes"):
        found = load_plugin(entry)
        for cause in found.CAUSES if isinstance(found, ModuleType) else [found]:
            if cause.name in causes or rules.get(cause.name) != cause.found_by:
                raise BrokenError(
                    f"plugin {entry.name!r}: cause {cause.name} has the name of a rule or of "
                    "another cause, which exists already"
                )
            causes[cause.name] = cause
    return tuple(causes[name] for name in sorted(causes))


class _CauseNames(Collection[str]):
    """The names of all causes, which are loaded when somebody looks."""

    def __contains__(self, name: object) -> bool:
        return any(cause.name == name for cause in load_causes())

    def __iter__(self) -> Iterator[str]:
        return (cause.name for cause in load_causes())

    def __len__(self) -> int:
        return len(load_causes())


def cause_names() -> Collection[str]:
    """What a waiver may name beside a rule."""
    return _CauseNames()


def rule_modules() -> tuple[ModuleType, ...]:
    """The modules of all plugins of rules, each once, whatever their entry points name in them."""
    loaded = {entry.module: load_plugin(entry) for entry in plugins("taxcheck.rules")}
    return tuple(sys.modules[name] for name in loaded)


def find_rule(wanted: str) -> Rule:
    """An installed rule by its id or its name; UsageError suggests the nearest."""
    return model.find_rule(wanted, load_rules())


@cache
def load_comparison_renderers() -> dict[str, Callable[..., str]]:
    """All installed renderers of comparisons by name; a module has them as ``COMPARISONS``."""
    renderers: dict[str, Callable[..., str]] = {}
    for entry in plugins("taxcheck.renderers"):
        renderers.update(getattr(load_plugin(entry), "COMPARISONS", {}))
    return renderers


@cache
def load_explorer() -> ExplorerPage:
    """What makes the page of an explorer: of the last plugin whose module has one as ``EXPLORER``.

    BrokenError where none has.
    """
    found = [
        getattr(load_plugin(entry), "EXPLORER", None) for entry in plugins("taxcheck.renderers")
    ]
    made: list[ExplorerPage] = [one for one in found if one is not None]
    if not made:
        raise BrokenError("no renderer of an explorer is installed; install taxcheck again")
    return made[-1]


@cache
def load_pages() -> tuple[dict[str, Callable[[Any], str]], dict[str, tuple[str, bytes]]]:
    """Renderers of the service's pages by name, and the files that the pages load by address.

    A module has them as ``PAGES`` and ``FILES``; a file is its media type and its content.
    """
    pages: dict[str, Callable[[Any], str]] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for entry in plugins("taxcheck.renderers"):
        found = load_plugin(entry)
        pages.update(getattr(found, "PAGES", {}))
        files.update(getattr(found, "FILES", {}))
    return pages, files


@cache
def load_renderers() -> dict[str, Renderer]:
    """All installed renderers by name."""
    renderers: dict[str, Renderer] = {}
    for entry in plugins("taxcheck.renderers"):
        found = load_plugin(entry)
        if isinstance(found, ModuleType):
            renderers.update(found.RENDERERS)
        else:
            renderers[entry.name] = found
    return renderers
