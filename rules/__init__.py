"""The rules that ship with taxcheck: its first plugin, one module per family."""

from __future__ import annotations

from taxcheck.rule import Rule

RULES: tuple[Rule, ...] = ()
