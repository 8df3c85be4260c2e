"""In which format a graph is written, from its first bytes."""

from __future__ import annotations

import re
from typing import Literal

from taxcheck.sources.readers import Candidate
from taxcheck.sources.taxonomies.json_kinds import json_kind
from taxcheck.sources.taxonomies.rdf_kinds import PROLOG

GraphKind = Literal["graphml", "gexf", "gml", "dot", "jsongraph", ""]
_SPACE = rb"(?:\s|//[^\n]*\n|#[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*"
_KINDS: tuple[tuple[GraphKind, re.Pattern[bytes]], ...] = (
    ("graphml", re.compile(PROLOG + rb"<(?:\w+:)?graphml[\s>]")),
    ("gexf", re.compile(PROLOG + rb"<(?:\w+:)?gexf[\s>]")),
    ("gml", re.compile(
        rb"(?:\s|#[^\n]*\n)*(?:(?:Creator|Version|Comment)\b[^\n\[]*\n\s*)*graph\s*\[")),
    ("dot", re.compile(
        _SPACE + rb'(?i:strict\s+)?(?i:di)?(?i:graph)\b\s*(?:"(?:[^"\\]|\\.)*"|[\w.-]+)?\s*\{')),
)  # fmt: skip


def graph_kind(candidate: Candidate) -> GraphKind:
    """The format; "" where it is no graph that is known."""
    if not candidate.is_text:
        return ""
    if candidate.once(json_kind) in ("graph", "lists"):
        return "jsongraph"
    head = candidate.unpacked.removeprefix(b"\xef\xbb\xbf")
    return next((kind for kind, pattern in _KINDS if pattern.match(head)), "")
