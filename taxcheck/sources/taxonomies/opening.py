"""A source of a format, or of the format that its content tells."""

from __future__ import annotations

from collections.abc import Sequence

from taxcheck.model.errors import UsageError
from taxcheck.sources.readers import Candidate, reader_named, reader_of, readers
from taxcheck.sources.taxonomies.hierarchy import Hierarchy

_FOR = {
    "relations": "ontologies",
    "namespaces": "ontologies",
    "columns": "tables",
    "inner_labels": "trees",
    "language": "SKOS and OWL",
}


def read_source(
    path: str,
    kind: str = "auto",
    relations: Sequence[str] = (),
    namespaces: Sequence[str] = (),
    columns: str | None = None,
    inner_labels: str | None = None,
    language: str | None = None,
) -> Hierarchy:
    """Read a source of the format ``kind``, or of the format that its content tells.

    ``relations`` and ``namespaces`` are for ontologies, ``columns`` for edges and lineages;
    ``inner_labels`` says what numbers at inner nodes of a tree are: "names" or "support";
    ``language`` is that of the labels of SKOS and OWL, such as "en".
    """
    if kind == "auto" and path == "-":
        raise UsageError("standard input cannot be told by its content; give its `format`")
    candidate = Candidate(path, columns=columns)
    reader = reader_of(candidate, "taxonomy") if kind == "auto" else reader_named("taxonomy", kind)
    given = {"relations": relations, "namespaces": namespaces, "columns": columns}
    given |= {"inner_labels": inner_labels, "language": language}
    for name, value in given.items():
        if value and name not in reader.takes:
            those = ", ".join(one.name for one in readers("taxonomy") if name in one.takes)
            raise UsageError(
                f"`{name}` is for {_FOR[name]} ({those}), and {path} is read as {reader.name}"
            )
    hierarchy: Hierarchy = reader.read(candidate, **{name: given[name] for name in reader.takes})
    return hierarchy
