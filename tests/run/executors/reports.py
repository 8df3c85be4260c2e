"""Reports of one dataset by several executors, and what of them has to be equal."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from taxcheck.model.written import report_to_json
from taxcheck.run import fold, gather
from taxcheck.run.check import check
from taxcheck.sources.tables import text_parts
from tests.commands.selftest.bases import CORRUPTIONS, base

SEED = 20240907
OTHERWISE = {"created", "command", "timings"}


def corrupted(name, folder, rows=500):
    """The request for a planted corruption; its Parquet has row groups of so many rows."""
    corruption = CORRUPTIONS[name]
    made = corruption.corrupt(base(corruption.base), np.random.default_rng(SEED))
    return regrouped(made.frame.write(folder), rows)


def regrouped(request, rows):
    """The same request; its pairs that are Parquet have row groups of so many rows."""
    for path in (request.pairs, request.held_out):
        if path is not None and path.endswith(".parquet"):
            table = pq.read_table(path)
            pq.write_table(table, path, row_group_size=rows)
    return request


def in_files(request, folder, cuts):
    """The same pairs in files; ``cuts`` say before which rows the next one begins."""
    table = pq.read_table(request.pairs)
    folder.mkdir()
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(table)], strict=True)):
        path = folder / f"part-{number:03}.parquet"
        pq.write_table(table.slice(start, end - start), path, row_group_size=700)
    return replace(request, pairs=str(folder))


def said(report):
    """All of a report but when it was made, by which command, and who read the pairs."""
    told = json.loads(report_to_json(report))
    for one in told["inputs"]:
        told_by = ("Read by ", "Ranked by ")
        one["notes"] = [note for note in one["notes"] if not note.startswith(told_by)]
    return {key: value for key, value in told.items() if key not in OTHERWISE}


def checked(request, engine="threads", sink=None):
    """What the report says where an engine reads the pairs."""
    return said(check(replace(request, engine=engine), sink=sink))


@contextmanager
def run_by(executor, monkeypatch):
    """Whatever engine is asked for, this executor runs the passes."""

    @contextmanager
    def opened(engine, workers):
        del engine, workers
        yield executor

    with monkeypatch.context() as patch:
        patch.setattr(gather, "executor_of", opened)
        yield


@contextmanager
def partitions_of(rows, monkeypatch):
    """Partitions have about so many rows, those of text about so many bytes and some."""
    with monkeypatch.context() as patch:
        patch.setattr(fold, "_PART_ROWS", rows)
        patch.setattr(text_parts, "_LEAST", 8 * rows)
        patch.setattr(text_parts, "_CHUNK", min(4 * rows, text_parts._CHUNK))
        yield


def kept(path):
    """The rows of every file of a folder of failures, by its name."""
    return {one.name: pq.read_table(one).to_pylist() for one in sorted(Path(path).iterdir())}
