"""taxcheck: data validation and diagnostics for hierarchical embeddings of taxonomies.

What other code imports is here, and each name is loaded when it is first asked for:

    report = taxcheck.check(taxcheck.Request(mapping="mapping.tsv", pairs="pairs.parquet"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for type checkers and editors; a test holds it equal to _WHERE
    from taxcheck.commands.train.story import Finished, Watcher, train
    from taxcheck.engine.config import TrainConfig
    from taxcheck.integrations.assert_sound import UnsoundError, assert_sound
    from taxcheck.integrations.guard import Guard
    from taxcheck.integrations.push import Pushed, push
    from taxcheck.model.cause import Cause, Explanation, Mend, cause
    from taxcheck.model.errors import (
        BrokenError,
        InputError,
        OutputError,
        TaxcheckError,
        UsageError,
    )
    from taxcheck.model.finding import Finding, Outcome, Sample, Severity, Skip
    from taxcheck.model.report import InputSummary, RenderOptions, Report
    from taxcheck.model.result import FoundCause, RuleResult
    from taxcheck.model.rule import Rule, Threshold, rule
    from taxcheck.model.waiver import Waiver
    from taxcheck.policy.model import Dataset, Policy, RulePolicy, Service
    from taxcheck.policy.read import load_policy
    from taxcheck.run.check import check
    from taxcheck.run.gather import Gathered, gather
    from taxcheck.run.judge import judge
    from taxcheck.run.registry import load_renderers, load_rules
    from taxcheck.run.request import Request

__version__ = "0.2.0"
__all__ = [
    "BrokenError",
    "Cause",
    "Dataset",
    "Explanation",
    "Finding",
    "Finished",
    "FoundCause",
    "Gathered",
    "Guard",
    "InputError",
    "InputSummary",
    "Mend",
    "Outcome",
    "OutputError",
    "Policy",
    "Pushed",
    "RenderOptions",
    "Report",
    "Request",
    "Rule",
    "RulePolicy",
    "RuleResult",
    "Sample",
    "Service",
    "Severity",
    "Skip",
    "TaxcheckError",
    "Threshold",
    "TrainConfig",
    "UnsoundError",
    "UsageError",
    "Waiver",
    "Watcher",
    "assert_sound",
    "cause",
    "check",
    "gather",
    "judge",
    "load_policy",
    "load_renderers",
    "load_rules",
    "push",
    "rule",
    "train",
]
_WHERE = {
    "commands.train.story": "Finished Watcher train",
    "engine.config": "TrainConfig",
    "integrations.assert_sound": "UnsoundError assert_sound",
    "integrations.guard": "Guard",
    "integrations.push": "Pushed push",
    "model.cause": "Cause Explanation Mend cause",
    "model.errors": "BrokenError InputError OutputError TaxcheckError UsageError",
    "model.finding": "Finding Outcome Sample Severity Skip",
    "model.report": "InputSummary RenderOptions Report",
    "model.result": "FoundCause RuleResult",
    "model.rule": "Rule Threshold rule",
    "model.waiver": "Waiver",
    "policy.model": "Dataset Policy RulePolicy Service",
    "policy.read": "load_policy",
    "run.check": "check",
    "run.gather": "Gathered gather",
    "run.judge": "judge",
    "run.registry": "load_renderers load_rules",
    "run.request": "Request",
}


if not TYPE_CHECKING:  # to a type checker it would say that every name is public

    def __getattr__(name: str) -> object:
        """Load a public name from the module that has it."""
        from importlib import import_module

        for module, names in _WHERE.items():
            if name in names.split():
                value: object = getattr(import_module(f"taxcheck.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, "__version__"])
