"""The page of the inputs: the names by which columns are found, and the contract of each table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from docs.generate.markdown import Page, code, prose, table
from taxcheck.schemas.contract import contract
from taxcheck.sources.aliases import MAPPING_ALIASES, MAPPING_BARE, PAIR_ALIASES, PAIR_BARE


def pages() -> Iterator[Page]:
    """The one page of the inputs."""
    parts = [
        "# Inputs and columns",
        "Parquet, Feather, CSV and TSV (plain, gzip, zstd), `-` for standard input, and a pickled "
        "list of dicts, which is read without running anything in it. The format is told from the "
        "content. What was inferred stands in the report.",
        "## Names of columns",
        "Columns are found by name, whatever their case, spaces, dots, `_` and `-`; of several "
        "names the first in the table wins. Others are given:",
        "```console\n$ taxcheck run --mapping mapping.tsv --mapping-columns taxid,idx \\\n"
        "    --pairs pairs.parquet --pair-columns "
        "descendant=descendant_idx,ancestor=ancestor_idx,depth_diff=depth_diff\n…\n```",
        table(("table", "column", "also called"), _names()),
        "A mapping without a header is read as taxid, idx. Pairs may hold labels instead of idx "
        "(as facebookresearch's `id1,id2,weight`, where id1 is the descendant); they are joined to "
        "the mapping, or numbered where there is none. Depth columns are optional: without "
        "`depth_diff` the edges are the transitive reduction and the depth rules are skipped.",
        "## The contract",
        "What every batch of rows is held to. `taxcheck schema` prints it as JSON. Rows that break "
        "it are counted by [MAP001](rules/MAP001.md) and [PAIR001](rules/PAIR001.md), under the "
        "words of the last column, and left out of everything else.",
    ]
    for name, described in contract().items():
        parts += [f"### {name}", *_table(described)]
    yield Page("reference/inputs.md", "\n\n".join(parts) + "\n")


def _names() -> Iterator[tuple[str, str, str]]:
    for title, aliases in (("mapping", MAPPING_ALIASES), ("pairs", PAIR_ALIASES)):
        for role, names in aliases.items():
            yield title, code(role), _listed(name for name in names if name != role)
        if title == "mapping":
            yield title, "either, whichever is left", _listed(MAPPING_BARE)
    for role, names in PAIR_BARE.items():
        yield "pairs", f"`{role}` with a mapping, else `{role}_taxid`", _listed(names)


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
