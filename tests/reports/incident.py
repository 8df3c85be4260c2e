"""The incident's report: what the gate says of the rebuilt incident. Its clock alone is set."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from msgspec.structs import replace

from fixtures.incident.build import build
from taxcheck.model.report import Report
from taxcheck.run.check import check
from taxcheck.run.request import Request
from tests.made_once import made_once


@made_once
def incident() -> Report:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        build(Path("data"))
        found = check(
            Request(
                mapping="data/mapping.tsv",
                pairs="data/pairs.parquet",
                title="incident",
                command="taxcheck run --mapping data/mapping.tsv --pairs data/pairs.parquet",
            )
        )
    seconds = {"read": 0.7, "statistics": 0.6, "closure": 0.2, "rules": 0.1}
    return replace(found, created="2026-11-22T09:14:07Z", timings=seconds)


def advised(command: str) -> Report:
    """The same, where the cause is mended by one command."""
    results = tuple(
        replace(r, fix=f"``{command}``") if r.id == "PAIR014" else r for r in incident().results
    )
    causes = tuple(replace(cause, fix=f"``{command}``") for cause in incident().causes)
    return replace(incident(), results=results, causes=causes)
