"""manifest.json: where a dataset came from, what is in it, and what was left out and why."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from blake3 import blake3

from taxcheck.commands.build.plausible import Plausible
from taxcheck.model.clock import created
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.policy.model import Dataset

SCHEMA = 1


def manifest(
    place: Path,
    read: Plausible,
    dataset: Dataset,
    counts: dict[str, int],
    command: str,
    report: Report,
) -> dict[str, object]:
    """Everything that there is to tell; ``place`` holds all other files."""
    date, _ = created()
    hierarchy = read.hierarchy
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
        "guesses": list(hierarchy.guesses),
        "questions": list(read.questions),
        "gate": {
            "verdict": report.verdict.value,
            "headline": report.headline,
            "warnings": [r.id for r in report.results if r.outcome is Outcome.WARN],
        },
        "files": {path.name: _file(path) for path in sorted(place.iterdir())},
    }


def _file(path: Path) -> dict[str, object]:
    digest = blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()
    return {"bytes": path.stat().st_size, "fingerprint": f"blake3:{digest}"}
