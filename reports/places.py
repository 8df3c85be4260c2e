"""Where in the inputs a finding is: the file, and the line where the file has lines."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from taxcheck.model.finding import Sample, Scalar
from taxcheck.model.report import InputSummary, Report
from taxcheck.model.result import RuleResult

from .text import clean, observed


@dataclass(frozen=True, slots=True)
class Place:
    """A file as its user named it; a row has a ``line`` where the file is text that has lines."""

    source: InputSummary
    line: int | None = None
    file: str | None = None  # of an input of several files

    @property
    def path(self) -> str:
        """The file, or the input as it was given."""
        return self.file or whole(self.source)


def whole(source: InputSummary) -> str:
    """The path of an input; of one of several files that of the folder which they are in."""
    if not source.files:
        return source.path
    folders = [one.path.split("/")[:-1] for one in source.files]
    shared = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*folders, strict=False))
    return "/".join(parts[0] for parts in shared) or "."


def about(report: Report, result: RuleResult) -> Place | None:
    """The input that a rule is about; None where a run has none, or it is standard input."""
    named = [source for source in report.inputs if source.path != "-"]
    for role in result.place:
        for source in named:
            if source.role == role:
                return Place(source)
    return Place(named[0]) if named else None


def of_sample(report: Report, sample: Sample) -> Place | None:
    """The input whose row a sample is; None where it is a node and no row."""
    for source in report.inputs:
        if sample.row is not None and source.role == sample.table and source.path != "-":
            line = max(sample.row, 1) if _has_lines(source) else None
            return Place(source, line, sample.file)
    return None


def _has_lines(source: InputSummary) -> bool:
    """Whether the file itself is text; "csv, gzip" is not."""
    return source.format.startswith(("csv", "tsv")) and "," not in source.format


def inside(path: str) -> str | None:
    """The path seen from the folder that one is in; None where it lies elsewhere."""
    if "://" in path:
        return None
    plain, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100 - links stay what they are
    return plain.relative_to(here).as_posix() if plain.is_relative_to(here) else None


def uri(path: str) -> str:
    """A relative URI where the file is under the folder that one is in, else an absolute one."""
    if "://" in path:
        return quote(path, safe=":/", errors="replace")
    near = inside(path)
    if near is not None:
        return quote(near, safe="/", errors="replace")
    far = Path(os.path.abspath(path)).as_posix()  # noqa: PTH100
    return "file://" + quote("/" + far.lstrip("/"), safe="/", errors="replace")


def identifier(sample: Sample) -> Scalar:
    """What the sample's node is called, unless a label among its cells says so already."""
    labels = (value for key, value in sample.values.items() if key.endswith("label"))
    return None if sample.taxid in labels else sample.taxid


def row_of(sample: Sample) -> str:
    """Where a sample's row stands: by file, where the table is of several."""
    return f"{clean(sample.file)}, row {sample.row}" if sample.file else f"row {sample.row}"


def described(sample: Sample) -> str:
    """A sample in one line: its row, its cells, and what it is called."""
    said = []
    if sample.row is not None:
        said.append(row_of(sample) + (f" of the {sample.table}" if sample.table else ""))
    for key, value in sample.values.items():
        plain = isinstance(value, int) and not isinstance(value, bool)  # an identifier, no amount
        said.append(f"{clean(key)} {value if plain else observed(value)}")
    if "taxid" not in sample.values and (called := identifier(sample)) is not None:
        said.append(f"{'taxid' if isinstance(called, int) else 'identifier'} {clean(called)}")
    if sample.name:
        said.append(clean(sample.name))
    return " ".join(", ".join(said).split())
