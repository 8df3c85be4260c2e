"""Named corruptions of sound datasets, each with exactly what it makes the rules find.

A corruption takes a dataset and a seeded generator, and gives the damaged dataset with the verdict
of every rule that must differ from the sound dataset's. Expected counts are worked out by plain
reasoning on the small data; nothing of the product takes part in that.
"""

from __future__ import annotations

from taxcheck.selftest.corruptions import (
    closure,
    dag,
    draws,
    incident,
    mapping,
    pair_rows,
    pair_sense,
    table_rows,
    table_scores,
    taxonomy,
    training,
    tree,
    untrained,
)
from taxcheck.selftest.corruptions.frame import DatasetFrame, TaxonomyFrame
from taxcheck.selftest.corruptions.registry import (
    CORRUPTIONS,
    SKIPPED,
    Corrupted,
    Corruption,
    Verdict,
)

__all__ = [
    "CORRUPTIONS", "FAMILIES", "SKIPPED", "Corrupted", "Corruption", "DatasetFrame",
    "TaxonomyFrame", "Verdict",
]  # fmt: skip

# Importing a family enters its corruptions into the library.
FAMILIES = (
    mapping, pair_rows, pair_sense, incident, tree, closure, draws, taxonomy, dag,
    table_rows, untrained, table_scores, training,
)  # fmt: skip
