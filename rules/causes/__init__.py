"""The causes that ship with taxcheck, a module per family."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from taxcheck.model.cause import Cause

_MODULES = [import_module(f".{found.name}", __name__) for found in iter_modules(__path__)
            if not found.ispkg]  # fmt: skip
CAUSES: tuple[Cause, ...] = tuple(
    sorted(
        {
            value.name: value
            for module in _MODULES
            for value in vars(module).values()
            if isinstance(value, Cause)
        }.values(),
        key=lambda cause: cause.name,
    )
)
