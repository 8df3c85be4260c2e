"""The sound datasets that corruptions start from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from fixtures.rules.folder import HEADER, closure, trained_starfish
from fixtures.rules.layout import in_ball, unit
from fixtures.rules.table import Table, healthy_history
from tests.corruptions.frame import DatasetFrame, TaxonomyFrame

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
        return _starfish()
    if name == "table of a genus":
        return _one_genus()
    folder = FIXTURES / "healthy"
    frame = DatasetFrame(
        mapping=pd.read_csv(folder / "mapping.tsv", sep="\t"),
        pairs=pd.read_parquet(folder / "pairs.parquet").astype(np.int64),
        taxonomy=_taxdump(folder / "taxdump") if name == "tree with taxonomy" else None,
    )
    if name == "tree without depths":
        ends = frame.pairs[["ancestor_idx", "descendant_idx"]]
        return DatasetFrame(frame.mapping, ends)
    if name == "labels":
        taxids = frame.mapping["taxid"].to_numpy()
        ends = {
            f"{end}_label": taxids[frame.pairs[f"{end}_idx"]] for end in ("descendant", "ancestor")
        }
        return DatasetFrame(frame.mapping, pd.DataFrame(ends), mapping_given=False)
    return frame


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


def _starfish() -> DatasetFrame:
    """The laid-out table with a whole record of its training: 200 updates a row, 20 epochs.

    177 nodes are few for 10 dimensions; the policy says that it is a trial.
    """
    folder = trained_starfish()
    assert folder.table is not None
    folder.table.updates = np.full(len(folder.mapping), 200)
    folder.table.history = healthy_history()
    return DatasetFrame(
        mapping=pd.DataFrame(folder.mapping, columns=["taxid", "idx"]),
        pairs=pd.DataFrame(folder.pairs, columns=list(HEADER)),
        policy={"rules": {"TRAIN007": {"fewest": 2}}},
        table=folder.table,
    )


def _one_genus() -> DatasetFrame:
    """A genus of 600 strains in 30 groups: the nearest rows of a strain are those of its group.

    Popularity names the genus for every strain, so that no table can rank any better. The skew of
    601 rows is 24.5 at most, so the policy asks for less than it would of a large table.
    """
    rng = np.random.default_rng(0)
    groups = unit(rng.standard_normal((30, 10)))
    towards = unit(np.repeat(groups, 20, axis=0) + 0.05 * rng.standard_normal((600, 10)))
    radius = np.r_[0.05, rng.uniform(2.7, 2.93, 600)]
    rows = in_ball(np.concatenate([groups[:1], towards]), radius)
    idx = range(601)
    return DatasetFrame(
        mapping=pd.DataFrame({"taxid": [3_000_000 + k for k in idx], "idx": idx}),
        pairs=pd.DataFrame(closure([-1] + [0] * 600), columns=list(HEADER)),
        policy={"rules": {"HIER008": {"skew": 15}}},
        table=Table(np.round(rows, 4).astype(np.float32)),
    )
