"""What was spooled comes back whole, from memory or from a file, in the order of the source."""

from __future__ import annotations

import errno
import tempfile

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.statistics import spool as module
from taxcheck.statistics.spool import PairSpool
from tests.statistics.small_taxonomy import ids

NAMES = ("rows", "ancestor", "descendant", "depth_diff", "marks")
BATCHES = [
    (ids(7, 9, 10), ids(0, 1, 2), ids(3, 4, 5), ids(1, 255, 0), None),
    (ids(2, 3), ids(6, 2**31 - 1), ids(0, 1), ids(256, 1), np.array([0, 4], np.uint8)),
    (ids(4, 5, 6), ids(1, 1, 1), ids(2, 3, 4), ids(-1, 2, 70_000), None),
    (ids(20), ids(8), ids(9), None, np.array([7], np.uint8)),
]


@pytest.fixture
def no_disk(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)


def filled():
    spool = PairSpool(has_depth=True)
    for batch in BATCHES:
        spool.append(*batch)
    spool.append(ids(), ids(), ids(), None)
    return spool


@pytest.mark.parametrize("limit", [1 << 20, 60, 0])
def test_batches_come_back_by_ascending_rows(monkeypatch, limit):
    monkeypatch.setattr(module, "MEMORY_LIMIT", limit)
    spool = filled()
    assert (len(spool), spool.has_depth) == (9, True)
    for _ in range(2):  # and once more
        found = list(spool.batches())
        assert [batch.rows[0] for batch in found] == [2, 4, 7, 20]
        for batch, source in zip(found, [BATCHES[k] for k in (1, 2, 0, 3)], strict=True):
            for name, column in zip(NAMES, source, strict=True):
                back = getattr(batch, name)
                if column is None:
                    assert back is None
                else:
                    assert (back.tolist(), back.dtype) == (column.tolist(), column.dtype)
    spool.close()
    assert (len(spool), list(spool.batches())) == (0, [])


@pytest.mark.parametrize(
    ("rows", "distances", "marks", "size"),
    [
        (ids(3, 4), None, None, 16),
        (ids(3, 4), ids(0, 255), None, 18),
        (ids(3, 4), ids(1, 256), None, 24),
        (ids(3, 5), None, None, 32),  # rows with a gap are kept too
        (ids(3, 4), None, np.array([1, 2], np.uint8), 18),
    ],
)
@pytest.mark.usefixtures("no_disk")
def test_a_pair_takes_few_bytes(monkeypatch, rows, distances, marks, size):
    for limit, repeats in ((size, 1), (2 * size, 2)):
        monkeypatch.setattr(module, "MEMORY_LIMIT", limit)
        spool = PairSpool(has_depth=True)
        for _ in range(repeats):
            spool.append(rows, ids(1, 2), ids(3, 4), distances, marks)
        with pytest.raises(InputError):
            spool.append(ids(9), ids(0), ids(1), None)
    monkeypatch.setattr(module, "MEMORY_LIMIT", size - 1)
    with pytest.raises(InputError):
        PairSpool(has_depth=True).append(rows, ids(1, 2), ids(3, 4), distances, marks)


@pytest.mark.usefixtures("no_disk")
def test_a_full_disk_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(module, "MEMORY_LIMIT", 16)
    spool = PairSpool(has_depth=False)
    spool.append(ids(1, 2), ids(0, 0), ids(1, 2), None)
    with pytest.raises(InputError) as told:
        spool.append(ids(3), ids(0), ids(3), None)
    assert str(told.value) == (
        f"no room for more than 2 pairs in {tempfile.gettempdir()}: "
        "No space left on device; set TMPDIR to a folder with more space"
    )


@pytest.mark.usefixtures("no_disk")
def test_eighty_million_pairs_stay_in_memory():
    filled()
    assert 9 * 80_000_000 < module.MEMORY_LIMIT < 9 * 85_000_000


def test_closing_gives_the_file_back(monkeypatch):
    made = []
    monkeypatch.setattr(module, "MEMORY_LIMIT", 0)
    real = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: made.append(real()) or made[-1])
    spool = filled()
    (file,) = made
    assert not file.closed
    spool.close()
    assert file.closed
    PairSpool(has_depth=True).close()


def test_the_pairs_of_some_descendants():
    spool = PairSpool(has_depth=True)
    spool.append(np.array([4, 5]), ids(0, 1), ids(2, 3), ids(1, 1), None, np.float32([7, 8]))
    spool.append(np.array([1, 2, 3]), ids(0, 0, 0), ids(1, 2, 1), ids(1, 2, 1), np.uint8([0, 2, 0]))
    marked = np.array([False, False, True, False])
    found = list(spool.below(marked))
    assert [one.rows.tolist() for one in found] == [[2], [4]]
    assert [one.ancestor.tolist() for one in found] == [[0], [0]]
    assert [one.depth_diff.tolist() for one in found] == [[2], [1]]
    assert (found[0].marks.tolist(), found[1].weight.tolist()) == ([2], [7])
    assert list(spool.below(np.zeros(4, dtype=bool))) == []
    assert [len(one.rows) for one in spool.below(np.ones(4, dtype=bool))] == [3, 2]
