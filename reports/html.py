"""The report for people: one file, no network, readable without JavaScript, under 1 MB."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taxcheck.report import RenderOptions, Report
from taxcheck.rule import Outcome

from . import text, view
from .figures import place
from .sections import LEVELS, Limits, sample_table

MAX_BYTES = 1_000_000
_DRAWN = ("quality", "never_trained")  # parts of the statistics that pictures tell better
_TEMPLATES = Path(__file__).with_name("templates")


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": text.clean,
        "clip": text.clip,
        "sentence": text.sentence,
        "number": text.number,
        "percent": text.percent,
        "size": text.size,
        "duration": text.duration,
        "observed": text.observed,
        "words": text.words,
        "blocks": text.blocks,
        "parts": text.parts,
        "coordinate": text_coordinate,
        "slug": text.slug,
    }
    environment.globals |= {"plural": text.plural, "WORDS": view.WORDS, "Outcome": Outcome}
    return environment


def text_coordinate(value: float) -> str:
    """A coordinate without a useless decimal."""
    return f"{value:.1f}".removesuffix(".0")


@functools.cache
def _assets() -> tuple[Markup, Markup, str]:
    """Style and script, which are ours and hold no data, and the script's hash for the CSP."""
    style = (_TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup(style), Markup(script), f"sha256-{digest}"


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
    style, script, script_hash = _assets()
    found = view.told(report)
    figures = place(report)
    explains = {
        result.rule.id: [other for other in found if result.rule.id in other.caused_by]
        for result in found
    }
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            limits=limits,
            view=view,
            style=style,
            script=script,
            script_hash=script_hash,
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
