"""A small dataset as rows, and as the text files that it becomes.

Most are one tree of fifteen carnivores, whose idx are

    0 Carnivora
      1 Canidae: 3 Canis (7 lupus, 8 latrans), 4 Vulpes (9 vulpes, 10 lagopus)
      2 Felidae: 5 Felis (11 catus, 12 silvestris), 6 Panthera (13 leo, 14 tigris)

so that the closure has 2 x 1 + 4 x 2 + 8 x 3 = 34 pairs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taxcheck.commands.selftest.frame import HEADER, closure, scientific_names, write_dmp
from taxcheck.commands.selftest.table import Table, laid_out

# taxid, parent, rank, name; idx is the position.
TAXA = (
    (33554, 1, "order", "Carnivora"),
    (9608, 33554, "family", "Canidae"),
    (9681, 33554, "family", "Felidae"),
    (9611, 9608, "genus", "Canis"),
    (9625, 9608, "genus", "Vulpes"),
    (9682, 9681, "genus", "Felis"),
    (9688, 9681, "genus", "Panthera"),
    (9612, 9611, "species", "Canis lupus"),
    (9614, 9611, "species", "Canis latrans"),
    (9627, 9625, "species", "Vulpes vulpes"),
    (494514, 9625, "species", "Vulpes lagopus"),
    (9685, 9682, "species", "Felis catus"),
    (9683, 9682, "species", "Felis silvestris"),
    (9689, 9688, "species", "Panthera leo"),
    (9694, 9688, "species", "Panthera tigris"),
)
PARENTS = (-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6)
LEOPARD = 9691  # a taxid that is not among them
Row = tuple[Any, ...]  # cells as they are written


@dataclass
class Folder:
    """One dataset, to be changed by a case."""

    mapping: list[Row] = field(default_factory=lambda: [(t[0], k) for k, t in enumerate(TAXA)])
    pairs: list[Row] = field(default_factory=lambda: closure(PARENTS))
    mapping_header: tuple[str, ...] | None = ("taxid", "idx")
    pairs_header: tuple[str, ...] = HEADER
    held_out: list[Row] | None = None
    taxa: list[Row] | None = None
    merged: list[Row] = field(default_factory=list)
    deleted: list[Row] = field(default_factory=list)
    policy: str = ""
    table: Table | None = None

    def drop(self, *ends: tuple[int, int]) -> None:
        """Leave pairs (ancestor, descendant) out."""
        self.pairs = [row for row in self.pairs if row[:2] not in ends]

    def change(self, ends: tuple[int, int], *row: object) -> None:
        """Write another row in place of a pair."""
        self.pairs = [tuple(row) if old[:2] == ends else old for old in self.pairs]

    @property
    def trained(self) -> Table:
        """The table, which the folder has."""
        assert self.table is not None
        return self.table

    def write(self, folder: Path) -> None:
        """All of its files."""
        folder.mkdir(parents=True, exist_ok=True)
        _table(folder / "mapping.tsv", self.mapping_header, self.mapping)
        if self.pairs:
            _table(folder / "pairs.tsv", self.pairs_header, self.pairs)
        if self.held_out is not None:
            _table(folder / "held_out.tsv", HEADER, self.held_out)
        if self.table is not None:
            self.table.write(folder)
        if self.policy:
            (folder / "taxcheck.toml").write_text(self.policy)
        if self.taxa is not None:
            dump = folder / "taxdump"
            dump.mkdir(exist_ok=True)
            write_dmp(dump / "nodes.dmp", (taxon[:3] for taxon in self.taxa))
            names = scientific_names((taxon[0], taxon[3]) for taxon in self.taxa)
            write_dmp(dump / "names.dmp", names)
            write_dmp(dump / "merged.dmp", self.merged)
            write_dmp(dump / "delnodes.dmp", self.deleted)


def _table(path: Path, header: tuple[str, ...] | None, rows: Iterable[Row]) -> None:
    lines = ([header] if header else []) + list(rows)
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in lines))


def taxonomy() -> list[Row]:
    """The fifteen taxa below NCBI's root, which is its own parent."""
    return [(1, 1, "no rank", "root"), *TAXA]


def with_taxids() -> Folder:
    """The carnivores with taxid columns in the pairs."""
    taxids = [taxon[0] for taxon in TAXA]
    pairs = [(*row, taxids[row[0]], taxids[row[1]]) for row in closure(PARENTS)]
    return Folder(pairs=pairs, pairs_header=(*HEADER, "ancestor_taxid", "descendant_taxid"))


def hierarchy(parents: list[int]) -> Folder:
    """The closure of any forest, with taxids from 1,000,000 on; parents before children."""
    mapping = [(1_000_000 + k, k) for k in range(len(parents))]
    return Folder(mapping=mapping, pairs=closure(parents))


def two_levels(children: Iterable[int]) -> Folder:
    """A forest of roots with so many children each."""
    parents: list[int] = []
    for count in children:
        parents += [-1, *[len(parents)] * count]
    return hierarchy(parents)


def trained_carnivores() -> Folder:
    """The carnivores' table with its mapping alone, (15, 5)."""
    return Folder(pairs=[], table=Table(laid_out(PARENTS, 5)))
