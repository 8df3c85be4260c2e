"""Row numbers and headers of numbers are told by the rows below; what stays a guess is told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.first_row import _closed_without
from taxcheck.sources.tables.opening import TableSource, open_mapping, open_pairs
from taxcheck.sources.taxonomies.columns import Chosen, choose_columns

# A tree: 5 over 2 and 3, 2 over 4 and 0, 3 over 1 and 6.
PARENT = {2: 5, 3: 5, 4: 2, 0: 2, 1: 3, 6: 3}
EDGES = [(parent, child) for child, parent in PARENT.items()]
CLOSURE = EDGES + [(5, child) for child in (4, 0, 1, 6)]


def lines(*rows: tuple[object, ...], separator: str = ",") -> str:
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def opened(folder: Path, text: str, role: str = "pairs", **more: object) -> TableSource:
    path = folder / "table.csv"
    path.write_text(text)
    if role == "mapping":
        return open_mapping(str(path), **more)  # type: ignore[arg-type]
    return open_pairs(str(path), role=role, **more)  # type: ignore[arg-type]


def of_edges(
    folder: Path, rows: Sequence[tuple[object, ...]], columns: str | None = None
) -> Chosen:
    (path := folder / "edges.csv").write_text(lines(*rows))
    return choose_columns(str(path), columns)


def first_cells(source: TableSource) -> list[list[object]]:
    batch = next(source.batches())
    columns = [column.to_pylist() for column in batch.columns.values()]
    return [[int(c) if str(c).isdecimal() else c for c in column] for column in columns]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize(
    ("role", "header", "rows", "because"),
    [
        ("pairs", (0, 1), CLOSURE, "the pairs below are closed without 0,1"),
        ("pairs", (0, 1, 2), [(a, d, 1) for a, d in CLOSURE], "closed without"),
        ("pairs", (0, 1), [(7, 0), (0, 1), (7, 1)], "0,1 stands again below"),
        ("pairs", (0, 1), [(1, 0), (7, 1), (7, 0)], "1,0 stands below, the other way round"),
        ("pairs", (0, 1), [(7, 8), (8, 9), (7, 9)], "neither 0 nor 1 stands below"),
        ("pairs", (0, 1), [("a", "b"), ("b", "c"), ("a", "c")], "words stand below a number"),
        ("pairs", (0, 1, 2, 3), [(0, 2, 1, 5), (2, 3, 1, 5), (0, 3, 2, 5)], "there are 4 of them"),
        ("mapping", (0, 1), [(10, 0), (11, 1), (12, 2)], "idx 1 stands again below"),
    ],
)  # fmt: skip
def test_a_header_of_numbers_is_no_row(
    tmp_path: Path, separator: str, role: str, header: tuple[int, ...],
    rows: list[tuple[object, ...]], because: str,
) -> None:  # fmt: skip
    source = opened(tmp_path, lines(header, *rows, separator=separator), role)
    reading = source.reading()
    assert reading.header
    assert because in reading.guesses[0]
    assert {column.told_by for column in reading.columns.values()} == {"position"}
    assert [column.position for column in reading.columns.values()][:2] in ([1, 2], [2, 1])
    assert len(first_cells(source)[0]) == len(rows)


@pytest.mark.parametrize(
    ("role", "rows", "setting"),
    [
        ("pairs", [(0, 1), (0, 2), (1, 2)], "`pair_columns` ancestor=0,descendant=1"),
        ("pairs", [(0, 1), (5, 3), (3, 0), (2, 5)], "`pair_columns`"),  # closed neither way
        ("mapping", [(0, 1), (10, 0), (11, 2)], "`mapping_columns` taxid=0,idx=1"),
    ],
)
def test_where_nothing_contradicts_it_a_row_is_data_and_the_guess_is_told(
    tmp_path: Path, role: str, rows: list[tuple[int, int]], setting: str
) -> None:
    source = opened(tmp_path, lines(*rows), role)
    assert source.reading().header is False
    assert f"if it is a header, say so with {setting}" in source.reading().guesses[0]
    assert len(first_cells(source)[0]) == len(rows)
    if " " in setting:
        named = opened(tmp_path, lines(*rows), role, override=setting.split()[-1])
        assert named.reading().header
        assert len(first_cells(named)[0]) == len(rows) - 1


def test_positions_that_are_given_name_no_header(tmp_path: Path) -> None:
    """They count from 1, and 1,2 may well be the first pair."""
    source = opened(tmp_path, "1,2\n1,3\n2,3\n", override="ancestor=1,descendant=2")
    assert not source.reading().header
    assert len(first_cells(source)[0]) == 3


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_closed_without_is_what_sets_say(pairs: set[tuple[int, int]]) -> None:
    def closed(given: set[tuple[int, int]]) -> bool:
        return all((a, d) in given for a, b in given for c, d in given if b == c)

    pairs = pairs - {(0, 1)}
    if not pairs:
        return
    above, below = np.array(sorted(pairs)).T  # a node beside itself says nothing
    pairs = {(a, d) for a, d in pairs if a != d}
    more = pairs | {(0, 1)}
    touched = [(x, 1) for x, z in pairs if z == 0] + [(0, y) for o, y in pairs if o == 1]
    expected = closed(pairs) and not set(touched) <= pairs
    assert _closed_without(above, below) == expected
    assert not (expected and closed(more))


# as pandas writes a frame with its index, with the header and without it
COUNTED = [(row, a, d, 1 + (a == 5 and PARENT[d] != 5)) for row, (a, d) in enumerate(CLOSURE)]


@pytest.mark.parametrize("header", ["", ",0,1,2\n", "Unnamed: 0,0,1,2\n", "index,0,1,2\n"])
@pytest.mark.parametrize("start", [0, 1])
def test_row_numbers_are_no_ancestors(tmp_path: Path, header: str, start: int) -> None:
    rows = [(row + start, *rest) for row, *rest in COUNTED]
    source = opened(tmp_path, header + lines(*rows))
    reading = source.reading()
    assert reading.row_counter == source.table.column_names[0]
    assert "The first column counts the rows and is not read." in reading.guesses
    assert {role: c.position for role, c in reading.columns.items()} == {
        "ancestor": 2,
        "descendant": 3,
        "depth_diff": 4,
    }
    assert first_cells(source) == [list(column) for column in zip(*COUNTED, strict=True)][1:]


def test_row_numbers_beside_names_are_noted(tmp_path: Path) -> None:
    text = ",ancestor_idx,descendant_idx\n" + lines(*(row[:3] for row in COUNTED))
    reading = opened(tmp_path, text).reading()
    assert (reading.row_counter, reading.guesses) == ("", ())
    index = opened(tmp_path, "index,taxid\n0,10\n1,11\n2,12\n", "mapping").reading()
    assert index.row_counter is None  # it is the idx


@pytest.mark.parametrize(
    ("rows", "positions"),
    [
        ([(0, 10, 0), (1, 11, 1), (2, 12, 2)], [2, 3]),
        ([(0, "a", 2), (1, "b", 1), (2, "c", 0)], [2, 3]),
        ([(0, 10, "a"), (1, 11, "b"), (2, 12, "c")], [1, 2]),  # for MAP005 to judge
    ],
)
def test_row_numbers_of_a_mapping(
    tmp_path: Path, rows: list[tuple[object, ...]], positions: list[int]
) -> None:
    reading = opened(tmp_path, lines(*rows), "mapping").reading()
    assert [column.position for column in reading.columns.values()] == positions


def test_children_that_count_are_asked_for(tmp_path: Path) -> None:
    rows = [(0, 3, 7), (1, 3, 8), (2, 4, 9), (3, 4, 9)]
    with pytest.raises(InputError, match="`columns` child=1,parent=2 or child=2,parent=3"):
        of_edges(tmp_path, rows)
    given = of_edges(tmp_path, rows, "child=1,parent=2")
    assert given.roles == {"child": "column 1", "parent": "column 2"}
    distances = of_edges(tmp_path, [(a, b, 1) for a, b, _ in rows])
    assert distances.roles["child"] == "column 1"


def test_a_header_of_numbers_over_edges_is_told_by_them_or_named(tmp_path: Path) -> None:
    told = of_edges(tmp_path, [(0, 1), *((child, parent) for parent, child in EDGES[::-1])])
    assert told.table.header
    assert "every other node has one parent" in told.guesses[0]
    rows = [(0, 1), (2, 1), (3, 2), (3, 1)]
    asked = of_edges(tmp_path, rows)
    assert not asked.table.header
    what, _, setting = asked.guesses[0].rpartition("say so with `columns` ")
    assert what.endswith("if it is a header, ")
    named = of_edges(tmp_path, rows, setting.removesuffix("."))
    assert (named.table.header, named.guesses) == (True, ())


def test_a_chain_counts_its_ancestors(tmp_path: Path) -> None:
    reading = opened(tmp_path, lines((0, 1, 1), (1, 2, 1), (2, 3, 1))).reading()
    assert (reading.row_counter, reading.columns["ancestor"].position) == (None, 1)


def test_a_binary_table_whose_names_are_numbers_goes_by_positions(tmp_path: Path) -> None:
    above, below = zip(*CLOSURE, strict=True)
    pq.write_table(pa.table({"0": above, "1": below}), tmp_path / "p.parquet")
    reading = open_pairs(str(tmp_path / "p.parquet")).reading()
    assert reading.header is None
    assert reading.guesses == ("Columns without names are taken as ancestor, descendant.",)


@pytest.mark.parametrize("names", ["source,target", "from,to", "Target,Source", "SRC,dst"])
def test_words_for_two_ends_are_a_header_and_leave_the_direction_open(
    tmp_path: Path, names: str
) -> None:
    text = f"{names}\n" + lines(("wolf", "Canis"), ("coyote", "Canis"), ("Canis", "Canidae"))
    with pytest.raises(InputError, match=r"not recognised: .*`pair_columns` ancestor=") as caught:
        opened(tmp_path, text)
    child, parent = names.split(",")
    assert f"ancestor={parent},descendant={child}" in str(caught.value)
    assert f"ancestor={child},descendant={parent}" in str(caught.value)
    source = opened(tmp_path, text, override=f"descendant={child},ancestor={parent}")
    assert source.reading().header
    assert sorted(first_cells(source)[0]) == ["Canidae", "Canis", "Canis"]


def test_words_that_stand_below_too_are_no_header(tmp_path: Path) -> None:
    reading = opened(tmp_path, "from,to\nfrom,here\nto,there\n").reading()
    assert reading.header is False
    assert reading.guesses[0] == (
        "The first row, from,to, is read as data: its cells are texts like those below it."
    )


def test_two_columns_of_a_mapping_that_number_its_rows_are_asked_about(tmp_path: Path) -> None:
    """A frame that was saved with its index, and whose lines were shuffled then."""
    text = lines((2, 9606, 0), (0, 9605, 2), (3, 9604, 1), (1, 9443, 3))
    with pytest.raises(InputError, match="`mapping_columns` -,taxid,idx or idx,taxid"):
        opened(tmp_path, text, "mapping")
    assert first_cells(opened(tmp_path, text, "mapping", override="-,taxid,idx"))[1] == [0, 2, 1, 3]
    ranked = lines((2, 9606, 7), (0, 9605, 7), (3, 9604, 8), (1, 9443, 9))
    assert opened(tmp_path, ranked, "mapping").reading().columns["idx"].position == 2


LABELS = [("Canis", "wolf"), ("Canis", "coyote"), ("Canidae", "Canis"), ("Canidae", "wolf")]


def test_words_that_nobody_knows_are_a_header_where_they_stand_nowhere_below(
    tmp_path: Path,
) -> None:
    """Nothing says which of the two is above, so that the columns have to be named."""
    text = "hyper,hypo\n" + lines(*LABELS)
    with pytest.raises(InputError, match=r"'hyper', 'hypo'; .*if the first row is a pair"):
        opened(tmp_path, text, mapping_given=False)
    named = opened(tmp_path, text, mapping_given=False, override="ancestor=hyper,descendant=hypo")
    assert len(first_cells(named)[0]) == len(LABELS)
    assert named.reading().guesses == ()
    by_place = opened(tmp_path, text, mapping_given=False, override="ancestor,descendant")
    assert len(first_cells(by_place)[0]) == len(LABELS) + 1
    assert "though its labels stand nowhere else" in by_place.reading().guesses[0]


def test_a_first_row_of_labels_is_a_pair_where_one_of_them_stands_again(tmp_path: Path) -> None:
    reading = opened(tmp_path, lines(*LABELS), mapping_given=False).reading()
    assert reading.header is False
    assert reading.guesses == ("Columns without names are taken as ancestor, descendant.",)


def test_a_first_row_among_others_that_stand_alone_is_asked_about(tmp_path: Path) -> None:
    text = lines(("a", "b"), ("c", "d"), *LABELS)
    reading = opened(tmp_path, text, mapping_given=False).reading()
    assert reading.header is False
    assert "if it is a header, name the columns by it" in reading.guesses[0]


def test_columns_that_nobody_reads_are_told(tmp_path: Path) -> None:
    text = "ancestor_idx,descendant_idx,anc,des\n0,1,9606,9605\n"
    (told,) = opened(tmp_path, text).reading().guesses
    assert told.startswith("Columns 'anc', 'des' are not read;")
    assert opened(tmp_path, text, override="ancestor=1,descendant=2").reading().guesses == ()


@pytest.mark.parametrize("count", [2, 3])
def test_a_sound_closure_in_its_usual_order_stays_as_it_is(tmp_path: Path, count: int) -> None:
    """A root 0 over everything, written from its first row on."""
    rows = list(combinations(range(count + 2), 2))
    source = opened(tmp_path, lines(*rows))
    assert not source.reading().header
    assert first_cells(source) == [list(column) for column in zip(*rows, strict=True)]
