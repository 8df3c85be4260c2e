"""The renderers that ship with taxcheck: they decide nothing, only show."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from taxcheck.comparison.value import Comparison
from taxcheck.report import Renderer, RenderOptions

from . import (
    comparison_html,
    comparison_machine,
    comparison_terminal,
    github,
    html,
    junit,
    machine,
    markdown,
    projection,
    sarif,
    terminal,
)

RENDERERS: Mapping[str, Renderer] = {
    "github": github.render,
    "html": html.render,
    "json": machine.render,
    "junit": junit.render,
    "markdown": markdown.render,
    "projection": projection.render,
    "sarif": sarif.render,
    "terminal": terminal.render,
}

COMPARISONS: Mapping[str, Callable[[Comparison, RenderOptions], str]] = {
    "html": comparison_html.render,
    "json": comparison_machine.render,
    "terminal": comparison_terminal.render,
}
