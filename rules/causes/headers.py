"""Causes in which a line or a column that is no data was read as data."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray, distinct
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.places import SaidRow
from taxcheck.model.reading import Reading
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptom, Symptoms
from taxcheck.statistics.values import MappingStatistics

_TOLD = "a header line read as data"  # the reason of rows that hold the usual names
_ENDS = ("ancestor", "descendant")
_FEWEST = 10  # rows that show what their first column is
_VARIED = 0.3  # of the nodes stand in a column of descendants, which no distances do


@cause()
def header_as_data(
    symptoms: Symptoms,
    mapping: MappingStatistics,
    kept: KeptPairs | None = None,
    totals: PairState | None = None,
    strangers: Strangers | None = None,
    pair_reading: Reading | None = None,
    mapping_reading: Reading | None = None,
    *,
    said_row: SaidRow,
) -> Explanation | None:
    r"""A header line was read as a row, at the beginning of a table or in the midst of it.

    Told of rows that hold the names of the columns, of a first row whose two labels stand nowhere
    else, and of a first row 0,1, as pandas writes the names of columns that have none, where the
    findings go once that row is left out. Where the rows below contradict it, it was never read.

    Why it matters:
    Words become nodes that no taxon owns, and a header 0,1 becomes a pair that is false, with all
    that follows from it for the nodes above and below.

    How to fix:
    Write names that say what the columns are, or none:

        pairs.to_csv(path, index=False, header=["ancestor_idx", "descendant_idx"])

    and leave the header out of all files but the first where several are put together.
    ``taxcheck fix`` leaves the row out.

    Known exceptions:
    A first row 0,1 that contradicts nothing may be the pair of the idx 0 and 1, and is read as it.

    References:
    - pandas.DataFrame.to_csv, the argument header:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_csv.html
    """
    found = _in_mapping(symptoms, mapping_reading, said_row)
    if found is None and kept is not None and totals is not None and pair_reading is not None:
        found = _repeated(symptoms, pair_reading, kept, strangers, mapping, said_row)
        found = found or _first(symptoms, pair_reading, kept, totals, said_row)
    return found


def _lines(count: int, table: str, first: int, said_row: SaidRow) -> str:
    where = said_row(table, first)
    one = f"{where} of the {table} is a header line"
    several = f"{plural(count, 'row')} of the {table}, {where} the first, are header lines"
    return one if count == 1 else several


def _dropped(rows: IntArray, why: str) -> Mend:
    return Mend(
        what=f"leave out {plural(len(rows), 'header line')}", why=why, rows=rows, dropped=True
    )


def _holds_names(symptom: Symptom, reading: Reading, roles: Iterable[str]) -> BoolArray:
    """Which offenders are the names of their columns, (k,)."""
    found = np.ones(len(symptom), dtype=bool)
    for role in roles:
        cells = symptom.column(role)
        if cells is None or role not in reading.columns:
            return np.zeros(len(symptom), dtype=bool)
        name = reading.columns[role].name
        found &= np.array([str(cell).strip() == name for cell in cells], dtype=bool)
    return found


def _repeated(
    symptoms: Symptoms,
    reading: Reading,
    kept: KeptPairs,
    strangers: Strangers | None,
    mapping: MappingStatistics,
    said_row: SaidRow,
) -> Explanation | None:
    """Rows anywhere that hold the names of the columns, as files that were joined have them."""
    found: list[IntArray] = []
    invalid = symptoms.get("invalid_pair_row")
    if invalid is not None and invalid.rows is not None:
        named = invalid.because(_TOLD)
        if reading.header:
            named |= _holds_names(invalid, reading, _ENDS)
        found.append(invalid.rows[named])
    found.append(_of_labels(symptoms, reading, kept, strangers, mapping))
    rows = np.unique(np.concatenate(found))
    if not len(rows):
        return None
    return Explanation(
        message=f"{_lines(len(rows), 'pairs', int(rows[0]), said_row)} read as data",
        parameters={"lines": len(rows), "first": int(rows[0])},
        free=0,
        mend=_dropped(rows, "they hold the names of the columns"),
    )


def _of_labels(
    symptoms: Symptoms,
    reading: Reading,
    kept: KeptPairs,
    strangers: Strangers | None,
    mapping: MappingStatistics,
) -> IntArray:
    """Rows whose two labels are the names of their columns."""
    nothing = np.empty(0, dtype=np.int64)
    columns = [reading.columns.get(f"{end}_taxid") for end in _ENDS]
    if not reading.header or any(c is None for c in columns) or "ancestor" in reading.columns:
        return nothing
    nodes = [_node(c.name, strangers, mapping) for c in columns if c is not None]
    if min(nodes) < 0:
        return nothing
    if strangers is not None:
        outside = symptoms.get("index_out_of_range")
        if outside is None or outside.rows is None:
            return nothing
        ours = (outside.nodes[0] == nodes[0]) & (outside.nodes[1] == nodes[1])
        return np.asarray(outside.rows[ours])
    found = [
        batch.rows[(batch.ancestor == nodes[0]) & (batch.descendant == nodes[1])]
        for batch in kept.batches()
    ]
    return np.concatenate([nothing, *found])


def _node(label: str, strangers: Strangers | None, mapping: MappingStatistics) -> int:
    """The idx by which a label is followed; -1 for none."""
    if strangers is not None:
        place = pa.compute.index(strangers.labels, label).as_py()
        return int(strangers.idx[place]) if place >= 0 else -1
    names = mapping.identifiers.strings
    if names is None or not mapping.derived:
        return -1
    place = np.flatnonzero(names == label)
    return int(place[0]) if len(place) else -1


def _first(
    symptoms: Symptoms,
    reading: Reading,
    kept: KeptPairs,
    totals: PairState,
    said_row: SaidRow,
) -> Explanation | None:
    """The first row of a table without a header."""
    if reading.header is not False or len(reading.first_row) < 2:
        return None
    start = next(iter(kept.batches()), None)
    outside = symptoms.get("index_out_of_range")
    if _counts(reading.first_row):
        if start is None or (start.ancestor[0], start.descendant[0]) != (0, 1):
            return None
        row, why = start.rows[:1], "without it nothing is wrong that was wrong because of it"
    elif outside is not None and outside.rows is not None:
        first = int(outside.rows[0])
        if start is not None and int(start.rows[0]) < first:
            return None
        own = [nodes[0] for nodes in outside.nodes]
        everywhere = sum(int(np.isin(nodes, own).sum()) for nodes in outside.nodes)
        if min(own) < totals.origin.n or everywhere > 2:
            return None
        row, why = outside.rows[:1], "its labels stand nowhere else"
    else:
        return None
    shown = ",".join(reading.first_row)
    return Explanation(
        message=f"{_lines(1, 'pairs', int(row[0]), said_row)} read as data: {shown}",
        parameters={"lines": 1, "first": int(row[0])},
        free=0,
        mend=_dropped(row, why),
    )


def _counts(cells: tuple[str, ...]) -> bool:
    """Whether a row is 0,1,2 ..., perhaps behind the empty name of a column of row numbers."""
    cells = tuple(cell.strip() for cell in cells)
    behind = cells[1:] if cells[0] in ("", "Unnamed: 0", "index") else cells
    return behind == tuple(map(str, range(len(behind))))


def _in_mapping(
    symptoms: Symptoms, reading: Reading | None, said_row: SaidRow
) -> Explanation | None:
    """Rows of the mapping that hold the names of its columns."""
    if reading is None:
        return None
    invalid = symptoms.get("invalid_mapping_row")
    if invalid is not None and invalid.rows is not None:
        named, numbered = invalid.because(_TOLD), False
        if reading.header:
            whole = named | _holds_names(invalid, reading, ("taxid", "idx"))
            named = whole | _holds_names(invalid, reading, ("taxid",))
            numbered = bool((named & ~whole).any())
        if named.any():
            rows = invalid.rows[named]
            also = " and numbered as a taxon" if numbered else ""
            lines = _lines(len(rows), "mapping", int(rows[0]), said_row)
            return Explanation(
                message=f"{lines} read as data{also}",
                explains={"invalid_mapping_row": named},
                parameters={"lines": len(rows), "first": int(rows[0])},
                free=0,
                guess=numbered,  # whether the pairs have idx of before or after is not known
                why_not="the mapping with which the pairs were built, since they may number the "
                "taxa without that line, or with others that are gone"
                if numbered
                else "the mapping is given; leave the lines out of it",
            )
    return None


@cause()
def row_number_column(
    symptoms: Symptoms,
    mapping: MappingStatistics,
    kept: KeptPairs | None = None,
    pair_reading: Reading | None = None,
) -> Explanation | None:
    """The first column of a table without a header is the number of the row.

    Told where no number in it stands twice, while the column that is read as the distance has as
    many different numbers as there are nodes. A column that counts all rows without a gap is left
    out in reading; this is one of a table from which rows were taken, or that was shuffled.

    Why it matters:
    Every row is read one column too far to the left: the ancestors become descendants, and the
    descendants distances.

    How to fix:
    Write the table without the index of pandas, or say which columns are which:

        pairs.to_csv(path, index=False)

    and in the policy ``pair_columns = "-,ancestor,descendant,depth_diff"``.

    Known exceptions:
    A table with a header says by its names what its columns are.

    References:
    - pandas.DataFrame.to_csv, the argument index:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.to_csv.html
    """
    if pair_reading is None or kept is None or pair_reading.header is not False:
        return None
    read = [pair_reading.columns.get(role) for role in (*_ENDS, "depth_diff")]
    if [column and column.position for column in read] != [1, 2, 3]:
        return None
    parts = _numbers(symptoms, kept)
    if parts is None:
        return None
    first, third = parts
    if len(first) < _FEWEST or len(distinct(first)) < len(first) or third.min() < 0:
        return None
    inside = third < mapping.n_nodes
    if not inside.all() or len(distinct(third)) < _VARIED * min(mapping.nodes, len(third)):
        return None
    if third.max() < _FEWEST:
        return None
    return Explanation(
        message="the first column of the pairs is the number of the row; ancestors and descendants "
        "stand in the second and the third",
        explains={name: np.ones(len(symptoms[name]), dtype=bool) for name in symptoms}
        | {"table_too_small": True},
        parameters={"column": pair_reading.columns["ancestor"].name},
        free=0,
        fix='say so with ``pair_columns = "-,ancestor,descendant,depth_diff"``, or write the '
        "table anew with ``pairs.to_csv(path, index=False)``",
        why_not="columns beyond the third were not read",
    )


def _numbers(symptoms: Symptoms, kept: KeptPairs) -> tuple[IntArray, IntArray] | None:
    """What stands in the first and the third column of the first rows, (k,) each."""
    firsts, thirds = [], []
    start = next(iter(kept.batches()), None)
    if start is not None and start.depth_diff is not None:
        firsts.append(start.ancestor)
        thirds.append(start.depth_diff)
    for name in ("index_out_of_range", "self_pair"):
        symptom = symptoms.get(name)
        if symptom is not None and (depth := symptom.column("depth_diff")) is not None:
            firsts.append(symptom.nodes[0])
            thirds.append(depth.astype(np.int64))
    return (np.concatenate(firsts), np.concatenate(thirds)) if firsts else None
