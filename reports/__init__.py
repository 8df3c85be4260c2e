"""The renderers that ship with taxcheck: they decide nothing, only show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.report import Renderer, RenderOptions

from . import github, html, json, junit, markdown, projection, sarif, terminal

RENDERERS: Mapping[str, Renderer] = {
    "github": github.render,
    "html": html.render,
    "json": json.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "projection": projection.render,
    "sarif": sarif.render,
    "terminal": terminal.render,
}

COMPARISONS: Mapping[str, Callable[[Comparison, RenderOptions], str]] = {
    "html": html.render_comparison,
    "json": json.render_comparison,
    "terminal": terminal.render_comparison,
}


def __getattr__(name: str) -> Any:
    """``PAGES`` and ``FILES`` of the service: loaded by it alone, so that no run waits for them."""
    if name not in ("PAGES", "FILES"):
        raise AttributeError(name)
    from . import pages

    return getattr(pages, name)
