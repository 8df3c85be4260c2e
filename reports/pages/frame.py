"""What all pages of the service share: their environment, and the files that they load."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from blake3 import blake3
from jinja2 import Environment

from taxcheck.model.finding import Outcome

from .. import comparison
from ..page import environment, template_text
from . import links, when
from .strip import strip

_STATIC = Path(__file__).parent.with_name("static")
_LOOKS = frozenset(outcome.value for outcome in Outcome)
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _files() -> Mapping[str, tuple[str, bytes]]:
    """Address -> media type and content; an address changes with what it holds."""
    style = template_text("style.css") + template_text("pages.css")
    made = (
        ("pages.css", "text/css; charset=utf-8", style.encode()),
        ("report.js", "text/javascript; charset=utf-8", template_text("report.js").encode()),
        ("htmx.min.js", "text/javascript; charset=utf-8", (_STATIC / "htmx.min.js").read_bytes()),
        ("icon.svg", "image/svg+xml", (_STATIC / "icon.svg").read_bytes()),
    )
    return {
        f"/static/{blake3(content).hexdigest()[:12]}/{name}": (kind, content)
        for name, kind, content in made
    }


FILES = _files()
_ADDRESSES = {address.rpartition("/")[2]: address for address in FILES}


@functools.cache
def _environment() -> Environment:
    """That of the reports, with what only pages need."""
    found = environment().overlay()
    found.filters = found.filters | {
        "ago": when.ago,
        "day": when.day,
        "iso": when.iso,
        "lasted": when.lasted,
        "minute": when.minute,
        "outward": links.outward,
        "strip": strip,
        "xml": xml,
    }
    found.globals = {
        **found.globals,
        "LOOKS": _LOOKS,
        "LOOKS_OF": comparison.LOOKS,
        "asset": _ADDRESSES.__getitem__,
        "compared": comparison,
        "link": links,
    }
    return found


def xml(text: str) -> str:
    """Text without the characters that no XML can hold, which HTML can."""
    return _NO_XML.sub("\ufffd", text)


def filled(template: str, **values: object) -> str:
    """A template of the pages, filled in."""
    return _environment().get_template(f"pages/{template}.j2").render(**values)
