"""The common formats, opened from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from taxcheck.model.errors import InputError, UsageError
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.opening import open_checkpoint

ROWS = np.array([[0.1, 0.2], [0.3, -0.4], [-0.6, 0.0]])


def test_npy(tmp_path: Path) -> None:
    np.save(path := tmp_path / "table.npy", ROWS.astype(np.float32))
    opened = open_checkpoint(str(path))
    assert (opened.format, opened.key, opened.dtype) == ("npy", "array", "float32")
    assert (opened.rows, opened.dim, opened.bytes) == (3, 2, path.stat().st_size)
    assert opened.reading.geometry is Geometry.BALL
    assert opened.fingerprint.startswith("blake3:")
    np.testing.assert_array_equal(opened.vectors, ROWS.astype(np.float32))
    assert isinstance(opened.vectors.base, np.memmap)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_labels(tmp_path: Path, save: object) -> None:
    path = tmp_path / "table.npz"
    save(path, vectors=ROWS, taxids=np.array([1, 9606, 7586]))  # type: ignore[operator]
    opened = open_checkpoint(str(path))
    assert opened.labels is not None
    assert opened.labels.to_pylist() == [1, 9606, 7586]
    np.testing.assert_array_equal(opened.vectors, ROWS)


def test_what_is_given_is_certain(tmp_path: Path) -> None:
    np.savez(path := tmp_path / "two.npz", a=ROWS, b=ROWS)
    with pytest.raises(InputError, match="a 3x2 float64, b 3x2 float64; say which with `key`"):
        open_checkpoint(str(path))
    opened = open_checkpoint(str(path), key="b", geometry="tangent", curvature=0.5)
    assert opened.key == "b"
    assert opened.reading.geometry is Geometry.TANGENT
    assert (opened.reading.curvature, opened.reading.confidence) == (0.5, "certain")
    with pytest.raises(UsageError, match="`geometry` sphere: is none of ball, lorentz"):
        open_checkpoint(str(path), key="b", geometry="sphere")
    with pytest.raises(UsageError, match="`curvature` -1"):
        open_checkpoint(str(path), key="b", curvature=-1)
    with pytest.raises(InputError, match="holds no array 'c'; `key` can be: a 3x2"):
        open_checkpoint(str(path), key="c")
