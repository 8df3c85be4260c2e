"""The sound datasets that corruptions start from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from fixtures.rules.trees import starfish
from taxcheck.selftest.corruptions.frame import DatasetFrame, TaxonomyFrame
from taxcheck.selftest.sound import variant
from taxcheck.selftest.starfish import one_genus, trained_starfish

FIXTURES = Path(__file__).parents[2] / "fixtures"
DATA = ("tree", "tree with taxonomy", "tree without depths", "labels", "DAG")
TABLES = ("table", "table of a genus")
BASES = DATA + TABLES
_TERMS = 300


@cache
def base(name: str) -> DatasetFrame:
    """One of BASES; whoever takes it must not change its frames in place."""
    if name == "DAG":
        return _part_of_uberon()
    if name == "table":
        return trained_starfish(*starfish())
    if name == "table of a genus":
        return one_genus()
    folder = FIXTURES / "healthy"
    frame = DatasetFrame(
        mapping=pd.read_csv(folder / "mapping.tsv", sep="\t"),
        pairs=pd.read_parquet(folder / "pairs.parquet").astype(np.int64),
        taxonomy=_taxdump(folder / "taxdump") if name == "tree with taxonomy" else None,
    )
    return variant(frame, name)


def _taxdump(folder: Path) -> TaxonomyFrame:
    def cells(name: str) -> list[list[str]]:
        lines = (folder / name).read_text().splitlines()
        return [line.removesuffix("\t|").split("\t|\t") for line in lines]

    nodes = [(int(row[0]), int(row[1]), row[2]) for row in cells("nodes.dmp")]
    return TaxonomyFrame(
        nodes=pd.DataFrame(nodes, columns=["taxid", "parent", "rank"]),
        names={int(row[0]): row[1] for row in cells("names.dmp")},
    )


def _part_of_uberon() -> DatasetFrame:
    """Some terms and all of their ancestors: closed upwards, so distances and depths stay true."""
    mapping = pd.read_csv(FIXTURES / "uberon" / "mapping.tsv", sep="\t")
    pairs = pd.read_parquet(FIXTURES / "uberon" / "pairs.parquet").astype(np.int64)
    generator = np.random.default_rng(7)
    chosen = generator.choice(mapping["idx"].to_numpy(), size=_TERMS, replace=False)
    above = pairs.loc[pairs["descendant_idx"].isin(chosen), "ancestor_idx"]
    kept = np.union1d(chosen, above.to_numpy())
    number = pd.Series(range(len(kept)), index=kept)
    pairs = pairs[pairs["descendant_idx"].isin(kept)].reset_index(drop=True)
    for end in ("ancestor_idx", "descendant_idx"):
        pairs[end] = pairs[end].map(number).astype(np.int64)
    identifiers = mapping.set_index("idx")["identifier"].loc[kept]
    return DatasetFrame(
        pd.DataFrame({"identifier": identifiers.to_numpy(), "idx": range(len(kept))}), pairs
    )
