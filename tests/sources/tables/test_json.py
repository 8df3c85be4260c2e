"""JSON in the forms in which people keep tables; rows that are none are counted, like any."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import pandas as pd
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables import json_blocks, json_rows
from taxcheck.sources.tables.columns import MALFORMED
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.opening import read_source

PAIRS = pd.DataFrame({"ancestor_idx": [0, 0, 1], "descendant_idx": [1, 2, 2]})
ROWS = [(1, 0, 1), (2, 0, 2), (3, 1, 2)]
LABELS = [('say "x"', "a,]}"), ("back\\", "é{["), ("\\", '\\\\"')]


def opened(folder: Path, name: str, text: str | bytes, **options: bool) -> TableSource:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_pairs(str(path), **options)


def rows(source: TableSource) -> list[tuple[object, ...]]:
    """Row number and cells of every row, with why it is none."""
    found: list[tuple[object, ...]] = []
    for batch in source.batches():
        cells = [batch.columns[role].to_pylist() for role in source.columns.roles]
        if MALFORMED in batch.columns:
            cells.append(batch.columns[MALFORMED].to_pylist())
        found += zip(range(batch.first_row, batch.first_row + batch.rows), *cells, strict=True)
    return found


@pytest.mark.parametrize("orient", ["records", "split", "columns", "index", "values", "table"])
def test_whatever_pandas_writes(tmp_path: Path, orient: str) -> None:
    assert rows(opened(tmp_path, "p.json", PAIRS.to_json(orient=orient, indent=1))) == ROWS
    assert rows(opened(tmp_path, "q.json", PAIRS.to_json(orient=orient))) == ROWS


def test_lines_of_objects_and_of_lists_plain_and_packed(tmp_path: Path) -> None:
    lines = PAIRS.to_json(orient="records", lines=True).encode()
    for name, data in {
        "p.jsonl": lines,
        "p.txt": lines,
        "p.jsonl.gz": gzip.compress(lines),
    }.items():
        assert rows(opened(tmp_path, name, data)) == ROWS
    assert rows(opened(tmp_path, "a.jsonl", "[0,1]\n[0,2]\r\n[1,2]\n")) == ROWS
    assert rows(opened(tmp_path, "one.jsonl", '{"ancestor": 0, "descendant": 1}')) == [(1, 0, 1)]
    (tmp_path / "s").mkdir()
    for k in (0, 1):
        (tmp_path / "s" / f"{k}.jsonl").write_bytes(lines)
    assert len(rows(open_pairs(str(tmp_path / "s")))) == 6


def test_rows_are_named_by_their_line_and_what_is_no_row_is_one_of_them(tmp_path: Path) -> None:
    text = (
        '\ufeff{"parent": "a", "child": "b"}\r\n\r\n{"child": 9007199254740993, "parent": 1.5}\n'
        '{"parent": NaN, "child": "x", "more": 1}\nfoo\n{"parent": "a", "parent": "b"}\n3\n\n \n'
    )
    assert rows(opened(tmp_path, "p.jsonl", text, mapping_given=False)) == [
        (1, "a", "b", None),
        (2, "", None, "is empty"),
        (3, "1.5", "9007199254740993", None),
        (4, None, "x", None),
        (5, "", None, "is no JSON"),
        (6, "{'parent': 'b'}", None, "has the key 'parent' twice"),
        (7, "3", None, "is no object"),
    ]
    named = '[["parent", "child"], ["a", "b"], ["a", "c"]]'
    source = opened(tmp_path, "n.json", named, mapping_given=False)
    assert rows(source) == [(2, "a", "b"), (3, "a", "c")]
    assert source.table.notes == ("Its first list is read as the names of the columns.",)
    short = rows(opened(tmp_path, "q.jsonl", "[0,1]\n[2]\n"))
    assert short == [(1, "0", "1", None), (2, "[2]", None, "1 values instead of 2")]


def test_labels_of_any_text_in_blocks_of_any_size(tmp_path: Path, monkeypatch) -> None:
    """Brackets, quotes and backslashes in labels, cut wherever a block ends."""
    records = [{"parent": a, "child": b} for a, b in LABELS]
    expected = [(k, a, b) for k, (a, b) in enumerate(LABELS, start=1)]
    members = {a: k for k, (a, _) in enumerate(LABELS)}
    for size in (1, 2, 3, 7, 50, 1 << 20):
        monkeypatch.setattr(json_blocks, "BLOCK", size)
        for indent in (None, 1):
            text = json.dumps(records, indent=indent)
            assert rows(opened(tmp_path, "p.json", text, mapping_given=False)) == expected
        text = "".join(f"{json.dumps(one)}\n" for one in records)
        assert rows(opened(tmp_path, "p.jsonl", text, mapping_given=False)) == expected
        for whole in (1 << 20, 1):  # looked at whole, and not
            monkeypatch.setattr(json_rows, "_WHOLE", whole)
            (tmp_path / "m.json").write_text(json.dumps(members))
            assert [row[1] for row in rows(open_mapping(str(tmp_path / "m.json")))] == [*members]


@pytest.mark.parametrize(
    ("text", "expected", "note"),
    [
        ('{"Canis lupus": 0, "a:b": 1}', [("Canis lupus", 0), ("a:b", 1)], "as identifiers"),
        ('{"0": "Canis lupus", "1": "a"}', [("Canis lupus", "0"), ("a", "1")], "as idx"),
        ('{"9606": 0, "10090": 1}', [("9606", 0), ("10090", 1)], "as identifiers"),
        ('{"0": 9606, "1": 7}', [("9606", "0"), ("7", "1")], "count from 0 and are read as idx"),
        ('{"a": 0, "b": 1, "a": 2}', [("a", 0), ("b", 1), ("a", 2)], "as identifiers"),
        ('{"9007199254740993": 0, "2": 1}', [("9007199254740993", 0), ("2", 1)], "as identifiers"),
    ],
)
def test_a_dictionary_is_a_mapping_either_way_round(
    tmp_path: Path, text: str, expected: list[tuple[object, ...]], note: str
) -> None:
    (path := tmp_path / "m.json").write_text(text)
    source = open_mapping(str(path))
    assert [row[1:] for row in rows(source)] == expected
    assert note in source.table.notes[0]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"Canis": 0, "b": 1}, [("Canis", 0), ("b", 1)]),
        ({0: "Canis", 1: "b"}, [("Canis", "0"), ("b", "1")]),
        ({9606: 0, 7: 1}, [("9606", 0), ("7", 1)]),
        ({0: 0, 1: 1}, [("0", 0), ("1", 1)]),
    ],
)
def test_a_pickled_dict_is_a_mapping_as_well(tmp_path: Path, data: object, expected: list) -> None:
    (path := tmp_path / "word2idx.pkl").write_bytes(pickle.dumps(data))
    source = open_mapping(str(path))
    assert [row[1:] for row in rows(source)] == expected
    assert not source.reading().guesses


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"ancestor": 0, "descendant": [1, 2]}]', "record 1: 'descendant' holds a list"),
        ('{"ancestor": 0, "descendant": {}}\n{}\n', "line 1: 'descendant' holds an object"),
        ('{"dog": ["mammal", "pet"], "cat": ["mammal"]}', "lists differ in length ('dog' 2"),
        ('[{"ancestor": 0, "descendant": 1}', "is not closed; it may be truncated"),
        ('[{"ancestor": 0, "descendant": 1}] [', "more follows behind the end"),
        ('[{"ancestor": 0 "descendant": 1}]', "is no whole JSON document"),
        ("[" * 100_000, "is not closed"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deep"),
        ("[]", "holds no rows"),
        ("{}", "holds no rows"),
        ("[1, 2]", "rows are neither objects nor lists"),
        ('{"x": {"y": {"z": 3}}, "w": 1}', "no table of a form that taxcheck knows"),
        ('{"a": {"b": 1}, "c": {"b": 2}}', "nothing tells rows from columns"),
        ('{"a": {"0": 1, "0": 2}, "child": {"0": 1}}', "has the key '0' twice"),
        ('{"columns": ["a", "b"], "data": [[0, 1]], "data": []}', "has the key 'data' twice"),
        ('{"p": {"a": [1], "a": [2], "b": [3]}}', "has the key 'a' twice"),
        ('{"p": [[0, 1]], "q": [{"a": 1}]}', "is a JSON object of 2: p, q; name the one"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as told:
        rows(opened(tmp_path, "p.json", text))
    assert said in str(told.value)
    assert str(told.value).isprintable()


@pytest.mark.parametrize("name", ["m.json", "m.pkl"])
def test_of_two_columns_that_may_be_idx_one_is_guessed(tmp_path: Path, name: str) -> None:
    for mapping, told in (
        ({0: 1, 1: 2, 2: 0}, "Its keys count from 0 and are read as idx"),
        ({1: 2, 0: 1, 2: 0}, "Its keys are read as identifiers"),
    ):
        data = json.dumps(mapping).encode() if "json" in name else pickle.dumps(mapping)
        (path := tmp_path / name).write_bytes(data)
        (guess,) = open_mapping(str(path)).reading().guesses
        assert guess.startswith(told)


def test_true_among_labels_is_a_guess(tmp_path: Path) -> None:
    data = [{"child": "SE", "parent": "eu", "seen": True}, {"child": False, "parent": "eu"}]
    (path := tmp_path / "p.json").write_text(json.dumps(data))
    for read in (open_pairs(str(path), mapping_given=False), read_source(str(path))):
        labels = rows(read) if isinstance(read, TableSource) else ()
        assert not labels or labels[1][1:] == ("eu", "False")
        guesses = read.reading().guesses if isinstance(read, TableSource) else read.guesses
        assert [guess for guess in guesses if "'child' holds true or false" in guess]
        assert not any("'seen' holds" in guess for guess in guesses)


def test_pickled_tuples_are_pairs(tmp_path: Path) -> None:
    (path := tmp_path / "pairs.pkl").write_bytes(pickle.dumps([(0, 1), (0, 2), (1, 2)]))
    assert rows(open_pairs(str(path))) == ROWS
    path.write_bytes(pickle.dumps([(0, 1), (0,)]))
    with pytest.raises(InputError, match="rows of this pickle differ in length"):
        open_pairs(str(path))


def test_a_list_in_an_object_is_named_by_its_key(tmp_path: Path) -> None:
    text = '{"meta": {"n": 2}, "pairs": [[0, 1], [0, 2], [1, 2]], "rest": [{"a": 1}]}'
    opened(tmp_path, "all.json", '{"pairs": [[0, 1], [0, 2], [1, 2]], "n": 3}')
    assert rows(open_pairs(str(tmp_path / "all.json"))) == ROWS
    (tmp_path / "all.json").write_text(text)
    assert rows(open_pairs(str(tmp_path / "all.json::pairs"))) == ROWS
    both = {"word2idx": {"a": 0, "b": 1}, "pairs": {"ancestor": [0], "descendant": [1]}}
    (tmp_path / "all.json").write_text(json.dumps(both))
    assert rows(open_mapping(str(tmp_path / "all.json::word2idx"))) == [(1, "a", 0), (2, "b", 1)]
    assert rows(open_pairs(str(tmp_path / "all.json::pairs"))) == ROWS[:1]
    (tmp_path / "all.json").write_text('{"word2idx": {"a": 0, "b": 1}}')
    assert rows(open_mapping(str(tmp_path / "all.json"))) == [(1, "a", 0), (2, "b", 1)]


def test_edges_in_json_are_a_taxonomy(tmp_path: Path) -> None:
    (tmp_path / "n.jsonl").write_text('{"s": "dog", "d": ["mammal"]}\n{"s": "cat", "d": []}\n')
    with pytest.raises(InputError, match=r"line 1: 'd' holds a list, .* one row for each pair"):
        read_source(str(tmp_path / "n.jsonl"))
    edges = [{"child": "b", "parent": "a"}, {"child": "c", "parent": "b"}]
    for name, text in {
        "e.jsonl": "\n".join(map(json.dumps, edges)),
        "e.json": json.dumps(edges),
        "f.json": json.dumps({"child": ["b", "c"], "parent": ["a", "b"]}),
    }.items():
        (tmp_path / name).write_text(text)
        assert sorted(read_source(str(tmp_path / name)).identifiers.to_pylist()) == ["a", "b", "c"]
