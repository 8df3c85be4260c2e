"""Hierarchies stated by whole lineages: GTDB's taxonomy files, and tables of one column a rank."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.forms import forms_of
from taxcheck.sources.tables.table import Table, open_table
from taxcheck.sources.taxonomies.absent import WORDS, is_absent
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Growing, Hierarchy, Origin
from taxcheck.sources.taxonomies.ranks import PREFIXES, RANKS, numbered
from taxcheck.sources.taxonomies.rows import sound_batches
from taxcheck.sources.taxonomies.text_file import TextFile

_BARE = "^[a-z]{1,2}__$"
_SEPARATOR = ";"


def read_gtdb(path: str) -> Hierarchy:
    """Taxa of a GTDB taxonomy file (accession, tab, d__...;p__...;...;s__...).

    Genomes are counted and are no nodes. A taxon has one place: InputError where it has two.
    """
    source, growing = TextFile(path), Growing()
    above: dict[int, int] = {}
    seen: set[str] = set()
    genomes = 0
    for number, line in source.lines():
        if not line.strip():
            continue
        cells = line.rstrip("\n").split("\t")
        lineage = cells[-1].strip()
        genomes += 1
        if lineage in seen:
            continue
        seen.add(lineage)
        parent, last = -1, -1
        for taxon in (part.strip() for part in lineage.split(_SEPARATOR)):
            prefix, _, name = taxon.partition("__")
            level = list(PREFIXES).index(prefix) if prefix in PREFIXES else -1
            if len(cells) != 2 or "__" not in taxon or level <= last:
                raise InputError(
                    f"{source.path}: line {number:,} is no 'accession, tab, d__...;p__...;...;"
                    f"s__...': {taxon[:40]!r}; the file may be truncated or of another kind"
                )
            last = level
            if not name:
                continue
            node = growing.node(taxon, name, PREFIXES[prefix])
            if above.setdefault(node, parent) != parent:
                one, two = (
                    "no taxon" if p < 0 else list(growing.place)[p] for p in (above[node], parent)
                )
                raise InputError(
                    f"{source.path}: line {number:,}: {taxon} is under {two}, and before it was "
                    f"under {one}; in such a file a taxon has one place: give lineages of "
                    "other sources as a table with one column a rank"
                )
            parent = node
    if not growing.place:
        raise InputError(f"{source.path}: holds no lineage")
    for child, parent in above.items():
        if parent >= 0:
            growing.edge(parent, child)
    notes = (f"{genomes:,} genomes in the file; its taxa are the nodes, genomes are not",)
    return growing.hierarchy(source.origin("GTDB", _release(path)), notes).in_order()


def _release(path: str) -> str | None:
    found = re.search(r"_r(\d{2,3}(?:\.\d+)?)|\br(\d{2,3})\b", path)
    return f"r{found[1] or found[2]}" if found else None


def read_lineage(path: str, columns: str | None) -> Hierarchy:
    """A table with one column a rank, the highest first; rows are lineages, gaps are left out.

    A gap is an empty cell, a word for nothing, or a rank's prefix alone, such as ``s__``.
    ``columns`` names the rank columns in order, else they are known by their names. A name is the
    identifier where it stands in one place only; where several taxa share it, as some genera of
    plants and animals do, each is called by its whole lineage.
    """
    table = open_table(path)
    if not table.header:
        first = columns.split(",") if columns else rank_cells(table)
        table.expect_names({cell.strip() for cell in first})
    chosen = _rank_columns(table.column_names, table.header, columns, table.path)
    growing = Growing()
    paths: dict[tuple[int, str, str], int] = {}
    uses: list[tuple[int, str]] = []  # parent and name of every node
    told = Counter({"further columns are not read": len(table.column_names) - len(chosen)})
    for row in _rows(table, chosen, told):
        parent = -1
        for rank, cell in zip(chosen, row, strict=True):
            name = cell or ""
            if name.lower() in WORDS:
                continue
            node = paths.setdefault((parent, rank, name), len(paths))
            if node == len(uses):
                uses.append((parent, name))
                growing.names.append(name)
                growing.ranks.append(normalise(rank))
                growing.place[str(node)] = node
                if parent >= 0:
                    growing.edge(parent, node)
            parent = node
    if not uses:
        raise InputError(f"{table.path}: no lineage in its columns {', '.join(chosen)}")
    identifiers, homonyms = _identifiers(uses)
    notes = [*table.notes, f"ranks are the columns {', '.join(chosen)}"]
    notes += [f"{count:,} {what}" for what, count in told.items() if count]
    if homonyms:
        notes.append(
            f"{len(homonyms):,} names stand in several places; those nodes are called by their "
            f"whole lineage ({', '.join(homonyms[:SHOWN])})"
        )
    origin = Origin("lineage table", table.path, None, table.bytes, table.fingerprint())
    found = growing.hierarchy(origin, notes, pa.array(identifiers, pa.string())).in_order()
    return replace(found, guesses=(*table.guesses, *found.guesses))


def _rows(
    table: Table, ranks: Sequence[str], told: Counter[str]
) -> Iterator[tuple[str | None, ...]]:
    """The distinct lineages of every batch; what was left out of their cells is counted."""
    for batch in sound_batches(table, {f"rank {k}": name for k, name in enumerate(ranks)}):
        cells = [batch.columns[f"rank {k}"].cast(pa.string()) for k in range(len(ranks))]
        trimmed = sum(forms_of(column).trimmed for column in cells)
        told["cells had blanks at their ends, which were left out"] += trimmed
        cells = [pc.utf8_trim_whitespace(column) for column in cells]
        bare = [pc.match_substring_regex(column, _BARE) for column in cells]
        told["cells hold a rank's prefix alone: no taxon"] += sum(
            pc.sum(mask).as_py() or 0 for mask in bare
        )
        told["cells are words for nothing: no taxon"] += sum(
            pc.sum(pc.and_(is_absent(c), pc.greater(pc.binary_length(c), 0))).as_py() or 0
            for c in cells
        )
        cells = [pc.if_else(mask, "", c) for mask, c in zip(bare, cells, strict=True)]
        rows = pa.table(cells, names=list(map(str, range(len(cells)))))
        rows = rows.group_by(rows.column_names, use_threads=False).aggregate([])
        yield from zip(*(column.to_pylist() for column in rows.columns), strict=True)


def rank_cells(table: Table) -> list[str]:
    """The columns that are called like ranks; of text, those of the first line's cells."""
    names = [name.strip() for name in table.first_row or table.column_names]
    return [name for name in names if normalise(name) in RANKS] or numbered(names)


