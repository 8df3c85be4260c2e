"""The files of a dataset, each whole or not there: mapping, pairs, policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from taxcheck.commands.build.pairs import PAIR_SCHEMA
from taxcheck.files import whole_file, write_text
from taxcheck.policy.model import Dataset, Inputs, Policy
from taxcheck.policy.read import load_policy
from taxcheck.policy.write import Notes, own_text, update
from taxcheck.run.registry import cause_names, load_rules

Item = TypeVar("Item")
# Lines of the head that each build writes anew.
_MADE = re.compile(r"(?m)^# (Made from|Guessed in reading:|Not certain, so not blessed:) .*\n")
# A dictionary of these takes twice the time of their plain values, and no less room.
_MANY_VALUES = frozenset({"ancestor_idx", "descendant_idx"})


def write_mapping(path: Path, identifiers: pa.Array) -> None:
    """Identifiers and their positions as idx; Parquet where the path ends so, else TSV.

    The column is called taxid where the identifiers are integers, identifier otherwise. Raises
    OutputError where the file cannot be written.
    """
    name = "taxid" if pa.types.is_integer(identifiers.type) else "identifier"
    idx = pa.array(range(len(identifiers)), pa.int64())
    write_table(path, pa.table({name: identifiers, "idx": idx}))


def write_table(path: Path, table: pa.Table) -> None:
    """A small table; Parquet where the path ends so, else TSV with a header."""
    with whole_file(path) as partial:
        if path.suffix == ".parquet":
            pq.write_table(table, partial)
        else:
            options = pacsv.WriteOptions(
                delimiter="\t", quoting_style="needed", quoting_header="none"
            )
            pacsv.write_csv(table, partial, options)


def write_pairs(
    path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema = PAIR_SCHEMA
) -> int:
    """Stream batches into one Parquet file while the next is computed; the number of rows."""
    return write_streams([path], ((batch,) for batch in batches), schema)[0]


def write_streams(
    paths: Sequence[Path],
    batches: Iterable[Sequence[pa.RecordBatch]],
    schema: pa.Schema = PAIR_SCHEMA,
) -> list[int]:
    """The same for several files at once: each item of ``batches`` has one batch a file."""
    rows = [0] * len(paths)
    few = [name for name in schema.names if name not in _MANY_VALUES]
    with ExitStack() as files:
        writers = []
        for path in paths:
            partial = files.enter_context(whole_file(path))
            writers.append(
                files.enter_context(
                    pq.ParquetWriter(partial, schema, compression="snappy", use_dictionary=few)
                )
            )
        for together in _ahead(iter(batches)):
            for k, batch in enumerate(together):
                if batch.num_rows:
                    writers[k].write_batch(batch)
                    rows[k] += batch.num_rows
    return rows


def _ahead(batches: Iterator[Item]) -> Iterator[Item]:
    """The same batches, each computed while its predecessor is used."""
    with ThreadPoolExecutor(1) as pool:
        coming: Future[Item | None] = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def write_policy(
    path: Path,
    dataset: Dataset,
    comments: Sequence[str],
    notes: Mapping[str, str],
    inputs: Inputs,
    before: Path,
) -> None:
    """taxcheck.toml with what the data means to be, and where it is.

    ``comments`` are lines for its head; ``notes`` say after a key of [dataset] why it is so. Where
    ``before``, the policy of an earlier build, is there, what a person wrote in it stays.
    """
    rules = load_rules()
    given = load_policy(before, rules, cause_names()) if before.exists() else Policy()
    policy = Policy(dataset, given.rules, str(path), given.waivers, inputs)
    text = _MADE.sub("", own_text(before)) if before.exists() else ""
    noted: Notes = {("dataset", key): note for key, note in notes.items()}
    write_text(str(path), update(text, policy, rules, comments, noted, cause_names()))
