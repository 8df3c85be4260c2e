"""Vectors as text, as libraries and people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.sources.checkpoints.layouts import DIM, LABELS, ROWS, TABLE, N, assert_right, joined

FRAME = pd.DataFrame(ROWS, columns=[f"e{k}" for k in range(DIM)]).assign(taxid=LABELS)
FRAME = FRAME[["taxid", *FRAME.columns[:-1]]]
NAMES = ",".join(FRAME.columns)


@pytest.mark.parametrize(
    ("separator", "header", "extra"),
    [
        (",", True, {}),
        ("\t", False, {}),
        (",", False, {}),
        (";", True, {}),
        (";", True, {"decimal": ","}),
        (" ", False, {}),
    ],
)
def test_separators(tmp_path: Path, separator: str, header: bool, extra: dict[str, str]) -> None:
    path = tmp_path / "a.txt"
    FRAME.to_csv(path, sep=separator, header=header, index=False, **extra)  # type: ignore[call-overload]
    assert assert_right(path).by_labels


def test_a_header_below_rows_and_width(tmp_path: Path) -> None:
    text = f"{len(ROWS)} {DIM}\n" + FRAME.to_csv(index=False)
    (path := tmp_path / "a.csv").write_text(text)
    assert assert_right(path).how.startswith("Rows were joined by taxid")


def test_numpys_text(tmp_path: Path) -> None:
    np.savetxt(path := tmp_path / "a.txt", TABLE)
    assert not assert_right(path).by_labels
    np.savetxt(path, np.c_[LABELS, ROWS], delimiter=",", header=NAMES)
    assert assert_right(path).how.endswith("once read as whole numbers.")
    np.savetxt(path, np.c_[LABELS, ROWS], delimiter=",", header=NAMES, comments="")
    assert assert_right(path).by_labels


def test_words_and_blanks(tmp_path: Path) -> None:
    lines = [
        f"{t}   " + "  ".join(map(repr, r)) for t, r in zip(LABELS, ROWS.tolist(), strict=True)
    ]
    (path := tmp_path / "glove.txt").write_text(" \n".join(lines) + "\r\n")
    assert assert_right(path).by_labels


def test_gensim_without_a_header(tmp_path: Path) -> None:
    gensim = pytest.importorskip("gensim.models")
    vectors = gensim.KeyedVectors(DIM)
    vectors.add_vectors([str(t) for t in LABELS], ROWS.astype(np.float32))
    for header in (True, False):
        path = tmp_path / f"w2v{header}.txt"
        vectors.save_word2vec_format(str(path), write_header=header)
        assert assert_right(path).by_labels


@pytest.mark.parametrize("header", ["", "taxid\tname\n"])
def test_tensorboards_projector(tmp_path: Path, header: str) -> None:
    np.savetxt(path := tmp_path / "vectors.tsv", ROWS, delimiter="\t")
    lines = [f"{t}\tsp. {t}" if header else str(t) for t in LABELS]
    (beside := tmp_path / "metadata.tsv").write_text(header + "\n".join(lines) + "\n")
    found = assert_right(path)
    assert any("metadata.tsv, which lies beside" in note for note in found.checkpoint.notes)
    for count in (N - 1, 9):
        beside.write_text(header + "\n".join(lines[:count]) + "\n")
        with pytest.raises(InputError, match=f"has {count} entries for 40 rows"):
            joined(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\nworld\n", "is text, but its lines are no vectors of one length"),
        ("a,b\n1\n", "is text, but its lines are no vectors"),
        ("taxid,idx\n5,0\n6,1\n", "holds no embedding table"),
        ("taxid,e0,e1\n5,0.1,x\n", "column #2: .* invalid value"),
        ('taxid,e\n5,"[0.1, oops]"\n', "holds lists that are not whole"),
    ],
)
def test_text_that_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    (path := tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        open_checkpoint(str(path))
