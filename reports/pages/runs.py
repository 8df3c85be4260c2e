"""One run, and two beside each other: the parts of the report, in the frame of the pages."""

from __future__ import annotations

from markupsafe import Markup

from taxcheck.model.change import Change
from taxcheck.model.report import Report
from taxcheck.service.pages.values import Compare, Run

from ..comparison import told
from ..html import LEVELS, comparison_parts, parts
from ..view import explore
from . import links
from .frame import filled
from .kept import Kept

_FORMATS = (  # what it is called, and which file of the run it is
    ("JSON", "report.json"),
    ("HTML", "report.html"),
    ("SARIF", "report.sarif"),
    ("JUnit XML", "report.xml"),
    ("Markdown", "report.md"),
)


_REPORTS = Kept()


def run(value: Run) -> str:
    """Headline and causes, what changed, then the whole report."""
    changed = value.changed
    first, body = _REPORTS.of(value.drawn, lambda: _drawn(value.report))
    downloads = [(said, f"/api/v1{links.run(value.line.id, name)}") for said, name in _FORMATS]
    if explore(value.report):
        downloads.append(("explorer", links.run(value.line.id, "explorer")))
    same = (Change.UNCHANGED, Change.DIFFERS)
    return filled(
        "run.html",
        value=value,
        downloads=downloads,
        moved=[r for r in told(changed) if r.change not in same] if changed else (),
        scores=[s for s in changed.scores if s.change not in same] if changed else (),
        first=first,
        body=body,
    )


def _drawn(report: Report) -> tuple[Markup, ...]:
    """The report's first screen, and all that is below it."""
    told = parts(report, LEVELS[0])
    return Markup(filled("run_first.html", **told)), Markup(filled("run_report.html", **told))


def compare(value: Compare) -> str:
    """The page that `taxcheck compare` makes, or the form that asks for two runs."""
    if value.comparison is None:
        return filled("compare.html", value=value, comparison=None)
    return filled("compare.html", value=value, **comparison_parts(value.comparison))
