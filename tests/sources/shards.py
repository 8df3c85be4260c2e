"""Pairs whose rows say their number, as they are read behind an address."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_pairs

ROWS = 1000


def table(at: int = 0) -> pa.Table:
    """Pairs of which every row has an ancestor of its own number."""
    number = np.arange(at * ROWS, (at + 1) * ROWS)
    return pa.table({"ancestor_idx": number, "descendant_idx": number + 7})


def values(given: str | tuple[str, ...]) -> list[int]:
    return [v for raw in open_pairs(given).batches() for v in raw.columns["ancestor"].to_pylist()]


def refused(given: str | tuple[str, ...]) -> str:
    with pytest.raises(InputError) as found:
        values(given)
    assert "\n" not in str(found.value)
    return str(found.value)