def _identifiers(uses: Sequence[tuple[int, str]]) -> tuple[list[str], list[str]]:
    count = Counter(name for _, name in uses)
    whole: list[str] = []
    for parent, name in uses:  # a parent comes before its children
        whole.append(name if parent < 0 else f"{whole[parent]}{_SEPARATOR}{name}")
    identifiers = [
        name if count[name] == 1 else path for (_, name), path in zip(uses, whole, strict=True)
    ]
    if len(set(identifiers)) < len(identifiers):  # the same path through other ranks
        twice = Counter(identifiers)
        identifiers = [i if twice[i] == 1 else f"{i} #{k}" for k, i in enumerate(identifiers)]
    return identifiers, [name for name, times in count.items() if times > 1]


def _rank_columns(names: Sequence[str], header: bool, columns: str | None, shown: str) -> list[str]:
    if columns:
        wanted = [column.strip() for column in columns.split(",")]
        missing = [column for column in wanted if column not in names]
        if missing:
            raise UsageError(f"`columns` {missing[0]}: {shown} has {', '.join(names[:12])}")
        return wanted
    known = {normalise(name): name for name in names} if header else {}
    found = [known[rank] for rank in RANKS if rank in known] or numbered(names if header else ())
    if len(found) < 2:
        raise InputError(
            f"{shown}: has no two columns that are called like ranks; name them from the highest "
            "to the lowest with `columns` kingdom,phylum,..."
        )
    return found
