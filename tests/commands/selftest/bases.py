"""The sound datasets that corruptions start from: the real data of the fixtures."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.cases import load_cases
from taxcheck.commands.selftest.frame import DatasetFrame, TaxonomyFrame
from tests.oracles.starfish import starfish

FIXTURES = Path(__file__).parents[3] / "fixtures"
DATA = ("tree", "tree with taxonomy", "tree without depths", "labels", "DAG", "genus")
TABLES = ("table", "table with held-out pairs", "table of a genus")
BASES = DATA + TABLES
_TERMS = 300
ASTEROIDEA = 7588  # 1,547 nodes, 7,052 pairs
CORRUPTIONS = load_cases().corruptions


@cache
def base(name: str) -> DatasetFrame:
    """One of BASES; whoever takes it must not change its frames in place."""
    if name == "DAG":
        return _part_of_uberon()
    if name in ("table", "table with held-out pairs"):
        made = load_cases().bases[name]()
        return replace(made, mapping=made.mapping.assign(taxid=list(starfish()[0])))
    if name in ("genus", "table of a genus"):
        return load_cases().bases[name]()
    folder = FIXTURES / "healthy"
    whole = DatasetFrame(
        mapping=pd.read_csv(folder / "mapping.tsv", sep="\t"),
        pairs=pd.read_parquet(folder / "pairs.parquet").astype(np.int64),
        taxonomy=_taxdump(folder / "taxdump") if name == "tree with taxonomy" else None,
    )
    return (whole if whole.taxonomy else _clade(whole, ASTEROIDEA)).variant(name)


def _clade(whole: DatasetFrame, taxid: int) -> DatasetFrame:
    """A node and all below it, numbered anew in order of taxid as the whole is."""
    pairs = whole.pairs
    root = whole.mapping.loc[whole.mapping["taxid"] == taxid, "idx"].item()
    below = pairs[pairs["ancestor_idx"] == root]
    kept = np.sort(np.append(below["descendant_idx"], root))
    pairs = pairs[pairs["ancestor_idx"].isin(kept)].reset_index(drop=True)
    for end in ("ancestor", "descendant"):
        pairs[f"{end}_idx"] = np.searchsorted(kept, pairs[f"{end}_idx"])
        pairs[f"{end}_depth"] -= below["ancestor_depth"].iloc[0]
    taxids = whole.mapping["taxid"].to_numpy()[kept]  # a row's idx is its position
    return DatasetFrame(pd.DataFrame({"taxid": taxids, "idx": range(len(kept))}), pairs)


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


# Those that a repair takes: data without a table, under a mapping.
REPAIRABLE = [
    name
    for name, c in CORRUPTIONS.items()
    if base(c.base).table is None and base(c.base).mapping_given
]
# The first of each rule, which is repaired wherever tests run; the others are slow tests.
_OFTEN = 1
REPAIRED = [
    name
    for k, name in enumerate(REPAIRABLE)
    if sum(CORRUPTIONS[n].rules[:1] == CORRUPTIONS[name].rules[:1] for n in REPAIRABLE[:k]) < _OFTEN
]
