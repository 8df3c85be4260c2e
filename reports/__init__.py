"""The renderers that ship with taxcheck: they decide nothing, only show."""

from __future__ import annotations

RENDERERS: dict[str, object] = {}
