"""A file reads the same in blocks of any size: what is odd in one block does not touch the next."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.sources.contract import apply_pairs
from taxcheck.sources.tables import text
from taxcheck.sources.tables.opening import open_pairs

pytestmark = pytest.mark.long

LINES = st.lists(
    st.sampled_from(
        ["1\t2\t1", "10\t20\t3", "7\t8", "1\t2\t3\t4", "x\t2\t1", "1.0\t2\t1", "0x1f\t2\t1",
         "\t2\t1", " 3\t4\t1", "-1\t4\t1", "5\t6\t1\r", "nan\t1\t1", "99999999999999999999\t1\t1"]
    ),
    min_size=1,
    max_size=30,
)  # fmt: skip

SOUND = ["0\t1\t1"] * 40  # so that the delimiter is told from sound lines


def rows_of(path, monkeypatch, block):
    monkeypatch.setattr(text, "_BLOCK", block)
    good, bad = [], []
    for raw in open_pairs(str(path)).batches():
        batch, quarantined = apply_pairs(raw)
        columns = (batch.rows, batch.ancestor, batch.descendant, batch.depth_diff)
        good += list(zip(*(column.tolist() for column in columns), strict=True))
        bad += list(zip(quarantined.rows.tolist(), quarantined.reasons, strict=True))
    return good, bad


@given(lines=LINES, block=st.integers(40, 200))
def test_the_size_of_blocks_changes_nothing(tmp_path_factory, lines, block):
    path = tmp_path_factory.mktemp("blocks") / "p.tsv"
    header = "ancestor_idx\tdescendant_idx\tdepth_diff"
    path.write_text("\n".join([header, *SOUND, *lines]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        assert rows_of(path, patch, block) == rows_of(path, patch, 1 << 24)


def test_an_odd_line_is_counted_in_its_place(tmp_path, monkeypatch):
    path = tmp_path / "p.tsv"
    sound = [f"{k}\t{k + 1}\t1" for k in range(100)]
    lines = [*sound[:50], "50\t51", *sound[50:], "0x10\t1\t1"]
    path.write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n" + "\n".join(lines))
    good, bad = rows_of(path, monkeypatch, 64)
    assert [row for row, *_ in good] == [*range(2, 52), *range(53, 103)]
    assert bad[0] == (52, "2 fields instead of 3")
    assert bad[1][0] == 103


@pytest.mark.parametrize(
    ("end", "told"), [("4\t1", True), ("4\t1\n", False), ("4\t1\n\n", False), ("4\t1\r\n", False)]
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_last_line_without_an_end_may_be_cut(tmp_path, end, told, packed):
    path = tmp_path / "p.tsv"
    whole = ("ancestor_idx\tdescendant_idx\n" + "0\t1\n" * 10 + end).encode()
    path.write_bytes(gzip.compress(whole) if packed else whole)
    source = open_pairs(str(path))
    list(source.batches())
    assert source.perhaps_cut is told
    assert any("cut off there" in guess for guess in source.reading().guesses) is told


def test_what_ends_with_a_column_that_nobody_reads_is_whole(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("ancestor_idx\tdescendant_idx\tnote\n" + "0\t1\tx\n" * 10 + "0\t2\ty")
    source = open_pairs(str(path))
    list(source.batches())
    assert not source.perhaps_cut
