"""The smallest data of every rule, written once for all tests of a process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from taxcheck.commands.selftest.cases import load_cases

_WRITTEN = TemporaryDirectory(prefix="taxcheck-cases-")


def case_folder(rule: str, kind: str) -> Path:
    """The folder ``ok`` or ``bad`` of a rule."""
    folder = Path(_WRITTEN.name) / rule
    if not folder.exists():
        load_cases().of_rule[rule].write(folder)
    return folder / kind
