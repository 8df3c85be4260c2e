"""What of a report a comparison reads, typed; ``report.schema.json`` says more.

A report that was edited, or cut and mended, is refused by the place and the kind of what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert

_DEEPEST = 16  # objects in objects; a report has five

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Tool(Struct, frozen=True):
    """What wrote the report."""

    version: str


class Source(Struct, frozen=True):
    """A file that was read."""

    role: str
    path: str
    rows: Count
    bytes: Count
    fingerprint: str


class Judged(Struct, frozen=True):
    """A rule and what it found."""

    id: str
    name: str
    outcome: str
    message: str
    count: Count | None
    total: Count | None
    share: float | None


class Score(Struct, frozen=True):
    """A score of the audit, with its interval."""

    value: float | None
    ci: tuple[float | None, float | None]
    protocol: str
    higher_is_better: bool = True


class Quality(Struct, frozen=True):
    """The scores that are compared."""

    map: Score | None = None
    mean_rank: Score | None = None
    spearman: Score | None = None
    monotone_edges: Score | None = None
    siblings: Score | None = None
    separation: Score | None = None
    hits: dict[str, Score | None] | None = None
    parent_hits: dict[str, Score | None] | None = None


class Norms(Struct, frozen=True):
    """Percentiles of the norms, by their number."""

    percentiles: dict[str, float | None] | None = None


class Embeddings(Struct, frozen=True):
    """Of an audit."""

    quality: Quality | None = None
    norms: Norms | None = None


class Depth(Struct, frozen=True):
    """Shares of the pairs, by distance."""

    shares: dict[str, float | None] | None = None


class Pairs(Struct, frozen=True):
    """Nodes by their roles in the pairs."""

    both: Count | None = None
    only_descendant: Count | None = None
    only_ancestor: Count | None = None
    never: Count | None = None
    table_size: Count | None = None
    depth: Depth | None = None


class Nodes(Struct, frozen=True):
    """Of the mapping."""

    n_nodes: Count | None = None


class Statistics(Struct, frozen=True):
    """The sections that are drawn and scored; every one is listed, as it stands."""

    mapping: Nodes | None = None
    pairs: Pairs | None = None
    embeddings: Embeddings | None = None


class Policy(Struct, frozen=True):
    """The policy, where it is not the usual one."""

    differences: dict[str, str]


class Written(Struct, frozen=True):
    """One report."""

    title: str
    verdict: str
    tool: Tool
    inputs: list[Source]
    rules: list[Judged]
    policy: Policy
    statistics: Statistics
    created: str | None = None
    headline: str | None = None


_PLAIN = str | float | bool | list[Any] | None  # what is in lists is not looked at
_SECTION: Any = _PLAIN
for _ in range(_DEEPEST):
    _SECTION = dict[str, _SECTION] | _PLAIN


def shaped(content: Mapping[str, Any]) -> Written:
    """A report's content, typed; ValueError says where it is not as a comparison reads it."""
    try:
        written = convert(content, Written)
    except ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        raise ValueError(f"{where.strip('.`')}: {what}") from None
    for name, section in content["statistics"].items():
        try:
            convert(section, _SECTION)
        except ValidationError as error:
            what, *_ = str(error).partition(" - at")
            raise ValueError(f"statistics.{name[:80]}: {what}") from None
    return written
