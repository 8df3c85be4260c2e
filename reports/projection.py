"""The projection as a page of its own: one file, no network, a still picture without JavaScript."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from markupsafe import Markup

from taxcheck.model.pictures import Projection
from taxcheck.model.report import RenderOptions, Report

from . import view
from .page import page
from .pictures.map import counts, outline
from .pictures.map import projection as still
from .text import clean, clip, clip_middle

MAX_BYTES = 2_000_000
_LEVELS = ((80, 240), (60, 120), (40, 0), (12, 0), (0, 0))  # characters of names and lineages


def _data(found: Projection, name: int, lineage: int) -> Markup:
    """The points as JSON that no text in it can end: it stands in a script element."""
    kept: dict[str, int] = {}
    places = [
        kept.setdefault(clip_middle(clean(said), lineage) if lineage else "", len(kept))
        for said in found.lineages
    ]
    content: Mapping[str, object] = {
        "space": found.space,
        "points": [[round(x, 4), round(y, 4)] for x, y in found.points],
        "radius": [round(math.hypot(x, y), 2) for x, y in found.points]
        if found.space == "disk"
        else None,
        "idx": found.idx,
        "names": [clip(said, name) for said in found.names],
        "lineages": list(kept),
        "lineage": places,
        "clade": found.clade,
        "clades": [clip(said, 80) for said in found.clades],
        "never": [int(never) for never in found.untrained],
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def render(report: Report, options: RenderOptions) -> str:  # noqa: ARG001 - the renderer's shape
    """The page; where names would make it too large, they are shortened."""
    found = report.audit.projection if report.audit else None
    picture = still(report)
    made = ""
    for name, lineage in _LEVELS:
        made = page(
            "projection.html.j2",
            styles=("style.css", "projection.css"),
            scripts=("moebius.js", "projection.js"),
            report=report,
            view=view,
            found=found,
            picture=picture,
            counts=counts(found) if found else (),
            outlines=[outline(kind, 6) for kind in range(9)],
            data=_data(found, name, lineage) if found else "",
        )
        if len(made.encode()) < MAX_BYTES:
            break
    return made
