"""What all pages share: the environment of their templates, and assets that hold no data."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from taxcheck.rule import Outcome

from . import text, view

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
        "percent": text.percent,
        "size": text.size,
        "duration": text.duration,
        "observed": text.observed,
        "words": text.words,
        "blocks": text.blocks,
        "parts": text.parts,
        "coordinate": coordinate,
        "slug": text.slug,
    }
    found.globals |= {"plural": text.plural, "WORDS": view.WORDS, "Outcome": Outcome}
    return found


def coordinate(value: float) -> str:
    """A coordinate without a useless decimal."""
    return f"{value:.1f}".removesuffix(".0")


@functools.cache
def template_text(name: str) -> Markup:
    """A style sheet or a script of ours, which holds no data."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def source_hash(text: str) -> str:
    """The source expression by which a content security policy allows one script or style."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
