"""Many files read as one table, in a fixed order; rows are numbered on from file to file."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3
from pyarrow import csv, feather

from taxcheck.model.errors import InputError
from taxcheck.model.paths import Paths
from taxcheck.sources.tables import text_parts
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.tables.opening import open_mapping, open_pairs
from taxcheck.sources.tables.source import Partition, PartitionRead, TableSource

Write = Callable[[pa.Table, Path], None]
ROWS = 1000


def pairs(first: int = 0, rows: int = ROWS) -> pa.Table:
    """Pairs of which every row has an ancestor of its own number."""
    number = np.arange(first, first + rows)
    return pa.table({"ancestor_idx": number, "descendant_idx": number + 7})


def as_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=90)


def as_feather(table: pa.Table, path: Path) -> None:
    feather.write_feather(table, path, chunksize=90)


def as_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=90)


def as_text(delimiter: str) -> Write:
    def write(table: pa.Table, path: Path) -> None:
        csv.write_csv(table, path, csv.WriteOptions(delimiter=delimiter))

    return write


def as_gzip(table: pa.Table, path: Path) -> None:
    as_text("\t")(table, path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def as_bare(table: pa.Table, path: Path) -> None:
    csv.write_csv(table, path, csv.WriteOptions(include_header=False, delimiter="\t"))


def as_pickle(table: pa.Table, path: Path) -> None:
    path.write_bytes(pickle.dumps(table.to_pydict()))


FORMATS: dict[str, tuple[Write, int]] = {  # and the lines before the first row
    "parquet": (as_parquet, 0),
    "feather": (as_feather, 0),
    "arrow": (as_stream, 0),
    "tsv": (as_text("\t"), 1),
    "csv": (as_text(","), 1),
    "tsv.gz": (as_gzip, 1),
    "bare": (as_bare, 0),
    "pkl": (as_pickle, 0),
}


def shards(folder: Path, kind: str = "parquet", count: int = 3) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"part-{at + 8}.{kind}" for at in range(count)]  # 8, 9, 10
    for at, path in enumerate(paths):
        FORMATS[kind][0](pairs(ROWS * at), path)
    return paths


def numbered(source: TableSource) -> dict[int, int]:
    """Row number -> the number that stands in the row."""
    return in_rows(source.batches())


def in_rows(batches: Iterable[RawBatch]) -> dict[int, int]:
    found: dict[int, int] = {}
    for raw in batches:
        values = map(int, raw.columns["ancestor"].to_pylist())
        found |= dict(enumerate(values, start=raw.first_row))
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_files_are_one_table(tmp_path: Path, kind: str) -> None:
    shards(tmp_path / "pairs", kind)
    above = FORMATS[kind][1]
    source = open_pairs(str(tmp_path / "pairs"))
    expected = {
        at * (ROWS + above) + above + 1 + row: at * ROWS + row
        for at in range(3)
        for row in range(ROWS)
    }
    assert numbered(source) == expected
    assert numbered(source) == expected  # as often as needed
    summary = source.summary()
    assert summary.rows == 3 * ROWS
    assert [Path(one.path).name for one in summary.files] == [
        f"part-{number}.{kind}" for number in (8, 9, 10)
    ]
    assert [one.rows for one in summary.files] == [ROWS] * 3
    assert source.table.places is not None
    assert source.table.places.starts.tolist() == [0, ROWS + above, 2 * (ROWS + above)]


@pytest.mark.parametrize("how", ["folder", "pattern", "list", "deep"])
def test_every_way_to_name_them(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shards(tmp_path / "pairs")
    monkeypatch.chdir(tmp_path)
    given: Paths = {
        "folder": "pairs",
        "pattern": "pairs/part-*.parquet",
        "list": ("pairs/part-8.parquet", "pairs/part-9.parquet", "pairs/part-10.parquet"),
        "deep": "**/*.parquet",
    }[how]  # type: ignore[assignment]
    source = open_pairs(given)
    assert list(numbered(source).values()) == list(range(3 * ROWS))
    if how != "deep":  # names are seen from the folder that they are in
        assert source.table.fingerprint() == open_pairs(str(tmp_path / "pairs")).table.fingerprint()


def test_a_list_is_read_in_its_order(tmp_path: Path) -> None:
    first, second, third = map(str, shards(tmp_path))
    source = open_pairs((third, first, second))
    assert list(numbered(source).values())[:ROWS] == list(range(2 * ROWS, 3 * ROWS))
    assert [one.path for one in source.summary().files] == [third, first, second]
    assert source.table.fingerprint() != open_pairs((first, second, third)).table.fingerprint()


def test_one_file_reads_as_it_always_did(tmp_path: Path) -> None:
    (path,) = shards(tmp_path / "pairs", count=1)
    alone, inside = open_pairs(str(path)), open_pairs(str(tmp_path / "pairs" / "*.parquet"))
    for source in (alone, inside):
        assert list(numbered(source)) == list(range(1, ROWS + 1))
    assert inside.summary() == alone.summary()
    assert alone.summary().files == ()
    assert alone.table.fingerprint() == f"blake3:{blake3(path.read_bytes()).hexdigest()}"


def test_the_fingerprint_is_over_name_size_and_digest(tmp_path: Path) -> None:
    paths = shards(tmp_path / "pairs")
    by_hand = blake3()
    for path in paths:
        digest = blake3(path.read_bytes()).hexdigest()
        by_hand.update(f"{path.name}\0{path.stat().st_size}\0blake3:{digest}\n".encode())
    source = open_pairs(str(tmp_path / "pairs"))
    assert source.table.fingerprint() == f"blake3:{by_hand.hexdigest()}"


def test_keys_of_folders_are_columns(tmp_path: Path) -> None:
    for distance in (1, 2):
        folder = tmp_path / "pairs" / f"depth_diff={distance}" / "split=train"
        folder.mkdir(parents=True)
        pq.write_table(pairs(ROWS * distance), folder / "part-0.parquet")
    source = open_pairs(str(tmp_path / "pairs"))
    assert source.columns.roles["depth_diff"] == "depth_diff"
    (first, second) = source.batches()
    assert set(first.columns["depth_diff"].to_pylist()) == {1}
    assert set(second.columns["depth_diff"].to_pylist()) == {2}
    notes = source.summary().notes
    assert "Folders named split=... are a column 'split' with the value train." in notes
    assert source.reading().unread == ("split",)
    assert source.reading().guesses == ()


def test_keys_are_written_as_hive_writes_them(tmp_path: Path) -> None:
    for kind in ("a%2Fb", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / "pairs" / f"weight={kind}").mkdir(parents=True)
        pq.write_table(pairs(rows=2), tmp_path / "pairs" / f"weight={kind}" / "part-0.parquet")
    weights = [raw.columns["weight"] for raw in open_pairs(str(tmp_path / "pairs")).batches()]
    assert [column.to_pylist() for column in weights] == [[None, None], ["a/b", "a/b"]]


def test_a_key_that_only_some_files_have(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    (tmp_path / "pairs" / "split=test").mkdir()
    as_parquet(pairs(), tmp_path / "pairs" / "split=test" / "part-0.parquet")
    assert "some files lie in a folder named split=... and others do not" in refused(
        str(tmp_path / "pairs")
    )


def test_splits_that_are_read_together_are_told_beside_the_verdict(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "pairs" / f"split={split}").mkdir(parents=True)
        pq.write_table(pairs(), tmp_path / "pairs" / f"split={split}" / "part-0.parquet")
    source = open_pairs(str(tmp_path / "pairs"))
    (guess,) = source.reading().guesses
    assert guess.startswith("Files of split = test, train are read as one table")
    only = open_pairs(str(tmp_path / "pairs" / "split=train"))
    assert only.reading().guesses == ()
    assert only.table.column_names == ("ancestor_idx", "descendant_idx")


def test_the_key_of_a_single_file_is_a_column_too(tmp_path: Path) -> None:
    (tmp_path / "pairs" / "depth_diff=1").mkdir(parents=True)
    pq.write_table(pairs(), tmp_path / "pairs" / "depth_diff=1" / "part-0.parquet")
    (batch,) = open_pairs(str(tmp_path / "pairs")).batches()
    assert batch.columns["depth_diff"].to_pylist() == [1] * ROWS


def test_an_empty_shard_is_no_fault_but_told(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    pq.write_table(pairs(rows=0), tmp_path / "pairs" / "part-9b.parquet")
    source = open_pairs(str(tmp_path / "pairs"))
    assert len(numbered(source)) == 3 * ROWS
    assert "part-9b.parquet has no rows." in source.summary().notes


@pytest.mark.parametrize("kind", ["tsv", "csv"])
def test_a_text_of_its_header_alone_is_an_empty_shard(tmp_path: Path, kind: str) -> None:
    shards(tmp_path / "pairs", kind)
    FORMATS[kind][0](pairs(rows=0), tmp_path / "pairs" / f"part-1.{kind}")
    source = open_pairs(str(tmp_path / "pairs"))
    assert len(numbered(source)) == 3 * ROWS
    assert f"part-1.{kind} has no rows." in source.summary().notes


def test_names_that_are_no_tables_by_convention(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    for name in ("_SUCCESS", ".part-8.parquet.crc", "README.md", "LICENSE"):
        (tmp_path / "pairs" / name).write_text("of no concern")
    (tmp_path / "pairs" / "_temporary").mkdir()
    (tmp_path / "pairs" / "_temporary" / "part-8.parquet").write_text("half")
    source = open_pairs(str(tmp_path / "pairs"))
    assert len(numbered(source)) == 3 * ROWS
    (note,) = (n for n in source.summary().notes if n.startswith("Not part of the table"))
    assert "_SUCCESS" in note
    assert "README.md" in note


def refused(given: Paths) -> str:
    with pytest.raises(InputError) as found:
        for _ in open_pairs(given).batches():
            pass
    assert "\n" not in str(found.value)
    return str(found.value)


def test_what_else_cannot_be_read_is_refused(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    (tmp_path / "pairs" / "notes.docx").write_bytes(b"PK\x03\x04" + bytes(100))
    assert "notes.docx: cannot be read as a zip archive" in refused(str(tmp_path / "pairs"))


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    os.mkfifo(tmp_path / "pairs" / "part-11.parquet")
    assert "part-11.parquet: is no plain file" in refused(str(tmp_path / "pairs"))


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    shards(tmp_path / "elsewhere")
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "pairs")
    assert len(numbered(open_pairs(str(tmp_path / "pairs")))) == 3 * ROWS


def test_a_folder_or_pattern_without_a_table(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    assert "a folder without a table file; check" in refused(str(tmp_path / "pairs"))
    (tmp_path / "pairs" / "_SUCCESS").touch()
    assert "without a table file (only _SUCCESS)" in refused(str(tmp_path / "pairs"))
    assert "matches no file; check" in refused(str(tmp_path / "pairs" / "*.parquet"))
    assert "no such file" in refused((str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv")))


def test_a_file_that_is_given_twice(tmp_path: Path) -> None:
    first, *_ = shards(tmp_path / "pairs")
    assert "is given twice" in refused((str(tmp_path / "pairs"), str(first)))


def test_a_file_named_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    as_parquet(pairs(), tmp_path / "pairs[1].parquet")
    assert len(numbered(open_pairs(str(tmp_path / "pairs[1].parquet")))) == ROWS


def test_other_columns(tmp_path: Path) -> None:
    first, *_ = shards(tmp_path / "pairs")
    other = tmp_path / "pairs" / "part-9.parquet"
    pq.write_table(pairs().append_column("depth_diff", pa.array([1] * ROWS)), other)
    said = refused(str(tmp_path / "pairs"))
    assert said.startswith(f"{other}: has the columns 'ancestor_idx'")
    assert str(first) in said


def test_other_types(tmp_path: Path) -> None:
    first, *_ = shards(tmp_path / "pairs")
    other = tmp_path / "pairs" / "part-9.parquet"
    mixed = pa.schema({"ancestor_idx": "int64", "descendant_idx": "string"})
    pq.write_table(pairs().cast(mixed), other)
    assert refused(str(tmp_path / "pairs")) == (
        f"{other}: column 'descendant_idx' holds texts, in {first} whole numbers; write all files "
        "with one schema"
    )


def test_widths_and_order_of_columns_may_differ(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    turned = pairs(ROWS).select(["descendant_idx", "ancestor_idx"])
    narrow = turned.cast(pa.schema({"descendant_idx": "int32", "ancestor_idx": "uint16"}))
    pq.write_table(narrow, tmp_path / "pairs" / "part-9.parquet")
    found = numbered(open_pairs(str(tmp_path / "pairs")))
    assert list(found.values()) == list(range(3 * ROWS))


def test_the_same_data_in_two_formats_is_not_read_twice(tmp_path: Path) -> None:
    shards(tmp_path / "pairs", count=1)
    shards(tmp_path / "pairs", "tsv", count=1)
    assert "holds cells of a text file" in refused(str(tmp_path / "pairs"))


@pytest.mark.parametrize("kind", ["tsv", "csv"])
def test_a_header_in_one_file_alone(tmp_path: Path, kind: str) -> None:
    paths = shards(tmp_path / "pairs", kind)
    paths[1].write_text("".join(paths[1].read_text().splitlines(keepends=True)[1:]))
    said = refused(str(tmp_path / "pairs"))
    assert said.startswith(f"{paths[1]}: its first line, 1000")
    assert str(paths[0]) in said


def test_a_mapping_beside_pairs(tmp_path: Path) -> None:
    as_parquet(pairs(), tmp_path / "pairs.parquet")
    pq.write_table(pa.table({"taxid": [1], "idx": [0]}), tmp_path / "mapping.parquet")
    assert refused(str(tmp_path)) == (
        f"{tmp_path}/mapping.parquet: looks like a mapping, and {tmp_path}/pairs.parquet like "
        "pairs; give each by itself"
    )


@pytest.mark.parametrize("kind", ["parquet", "feather", "tsv.gz"])
def test_a_shard_that_was_cut_off(tmp_path: Path, kind: str) -> None:
    _, middle, _ = shards(tmp_path / "pairs", kind)
    middle.write_bytes(middle.read_bytes()[:-40])
    assert refused(str(tmp_path / "pairs")).startswith(f"{middle}: cannot be read as")


def test_an_empty_file_among_others(tmp_path: Path) -> None:
    _, middle, _ = shards(tmp_path / "pairs")
    middle.write_bytes(b"")
    assert refused(str(tmp_path / "pairs")).startswith(f"{middle}: the file is empty")


@pytest.mark.parametrize("change", ["grown", "gone"])
def test_a_file_that_changes_between_the_passes(tmp_path: Path, change: str) -> None:
    _, middle, _ = shards(tmp_path / "pairs")
    source = open_pairs(str(tmp_path / "pairs"))
    numbered(source)
    if change == "grown":
        as_parquet(pairs(0, 2 * ROWS), middle)
    else:
        middle.unlink()
    with pytest.raises(InputError, match=r"part-9.parquet: (changed while|vanished)"):
        numbered(source)


def test_a_mapping_of_many_files(tmp_path: Path) -> None:
    for at in range(3):
        table = pa.table({"taxid": np.arange(10) + 10 * at, "idx": np.arange(10) + 10 * at})
        pq.write_table(table, tmp_path / f"part-{at}.parquet")
    source = open_mapping(str(tmp_path))
    assert sum(batch.rows for batch in source.batches()) == 30


# -- Hugging Face


def saved(folder: Path, names: list[str], **state: object) -> None:
    """A folder as ``save_to_disk`` leaves it."""
    folder.mkdir(parents=True)
    for at, name in enumerate(names):
        as_stream(pairs(ROWS * at), folder / name)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": name} for name in names], **state})
    )


def test_a_folder_of_hugging_face(tmp_path: Path) -> None:
    names = ["data-00001-of-00002.arrow", "data-00000-of-00002.arrow"]  # not by the alphabet
    saved(tmp_path / "pairs", names)
    as_stream(pairs(), tmp_path / "pairs" / "cache-0123.arrow")
    source = open_pairs(str(tmp_path / "pairs"))
    assert list(numbered(source).values()) == list(range(2 * ROWS))
    notes = source.summary().notes
    assert any("order of state.json" in note for note in notes)
    assert any("cache-0123.arrow" in note for note in notes)


def test_several_splits_are_asked_about(tmp_path: Path) -> None:
    for split in ("train", "test"):
        saved(tmp_path / "all" / split, ["data-00000-of-00001.arrow"])
    (tmp_path / "all" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert refused(str(tmp_path / "all")) == (
        f"{tmp_path}/all: holds the splits train, test of a dataset; give the one that is meant, "
        f"such as {tmp_path}/all/train"
    )


def test_a_folder_of_hugging_face_that_is_not_whole(tmp_path: Path) -> None:
    saved(tmp_path / "pairs", ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"])
    (tmp_path / "pairs" / "data-00001-of-00002.arrow").unlink()
    assert "lists data-00001-of-00002.arrow, which is missing" in refused(str(tmp_path / "pairs"))
    saved(tmp_path / "chosen", ["a.arrow"], _indices_data_files=[{"filename": "indices.arrow"}])
    assert "flatten_indices" in refused(str(tmp_path / "chosen"))
    (tmp_path / "chosen" / "state.json").write_text("{")
    assert "state.json: is no JSON" in refused(str(tmp_path / "chosen"))


@pytest.mark.slow
def test_what_datasets_itself_writes(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    made = datasets.Dataset.from_dict(pairs().to_pydict())
    made.save_to_disk(str(tmp_path / "one"), num_shards=3)
    source = open_pairs(str(tmp_path / "one"))
    assert list(numbered(source).values()) == list(range(ROWS))
    assert len(source.summary().files) == 3
    made.select(range(5, 9)).save_to_disk(str(tmp_path / "some"))
    assert list(numbered(open_pairs(str(tmp_path / "some"))).values()) == [5, 6, 7, 8]
    datasets.DatasetDict(train=made, test=made).save_to_disk(str(tmp_path / "two"))
    assert "holds the splits train, test" in refused(str(tmp_path / "two"))


# -- Partitions


def read_partition(partition: Partition) -> tuple[dict[int, int], PartitionRead, int]:
    told: list[PartitionRead] = []
    rows = in_rows(partition.batches(told.append))
    return rows, told[0], os.getpid()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("count", [1, 3])
def test_partitions_are_the_table(tmp_path: Path, kind: str, count: int) -> None:
    shards(tmp_path / "pairs", kind, count)
    whole = open_pairs(str(tmp_path / "pairs"))
    source = open_pairs(str(tmp_path / "pairs"))
    partitions = [pickle.loads(pickle.dumps(one)) for one in source.partitions(rows=200)]
    assert len(partitions) == count * (4 if kind in ("parquet", "feather") else 1)
    assert [one.number for one in partitions] == list(range(len(partitions)))
    read = [read_partition(one) for one in reversed(partitions)][::-1]
    for partition, (rows, _, _) in zip(partitions, read, strict=True):
        assert partition.before < min(rows)
        assert max(rows) <= partition.before + partition.numbers
    together = {row: value for rows, _, _ in read for row, value in rows.items()}
    assert together == numbered(whole)
    source.was_read([known for _, known, _ in read])
    assert source.summary() == whole.summary()


def test_another_process_reads_a_partition(tmp_path: Path) -> None:
    shards(tmp_path / "pairs")
    partitions = open_pairs(str(tmp_path / "pairs")).partitions()
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        rows, _, process = pool.submit(read_partition, partitions[1]).result()
    assert process != os.getpid()
    assert rows == {ROWS + 1 + k: ROWS + k for k in range(ROWS)}


def test_a_partition_of_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    first, *_ = shards(tmp_path / "pairs")
    shipped = pickle.dumps(open_pairs(str(tmp_path / "pairs")).partitions()[0])
    as_parquet(pairs(5), first)
    with pytest.raises(InputError, match="changed while it was read"):
        read_partition(pickle.loads(shipped))


@pytest.mark.parametrize(
    "end", ["\n", "", "\n" * 70_000, "\n0\t1\textra\n", "\n" + "\t\n" * 70_000]
)
def test_text_is_cut_into_blocks_of_whole_lines(
    tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_parts, "_CHUNK", 1 << 15)
    monkeypatch.setattr(text_parts, "_LEAST", 1 << 15)
    path = tmp_path / "pairs.tsv"
    lines = [f"{k}\t{k + 7}" for k in range(20_000)]
    lines[10_000:10_000] = ["", "\t", "1\t2\t3"]  # rows all the same: they are refused one by one
    path.write_text("# a comment\nancestor_idx\tdescendant_idx\n" + "\n".join(lines) + end)

    def cells(batches: Iterable[RawBatch]) -> dict[int, object]:
        found: dict[int, object] = {}
        for raw in batches:
            values = zip(*(c.cast("string").to_pylist() for c in raw.columns.values()), strict=True)
            found |= dict(enumerate(values, start=raw.first_row))
        return {row: tuple(value)[:2] for row, value in found.items()}  # type: ignore[arg-type]

    whole, source = open_pairs(str(path)), open_pairs(str(path))
    partitions = source.partitions(rows=1)
    assert len(partitions) > 3
    told: list[PartitionRead] = []
    read = [cells(partition.batches(told.append)) for partition in partitions]
    assert {row: value for one in read for row, value in one.items()} == cells(whole.batches())
    source.was_read(told[::-1])
    assert source.summary() == whole.summary()


def test_separators_are_settled_for_all_partitions(tmp_path: Path) -> None:
    plain, dotted = tmp_path / "part-0.tsv", tmp_path / "part-1.tsv"
    plain.write_text("ancestor_idx\tdescendant_idx\n1\t2\n")
    dotted.write_text("ancestor_idx\tdescendant_idx\n1.000\t1.001\n")
    given = (str(plain), str(dotted))
    whole, source = open_pairs(given), open_pairs(given)
    assert list(numbered(whole).values()) == [1, 1000]
    known = [read_partition(one)[1] for one in source.partitions()]
    assert [one.meaning for one in known] == [None, "thousands"]
    source.settle_separators()
    read = [read_partition(one) for one in source.partitions()]
    assert [list(rows.values()) for rows, _, _ in read] == [[1], [1000]]
    source.was_read([one for _, one, _ in read])
    assert source.summary() == whole.summary()
