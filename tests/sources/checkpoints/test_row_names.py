"""Whose each row is: joined by what a file says of its rows, or asked for."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from taxcheck.audit.alignment import align
from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.sources.checkpoints.layouts import (
    DEALT,
    DIM,
    LABELS,
    MAPPING,
    ROWS,
    TABLE,
    TAXIDS,
    N,
    assert_right,
    joined,
)

COLUMNS = [f"emb_{k}" for k in range(DIM)]


def npz(tmp_path: Path, **arrays: Any) -> Path:
    np.savez(path := tmp_path / "a.npz", **arrays)
    return path


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ids", LABELS),
        ("labels", LABELS.astype(str)),
        ("taxids", LABELS.astype(float)),
        ("names", LABELS.astype("S")),
        ("node", LABELS.astype(object)),
        ("whatever", LABELS),
        ("taxid", LABELS[:, None]),
    ],
)
def test_identifiers_under_any_name_and_type(tmp_path: Path, name: str, values: Any) -> None:
    found = assert_right(npz(tmp_path, emb=ROWS, **{name: values}))
    assert found.how == f"Rows were joined by {name}, taken as identifiers of the mapping."


def test_what_is_called_idx_is_one(tmp_path: Path) -> None:
    found = assert_right(npz(tmp_path, embeddings=ROWS, idx=DEALT))
    assert found.how == "Rows were joined by idx, taken as idx of the mapping."
    assert_right(npz(tmp_path, embeddings=ROWS, idx_to_row=np.argsort(DEALT)))


@pytest.mark.parametrize("name", ["order", "labels", "permutation"])
def test_numbers_that_are_idx_and_not_called_so_are_asked_for(tmp_path: Path, name: str) -> None:
    path = npz(tmp_path, emb=ROWS, **{name: DEALT})
    asked = rf"`labels` = {name}:idx or `labels` = {name}:rows \(`none`: row k is idx k\)"
    with pytest.raises(InputError, match=asked):
        joined(path)
    assert_right(path, labels=f"{name}:idx")
    found = joined(path, labels=f"{name}:rows")
    np.testing.assert_array_equal(found.vectors(np.arange(N)), ROWS[DEALT])
    found = joined(path, labels="none")
    np.testing.assert_array_equal(found.vectors(np.arange(N)), ROWS)
    assert found.how == "Row k was taken for idx k, as `labels` says."


def test_an_order_that_is_its_own_inverse_needs_no_question(tmp_path: Path) -> None:
    assert_right(npz(tmp_path, emb=TABLE[::-1], order=np.arange(N)[::-1]))


def test_rows_that_are_only_counted(tmp_path: Path) -> None:
    found = assert_right(npz(tmp_path, emb=TABLE, labels=np.arange(N)))
    assert found.how == "Row k was taken for idx k: labels counts 0, 1, 2 ..."
    found = assert_right(npz(tmp_path, emb=ROWS, labels=np.arange(N), taxon=LABELS))
    assert found.told == ("Not needed to join rows: labels.",)


def test_measurements_are_no_names(tmp_path: Path) -> None:
    beside = {"loss": RNG_VALUES, "update_counts": np.arange(N)[::-1], "mask": np.ones(N, bool)}
    found = assert_right(npz(tmp_path, emb=TABLE, **beside))
    assert found.how == "Row k was taken for idx k: nothing in the file names its rows."


RNG_VALUES = np.random.default_rng(1).random(N)


def test_two_names_of_one_row_agree_or_are_asked_for(tmp_path: Path) -> None:
    found = assert_right(npz(tmp_path, emb=ROWS, idx=DEALT, taxid=LABELS))
    assert found.told == ("Not needed to join rows: idx.",)
    wrong = npz(tmp_path, emb=ROWS, idx=np.roll(DEALT, 1), taxid=LABELS)
    with pytest.raises(InputError, match=r"`labels` = taxid:identifiers or idx:idx"):
        joined(wrong)
    assert_right(wrong, labels="taxid")


def test_labels_that_are_not_as_many_as_the_rows(tmp_path: Path) -> None:
    path = npz(tmp_path, emb=np.vstack([ROWS[:1], ROWS]), taxids=LABELS)
    with pytest.raises(InputError, match=r"taxids has 40 entries for 41 rows"):
        joined(path)
    assert joined(path, labels="none").n == 41


def test_what_a_partial_join_left_out_is_counted(tmp_path: Path) -> None:
    labels = LABELS.astype(float)
    labels[:3] = np.nan  # no label
    labels[3:5] = 5  # none of the mapping
    labels[5] = labels[6]  # twice
    found = joined(npz(tmp_path, emb=ROWS, taxid=labels))
    assert found.told == (
        "2 labels of the table are not in the mapping.",
        "3 rows have no entry in taxid.",
        "1 row has a label of taxid that an earlier row has: the first counts.",
        "6 nodes of the mapping have no row in the table.",
    )
    assert (found.unmatched, found.repeated) == (2, 1)


def test_labels_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of its row labels \(sp 0, sp 1, sp 2, \.\.\.\)"):
        joined(npz(tmp_path, emb=ROWS, names=np.array([f"sp {k}" for k in range(N)])))
    with pytest.raises(UsageError, match="there are: names; `none` takes row k for idx k"):
        joined(npz(tmp_path, emb=ROWS, names=LABELS), labels="taxids")


def frames() -> dict[str, pd.DataFrame]:
    plain = pd.DataFrame(ROWS, columns=COLUMNS)
    named = plain.assign(taxid=LABELS)
    strangers = named.assign(norm=1.5, loss=0.25, x=RNG_VALUES, split="train")
    return {
        "a column": named,
        "a column of floats": plain.assign(taxid=LABELS.astype(float)),
        "a column of categories": plain.assign(taxid=pd.Categorical(LABELS.astype(str))),
        "strangers": strangers,
        "an index": plain.set_index(LABELS),
        "an index of texts": plain.set_index(LABELS.astype(str)),
        "a named index": named.set_index("taxid"),
        "a shuffled index beside": named.sample(frac=1, random_state=3),
        "a column of lists": pd.DataFrame({"taxid": LABELS, "vector": list(ROWS)}),
        "numbers as columns": pd.DataFrame(ROWS, columns=list(map(str, range(DIM)))).assign(
            taxid=LABELS
        ),
        "columns in the order of text": named[sorted(named.columns, reverse=True)],
    }


@pytest.mark.parametrize("form", frames())
@pytest.mark.parametrize("kind", ["parquet", "feather", "pickle", "csv", "tsv", "csv.gz"])
def test_frames(tmp_path: Path, form: str, kind: str) -> None:
    frame, path = frames()[form], tmp_path / f"a.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "feather":
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index(names="label")
        frame.to_feather(path)
    elif kind == "pickle":
        frame.to_pickle(path, protocol=4)
    else:
        if form == "a column of lists":
            frame = frame.assign(vector=frame.vector.map(list))
        frame.to_csv(path, sep="\t" if kind == "tsv" else ",")
    found = assert_right(path)
    assert found.by_labels
    assert found.checkpoint.dim == DIM


def test_a_numbered_run_that_has_a_gap_is_no_table(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=COLUMNS).drop(columns="emb_2")
    frame.to_parquet(path := tmp_path / "a.parquet")
    with pytest.raises(InputError, match="columns emb_0 to emb_3 lack number 2"):
        open_checkpoint(str(path))


def test_two_runs_are_asked_for(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        np.hstack([ROWS, ROWS]), columns=[f"{p}_{k}" for p in "pq" for k in range(DIM)]
    )
    frame.assign(taxid=LABELS).to_parquet(path := tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"p 40x4 float64, q 40x4 float64; say which with `key`"):
        open_checkpoint(str(path))
    assert_right(path, key="q")


@pytest.mark.parametrize(
    "tree",
    [
        {int(t): row for t, row in zip(LABELS, ROWS, strict=True)},
        {str(t): row.tolist() for t, row in zip(LABELS, ROWS, strict=True)},
        {"embeddings": list(ROWS), "taxids": LABELS.tolist()},
        {"embeddings": ROWS, "labels": LABELS.astype(str).astype(object)},
        {"embeddings": ROWS, "taxid_to_idx": {int(t): k for k, t in enumerate(LABELS)}},
        [{"taxid": int(t), "vector": r.tolist()} for t, r in zip(LABELS, ROWS, strict=True)],
        (ROWS, LABELS.tolist()),
    ],
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_tables_in_pieces(tmp_path: Path, tree: object, protocol: int) -> None:
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(tree, protocol))
    assert assert_right(path).by_labels


def test_a_dict_that_numpy_saved(tmp_path: Path) -> None:
    np.save(path := tmp_path / "a.npy", dict(zip(LABELS.tolist(), ROWS, strict=True)))  # type: ignore[arg-type]
    assert assert_right(path).by_labels


def test_a_list_of_vectors_is_in_the_order_of_idx(tmp_path: Path) -> None:
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(list(TABLE)))
    assert not assert_right(path).by_labels


def test_pairs_without_a_mapping_are_labels(tmp_path: Path) -> None:
    from tests.rules import builders

    derived = builders.mapping(TAXIDS[DEALT], derived=True)
    opened = open_checkpoint(str(npz(tmp_path, emb=ROWS, idx=LABELS)))
    assert align(opened, derived).row_of.tolist() == list(range(N))
    assert MAPPING.nodes == N


def test_columns_of_a_dict_and_fields_of_records(tmp_path: Path) -> None:
    columns = {"taxid": LABELS.tolist(), **dict(zip(COLUMNS, ROWS.T.tolist(), strict=True))}
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(columns))
    assert assert_right(path).by_labels
    kinds = [("taxid", "i8"), *((name, "f8") for name in COLUMNS)]
    records = np.array([(t, *r) for t, r in zip(LABELS, ROWS, strict=True)], dtype=kinds)
    np.save(path := tmp_path / "a.npy", records)
    assert assert_right(path).by_labels
    kinds = [("taxid", "i8"), ("vector", "f4", (DIM,))]
    records = np.array([(t, r) for t, r in zip(LABELS, ROWS, strict=True)], dtype=kinds)
    np.savez(path := tmp_path / "a.npz", records=records)
    assert assert_right(path).by_labels


def test_a_table_that_may_be_transposed_is_told(tmp_path: Path) -> None:
    np.save(path := tmp_path / "a.npy", TABLE.T)
    assert joined(path).left_out == (
        "The table has 4 rows and a column for each of 40 nodes: it may be transposed.",
    )


def test_identifiers_of_far_fewer_rows_are_told(tmp_path: Path) -> None:
    path = npz(tmp_path, embeddings=TABLE, taxids=LABELS[:9])
    (told,) = joined(path).checkpoint.guesses
    assert told == "taxids has 9 entries for 40 rows and names none of them."
    assert joined(path, labels="none").checkpoint.guesses == ()


def test_of_several_tables_in_pieces_none_is_taken_silently(tmp_path: Path) -> None:
    def named(rows: np.ndarray) -> dict[str, list[float]]:
        return dict(zip(map(str, LABELS), rows.tolist(), strict=True))

    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps({"old": named(ROWS[::-1]), "final": named(ROWS)}))
    found = assert_right(path).checkpoint
    assert found.key == "final.vectors"
    assert "as many rows have old.vectors 40x4 float64" in found.guesses[0]
    assert joined(path, key="old.vectors").by_labels
    path.write_bytes(pickle.dumps({"train": named(ROWS), "test": named(ROWS[::-1])}))
    with pytest.raises(InputError, match=r"could be the table: train\.vectors .*test\.vectors"):
        joined(path)


def test_columns_that_no_number_names_are_a_guess(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcd")).assign(taxid=LABELS)
    frame.to_parquet(path := tmp_path / "a.parquet")
    assert assert_right(path).checkpoint.guesses == ("The vectors are the columns a, b, c, d.",)
    frame.rename(columns=dict(zip("abcd", COLUMNS, strict=True))).to_parquet(path)
    found = assert_right(path).checkpoint
    assert found.guesses == ()
    assert found.notes[0] == "The vectors are the columns emb_0 to emb_3."
