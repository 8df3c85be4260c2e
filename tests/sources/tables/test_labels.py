"""Pairs of identifiers as pairs of idx: own dictionary, or joined to a mapping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.model.arrays import IntArray
from taxcheck.sources.contract import apply_pairs
from taxcheck.sources.tables import columnar, labels
from taxcheck.sources.tables.labels import LabelledPairs, encode_labels, plain_integers
from taxcheck.sources.tables.opening import open_pairs


def encode(
    path: Path, content: str, known: tuple[pa.Array, IntArray] | None = None
) -> LabelledPairs:
    path.write_text(content)
    source = open_pairs(str(path), mapping_given=known is not None)
    assert source.labelled
    return encode_labels(source, known)


def pairs(encoded: LabelledPairs) -> list[tuple[int | None, int | None]]:
    return [
        row
        for b in encoded.batches()
        for row in zip(
            b.columns["ancestor"].to_pylist(), b.columns["descendant"].to_pylist(), strict=True
        )
    ]


def test_words_under_an_open_name_are_joined(tmp_path: Path) -> None:
    known = (pa.array(["CHEBI:1", "CHEBI:2"]), np.array([0, 1]))
    assert pairs(encode(tmp_path / "p", "parent,child\nCHEBI:1,CHEBI:2\n", known)) == [(0, 1)]
    assert pairs(encode(tmp_path / "p", "CHEBI:1,CHEBI:2\nCHEBI:2,x\n", known)) == [(0, 1), (1, 2)]
    for text in ("parent,child\n1,x\n2,3\n4,5\n", "parent_idx,child_idx\na,b\n", "1,2\n"):
        (path := tmp_path / "p").write_text(text)
        assert not open_pairs(str(path), mapping_given=True).labelled


def test_order_of_first_appearance(tmp_path: Path) -> None:
    encoded = encode(tmp_path / "p", "id1,id2,weight\ndog,mammal,1\ncat,mammal,1\nlife,dog,1\n")
    assert encoded.identifiers.to_pylist() == ["mammal", "dog", "cat", "life"]
    assert pairs(encoded) == [(0, 1), (0, 2), (1, 3)]
    assert pairs(encoded) == [(0, 1), (0, 2), (1, 3)], "a second pass"
    assert encoded.n_nodes == 4


def test_integers_are_integers_unless_one_has_a_leading_zero(tmp_path: Path) -> None:
    encoded = encode(tmp_path / "p", "131567,2\n2,1224\n")
    assert encoded.identifiers.equals(pa.array([131567, 2, 1224]))
    encoded = encode(tmp_path / "p", "131567,2\n2,02\n")
    assert encoded.identifiers.equals(pa.array(["131567", "2", "02"]))


def test_joined_to_integers(tmp_path: Path) -> None:
    known = (pa.array([10, 11, 12]), np.array([0, 1, 5]))
    text = "parent_taxid,child_taxid,depth\n10,11,1\n 12 ,010,1\n11,99,2\nx,99,3\n"
    encoded = encode(tmp_path / "p", text, known)
    # n_nodes is 6: what the mapping lacks gets 6, 7 ... and is out of range there
    assert pairs(encoded) == [(0, 1), (5, 6), (1, 7), (8, 7)]
    assert pairs(encoded) == [(0, 1), (5, 6), (1, 7), (8, 7)], "a second pass"
    assert encoded.unknown.to_pylist() == ["010", "99", "x"]
    (batch,) = encoded.batches()
    assert batch.columns["depth_diff"].to_pylist() == ["1", "1", "2", "3"]


def test_joined_to_texts(tmp_path: Path) -> None:
    known = (pa.array(["01", "2"]), np.array([0, 1]))
    pq.write_table(pa.table({"id2": [2, 1], "id1": [2, 2]}), path := tmp_path / "p")
    encoded = encode_labels(open_pairs(str(path)), known)
    assert pairs(encoded) == [(1, 1), (2, 1)]
    assert encoded.unknown.to_pylist() == ["1"]


def test_far_apart_identifiers_are_joined_without_a_table(tmp_path: Path) -> None:
    known = (pa.array([-5, 10**15, 7]), np.array([0, 1, 2]))
    encoded = encode(tmp_path / "p", f"parent_taxid,child_taxid\n{10**15},7\n-5,8\n", known)
    assert encoded._lookup.table is None
    assert pairs(encoded) == [(1, 2), (0, 3)]


def test_the_first_of_two_idx_counts(tmp_path: Path) -> None:
    known = (pa.array([7, 7, 8]), np.array([0, 1, 2]))
    assert pairs(encode(tmp_path / "p", "id2,id1\n7,8\n", known)) == [(0, 2)]


def test_an_empty_mapping_knows_nothing(tmp_path: Path) -> None:
    for kind in (pa.int64(), pa.string()):
        known = (pa.array([], kind), np.array([], dtype=np.int64))
        assert pairs(encode(tmp_path / "p", "id2,id1\n7,8\n", known)) == [(0, 1)]


def test_unsound_rows_make_no_node(tmp_path: Path) -> None:
    text = "parent,child\na,b\nparent,child\n,c\nd\ne,f,g\nb,h\n"
    encoded = encode(tmp_path / "p", text)
    assert encoded.identifiers.to_pylist() == ["a", "b", "h"]
    (batch,) = encoded.batches()
    sound, quarantined = apply_pairs(batch)
    assert (sound.rows.tolist(), sound.ancestor.tolist(), sound.descendant.tolist()) == (
        [2, 7],
        [0, 1],
        [1, 2],
    )
    assert quarantined.rows.tolist() == [3, 4, 5, 6]
    assert quarantined.reasons == (
        "a header line read as data",
        "ancestor_taxid is empty",
        "1 field instead of 2",
        "3 fields instead of 2",
    )
    assert quarantined.cells["ancestor_label"] == ("parent", "", "d", "e,f,g")
    assert quarantined.cells["descendant_label"] == ("child", "c", None, None)


def test_floats_with_gaps_are_integers(tmp_path: Path) -> None:
    table = pa.table({"id2": pa.array([7.0, None, 1.5]), "id1": pa.array([8.0, 9.0, 9.0])})
    pq.write_table(table, path := tmp_path / "p")
    encoded = encode_labels(open_pairs(str(path), mapping_given=False))
    assert encoded.identifiers.equals(pa.array([7, 8]))
    assert pairs(encoded) == [(0, 1), (None, None), (None, None)]


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
@pytest.mark.parametrize("text", [False, True])
def test_the_split_into_batches_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int, text: bool
) -> None:
    generator = np.random.default_rng(1)
    rows = generator.integers(0, 60, (200, 2))
    rows[150] = 2**40  # beyond the bitmap
    first: dict[int, int] = {}
    for value in rows.ravel().tolist():
        first.setdefault(value, len(first))
    ancestor, descendant = (pa.array(c) for c in rows.T)
    if text:
        ancestor, descendant = (pa.array([f"n{v}" for v in c.tolist()]) for c in rows.T)
    pq.write_table(pa.table({"id2": ancestor, "id1": descendant}), path := tmp_path / "p")
    monkeypatch.setattr(columnar, "BATCH_ROWS", batch_rows)
    monkeypatch.setattr(labels, "_COMPACT", 10)
    encoded = encode_labels(open_pairs(str(path), mapping_given=False))
    expected = [f"n{v}" for v in first] if text else list(first)
    assert encoded.identifiers.to_pylist() == expected
    assert pairs(encoded) == [(first[a], first[d]) for a, d in rows.tolist()]


@given(
    st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1).map(str), st.text("0123+-x ")), max_size=4)
)
def test_plain_integers_are_those_that_print_so(texts: list[str]) -> None:
    def plain(text: str) -> bool:
        try:
            return str(int(text)) == text and -(2**63) <= int(text) < 2**63
        except ValueError:
            return False

    found = plain_integers(pa.array(texts, pa.string()))
    assert (found is not None) == all(map(plain, texts))
    if found is not None:
        assert found.to_pylist() == [int(t) for t in texts]


@pytest.mark.parametrize("word", ["NA", "null", "None", "\\N"])
def test_below_a_word_for_nothing_there_is_no_pair(tmp_path, word):
    rows = f"parent,child\n{word},r\n{word},s\nr,a\ns,b\n{word},a\n{word},b\n"
    (path := tmp_path / "pairs.csv").write_text(rows)
    source = open_pairs(str(path), mapping_given=False)
    encoded = encode_labels(source)
    assert encoded.identifiers.to_pylist() == ["r", "s", "a", "b"]
    (told,) = (guess for guess in source.reading().guesses if "a word for nothing" in guess)
    assert told.startswith(
        f"4 rows with {word!r} as ancestor say that the descendant has no parent"
    )
    (batch,) = encoded.batches()
    assert apply_pairs(batch)[0].rows.tolist() == [4, 5]
    assert pairs(encoded) == [(0, 2), (1, 3)]


@pytest.mark.parametrize("rows", ["None,a\na,b\nRoot,None\n", "None,a\nNone,b\n"])
def test_a_taxon_called_like_a_word_for_nothing_stays(tmp_path, rows):
    (path := tmp_path / "pairs.csv").write_text("parent,child\n" + rows)
    encoded = encode_labels(source := open_pairs(str(path), mapping_given=False))
    assert "None" in encoded.identifiers.to_pylist()
    assert any(guess.startswith("'None' is read as a label") for guess in source.reading().guesses)
    (path := tmp_path / "sound.csv").write_text("parent,child\nNab,a\na,b\n")
    encode_labels(source := open_pairs(str(path), mapping_given=False))
    assert not any("nothing" in guess for guess in source.reading().guesses)
