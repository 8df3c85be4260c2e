"""Which reader a source asks for, by its content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from taxcheck.build.hierarchy import Hierarchy
from taxcheck.build.readers.archive import is_archive
from taxcheck.build.readers.lines import TextFile
from taxcheck.errors import UsageError
from taxcheck.sources.files import InputFile
from taxcheck.sources.sniff import kind_of

FORMATS = (
    "taxdump", "ncbi", "gtdb", "edges", "newick", "obo", "obograph", "wordnet", "lineage",
)  # fmt: skip
ONTOLOGIES = ("obo", "obograph")
_SYNSET = re.compile(rb"(?m)^\d{8} \d\d [nvasr] ")
_GTDB = re.compile(rb"[^\t\n]+\t *[dk]__")
_NEWICK = re.compile(rb"\s*[(\[]")  # a tree, or a comment before it


def read_source(
    path: str,
    kind: str = "auto",
    relations: Sequence[str] = (),
    namespaces: Sequence[str] = (),
    columns: str | None = None,
) -> Hierarchy:
    """Read a source of a format, or of the format that its content tells.

    ``relations`` and ``namespaces`` are for ontologies, ``columns`` for edges and lineages.
    """
    kind = format_of(path) if kind == "auto" else kind
    if (relations or namespaces) and kind not in ONTOLOGIES:
        option = "--relations" if relations else "--namespace"
        raise UsageError(
            f"{option} is for ontologies (OBO, OBO Graph), and {path} is read as {kind}"
        )
    if columns and kind not in ("edges", "lineage"):
        raise UsageError(f"--columns is for tables, and {path} is read as {kind}")
    if kind in ONTOLOGIES:
        from taxcheck.build.readers.obo import read_obo
        from taxcheck.build.readers.obograph import read_obograph

        reader = read_obo if kind == "obo" else read_obograph
        return reader(path, relations or ("is_a",), namespaces)
    if kind in ("taxdump", "ncbi"):
        from taxcheck.build.readers.ncbi import read_ncbi, read_taxdump

        return read_taxdump(path) if kind == "taxdump" else read_ncbi()
    if kind == "edges":
        from taxcheck.build.readers.edges import read_edges

        return read_edges(path, columns)
    if kind == "newick":
        from taxcheck.build.readers.newick import read_newick

        return read_newick(path)
    if kind == "wordnet":
        from taxcheck.build.readers.wordnet import read_wordnet

        return read_wordnet(path)
    from taxcheck.build.readers.lineages import read_gtdb, read_lineage

    return read_gtdb(path) if kind == "gtdb" else read_lineage(path, columns)


def format_of(path: str) -> str:
    """One of FORMATS; InputError where there is nothing to read."""
    if path == "ncbi" and not Path(path).exists():
        return "ncbi"
    if path == "-":
        raise UsageError("standard input cannot be told by its content; give --format")
    if Path(path).is_dir() or is_archive(path):
        return "taxdump"
    if kind_of(InputFile(path)) not in ("text", "gzip", "zstd"):
        return _of_columns(path)
    head = TextFile(path).head().removeprefix(b"\xef\xbb\xbf")
    if head.startswith(b"format-version:") or b"\n[Term]" in head or head.startswith(b"[Term]"):
        return "obo"
    if head[:6].upper() == b"#NEXUS":
        raise UsageError(f"{path}: is NEXUS; give its tree as Newick, in a file of its own")
    if head.lstrip().startswith(b"{"):
        return "obograph"
    if _NEWICK.match(head):
        return "newick"
    if _SYNSET.search(head):
        return "wordnet"
    if _GTDB.match(head):
        return "gtdb"
    from taxcheck.build.readers.lineages import rank_cells

    return "lineage" if len(rank_cells(path)) > 1 else "edges"


def _of_columns(path: str) -> str:
    from taxcheck.build.readers.lineages import RANKS
    from taxcheck.sources.aliases import normalise
    from taxcheck.sources.tables import open_table

    names = open_table(path).column_names
    return "lineage" if sum(normalise(name) in RANKS for name in names) > 1 else "edges"
