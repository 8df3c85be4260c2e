"""Beside the rules: for each the smallest bad data, and corruptions that it has to find.

Importing a module enters its cases.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .library import CASES

for _found in iter_modules(__path__):
    import_module(f".{_found.name}", __name__)

__all__ = ["CASES"]
