"""A comparison for machines: strict JSON whose shape ``comparison.schema.json`` states."""

from __future__ import annotations

import json
from pathlib import Path

from taxcheck.changes import RuleChange, Side
from taxcheck.comparison.value import Comparison, Drift, Listed, Run
from taxcheck.report import RenderOptions

from .machine import plain, score_change

SCHEMA = Path(__file__).with_name("comparison.schema.json")
SCHEMA_VERSION = "1.1"


def _run(run: Run) -> dict[str, object]:
    return {
        "path": run.path,
        "title": run.title,
        "created": run.created or None,
        "version": run.version,
        "verdict": run.verdict,
        "headline": run.headline,
        "inputs": [
            {"role": role, "path": path, "rows": rows, "fingerprint": fingerprint}
            for role, path, rows, fingerprint in run.inputs
        ],
    }


def _side(side: Side | None) -> dict[str, object] | None:
    if side is None:
        return None
    return {"outcome": side.outcome, "count": side.count, "total": side.total, "share": side.share}


def _rule(rule: RuleChange) -> dict[str, object]:
    return {
        "id": rule.id,
        "name": rule.name,
        "change": rule.change.value,
        "before": _side(rule.before),
        "after": _side(rule.after),
    }


def _listed(listed: Listed | None) -> dict[str, object] | None:
    if listed is None:
        return None
    first = [{"identifier": i, "name": n or None, "what": w or None} for i, n, w in listed.first]
    return {"count": listed.count, "first": first}


def _drift(drift: Drift) -> dict[str, object]:
    return {
        "nodes": drift.nodes,
        "pairs": drift.pairs,
        "added": _listed(drift.added),
        "removed": _listed(drift.removed),
        "moved": _listed(drift.moved),
        "attached": _listed(drift.attached),
        "detached": _listed(drift.detached),
        "renamed": _listed(drift.renamed),
        "renumbered": drift.renumbered,
        "pairs_added": drift.pairs_added,
        "pairs_removed": drift.pairs_removed,
        "notes": drift.notes,
    }


def render(comparison: Comparison, options: RenderOptions) -> str:  # noqa: ARG001 - its shape
    """The comparison as JSON; two equal ones give equal bytes."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "direction": comparison.direction.value,
        "exit_code": comparison.exit_code,
        "headline": comparison.headline,
        "tool": {"name": "taxcheck", "version": comparison.version},
        "command": comparison.command,
        "tolerance": comparison.tolerance,
        "before": _run(comparison.before),
        "after": _run(comparison.after),
        "notes": comparison.notes,
        "rules": [_rule(rule) for rule in comparison.rules],
        "scores": [score_change(score) for score in comparison.scores],
        "statistics": [
            {"section": n.section, "name": n.name, "before": n.before, "after": n.after}
            for n in comparison.numbers
        ],
        "drift": _drift(comparison.drift) if comparison.drift else None,
    }
    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
