r"""An NCBI taxdump folder: nodes.dmp, and names.dmp, merged.dmp, delnodes.dmp where they are.

The format is described in NCBI's taxdump_readme.txt: cells stand between ``\t|\t``, and every
line is closed by ``\t|\n``.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from blake3 import blake3

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.files import reading
from taxcheck.sources.tables.text import quiet
from taxcheck.sources.taxonomies.taxonomy import Taxonomy, find

_HEAD = 1 << 16
_MOST_ODD_ROWS = 10_000
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class DumpColumn:
    """A column to read: its place in the line and how a person calls it."""

    place: int
    name: str
    integer: bool = True


class DumpFile(NamedTuple):
    """A file of a dump, and how it is called where it was unpacked for a moment."""

    path: Path
    shown: str


def read_dmp(file: DumpFile, columns: tuple[DumpColumn, ...]) -> pa.Table:
    """The columns by name, trimmed; integers are int64 and never null.

    An empty file is an empty table. Raises InputError naming the line that is wrong.
    """
    path, shown = file
    kinds = {c: pa.int64() if c.integer else pa.string() for c in columns}
    schema = pa.schema([(c.name, kind) for c, kind in kinds.items()])
    with reading(shown, "a file of an NCBI taxdump"):
        if not path.stat().st_size:
            return schema.empty_table()
        _look(file, columns)
        odd: list[str] = []

        def keep(row: pacsv.InvalidRow) -> str:
            odd.append(row.text)
            return "skip" if len(odd) <= _MOST_ODD_ROWS else "error"

        try:
            with quiet(keep):
                table = pacsv.read_csv(
                    path,
                    pacsv.ReadOptions(autogenerate_column_names=True, block_size=1 << 24),
                    pacsv.ParseOptions(
                        delimiter="|",
                        quote_char=False,
                        double_quote=False,
                        invalid_row_handler=keep,
                    ),
                    pacsv.ConvertOptions(
                        include_columns=[f"f{c.place}" for c in columns],
                        column_types={f"f{c.place}": kind for c, kind in kinds.items()},
                        null_values=[""],
                    ),
                )
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise InputError(f"{shown}: {_explain(path, columns, one_line(error))}") from error
    table = table.rename_columns([c.name for c in columns])
    if any(table[c.name].null_count for c in columns if c.integer):
        raise InputError(f"{shown}: {_explain(path, columns, 'a cell is empty')}")
    arrays = [
        table[c.name] if c.integer else pc.utf8_trim_whitespace(table[c.name]) for c in columns
    ]
    table = pa.table(arrays, schema=schema)
    if not odd:
        return table
    return pa.concat_tables([table, _rows_with_pipes(file, columns, schema, odd)])


def _look(file: DumpFile, columns: tuple[DumpColumn, ...]) -> None:
    """Refuse what is no dump at all before a parser guesses at it."""
    path, shown = file
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        stream.seek(max(0, path.stat().st_size - _HEAD))
        tail = stream.read()
    if b"\0" in head or head.startswith(b"\x1f\x8b"):
        raise InputError(f"{shown}: holds binary data, not text; unpack the dump first")
    if b"|" not in head.split(b"\n", 1)[0]:
        raise InputError(
            f"{shown}: its first line has no '|'; a taxdump separates its cells by tab, '|', tab"
        )
    if not tail.rstrip().endswith(b"|"):
        raise InputError(f"{shown}: its last line is cut off; the file is truncated, copy it again")
    need = max(c.place for c in columns) + 1
    have = head.split(b"\n", 1)[0].count(b"|")
    if have < need:
        raise InputError(f"{shown}: its first line has {have} cells where {need} or more belong")


def _rows_with_pipes(
    file: DumpFile, columns: tuple[DumpColumn, ...], schema: pa.Schema, odd: list[str]
) -> pa.Table:
    r"""Lines with a '|' inside a cell: the true separator is ``\t|\t``."""
    path, shown = file
    width = _width(path)
    cells: Mapping[str, list[object]] = {c.name: [] for c in columns}
    for text in odd:
        row = text.removesuffix("\r").removesuffix("|").rstrip("\t").split("\t|\t")
        # A trailing empty cell loses its tab to the line's own end.
        row += [""] * (text.rstrip().endswith("\t|\t|") and len(row) == width - 1)
        try:
            if len(row) != width:
                raise ValueError
            for c in columns:
                cells[c.name].append(_int64(row[c.place]) if c.integer else row[c.place].strip())
        except ValueError:
            otherwise = f"a line has too few or too many cells: {text[:80]!r}"
            raise InputError(f"{shown}: {_explain(path, columns, otherwise)}") from None
    return pa.table(dict(cells), schema=schema)


def _int64(cell: str) -> int:
    if (number := int(cell)) not in _INT64:
        raise ValueError
    return number


def _width(path: Path) -> int:
    with path.open("rb") as stream:
        return stream.readline().count(b"|")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line


def _explain(path: Path, columns: tuple[DumpColumn, ...], otherwise: str) -> str:
    """Why the file cannot be read: the first line that is wrong. Slow, and only after a failure."""
    width = _width(path)
    for number, line in _lines(path):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            bad = line[error.start : error.start + 1].hex()
            return (
                f"line {number:,} is not UTF-8 (byte 0x{bad}); convert the file to UTF-8, for "
                "example with iconv"
            )
        if "\0" in text:
            return f"line {number:,} holds binary data; the file is damaged, copy it again"
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) - 1 < width:
            return (
                f"line {number:,} has {len(cells) - 1} cells where the first has {width}; the file "
                "is truncated or damaged, copy it again"
            )
        for c in columns:
            if not c.integer:
                continue
            cell = cells[c.place]
            if not cell.removeprefix("-").isdecimal():
                return f"line {number:,}: the {c.name} {cell[:40]!r} is no whole number"
            if int(cell[:30]) not in _INT64:
                return f"line {number:,}: the {c.name} {cell[:40]} is beyond 64 bits"
    return otherwise


Number = TypeVar("Number", bound=np.integer)

FILES = ("nodes.dmp", "names.dmp", "merged.dmp", "delnodes.dmp")
_EXPECTED = "give the folder of an unpacked NCBI taxdump, with nodes.dmp in it"


def open_taxonomy(path: str, shown: str | None = None) -> Taxonomy:
    """Read a taxdump folder; all of NCBI takes about two seconds.

    Raises InputError, one line, where the folder or a file in it is no sound taxdump: missing,
    truncated, binary, a taxid twice, a parent that is not there, a cycle. They call the folder as
    it is ``shown``.
    """
    folder, called = _folder(path), Path(shown or path)
    nodes_file, names_file, merged_file, deleted_file = (
        DumpFile(folder / name, str(called / name)) for name in FILES
    )
    nodes = read_dmp(
        nodes_file, (DumpColumn(0, "taxid"), DumpColumn(1, "parent"), DumpColumn(2, "rank", False))
    )
    if not nodes.num_rows:
        raise InputError(f"{nodes_file.shown}: the file is empty; there is no taxon to judge by")
    taxids, parents, order = _tree(nodes, nodes_file.shown)
    encoded = pc.dictionary_encode(nodes["rank"].combine_chunks())
    names = _names(names_file, taxids) if names_file.path.exists() else None
    merged = _optional(merged_file, (DumpColumn(0, "taxid"), DumpColumn(1, "successor")))
    deleted = _optional(deleted_file, (DumpColumn(0, "taxid"),))
    merged_order = np.argsort(merged["taxid"], kind="stable")
    date, dated_by = _date(folder)
    size, fingerprint = _fingerprint(folder)
    notes = [f"dated {date} by {dated_by}"]
    if names is None:
        notes.append("no names.dmp: taxa are shown by taxid, names are not judged")
    elif names.null_count:
        notes.append(f"{names.null_count:,} taxa have no scientific name")
    if not len(merged["taxid"]) and not len(deleted["taxid"]):
        notes.append("no merged or deleted taxids are given: unknown ones count as absent")
    return Taxonomy(
        source=path,
        date=date,
        taxids=_frozen(taxids),
        parents=_frozen(parents),
        ranks=_frozen(encoded.indices.to_numpy().astype(np.int16)[order]),
        rank_names=tuple(encoded.dictionary.to_pylist()),
        names=names,
        merged_from=_frozen(merged["taxid"][merged_order]),
        merged_to=_frozen(merged["successor"][merged_order]),
        deleted=_frozen(distinct(deleted["taxid"])),
        bytes=size,
        fingerprint=fingerprint,
        notes=tuple(notes),
    )


def _folder(path: str) -> Path:
    folder = Path(path)
    try:
        if not folder.exists():
            raise InputError(f"{path}: no such folder; {_EXPECTED}")
        if not folder.is_dir():
            if folder.name in FILES:
                where = folder.parent
                raise InputError(f"{path}: is a file of a taxdump; give its folder, {where}")
            packed = tarfile.is_tarfile(folder) or zipfile.is_zipfile(folder)
            kind = "a packed archive; unpack it, then" if packed else "a file;"
            raise InputError(f"{path}: is {kind} {_EXPECTED}")
        if not (folder / "nodes.dmp").is_file():
            raise InputError(f"{path}: holds no nodes.dmp; {_EXPECTED}")
    except (OSError, ValueError, EOFError, zlib.error) as error:  # of a packed file too
        raise InputError(f"{path!r}: cannot be opened ({one_line(error)})") from error
    return folder


def _tree(nodes: pa.Table, shown: str) -> tuple[IntArray, IntArray, IntArray]:
    """Sorted taxids, positions of the parents (-1 at a root), and the order of the file's rows."""
    taxids = nodes["taxid"].to_numpy()
    order = np.argsort(taxids, kind="stable")
    taxids = taxids[order]
    parent_taxids = nodes["parent"].to_numpy()[order]
    if taxids[0] < 0:
        raise InputError(f"{shown}: taxid {taxids[0]} is negative")
    twice = taxids[1:][taxids[1:] == taxids[:-1]]
    if len(twice):
        more = len(distinct(twice))
        raise InputError(
            f"{shown}: taxid {twice[0]} is there more than once ({more:,} such taxids)"
        )
    parents = find(taxids, parent_taxids)
    lost = np.flatnonzero(parents < 0)
    if len(lost):
        raise InputError(
            f"{shown}: taxid {taxids[lost[0]]} has the parent {parent_taxids[lost[0]]}, which is "
            f"not there ({len(lost):,} such taxa); a root is its own parent, and a truncated file "
            "must be copied again"
        )
    cycle = _cycle(parents)
    if len(cycle):
        ids = [str(taxids[k]) for k in cycle[:8]]
        shown_ids = " -> ".join([*ids, ids[0]] if len(cycle) <= 8 else [*ids, "…"])
        raise InputError(f"{shown}: the parents form a cycle: {shown_ids}")
    parents[parents == np.arange(len(parents))] = -1
    return taxids, parents, order


