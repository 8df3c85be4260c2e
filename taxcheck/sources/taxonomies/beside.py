"""What is given beside the data to name its taxa: a taxdump, what was built, a table of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.errors import InputError
from taxcheck.model.paths import is_address, is_file, split_part
from taxcheck.model.reading import Column, Reading
from taxcheck.model.report import InputSummary
from taxcheck.model.vocabulary import plural
from taxcheck.sources.readers import NEVER, Candidate
from taxcheck.sources.tables.cells import identifiers, integers_of, whole_numbers
from taxcheck.sources.tables.columns import HIERARCHY_ALIASES, normalise
from taxcheck.sources.tables.table import Table, open_table
from taxcheck.sources.taxonomies.absent import is_absent
from taxcheck.sources.taxonomies.dump_version import named_day
from taxcheck.sources.taxonomies.name_table import NO_ANCESTRY, NameTable
from taxcheck.sources.taxonomies.packed_taxdump import claim
from taxcheck.sources.taxonomies.rows import sound_batches
from taxcheck.sources.taxonomies.taxdump import cycle_of, open_taxonomy
from taxcheck.sources.taxonomies.taxonomy import Taxonomy

NODES = "nodes.parquet"
_BUILT = ("idx", "identifier", "name", "rank", "parents")  # the columns of nodes.parquet
_SHOWN = len("blake3:") + 12  # characters of a digest
_WAY_OUT = (
    "give an NCBI taxdump, the folder that was built, or a table whose first line calls its "
    "columns taxid,name or taxid,name,rank,parent"
)


def open_beside(path: str) -> Taxonomy | NameTable:
    """A taxdump, a folder that was built, or a table of names.

    Raises InputError, one line, where it is none of them, or is damaged.
    """
    given = Path(path)
    if is_file(given / NODES) and not is_file(given / "nodes.dmp"):
        return _read(str(given / NODES))
    if split_part(path)[1] or is_address(path):
        return _read(path)
    if not is_file(given) or claim(Candidate(path)) != NEVER:
        return open_taxonomy(path)
    return _read(path)


@dataclass(frozen=True, slots=True)
class _Parents:
    """Positions of the parents, (n,), -1 at a root; None with the reason why they are not used."""

    positions: IntArray | None
    told: str = ""


def _read(path: str) -> NameTable:
    table = open_table(path)
    roles, guesses = _roles(table)
    built = table.format == "parquet" and table.column_names == _BUILT
    cells = _cells(table, {r: name for r, name in roles.items() if not (built and r == "parent")})
    labels = _identifiers(table, roles["taxid"], cells["taxid"])
    first = _first_rows(labels)
    rows = pa.array(first)
    kept = labels.take(rows)
    repeated = int(len(labels) - labels.null_count - len(first))
    parents = _Parents(None, NO_ANCESTRY)
    if built:
        parents = _of_built(table.path, first)
    elif "parent" in roles:
        parents = _of_cells(kept, cells["parent"].take(rows), repeated)
    notes = [
        "columns: " + ", ".join(f"{role} is {name!r}" for role, name in roles.items()),
        *([parents.told] if parents.told else []),
    ]
    if labels.null_count:
        notes.append(f"{plural(labels.null_count, 'row')} without an identifier left out")
    if repeated:
        guesses.append(
            f"{plural(repeated, 'row')} {'repeats' if repeated == 1 else 'repeat'} an identifier; "
            "the first row of each counts."
        )
    if "parent" in roles and parents.positions is None:
        guesses.append(f"Its column {roles['parent']!r} is not used: {parents.told}.")
    said = {r: _texts(cells[r]).take(rows) if r in cells else None for r in ("name", "rank")}
    names = table.column_names
    reading = Reading(
        header=table.header if table.first_row else None,
        header_reason=table.header_reason,
        first_row=table.first_row[:40],
        columns={
            role: Column(name, names.index(name) + 1, "name" if table.header else "position")
            for role, name in roles.items()
        },
        guesses=(*table.guesses, *guesses),
    )
    summary = InputSummary(
        role="taxonomy",
        path=table.path,
        format=table.format,
        bytes=table.bytes,
        rows=table.rows,
        fingerprint=table.fingerprint(),
        columns=roles,
        notes=(*table.notes, *notes, *table.guesses, *guesses),
        reading=reading,
    )
    return NameTable(
        summary,
        _version(summary),
        kept,
        said["name"],
        said["rank"],
        parents.positions,
        parents.told,
    )


def _roles(table: Table) -> tuple[dict[str, str], list[str]]:
    """The columns of identifiers, names, ranks and parents, and what was guessed of them."""
    names = table.column_names
    if not table.header:
        return _by_position(table)
    by_name = {normalise(name): name for name in reversed(names)}

    def first(words: Sequence[str], taken: Sequence[str] = ()) -> str | None:
        found = (by_name.get(normalise(word)) for word in words)
        return next((name for name in found if name is not None and name not in taken), None)

    parent = first((*_without_idx("parent"), "parents"))
    taxid = first(_without_idx("child"), [parent] if parent else [])
    name = first(HIERARCHY_ALIASES["name"], [taxid] if taxid else [])
    rank = first(HIERARCHY_ALIASES["rank"])
    if taxid is None or (name is None and parent is None):
        shown = ", ".join(map(repr, names[:8]))
        raise InputError(
            f"{table.path}: as `taxonomy` it needs a column of identifiers and one of names; it "
            f"has {shown}; {_WAY_OUT}"
        )
    roles = {"taxid": taxid, "name": name, "rank": rank, "parent": parent}
    return {role: column for role, column in roles.items() if column is not None}, []


def _without_idx(end: str) -> list[str]:
    """What columns of identifiers are called; an idx names no taxon."""
    return [word for word in HIERARCHY_ALIASES[end] if not word.endswith("_idx")]


def _by_position(table: Table) -> tuple[dict[str, str], list[str]]:
    names = table.column_names
    if len(names) not in (2, 3):
        raise InputError(
            f"{table.path}: as `taxonomy`, {plural(len(names), 'column')} without names tell "
            f"nothing; {_WAY_OUT}"
        )
    whole = [whole_numbers(cells).problems is None for cells in table.texts(names)]
    if any(whole[1:]) and not (len(names) == 2 and whole == [False, True]):
        raise InputError(
            f"{table.path}: as `taxonomy`, its columns without names hold several of numbers, of "
            f"which one may be the parents; {_WAY_OUT}"
        )
    ordered = names[::-1] if whole[0] < whole[1] else names
    roles = dict(zip(("taxid", "name", "rank"), ordered, strict=False))
    told = f"Columns without names are taken as {', '.join(roles)}"
    return roles, [f"{told}{', the second first' if ordered != names else ''}."]


def _cells(table: Table, roles: dict[str, str]) -> dict[str, pa.Array]:
    """All cells of the columns, by role; as texts where the table is text."""
    chunks: dict[str, list[pa.Array]] = {role: [] for role in roles}
    for batch in sound_batches(table, {f"{role}_taxid": name for role, name in roles.items()}):
        for role, found in chunks.items():
            found.append(batch.columns[f"{role}_taxid"])
    return {role: _joined(found) for role, found in chunks.items()}


def _joined(chunks: Sequence[pa.Array]) -> pa.Array:
    if len({chunk.type for chunk in chunks}) > 1:
        chunks = [chunk.cast(pa.string()) for chunk in chunks]
    return pa.concat_arrays(chunks)


def _texts(cells: pa.Array) -> pa.Array:
    """Names or ranks, trimmed; null where there is none."""
    texts = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    empty = pc.or_(pc.equal(pc.binary_length(texts), 0), is_absent(texts))
    return pc.if_else(pc.fill_null(empty, True), pa.scalar(None, pa.string()), texts)


def _identifiers(table: Table, column: str, cells: pa.Array) -> pa.Array:
    labels, _ = identifiers(cells)
    if pa.types.is_string(labels.type):
        whole = integers_of(labels)
        labels = labels if whole.null_count > labels.null_count else whole
    if labels.null_count == len(labels):
        raise InputError(f"{table.path}: its column {column!r} holds no identifier; {_WAY_OUT}")
    return labels


def _first_rows(labels: pa.Array) -> IntArray:
    """The first row of every identifier, in ascending order of the identifiers."""
    order = pc.sort_indices(
        pa.table({"label": labels, "row": np.arange(len(labels))}),
        [("label", "ascending"), ("row", "ascending")],
    ).to_numpy()[: len(labels) - labels.null_count]
    ordered = labels.take(pa.array(order))
    new = np.ones(len(order), dtype=bool)
    new[1:] = pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    found: IntArray = order[new].astype(np.int64)
    return found


def _of_built(path: str, first: IntArray) -> _Parents:
    """Of what was built: lists of idx, which are the numbers of the rows."""
    import pyarrow.parquet as pq  # a gate beside a taxdump does not need it

    column = pq.read_table(path, columns=["parents"])["parents"].combine_chunks()
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    several = int(np.count_nonzero(counts > 1))
    if several:
        return _Parents(
            None,
            f"{NO_ANCESTRY} that can be held against the pairs: {plural(several, 'node')} "
            f"{'has' if several == 1 else 'have'} several parents",
        )
    above = np.full(len(counts), -1, dtype=np.int64)
    above[counts == 1] = pc.list_flatten(column).to_numpy()
    place = np.full(len(counts) + 1, -1, dtype=np.int64)  # the last entry answers for -1
    place[first] = np.arange(len(first))
    if len(first) < len(counts) or above.max(initial=-1) >= len(counts):
        return _Parents(None, f"{NO_ANCESTRY} that can be used: rows and parents do not fit")
    return _sound(place[above[first]])


def _of_cells(kept: pa.Array, cells: pa.Array, repeated: int) -> _Parents:
    """Of a column of parents, one a row: identifiers, words for nothing, or the node itself."""
    why = f"{NO_ANCESTRY} that can be used: "
    if not pa.types.is_integer(kept.type):
        return _Parents(None, f"{why}its identifiers are texts, and ancestry is held by taxids")
    if repeated:
        return _Parents(None, f"{why}identifiers stand in several rows")
    texts = _texts(cells)
    above = integers_of(texts)
    if above.null_count > texts.null_count:
        return _Parents(None, f"{why}its parents are no whole numbers")
    at = pc.index_in(above, kept, skip_nulls=True)
    parents = pc.fill_null(at, -1).to_numpy().astype(np.int64)
    zero = pc.fill_null(pc.equal(above, 0), False).to_numpy(zero_copy_only=False)
    stated = ~above.is_null().to_numpy(zero_copy_only=False) & ~zero
    lost = int(np.count_nonzero(stated & (parents < 0)))
    if lost:
        return _Parents(None, f"{why}{plural(lost, 'parent')} in it without a row")
    return _sound(parents)


def _sound(parents: IntArray) -> _Parents:
    own = np.arange(len(parents))
    if cycle_of(np.where(parents < 0, own, parents)):
        return _Parents(None, f"{NO_ANCESTRY} that can be used: its parents form a cycle")
    return _Parents(np.where(parents == own, -1, parents))


def _version(table: InputSummary) -> str:
    """The day in the name of a table, else the beginning of its digest, as reports write it."""
    return named_day(Path(split_part(table.path)[0]).name) or table.fingerprint[:_SHOWN]
