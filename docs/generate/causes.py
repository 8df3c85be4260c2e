"""A page for every cause: its document, and what a report says of data that has it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from docs.generate.markdown import Page, code, fenced, prose, table
from taxcheck.commands.selftest.cases import Corruption, load_cases
from taxcheck.model.cause import Cause
from taxcheck.model.result import FoundCause
from taxcheck.run.check import check
from taxcheck.run.registry import load_causes

FOLDER = "reference/causes/"
_SEED = 20240907


def pages() -> Iterator[Page]:
    """The list of all causes, and a page for each."""
    yield Page(f"{FOLDER}index.md", _index(load_causes()))
    for cause in load_causes():
        yield Page(f"{FOLDER}{cause.name}.md", page(cause))


def navigation() -> list[object]:
    """The entries of the causes, by name."""
    return [f"{FOLDER}index.md", *({c.name: f"{FOLDER}{c.name}.md"} for c in load_causes())]


def _index(causes: tuple[Cause, ...]) -> str:
    rows = [
        (f"[{cause.name}]({cause.name}.md)", prose(cause.document.summary.split("\n\n")[0]))
        for cause in causes
    ]
    return "\n\n".join(
        [
            "# Causes",
            f"{len(causes)} causes. A rule counts what is wrong; a cause says what happened. It is "
            "a hypothesis that is tested on the data: it explains a row only where undoing it "
            "makes the row sound, and how many of which finding it explains is counted. A cause is "
            "certain where it explains at least 99 % of what is left of a finding and twenty "
            "offenders or more, and likely where it explains all of fewer. `taxcheck explain "
            "shifted_idx` shows one.",
            table(("cause", "what happened"), rows),
        ]
    )


def page(cause: Cause) -> str:
    """The page of one cause."""
    document = cause.document
    parts = [
        f"# {cause.name}",
        prose(document.summary, "../rules/"),
        *_example(cause),
        "## Why it matters",
        prose(document.why, "../rules/"),
        "## How to fix",
        prose(document.fix, "../rules/"),
        "## Known exceptions",
        prose(document.exceptions, "../rules/"),
        "## References",
        prose(document.references),
    ]
    return "\n\n".join(parts) + "\n"


def corruptions(cause: str) -> list[Corruption]:
    """Those that say of their data that this cause leads."""
    return [one for one in load_cases().corruptions.values() if _planted(one)[:1] == (cause,)]


@cache
def _planted(corruption: Corruption) -> tuple[str, ...]:
    frame = load_cases().bases[corruption.base]()
    return tuple(corruption.corrupt(frame, np.random.default_rng(_SEED)).causes)


def _example(cause: Cause) -> list[str]:
    planted = corruptions(cause.name)
    if not planted:
        return []
    frame = load_cases().bases[planted[0].base]()
    corrupted = planted[0].corrupt(frame, np.random.default_rng(_SEED))
    with TemporaryDirectory() as folder:
        report = check(corrupted.frame.write(Path(folder)))
    (found,) = (one for one in report.causes if one.name == cause.name)
    said = planted[0].corrupt.__doc__ or ""
    return [f"Planted by the self-test: {prose(said.strip())}", *_found(found)]


def _found(found: FoundCause) -> list[str]:
    rows = [
        (f"[{e.rule}](../rules/{e.rule}.md)", f"{e.count:,} of {e.of:,}") for e in found.explains
    ]
    told = [fenced(found.message, "text"), table(("finding", "explained"), rows)]
    if found.parameters:
        told.append(
            "Parameters: " + ", ".join(f"{code(str(k))} = {v}" for k, v in found.parameters.items())
        )
    if found.repair:
        told.append(f"`taxcheck fix` can {prose(found.repair)}.")
    return told
