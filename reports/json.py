"""Reports and comparisons for machines: JSON whose shape `taxcheck schema` states."""

from __future__ import annotations

from msgspec import json

from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.written import report_to_json, to_json


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The report as JSON, in the schema's order; two equal reports give equal bytes."""
    return json.format(report_to_json(report), indent=2).decode() + "\n"


def render_comparison(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001
    """The comparison as JSON; two equal ones give equal bytes."""
    return json.format(to_json(comparison), indent=2).decode() + "\n"
