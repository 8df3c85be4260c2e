"""An NCBI taxdump: nodes.dmp, and names.dmp, merged.dmp, delnodes.dmp where they are."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.dump_file import FILES, DumpColumn, DumpFile, read_dmp
from taxcheck.sources.taxonomies.dump_version import version_of
from taxcheck.sources.taxonomies.packed_taxdump import dump_folder
from taxcheck.sources.taxonomies.taxonomy import Taxonomy, find

Number = TypeVar("Number", bound=np.integer)


def open_taxonomy(path: str) -> Taxonomy:
    """Read a taxdump: its folder, packed or not, or the path of its nodes.dmp.

    All of NCBI takes about two seconds. Raises InputError, one line, where it or a file in it is no
    sound taxdump: missing, truncated, binary, a taxid twice, a parent that is not there, a cycle.
    """
    with dump_folder(path) as (folder, note):
        return _taxonomy(path, folder, note)


def _taxonomy(source: str, folder: Path, note: str) -> Taxonomy:
    nodes_file, names_file, merged_file, deleted_file = (
        DumpFile(folder / name, str(Path(source) / name)) for name in FILES
    )
    nodes = read_dmp(
        nodes_file, (DumpColumn(0, "taxid"), DumpColumn(1, "parent"), DumpColumn(2, "rank", False))
    )
    if not nodes.num_rows:
        raise InputError(f"{nodes_file.shown}: the file is empty; there is no taxon to judge by")
    taxids, parents, order, roots = _tree(nodes, nodes_file.shown)
    encoded = pc.dictionary_encode(nodes["rank"].combine_chunks())
    there = names_file.path.exists() and names_file.path.stat().st_size
    names = _names(names_file, taxids) if there else None
    merged = _optional(merged_file, (DumpColumn(0, "taxid"), DumpColumn(1, "successor")))
    deleted = _optional(deleted_file, (DumpColumn(0, "taxid"),))
    merged_order = np.argsort(merged["taxid"], kind="stable")
    deleted_taxids = distinct(deleted["taxid"])
    version, told_by = version_of(folder, taxids, merged["taxid"], deleted_taxids)
    size, fingerprint = _fingerprint(folder)
    notes = [told_by, *([note] if note else []), *roots]
    if names is None:
        notes.append("no names.dmp, or an empty one: taxa are shown by taxid, names are not judged")
    elif names.null_count:
        notes.append(f"{names.null_count:,} taxa have no scientific name")
    if not len(merged["taxid"]) and not len(deleted["taxid"]):
        notes.append("no merged or deleted taxids are given: unknown ones count as absent")
    return Taxonomy(
        source=source,
        version=version,
        taxids=_frozen(taxids),
        parents=_frozen(parents),
        ranks=_frozen(encoded.indices.to_numpy().astype(np.int16)[order]),
        rank_names=tuple(encoded.dictionary.to_pylist()),
        names=names,
        merged_from=_frozen(merged["taxid"][merged_order]),
        merged_to=_frozen(merged["successor"][merged_order]),
        deleted=_frozen(deleted_taxids),
        bytes=size,
        fingerprint=fingerprint,
        notes=tuple(notes),
    )


def _tree(nodes: pa.Table, shown: str) -> tuple[IntArray, IntArray, IntArray, list[str]]:
    """Sorted taxids, positions of the parents (-1 at a root), the order of the file's rows.

    And what there is to tell of roots: one is its own parent, or has the parent 0, no taxon.
    """
    taxids = nodes["taxid"].to_numpy()
    order = np.argsort(taxids, kind="stable")
    taxids = taxids[order]
    parent_taxids = nodes["parent"].to_numpy()[order]
    if taxids[0] < 0:
        raise InputError(f"{shown}: taxid {taxids[0]} is negative")
    twice = taxids[1:][taxids[1:] == taxids[:-1]]
    if len(twice):
        more = len(distinct(twice))
        raise InputError(
            f"{shown}: taxid {twice[0]} is there more than once ({more:,} such taxids)"
        )
    parents = find(taxids, parent_taxids)
    above_all = np.flatnonzero((parents < 0) & (parent_taxids == 0))
    parents[above_all] = above_all
    told = [f"{len(above_all):,} roots have the parent 0, which is no taxon"]
    lost = np.flatnonzero(parents < 0)
    if len(lost):
        raise InputError(
            f"{shown}: taxid {taxids[lost[0]]} has the parent {parent_taxids[lost[0]]}, which is "
            f"not there ({len(lost):,} such taxa); a root is its own parent, and a truncated file "
            "must be copied again"
        )
    cycle = cycle_of(parents)
    if len(cycle):
        ids = [str(taxids[k]) for k in cycle[:8]]
        shown_ids = " -> ".join([*ids, ids[0]] if len(cycle) <= 8 else [*ids, "…"])
        raise InputError(f"{shown}: the parents form a cycle: {shown_ids}")
    parents[parents == np.arange(len(parents))] = -1
    return taxids, parents, order, told if len(above_all) else []


def cycle_of(parents: IntArray) -> list[int]:
    """Positions along one cycle, the smallest first; a root points to itself and is none.

    Every pass doubles the height that each taxon has climbed, so O(log depth) passes reach a root.
    """
    top = parents
    for _ in range(len(parents).bit_length()):
        higher = top[top]
        if np.array_equal(higher, top):
            break
        top = higher
    astray = np.flatnonzero(parents[top] != top)
    if not len(astray):
        return []
    at = int(top[astray[0]])  # climbed as far as there are taxa, so it is on the cycle
    cycle = [at]
    while (at := int(parents[at])) != cycle[0]:
        cycle.append(at)
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _names(file: DumpFile, taxids: IntArray) -> pa.Array:
    """Scientific names by position; the first counts where a taxon has two."""
    table = read_dmp(
        file, (DumpColumn(0, "taxid"), DumpColumn(1, "name", False), DumpColumn(3, "class", False))
    )
    table = table.filter(pc.equal(table["class"], "scientific name"))
    at = find(taxids, table["taxid"].to_numpy())
    row_of = np.full(len(taxids), -1, dtype=np.int64)
    known = np.flatnonzero(at >= 0)[::-1]
    row_of[at[known]] = known
    if not np.any(row_of >= 0):
        raise InputError(
            f"{file.shown}: names no taxon of nodes.dmp ('scientific name'); both must be of one "
            "dump"
        )
    return table["name"].combine_chunks().take(pa.array(row_of, mask=row_of < 0))


def _optional(file: DumpFile, columns: tuple[DumpColumn, ...]) -> dict[str, IntArray]:
    if not file.path.exists():
        return {c.name: np.empty(0, dtype=np.int64) for c in columns}
    table = read_dmp(file, columns)
    return {c.name: table[c.name].to_numpy() for c in columns}


def _fingerprint(folder: Path) -> tuple[int, str]:
    """Bytes and hash of the files one after the other: ``cat nodes.dmp names.dmp ... | b3sum``."""
    hasher, size = blake3(), 0
    for name in FILES:
        path = folder / name
        if path.exists() and (length := path.stat().st_size):
            hasher.update_mmap(path)
            size += length
    return size, f"blake3:{hasher.hexdigest()}"


def _frozen(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    array.setflags(write=False)
    return array
