"""Every statistic of two reports side by side, and the few that are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from taxcheck.comparison.reading import Recorded
from taxcheck.comparison.shape import Embeddings, Nodes, Pairs
from taxcheck.comparison.value import BeforeAfter, Number, NumberChange, Part

_SCORED = "quality"  # its scores are compared with their intervals
_ROLES = (
    ("both roles", "both"),
    ("only descendant", "only_descendant"),
    ("only ancestor", "only_ancestor"),
    ("in no pair", "never"),
)
_PERCENTILES = (0, 10, 25, 50, 75, 90, 99, 100)


def number_changes(before: Recorded, after: Recorded) -> tuple[NumberChange, ...]:
    """All single values of the statistics, by section, in the order of the reports."""
    sides = [
        {(section, name): value for section, name, value in _values(run.sections)}
        for run in (before, after)
    ]
    keys = dict.fromkeys([*sides[1], *sides[0]])
    order = {section: at for at, section in enumerate(dict.fromkeys(key[0] for key in keys))}
    return tuple(
        NumberChange(key[0], key[1], sides[0].get(key), sides[1].get(key))
        for key in sorted(keys, key=lambda key: order[key[0]])
    )


def _values(statistics: Mapping[str, Any]) -> Iterator[tuple[str, str, Number]]:
    for section, values in statistics.items():
        if isinstance(values, Mapping):
            for name, value in _flat(values):
                yield section, name, value


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Number]]:
    for key, value in values.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            if "protocol" not in value:  # a score
                yield from _flat(value, name)
        elif not isinstance(value, list | tuple):
            yield name, value


def before_after(before: Recorded, after: Recorded) -> BeforeAfter:
    """What the pictures show; what neither run has is left out."""
    sides = before.statistics, after.statistics
    mapping = [side.mapping or Nodes() for side in sides]
    pairs = [side.pairs or Pairs() for side in sides]
    paired = any(side.pairs for side in sides)
    shares = [(side.depth and side.depth.shares) or {} for side in pairs]
    norms = [_percentiles(side.embeddings) for side in sides]
    return BeforeAfter(
        coverage=tuple(
            Part(label, *(getattr(side, key) for side in pairs)) for label, key in _ROLES if paired
        ),
        rows=(
            Part("rows that the nodes need", *(side.n_nodes for side in mapping)),
            Part("rows of a table sized from the pairs", *(side.table_size for side in pairs)),
        )
        if paired
        else (),
        depths=tuple(
            (key, shares[0].get(key), shares[1].get(key))
            for key in ("1", "2-5", ">5")
            if any(shares)
        ),
        norms=tuple(
            (p, norms[0].get(str(p)), norms[1].get(str(p))) for p in _PERCENTILES if any(norms)
        ),
    )


def _percentiles(embeddings: Embeddings | None) -> dict[str, float | None]:
    norms = embeddings.norms if embeddings else None
    return (norms.percentiles if norms else None) or {}
