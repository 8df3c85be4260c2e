"""The renderers that ship with taxcheck: they decide nothing, only show."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.report import Renderer

from . import html, machine, projection, terminal

RENDERERS: Mapping[str, Renderer] = {
    "html": html.render,
    "json": machine.render,
    "projection": projection.render,
    "terminal": terminal.render,
}
