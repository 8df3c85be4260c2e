"""The report for people: one file, no network, readable without JavaScript, under 1 MB."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.report import RenderOptions, Report
from taxcheck.rule import Outcome

from . import text, view
from .cross import cross
from .figures import place
from .page import environment, source_hash, template_text
from .sections import LEVELS, Limits, sample_table

MAX_BYTES = 1_000_000
_DRAWN = ("quality", "never_trained")  # parts of the statistics that pictures tell better


def _values(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Words and values of one section; lists of bins are left to the pictures."""
    found: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix} {text.words(key)}".strip()
        if key in _DRAWN:
            continue
        if isinstance(value, Mapping):
            found += _values(value, name)
        elif isinstance(value, float) and "share" in name:
            found.append((name, text.percent(value)))
        elif value is not None and not isinstance(value, list | tuple):
            found.append((name, text.number(value)))
    return found


def _numbers(statistics: Mapping[str, object]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The statistics by section, as words and values."""
    sections = {key: values for key, values in statistics.items() if isinstance(values, Mapping)}
    loose = {key: value for key, value in statistics.items() if key not in sections}
    named = [(text.words(key), _values(values)) for key, values in sections.items()]
    return [(key, values) for key, values in [*named, ("others", _values(loose))] if values]


def _page(report: Report, limits: Limits) -> str:
    style, script = template_text("style.css"), template_text("report.js")
    found = view.told(report)
    figures = place(report)
    explains = {
        result.rule.id: [other for other in found if result.rule.id in other.caused_by]
        for result in found
    }
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            limits=limits,
            view=view,
            style=style,
            style_hash=source_hash(style),
            script=script,
            script_hash=source_hash(script),
            found=found,
            passes=view.of_outcome(report, Outcome.PASS),
            skipped=view.of_outcome(report, Outcome.SKIPPED),
            explained_by={
                result.rule.id: [other for other in found if other.rule.id in result.caused_by]
                for result in found
            },
            explains=explains,
            hero=figures.hero,
            after=figures.after,
            joined=cross(report),
            pictures=figures.of_rule,
            tables={r.rule.id: sample_table(r, limits) for r in found},
            numbers=_numbers(report.statistics),
        )
    )


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The page; where the samples would make it too large, fewer and shorter ones are shown."""
    page = ""
    for limits in LEVELS:
        page = _page(report, limits)
        if len(page.encode()) < MAX_BYTES:
            break
    return page
