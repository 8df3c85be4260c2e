"""Lineages as texts, Bacteria;Firmicutes;Bacilli: in a column of a table, or one a line.

As SILVA, QIIME 2, Greengenes, UNITE and GTDB write them, and shops and catalogues with " > ".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.vocabulary import plural
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.columns import normalise
from taxcheck.sources.tables.table import Table
from taxcheck.sources.taxonomies.codes import PATENT_SYMBOL
from taxcheck.sources.taxonomies.growth import grow, unknown
from taxcheck.sources.taxonomies.hierarchy import SHOWN, Hierarchy, Origin
from taxcheck.sources.taxonomies.ranks import RANKS
from taxcheck.sources.taxonomies.rows import not_read, sound_batches, table_of
from taxcheck.sources.taxonomies.text_file import TextFile

SEPARATORS = (" > ", " -> ", " » ", " › ", ";", "|", " / ", "::", ">", "/")
_NAMED = ("gtdb_taxonomy", "lineage", "taxonomy", "clade_name", "taxonomic_lineage", "taxon",
          "taxa", "path", "full_path", "classification", "hierarchy", "category")  # fmt: skip
_OF_OTHERS = ("(", "[", "{", "<")  # with which trees and documents begin
_NUMBERED = re.compile(r"\d+ - ")  # as Google's categories of products are published
_LINES = 500  # that tell what a file is
_ROWS = "each line is one lineage, highest first, and no row of cells with {!r} between them"
_SHARE = 0.5  # of cells that have a separator


@dataclass(frozen=True, slots=True)
class Layout:
    """Where lineages stand, and what stands between their taxa."""

    separator: str
    column: str | None  # None: the whole line
    guesses: tuple[str, ...] = ()
    numbered: bool = False  # whether "3237 - " stands before each line


def layout_of(candidate: Candidate) -> Layout | None:
    """Where the lineages of a file are; None where it has none."""
    if candidate.columns:
        return _given(candidate)
    lines = _sample(candidate.unpacked) if candidate.is_text else []
    if lines and lines[0].lstrip().startswith(_OF_OTHERS):
        return None
    numbered = len(lines) > 1 and all(map(_NUMBERED.match, lines))
    lines = [_NUMBERED.sub("", line) for line in lines] if numbered else lines
    if (plain := _of_words(lines, numbered=numbered)) is not None:
        return plain
    try:
        table: Table | None = table_of(candidate)
    except InputError:  # where lineages are of several lengths, their lines are no table
        table = None
    if table is not None and (found := _in_columns(table)):
        return found
    if lines and not _tabbed(lines) and not (table is not None and table.header):
        return _in_lines(lines, is_table=table is not None)
    return None


def _of_words(lines: Sequence[str], *, numbered: bool) -> Layout | None:
    """Lineages one a line, apart by no separator of cells; numbers before them tell."""
    for separator in SEPARATORS[:4]:
        few = numbered and any(separator in line for line in lines)
        if (few or _are_lineages(lines, separator)) and not _tabbed(lines):
            return Layout(separator, None, numbered=numbered)
    return None


def _in_lines(lines: Sequence[str], *, is_table: bool) -> Layout | None:
    """Lineages one a line; told as a guess where the lines could as well be rows of cells."""
    for separator in (";", "|", "/"):
        if not _are_lineages(lines, separator, 4 if is_table else 3):
            continue
        if not is_table or len({line.count(separator) for line in lines}) > 1:
            return Layout(separator, None)
        if _nested(lines, separator):
            return Layout(separator, None, (_ROWS.format(separator),))
    return None


def names_lineage(columns: str) -> bool:
    """Whether the column that was given is that of lineages: "lineage=COLUMN"."""
    name, is_given, column = columns.partition("=")
    return bool(is_given) and normalise(name) in ("lineage", "path") and "," not in column


def _given(candidate: Candidate) -> Layout | None:
    if not names_lineage(candidate.columns or ""):
        return None
    column = (candidate.columns or "").partition("=")[2].strip()
    table = table_of(candidate)
    table.expect_names({column})
    names = table.column_names
    if column.isdecimal() and column not in names and 1 <= int(column) <= len(names):
        column = names[int(column) - 1]
    if column not in names:
        raise UsageError(f"`columns` {column}: {table.path} has {', '.join(names[:12])}")
    cells = table.texts([column])[0].drop_null().to_pylist()[:_LINES]
    separator = next((s for s in SEPARATORS if _are_lineages(cells, s)), None)
    if separator is None:
        raise UsageError(f"`columns`: {column!r} of {table.path} holds no lineages")
    return Layout(separator, column)


def _sample(head: bytes) -> list[str]:
    lines = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines()
    lines = lines[:-1] if len(lines) > 1 and not head.endswith(b"\n") else lines
    return [line for line in lines if line.strip() and not line.startswith("#")][:_LINES]


def _tabbed(lines: Sequence[str]) -> bool:
    return 2 * sum("\t" in line for line in lines) > len(lines)


def _are_lineages(cells: Sequence[str], separator: str, fewest: int = 2) -> bool:
    """Whether most cells have the separator, and what is below two taxa is seldom the same."""
    split = [cell.strip(separator.strip() + " ").split(separator) for cell in cells]
    if separator == "/" and any("://" in cell or PATENT_SYMBOL.fullmatch(cell) for cell in cells):
        return False
    deep = [parts for parts in split if len(parts) >= fewest and all(map(str.strip, parts[:2]))]
    if len(deep) < max(2, _SHARE * len(cells)):
        return False
    above: dict[str, set[str]] = {}
    for parts in split:
        if len(parts) > 1:
            above.setdefault(parts[1].strip(), set()).add(parts[0].strip())
    tops = {parts[0].strip() for parts in deep}
    single = sum(len(tops_of) == 1 for tops_of in above.values())
    return single >= 0.8 * len(above) and (len(tops) < len(deep) or len(deep) < 3)


def _nested(cells: Sequence[str], separator: str) -> bool:
    """Whether at every level most names stand below one other, as no column of a table would."""
    levels: list[list[tuple[str, str]]] = []
    for cell in cells:
        parts = [part.strip() for part in cell.strip(separator).split(separator)]
        for k, (above, name) in enumerate(itertools.pairwise(parts)):
            if k == len(levels):
                levels.append([])
            if above and name and not unknown(name):
                levels[k].append((above, name))
    for found in levels:
        tops: dict[str, set[str]] = {}
        for above, name in found:
            tops.setdefault(name, set()).add(above)
        if 2 * sum(len(tops[name]) > 1 for _, name in found) > len(found):
            return False
    return True


def _in_columns(table: Table) -> Layout | None:
    """The column of a table that holds lineages; of several the one that is called so."""
    found: dict[str, str] = {}
    names = table.column_names
    if len(set(names)) < len(names):
        return None
    for name, cells in zip(names, table.texts(names), strict=True):
        sample = [cell for cell in cells.slice(0, _LINES).cast(pa.string()).to_pylist() if cell]
        separator = next((s for s in SEPARATORS if _are_lineages(sample, s)), None)
        if separator is not None:
            found[name] = separator
    if not found:
        return None
    called = sorted(found, key=lambda name: _place(name, names))
    guesses: tuple[str, ...] = ()
    if len(found) > 1 and _place(called[0], names)[0] == len(_NAMED):
        shown = ", ".join(map(repr, called[:SHOWN]))
        raise InputError(
            f"{table.path}: lineages may stand in {len(found)} columns, {shown}; say which is "
            "meant with `columns` lineage=COLUMN"
        )
    if len(found) > 1:
        shown = ", ".join(map(repr, called[:SHOWN]))
        guesses = (
            f"lineages stand in {len(found)} columns, {shown}: {called[0]!r} is read; for another "
            "give `columns` lineage=COLUMN",
        )
    return Layout(found[called[0]], called[0], guesses)


def _place(name: str, names: Sequence[str]) -> tuple[int, int]:
    known = [normalise(one) for one in _NAMED]
    at = known.index(normalise(name)) if normalise(name) in known else len(known)
    return at, names.index(name)


@dataclass(frozen=True, slots=True)
class _Read:
    """Lineages, (rows,), what is said of their last taxa, and what there is to tell."""

    texts: pa.Array
    ranks: pa.Array | None
    origin: Origin
    notes: tuple[str, ...]
    guesses: tuple[str, ...] = ()


def read_paths(candidate: Candidate, columns: str | None) -> Hierarchy:
    """Taxa of lineages; rows and their accessions are counted and are no nodes.

    A taxon that stands in several places is called by its whole lineage. A rank's prefix without a
    name, an empty part and a word for nothing are no taxa. InputError where there is no lineage.
    """
    candidate.columns = columns
    layout = layout_of(candidate)
    if layout is None:
        raise InputError(
            f"{candidate.file.shown}: holds no lineages, such as Bacteria;Bacillota;Bacilli; name "
            "their column with `columns` lineage=COLUMN"
        )
    column = layout.column
    read = _of_lines(candidate, layout) if column is None else _of_table(candidate, column)
    texts, ranks, guesses = read.texts, read.ranks, [*read.guesses, *layout.guesses]
    if header := _header(texts, layout.separator):
        texts, ranks = texts.slice(1), None if ranks is None else ranks.slice(1)
        guesses.append(f"the first row is a header, {header!r}: no lineage begins with it")
    where = "one a line" if column is None else f"in {column!r}"
    told = f"{plural(len(texts), 'lineage')} {where}, taxa apart by {layout.separator!r}"
    grown = grow(texts, layout.separator, ranks)
    if not len(grown.identifiers):
        raise InputError(f"{read.origin.path}: holds no lineage")
    notes = (f"{told}; rows and accessions are no nodes", *read.notes, *grown.notes)
    return replace(grown, origin=read.origin, notes=notes, guesses=(*guesses, *grown.guesses))


def _of_lines(candidate: Candidate, layout: Layout) -> _Read:
    source = TextFile(candidate.path)
    lines = [line.strip() for _, line in source.lines()]
    comments = sum(1 for _ in itertools.takewhile(lambda line: line[:1] in ("#", ""), lines))
    kept = [line for line in lines[comments:] if line]
    said = [f"{plural(comments, 'line')} of comment above skipped"] if comments else []
    if layout.numbered:
        bare = next((line for line in kept if not _NUMBERED.match(line)), None)
        if bare is not None:
            raise InputError(
                f"{source.path}: no number and ' - ' stand before {bare[:80]!r}, as before other "
                "lines; mend or remove it"
            )
        kept = [_NUMBERED.sub("", line, count=1) for line in kept]
        said.append("the number before ' - ' is that of the lineage, and no part of it")
    return _Read(pa.array(kept, pa.string()), None, source.origin("lineages"), tuple(said))


def _of_table(candidate: Candidate, column: str) -> _Read:
    """The column, and the one whose cells are ranks, where there is one."""
    table = table_of(candidate)
    others = [name for name in table.column_names if name != column]
    rank = next((name for name in others if _are_ranks(table.texts([name])[0])), None)
    roles = {"lineage_taxid": column} | ({"rank_taxid": rank} if rank else {})
    read: dict[str, list[pa.Array]] = {role: [] for role in roles}
    for batch in sound_batches(table, roles):
        for role, cells in read.items():
            cells.append(batch.columns[role].cast(pa.string()))
    notes = [*table.notes]
    if unread := not_read(table, (column, *([rank] if rank else []))):
        notes.append(unread)
    whole = {role: pa.concat_arrays(cells) for role, cells in read.items()}
    origin = Origin("lineages", table.path, None, table.bytes, table.fingerprint())
    return _Read(
        whole["lineage_taxid"], whole.get("rank_taxid"), origin, tuple(notes), table.guesses
    )


def _are_ranks(cells: pa.Array) -> bool:
    words = pc.unique(cells.cast(pa.string())).to_pylist()
    known = [normalise(word) in RANKS for word in words if word and word.strip()]
    return len(known) > 1 and sum(known) >= 0.6 * len(known)


def _header(texts: pa.Array, separator: str) -> str | None:
    """The first cell, where it is one word with which no lineage begins."""
    first = (texts[0].as_py() or "").strip() if len(texts) > 1 else ""
    if not first or separator.strip() in first:
        return None
    rest = pc.utf8_trim_whitespace(texts.slice(1))
    begun = pc.any(pc.or_(pc.starts_with(rest, first), pc.equal(rest, first))).as_py()
    return None if begun else first