def _cycle(parents: IntArray) -> list[int]:
    """Positions along one cycle, the smallest first; a root points to itself and is none.

    Every pass doubles the height that each taxon has climbed, so O(log depth) passes reach a root.
    """
    top = parents
    for _ in range(len(parents).bit_length()):
        higher = top[top]
        if np.array_equal(higher, top):
            break
        top = higher
    astray = np.flatnonzero(parents[top] != top)
    if not len(astray):
        return []
    at = int(top[astray[0]])  # climbed as far as there are taxa, so it is on the cycle
    cycle = [at]
    while (at := int(parents[at])) != cycle[0]:
        cycle.append(at)
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _names(file: DumpFile, taxids: IntArray) -> pa.Array:
    """Scientific names by position; the first counts where a taxon has two."""
    table = read_dmp(
        file, (DumpColumn(0, "taxid"), DumpColumn(1, "name", False), DumpColumn(3, "class", False))
    )
    table = table.filter(pc.equal(table["class"], "scientific name"))
    at = find(taxids, table["taxid"].to_numpy())
    row_of = np.full(len(taxids), -1, dtype=np.int64)
    known = np.flatnonzero(at >= 0)[::-1]
    row_of[at[known]] = known
    if not np.any(row_of >= 0):
        raise InputError(
            f"{file.shown}: names no taxon of nodes.dmp ('scientific name'); both must be of one "
            "dump"
        )
    return table["name"].combine_chunks().take(pa.array(row_of, mask=row_of < 0))


def _optional(file: DumpFile, columns: tuple[DumpColumn, ...]) -> dict[str, IntArray]:
    if not file.path.exists():
        return {c.name: np.empty(0, dtype=np.int64) for c in columns}
    table = read_dmp(file, columns)
    return {c.name: table[c.name].to_numpy() for c in columns}


def _date(folder: Path) -> tuple[str, str]:
    """The dump's ISO date and what tells it: the folder's name, else the time of nodes.dmp."""
    named = re.search(r"(?<!\d)(?:19|20)\d\d-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])(?!\d)", folder.name)
    if named:
        return named.group(), "the folder's name"
    modified = (folder / "nodes.dmp").stat().st_mtime
    return datetime.fromtimestamp(modified, UTC).date().isoformat(), "the time of nodes.dmp"


def _fingerprint(folder: Path) -> tuple[int, str]:
    """Bytes and hash of the files one after the other: ``cat nodes.dmp names.dmp ... | b3sum``."""
    hasher, size = blake3(), 0
    for name in FILES:
        path = folder / name
        if path.exists() and (length := path.stat().st_size):
            hasher.update_mmap(path)
            size += length
    return size, f"blake3:{hasher.hexdigest()}"


def _frozen(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    array.setflags(write=False)
    return array
