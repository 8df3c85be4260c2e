"""How nodes and clades are called."""

from __future__ import annotations

from collections.abc import Sequence

from taxcheck.statistics.truth import Truth
from taxcheck.statistics.values import MappingStatistics


def called(mapping: MappingStatistics, idx: int, truth: Truth | None = None) -> str:
    """``taxid 7586 (Echinodermata)``, a label, or the idx where nothing else names the node."""
    identifier = mapping.identifiers.of(idx)
    if identifier is None:
        return f"idx {idx:,}"
    if not isinstance(identifier, int):
        return identifier
    name = None if truth is None else truth.name(idx)
    return f"taxid {identifier}" + (f" ({name})" if name else "")


def clades(mapping: MappingStatistics, tops: Sequence[int], truth: Truth | None) -> str:
    """``the clade``, or ``the clades``, and how their highest nodes are called."""
    who = ", ".join(called(mapping, top, truth) for top in tops)
    return f"the clade{'s' if len(tops) > 1 else ''} {who}"
