"""A dataset as data frames that a corruption may damage, and as the files that a run reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from taxcheck.config import parse_policy
from taxcheck.registry import load_rules
from taxcheck.request import Request
from taxcheck.selftest.table import Table


@dataclass(frozen=True)
class TaxonomyFrame:
    """A taxdump: nodes (taxid, parent, rank), names (taxid -> name), merged and deleted taxids."""

    nodes: pd.DataFrame
    names: Mapping[int, str]
    merged: tuple[tuple[int, int], ...] = ()  # (old, new)
    deleted: tuple[int, ...] = ()

    def write(self, folder: Path) -> Path:
        """The four files in NCBI's format."""
        folder.mkdir(parents=True, exist_ok=True)
        columns = (self.nodes[name].tolist() for name in ("taxid", "parent", "rank"))
        rows = {
            "nodes": zip(*columns, strict=True),
            "names": ((taxid, name, "", "scientific name") for taxid, name in self.names.items()),
            "merged": self.merged,
            "delnodes": ((taxid,) for taxid in self.deleted),
        }
        for name, cells in rows.items():
            text = "".join("\t|\t".join(map(str, row)) + "\t|\n" for row in cells)
            (folder / f"{name}.dmp").write_text(text)
        return folder

    def without(self, taxids: set[int]) -> TaxonomyFrame:
        """The taxonomy that has never heard of these (leaves)."""
        return replace(
            self,
            nodes=self.nodes[~self.nodes["taxid"].isin(taxids)],
            names={taxid: name for taxid, name in self.names.items() if taxid not in taxids},
        )


@dataclass(frozen=True)
class DatasetFrame:
    """Everything that one run is given. Frames are never changed in place: take a copy.

    ``mapping`` has taxid and idx, or any two columns where ``mapping_header`` is False; ``pairs``
    and ``held_out`` have ancestor_idx, descendant_idx and, unless they were left out, depth_diff,
    ancestor_depth, descendant_depth and taxid columns. Where ``mapping_given`` is False the pairs
    bring their own labels, descendant_label and ancestor_label, and the mapping is not written.
    ``table`` is what was trained on them.
    """

    mapping: pd.DataFrame
    pairs: pd.DataFrame
    held_out: pd.DataFrame | None = None
    taxonomy: TaxonomyFrame | None = None
    policy: Mapping[str, object] = field(default_factory=dict)
    mapping_header: bool = True
    mapping_given: bool = True
    table: Table | None = None

    def write(self, folder: Path) -> Request:
        """The files, and the request that checks them."""
        folder.mkdir(parents=True, exist_ok=True)
        mapping = folder / "mapping.tsv" if self.mapping_given else None
        if mapping is not None:
            self.mapping.to_csv(mapping, sep="\t", index=False, header=self.mapping_header)
        tables = {"pairs": self.pairs, "held_out": self.held_out}
        written = {
            name: str(_write_pairs(table, folder / name))
            for name, table in tables.items()
            if table is not None
        }
        initial = folder / "initial.npy"
        embeddings = None if self.table is None else str(self.table.write(folder))
        return Request(
            mapping=str(mapping) if mapping else None,
            pairs=written["pairs"],
            held_out=written.get("held_out"),
            taxonomy=str(self.taxonomy.write(folder / "taxdump")) if self.taxonomy else None,
            embeddings=embeddings,
            initial=str(initial) if initial.exists() else None,
            policy=parse_policy(self.policy, load_rules(), None),
            drawn=False,
        )

    def appended(self, rows: pd.DataFrame) -> DatasetFrame:
        """The dataset with further pairs at its end."""
        return replace(self, pairs=pd.concat([self.pairs, rows], ignore_index=True))

    def only(self, keep: pd.Series | np.ndarray) -> DatasetFrame:
        """The dataset with the pairs that a mask keeps."""
        return replace(self, pairs=self.pairs[keep].reset_index(drop=True))

    def declaring(self, **dataset: object) -> DatasetFrame:
        """The dataset under a policy whose [dataset] says so."""
        return replace(self, policy={**self.policy, "dataset": dataset})


def _write_pairs(table: pd.DataFrame, path: Path) -> Path:
    """Parquet where every cell is a number, text where a corruption put words among them."""
    if all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes):
        path = path.with_suffix(".parquet")
        table.to_parquet(path, index=False)
    else:
        path = path.with_suffix(".tsv")
        table.to_csv(path, sep="\t", index=False)
    return path
