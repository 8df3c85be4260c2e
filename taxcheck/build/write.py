"""The files of a dataset, each whole or not there: mapping, pairs, policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from taxcheck.build.pairs import PAIR_SCHEMA, closure_batches
from taxcheck.build.whole import whole_file
from taxcheck.config import Dataset
from taxcheck.policy_inputs import Inputs, inputs_lines

__all__ = ["closure_batches", "write_mapping", "write_pairs", "write_policy", "write_table"]

Item = TypeVar("Item")
_NO_INPUTS = Inputs()
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
    comments: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    inputs: Inputs = _NO_INPUTS,
) -> None:
    """taxcheck.toml with what the data means to be, and where it is.

    ``comments`` are lines for its head; ``notes`` say after a key of [dataset] why it is so.
    """
    lines = [f"# {one}".rstrip() for text in comments for one in text.splitlines()]
    lines += [""] * bool(lines) + ["[dataset]"]
    for field in fields(dataset):
        note = " ".join((notes or {}).get(field.name, "").split())
        line = f"{field.name} = {_toml(getattr(dataset, field.name))}"
        lines.append(f"{line}  # {note}" if note else line)
    if named := inputs_lines(inputs, path.parent):
        lines += ["", *named]
    with whole_file(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    # JSON's texts are TOML's basic strings, but for DEL, which TOML wants escaped.
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
