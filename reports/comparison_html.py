"""A comparison for people: one file, no network, readable without JavaScript."""

from __future__ import annotations

from taxcheck.comparison.value import Comparison
from taxcheck.report import RenderOptions

from . import comparison_view as view
from .before_after import drawn
from .figures import Figure
from .page import environment, source_hash, template_text


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - its shape
    """The page; lists of nodes are short already, so it never grows large."""
    style, script = template_text("style.css"), template_text("report.js")
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            comparison=comparison,
            view=view,
            style=style,
            style_hash=source_hash(style),
            script=script,
            script_hash=source_hash(script),
            figures=[Figure(picture, f"picture-{picture.key}") for picture in drawn(comparison)],
            told=view.told(comparison),
            quiet=view.quiet(comparison),
            changed=[n for n in comparison.numbers if n.before != n.after],
            same=[n for n in comparison.numbers if n.before == n.after],
        )
    )
