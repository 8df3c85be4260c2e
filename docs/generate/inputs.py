"""The page of the inputs: what can be read, how columns are found, and the contract of tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docs.generate.markdown import Page, code, prose, table
from taxcheck.sources.readers import Kind, own
from taxcheck.sources.schemas import contract
from taxcheck.sources.tables.columns import MAPPING_ALIASES, MAPPING_BARE, PAIR_ALIASES, PAIR_BARE

_KINDS: dict[str, Kind] = {
    "Mapping and pairs": "table",
    "Taxonomies and ontologies": "taxonomy",
    "Embedding tables": "checkpoint",
}


_GUESSED = (
    ("a first row 0,1,2, as pandas names the columns of a frame without names",
     "a header where the rows below contradict it as data: its pair is there again or the other "
     "way round, they are closed without it, they are words; else a row, with the setting that "
     "says of it that it is a header"),
    ("a first column that counts the rows, without a name", "no data; in a table of edges, where "
     "it may be the child, it is asked for"),
    ("`source,target`, `from,to` and the like", "a header that does not say which end is above: "
     "in `build` the child is the one whose cells stand there once, else it is asked for"),
    ("NA, NULL, None, nan, `\\N`, -1, an empty cell as a parent; 0 in a table of nodes",
     "no parent: the node is a root, unless the word is a node with a parent of its own"),
    ("labels that differ only by no-break blanks or their Unicode form", "one node in `build`"),
    ("rows of edges that are a whole closure", "the edges of which they follow, in `build`"),
    ("1.000 or 1,000 in a column of numbers", "1000 where plain numbers end below 1,000; 1 beside "
     "0.000 or 1000.000; else the row is refused"),
    ("9606.0 in a column of identifiers", "9606 where all of them, or those of the mapping, are "
     "whole numbers; leading zeros stay"),
    ("lines above the table that begin with `#`, or `sep=;`", "comments; the last is the header "
     "where it is as wide as the table"),
    ("line ends in quoted cells", "part of the cell, a blank in `build`; such a row counts as one "
     "line. A quote that may have been left open is refused"),
)  # fmt: skip


def pages() -> Iterator[Page]:
    """The one page of the inputs."""
    parts = [
        "# Inputs and columns",
        "What a file is, is told from its content; `-` is standard input. What was inferred stands "
        "in the report. A mapping, pairs and held-out pairs may be [of many files, or in a "
        "bucket](../how-to/read-many-files.md).",
        "## What is inside of a file",
        "A file that holds several tables has them named behind `::`, the member of an archive as "
        "well as the sheet of a workbook or the table of a database; one inside of another, and a "
        "pattern of files, work alike. A file with one table needs no name, and tells which it "
        "took; of one with several the names are listed where none is given.",
        "```console\n$ mkdir inputs && cp -r fixtures/healthy/. inputs && cd inputs\n"
        "$ python -m zipfile -c all.zip mapping.tsv pairs.parquet\n"
        "$ taxcheck run --mapping all.zip::mapping.tsv --pairs all.zip::pairs.parquet\n…\n```",
        "What is inside is unpacked into a temporary file, so that other processes and machines "
        "cannot read it. The fingerprint is that of the whole file.",
        "## Names of columns",
        "Columns are found by name, whatever their case, spaces, dots, `_` and `-`; of several "
        "names the first in the table wins. Others are given:",
        "```console\n$ taxcheck run --mapping mapping.tsv --mapping-columns taxid,idx \\\n"
        "    --pairs pairs.parquet --pair-columns "
        "descendant=descendant_idx,ancestor=ancestor_idx,depth_diff=depth_diff\n…\n```",
        table(("table", "column", "also called"), _names()),
        "Columns without names are taxid, idx in a mapping, ancestor, descendant, depth_diff in "
        "pairs. Pairs may hold labels instead of idx "
        "(as facebookresearch's `id1,id2,weight`, where id1 is the descendant); they are joined to "
        "the mapping, or numbered where there is none. Depth columns are optional: without "
        "`depth_diff` the edges are the transitive reduction and the depth rules are skipped.",
        "## What is guessed",
        "What the file leaves open is told under the verdict, and is in the report "
        "(`inputs[].reading`).",
        table(("in the file", "read as"), _GUESSED),
        "## The contract",
        "What every batch of rows is held to. `taxcheck schema` prints it as JSON. Rows that break "
        "it are counted by [MAP001](rules/MAP001.md) and [PAIR001](rules/PAIR001.md), under the "
        "words of the last column, and left out of everything else.",
    ]
    for name, described in contract().items():
        parts += [f"### {name}", *_table(described)]
    parts.append("## Formats")
    for title, kind in _KINDS.items():
        parts += [f"### {title}", table(("format", "told by", "usual names", ""), _formats(kind))]
    parts += [
        "`taxcheck build --format` has taxonomies by the name in brackets. A format of your own "
        "needs no fork: an entry point of the group `taxcheck.readers` names a module with "
        "`READERS`, a sequence of `taxcheck.sources.readers.Reader`, whose document says what its "
        "two functions do: one tells how sure it is of a file, one reads it.",
    ]
    yield Page("reference/inputs.md", "\n\n".join(parts) + "\n")


def _names() -> Iterator[tuple[str, str, str]]:
    for title, aliases in (("mapping", MAPPING_ALIASES), ("pairs", PAIR_ALIASES)):
        for role, names in aliases.items():
            yield title, code(role), _listed(name for name in names if name != role)
        if title == "mapping":
            yield title, "either, whichever is left", _listed(MAPPING_BARE)
    for role, names in PAIR_BARE.items():
        yield "pairs", f"`{role}` with a mapping, else `{role}_taxid`", _listed(names)


def _formats(kind: Kind) -> Iterator[tuple[str, str, str, str]]:
    for reader in own(kind):
        needs = f" Needs the extra `{reader.extra}`." if reader.extra else ""
        name = f" ({code(reader.name)})" if kind == "taxonomy" else ""
        yield (
            reader.called,
            reader.told_by + name,
            _listed(reader.suffixes),
            (reader.about + needs).strip(),
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _table(described: object) -> Iterator[str]:
    assert isinstance(described, dict)
    yield prose(str(described["description"] or ""))
    rows = [
        (
            code(name),
            str(column["type"]) + (", may be empty" if column["nullable"] else ""),
            "yes" if column["required"] else "no",
            prose(str(column["description"] or "")),
            " ".join(prose(str(c["description"])) for c in column["checks"]),
            "; ".join(prose(str(c["refused_as"])) for c in column["checks"]),
        )
        for name, column in described["columns"].items()
    ]
    yield table(("column", "type", "required", "meaning", "checked", "refused as"), rows)
