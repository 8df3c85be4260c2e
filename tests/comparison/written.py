"""Reports as they are written down, made by hand for the tests of comparison."""

from __future__ import annotations

from collections.abc import Mapping

from taxcheck.comparison.reading import Recorded, recorded


def rule(id: str, outcome: str, count: int | None = 0, total: int | None = 100) -> dict:
    share = count / total if count is not None and total else 0.0
    return {
        "id": id, "name": id.lower(), "outcome": outcome, "count": count, "total": total,
        "share": share, "message": f"{count} of {total}",
    }  # fmt: skip


def score(value: float | None, low: float, high: float, higher: bool = True, **keys) -> dict:
    return {"value": value, "ci": [low, high], "protocol": "nickel", "higher_is_better": higher} | {
        "sources": 10, "total": 10, "nulls": {},
    } | keys  # fmt: skip


def report(
    rules: list[dict] | None = None,
    quality: Mapping | None = None,
    statistics: Mapping | None = None,
    **keys: object,
) -> Recorded:
    sections = dict(statistics or {})
    if quality is not None:
        sections["embeddings"] = {"quality": dict(quality)}
    return recorded(
        "report.json",
        {
            "schema_version": "1.3", "verdict": "pass", "tool": {"version": "0.1.0"}, "title": "t",
            "command": "taxcheck run", "headline": "Sound.", "inputs": [], "rules": rules or [],
            "statistics": sections, "policy": {"source": None, "differences": {}}, "proof": None,
        }
        | keys,
    )  # fmt: skip
