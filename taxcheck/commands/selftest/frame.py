"""A dataset as data frames that a corruption may damage, and as the files that a run reads.

Its hierarchy is told as dictionaries and sets, out of the pairs of a sound dataset; nothing of that
is shared with the product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from taxcheck.commands.selftest.table import Table
from taxcheck.policy.read import parse_policy
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.run.request import Request

HEADER = ("ancestor_idx", "descendant_idx", "depth_diff", "ancestor_depth", "descendant_depth")


def closure(parents: Iterable[int]) -> list[tuple[Any, ...]]:
    """Rows of the closure of a forest, whose roots have the parent -1."""
    above: list[list[int]] = []
    for parent in parents:  # parents come before their children
        above.append([] if parent < 0 else [parent, *above[parent]])
    return [
        (a, d, k, len(above[a]), len(above[d]))
        for d, path in enumerate(above)
        for k, a in enumerate(path, start=1)
    ]


def write_dmp(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """A file of a taxdump, in NCBI's format."""
    path.write_text("".join("\t|\t".join(map(str, row)) + "\t|\n" for row in rows))


def scientific_names(names: Iterable[tuple[int, str]]) -> Iterable[Iterable[object]]:
    """Rows of names.dmp."""
    return ((taxid, name, "", "scientific name") for taxid, name in names)


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
        write_dmp(folder / "nodes.dmp", zip(*columns, strict=True))
        write_dmp(folder / "names.dmp", scientific_names(self.names.items()))
        write_dmp(folder / "merged.dmp", self.merged)
        write_dmp(folder / "delnodes.dmp", ((taxid,) for taxid in self.deleted))
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
            policy=parse_policy(self.policy, load_rules(), None, cause_names()),
            drawn=False,
        )

    def appended(self, rows: pd.DataFrame) -> DatasetFrame:
        """The dataset with further pairs at its end."""
        return replace(self, pairs=pd.concat([self.pairs, rows], ignore_index=True))

    def only(self, keep: pd.Series | np.ndarray) -> DatasetFrame:
        """The dataset with the pairs that a mask keeps."""
        return replace(self, pairs=self.pairs[keep].reset_index(drop=True))

    def variant(self, base: str) -> DatasetFrame:
        """A tree with its taxonomy in the form of another base: without, without depths, labels."""
        if base == "tree with taxonomy":
            return self
        if base == "tree without depths":
            return DatasetFrame(self.mapping, self.pairs[["ancestor_idx", "descendant_idx"]])
        if base == "labels":
            taxids = self.mapping["taxid"].to_numpy()
            ends = {
                f"{end}_label": taxids[self.pairs[f"{end}_idx"]]
                for end in ("descendant", "ancestor")
            }
            return DatasetFrame(self.mapping, pd.DataFrame(ends), mapping_given=False)
        return DatasetFrame(self.mapping, self.pairs)

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


class Tree:
    """The tree of the depth-1 pairs, as plain dictionaries: what expectations are derived from."""

    def __init__(self, pairs: pd.DataFrame) -> None:
        edges = pairs[pairs["depth_diff"] == 1]
        self.parent: dict[int, int] = dict(
            zip(edges["descendant_idx"].tolist(), edges["ancestor_idx"].tolist(), strict=True)
        )
        self.children: dict[int, list[int]] = defaultdict(list)
        for child, parent in self.parent.items():
            self.children[parent].append(child)
        self.nodes = sorted(self.parent.keys() | self.children.keys())
        (self.root,) = self.children.keys() - self.parent.keys()

    def above(self, node: int) -> list[int]:
        """All ancestors, the parent first."""
        path = []
        while node in self.parent:
            node = self.parent[node]
            path.append(node)
        return path

    def below(self, node: int) -> list[int]:
        """The node itself and everything under it."""
        found, rest = [], [node]
        while rest:
            found.append(rest.pop())
            rest += self.children.get(found[-1], [])
        return found

    def depth(self, node: int) -> int:
        """Steps from the root."""
        return len(self.above(node))

    def leaves(self, depth: int = 0) -> list[int]:
        """Nodes without children at this depth or deeper, but the one with the last idx.

        The last idx decides the size of a table, which is a defect of its own.
        """
        last = self.nodes[-1]
        return [
            x for x in self.nodes if x not in self.children and x != last and self.depth(x) >= depth
        ]

    def rows(self, pairs: Iterable[tuple[int, int, int]]) -> pd.DataFrame:
        """Rows (ancestor, descendant, depth_diff) with the true depths of both ends."""
        table = list(pairs)
        return rows(table, {x: self.depth(x) for pair in table for x in pair[:2]})


class Dag:
    """Ancestors of every node with their distances, as the sound pairs state them."""

    def __init__(self, pairs: pd.DataFrame) -> None:
        self.up: dict[int, dict[int, int]] = defaultdict(dict)
        self.down: dict[int, dict[int, int]] = defaultdict(dict)
        self.depth: dict[int, int] = {}
        for a, d, k, depth_a, depth_d in pairs.itertuples(index=False):
            self.up[d][a] = k
            self.down[a][d] = k
            self.depth[a], self.depth[d] = depth_a, depth_d
        self.nodes = sorted(self.depth)

    def parents(self, node: int) -> list[int]:
        """The ancestors at distance 1."""
        return [a for a, k in self.up[node].items() if k == 1]


def rows(pairs: Iterable[tuple[int, int, int]], depth: dict[int, int]) -> pd.DataFrame:
    """A pairs table of (ancestor, descendant, depth_diff) and the depths of both."""
    table = [(a, d, k, depth[a], depth[d]) for a, d, k in pairs]
    return pd.DataFrame(table, columns=list(HEADER))


def pick(generator: np.random.Generator, candidates: Sequence[int], count: int) -> list[int]:
    """Distinct candidates, drawn."""
    return [int(x) for x in generator.choice(candidates, size=count, replace=False)]


def one(generator: np.random.Generator, candidates: Sequence[int]) -> int:
    """One candidate, drawn."""
    return pick(generator, candidates, 1)[0]


def both_ends(pairs: pd.DataFrame, nodes: Iterable[int]) -> np.ndarray:
    """Which pairs have both ends among the nodes."""
    inside = list(nodes)
    return (pairs["ancestor_idx"].isin(inside) & pairs["descendant_idx"].isin(inside)).to_numpy()


def touching(pairs: pd.DataFrame, nodes: Iterable[int]) -> np.ndarray:
    """Which pairs have an end among the nodes."""
    inside = list(nodes)
    return (pairs["ancestor_idx"].isin(inside) | pairs["descendant_idx"].isin(inside)).to_numpy()
