"""Reports made by hand for the tests of comparison."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from taxcheck.model.report import Report, Tool
from taxcheck.model.result import RuleResult
from taxcheck.model.statistics import (
    Clip,
    NormSummary,
    QualitySummary,
    RadiusSummary,
    ScoreSummary,
    Statistics,
    TableSummary,
)


def rule(id: str, outcome: str, count: int | None = 0, total: int | None = 100) -> RuleResult:
    said = {"id": id, "name": id.lower(), "outcome": outcome, "severity": "warn"}
    said |= {"count": count, "total": total, "message": f"{count} of {total}"}
    return msgspec.convert(said, RuleResult)


def score(value: float, low: float, high: float, higher: bool = True, **keys) -> ScoreSummary:
    said = {"protocol": "nickel", "sources": 10, "total": 10} | keys
    return ScoreSummary(value, (low, high), higher_is_better=higher, **said)


def report(results: list[RuleResult] | None = None, quality: Mapping | None = None) -> Report:
    table = None
    if quality is not None:
        clip, norms, radius = Clip(None, None), NormSummary({}, 0.0, 0.0), RadiusSummary({})
        table = TableSummary(
            10, 2, "float32", "ball", 1.0, "certain", (), clip, norms, radius, 0, 0, 0, 0,
            2.0, 2.0, 2.0, None, "", quality=QualitySummary(**quality),
        )  # fmt: skip
    return Report(
        tool=Tool("0.1.0"),
        title="t",
        created="",
        command="taxcheck run",
        inputs=(),
        results=tuple(results or ()),
        statistics=Statistics(embeddings=table),
    )
