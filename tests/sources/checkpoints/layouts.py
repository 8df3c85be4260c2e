"""A table whose rows are dealt anew, and who each row then is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from taxcheck.audit.alignment import Aligned, align
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.rules import builders

N, DIM = 40, 4
RNG = np.random.default_rng(5)
TAXIDS = np.sort(RNG.choice(np.arange(7_000, 90_000), N, replace=False))
TABLE = RNG.uniform(-0.4, 0.4, (N, DIM))
DEALT = RNG.permutation(N)  # row k of a file is that of idx DEALT[k]
ROWS, LABELS = TABLE[DEALT], TAXIDS[DEALT]
MAPPING = builders.mapping(TAXIDS)


def joined(path: Path, **asked: Any) -> Aligned:
    """The table of a file, joined to the mapping of TAXIDS to 0, 1, 2 ..."""
    return align(open_checkpoint(str(path), **asked), MAPPING)


def assert_right(path: Path, tolerance: float = 1e-6, **asked: Any) -> Aligned:
    """Whether each idx has its own row of TABLE."""
    found = joined(path, **asked)
    np.testing.assert_allclose(found.vectors(np.arange(N)), TABLE, atol=tolerance)
    return found
