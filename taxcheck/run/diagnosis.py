"""What a diagnosis is; ``causes.py`` makes it where something was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from taxcheck.model.cause import Mend
from taxcheck.model.result import FoundCause, RuleResult


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Results with what explains them, the causes that do, and what undoes those, by name."""

    results: tuple[RuleResult, ...]
    causes: tuple[FoundCause, ...] = ()
    mends: Mapping[str, Mend] = field(default_factory=dict)
    broken: tuple[str, ...] = ()  # why causes were not asked, a sentence each
