"""What all pages share: the environment of their templates, and assets that hold no data."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taxcheck.model.finding import Outcome
from taxcheck.model.vocabulary import percent, plural

from . import text, view
from .pictures.svg import round1

_TEMPLATES = Path(__file__).with_name("templates")


@functools.cache
def environment() -> Environment:
    """Templates with autoescape; a name that a template misspells is an error."""
    found = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "clean": text.clean,
        "clip": text.clip,
        "sentence": text.sentence,
        "number": text.number,
        "percent": percent,
        "size": text.size,
        "duration": text.duration,
        "observed": text.observed,
        "words": text.words,
        "blocks": text.blocks,
        "parts": text.parts,
        "coordinate": round1,
        "slug": text.slug,
    }
    found.globals |= {"plural": plural, "WORDS": view.WORDS, "Outcome": Outcome}
    return found


def page(
    template: str,
    *,
    styles: tuple[str, ...] = ("style.css",),
    scripts: tuple[str, ...] = ("report.js",),
    **values: object,
) -> str:
    """A template filled in, with its styles and its scripts, of which it allows no others."""
    style, script = (Markup().join(map(template_text, names)) for names in (styles, scripts))
    hashes = {"style_hash": source_hash(style), "script_hash": source_hash(script)}
    found = environment().get_template(template)
    return found.render(style=style, script=script, **hashes, **values)


@functools.cache
def template_text(name: str) -> Markup:
    """A style sheet or a script of ours, which holds no data."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def source_hash(text: str) -> str:
    """The source expression by which a content security policy allows one script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
