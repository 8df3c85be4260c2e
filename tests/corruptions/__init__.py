"""The corruptions of the self-test, planted into the real data of the fixtures."""

from __future__ import annotations

from taxcheck.selftest.corruptions import CORRUPTIONS, SKIPPED, Corrupted, Corruption, Verdict
from taxcheck.selftest.corruptions.frame import DatasetFrame, TaxonomyFrame
from tests.corruptions.bases import BASES, TABLES, base

__all__ = [
    "BASES", "CORRUPTIONS", "SKIPPED", "TABLES", "Corrupted", "Corruption", "DatasetFrame",
    "TaxonomyFrame", "Verdict", "base",
]  # fmt: skip
