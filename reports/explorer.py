"""The explorer of a table as one page: all rows, no library, no network; a still without script."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from taxcheck.model.explorer import CLADES, Explorer
from taxcheck.model.vocabulary import percent, plural

from .packing import pack
from .page import page
from .raster import png
from .text import clip, number

_LISTED = 100  # rows that are named as not drawn; the file of all has the rest
_SCRIPTS = ("isometry", "unpack", "draw", "rows", "labels", "page")


def render(found: Explorer) -> str:
    """The page."""
    packed = pack(found)
    facts = packed.facts | {
        "title": clip(found.title, 120),
        "hyperbolic": found.hyperbolic,
        "numbered": found.numbered,
        "clades_most": CLADES,
        "tree": bool((found.parent >= 0).any()),
        "marks": [
            {"name": mark.name, "told": mark.told, "rows": int(np.count_nonzero(mark.rows))}
            for mark in found.marks
        ],
    }
    undrawn = np.flatnonzero(~np.isfinite(found.radii))
    drawn = found.drawn
    told = (
        f"{plural(len(undrawn), 'row')} {'is no point' if len(undrawn) == 1 else 'are no points'} "
        "of the space, or not in the table."
    )
    return page(
        "explorer.html.j2",
        styles=("style.css", "explorer.css"),
        scripts=tuple(f"explorer/{name}.js" for name in _SCRIPTS),
        found=found,
        heading=f"{number(drawn)} of {plural(found.n, 'row')} of {clip(found.title, 120)}"
        if len(undrawn)
        else f"All {plural(found.n, 'row')} of {clip(found.title, 120)}",
        faithful=found.faithful,
        ways=[(way.name, _share(way.kept), _rank(way.parent_rank)) for way in found.ways],
        notes=[*found.notes, *([found.missing] if found.missing else [])],
        alt=_alt(found, drawn),
        picture=png(found),
        drawn=drawn,
        undrawn=told if len(undrawn) else "",
        undrawn_rows=list(_named(found, undrawn[:_LISTED].tolist())),
        facts=_json(facts),
        sections={name: Markup(block) for name, block in packed.sections.items()},
    )


def _json(facts: dict[str, object]) -> Markup:
    """JSON that no text in it can end: it stands in a script element."""
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def _share(kept: float) -> str:
    return "" if math.isnan(kept) else percent(kept)


def _rank(rank: float) -> str:
    return "" if math.isnan(rank) else number(round(rank))


def _alt(found: Explorer, drawn: int) -> str:
    shape = "A disc" if found.hyperbolic else "A plane"
    heads = ", ".join(_named(found, list(found.clades)))
    clades = f"; large clades: {heads}" if heads else ""
    return f"{shape} with {plural(drawn, 'row')} of {found.title} as points{clades}."


def _named(found: Explorer, rows: list[int]) -> Iterator[str]:
    for row in rows:
        name = found.names[row] if row < len(found.names) else None
        identifier = found.identifiers[row] if row < len(found.identifiers) else None
        yield clip(name or (f"idx {row}" if identifier is None else identifier), 80)
