"""The rules that ship with taxcheck: its first plugin, a few modules per family."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from taxcheck.model.rule import Rule

_MODULES = [import_module(f".{found.name}", __name__) for found in iter_modules(__path__)
            if not found.ispkg]  # fmt: skip
_RULES = {
    value.id: value
    for module in _MODULES
    for value in vars(module).values()
    if isinstance(value, Rule)
}
RULES: tuple[Rule, ...] = tuple(_RULES[id] for id in sorted(_RULES))


def __getattr__(name: str) -> object:
    """``CASES``, which only the self-test and the documentation ask for."""
    if name != "CASES":
        raise AttributeError(name)
    from .cases import CASES

    return CASES
