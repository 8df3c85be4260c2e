"""The page that finds out what a file is: what it looks like, what to type, and the way out."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generate.markdown import Page, code, table
from taxcheck.sources.readers import Kind, Reader, own
from taxcheck.sources.unsupported import UNSUPPORTED

_ROOMS: tuple[tuple[Kind, str, str, str], ...] = (
    ("table", "Mapping and pairs", "taxcheck run --mapping FILE --pairs FILE", "pairs"),
    ("taxonomy", "A taxonomy, an ontology or a tree", "taxcheck build FILE --out data", "taxonomy"),
    ("checkpoint", "A trained table", "taxcheck inspect FILE", "table"),
)
_SESSION = """```console
$ mkdir which && cp -r fixtures/healthy/. which && cd which
$ python -m zipfile -c data.zip mapping.tsv pairs.parquet
$ taxcheck inspect --pairs data.zip
taxcheck: data.zip: is a zip archive of 2: mapping.tsv, pairs.parquet; name the one that is meant, as in data.zip::mapping.tsv
$ echo $?
3
$ taxcheck inspect --mapping data.zip::mapping.tsv --pairs data.zip::pairs.parquet
…
column       'ancestor_idx' is ancestor, by its name
…
```"""  # noqa: E501 - one line of output


def pages() -> Iterator[Page]:
    """The one page."""
    parts = [
        "# Which file do I have?",
        "Ask taxcheck: it tells a file by its content, whatever its name is, and says how it would "
        "read it before anything is judged. What it knows and cannot read it calls by its name, "
        "with the way out.",
        _SESSION,
        "What a file with several tables holds is named behind `::`; [Inputs and columns]"
        "(reference/inputs.md) has all that is told of columns, and what is guessed.",
    ]
    for kind, title, command, name in _ROOMS:
        rows = [_row(reader, name) for reader in own(kind)]
        parts += [f"## {title}", f"Type {code(command)}, where the file is one of these:",
                  table(("it is", "known by", "such as", "and then"), rows)]  # fmt: skip
    parts += [
        "## What is known, and not read",
        "Where a kind is read as something else, a trained table that is given as pairs, say, it "
        "is refused there alone.",
        table(("it is", "not read as", "do this"), _refused()),
    ]
    yield Page("which-file.md", "\n\n".join(parts) + "\n")


def _row(reader: Reader, name: str) -> tuple[str, str, str, str]:
    file = code(f"{name}{reader.suffixes[0]}") if reader.suffixes else ""
    file = code(reader.name) if reader.told_by == "the word" else file
    needs = f"Needs `pip install 'taxcheck[{reader.extra}]'`. " if reader.extra else ""
    return reader.called, reader.told_by, file, needs + reader.about


def _refused() -> Iterator[tuple[str, str, str]]:
    for kind in UNSUPPORTED:
        yield kind.name, ", ".join(kind.rooms) if len(kind.rooms) < 3 else "anything", kind.way_out
