"""The projection of a report alone: a report holds no rows, so this says how the explorer is made.

Where a run has the table at hand, its explorer is written instead.
"""

from __future__ import annotations

from taxcheck.model.report import RenderOptions, Report

from . import view
from .page import page


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The page, with the command as it can be typed where the report's inputs are."""
    return page("projection.html.j2", report=report, view=view, command=view.explore(report))
