"""The renderers that ship with taxcheck: they decide nothing, only show.

Each is loaded when it first renders, so that a run waits for none that it was not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.explorer import Explorer
from taxcheck.model.report import Renderer, RenderOptions


def _of(module: str, function: str = "render") -> Any:
    def render(report: Any, options: RenderOptions) -> Any:
        return getattr(import_module(f"{__name__}.{module}"), function)(report, options)

    return render


_NAMES = ("github", "html", "json", "junit", "markdown", "projection", "sarif", "terminal")
RENDERERS: Mapping[str, Renderer] = {name: _of(name) for name in _NAMES}
COMPARISONS: Mapping[str, Callable[[Comparison, RenderOptions], str]] = {
    name: _of(name, "render_comparison") for name in ("html", "json", "terminal")
}


def EXPLORER(found: Explorer) -> str:  # noqa: N802 - a name by which plugins are found
    """The explorer of a table as a page."""
    made: str = import_module(f"{__name__}.explorer").render(found)
    return made


def __getattr__(name: str) -> Any:
    """``PAGES`` and ``FILES`` of the service: loaded by it alone, so that no run waits for them."""
    if name not in ("PAGES", "FILES"):
        raise AttributeError(name)
    from . import pages

    return getattr(pages, name)
