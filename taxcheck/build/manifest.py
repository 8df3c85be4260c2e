"""manifest.json: where a dataset came from, what is in it, and what was left out and why."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from blake3 import blake3

from taxcheck.build.hierarchy import Hierarchy
from taxcheck.build.whole import whole_file
from taxcheck.clock import created
from taxcheck.config import Dataset
from taxcheck.report import Report
from taxcheck.rule import Outcome

SCHEMA = 1


def manifest(
    place: Path,
    hierarchy: Hierarchy,
    dataset: Dataset,
    counts: dict[str, int],
    command: str,
    report: Report,
) -> dict[str, object]:
    """Everything that there is to tell; ``place`` holds all other files."""
    date, _ = created()
    return {
        "schema": SCHEMA,
        "taxcheck": version("taxcheck"),
        "created": date,
        "command": command,
        "source": asdict(hierarchy.origin),
        "dataset": asdict(dataset),
        "counts": counts,
        "dropped": [asdict(one) for one in hierarchy.dropped],
        "notes": list(hierarchy.notes),
        "gate": {
            "verdict": report.verdict.value,
            "headline": report.headline,
            "warnings": [r.rule.id for r in report.results if r.outcome is Outcome.WARN],
        },
        "files": {path.name: _file(path) for path in sorted(place.iterdir())},
    }


def write_manifest(place: Path, whole: dict[str, object]) -> None:
    """Write it, whole."""
    with whole_file(place / "manifest.json") as partial:
        text = json.dumps(whole, indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


def _file(path: Path) -> dict[str, object]:
    digest = blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()
    return {"bytes": path.stat().st_size, "fingerprint": f"blake3:{digest}"}
