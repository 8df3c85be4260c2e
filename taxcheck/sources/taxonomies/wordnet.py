"""A data file of WordNet's database, such as data.noun; the format is wndb(5WN)."""

from __future__ import annotations

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Growing, Hierarchy
from taxcheck.sources.taxonomies.text_file import TextFile

_HYPERNYMS = ("@", "@i")


def read_wordnet(path: str) -> Hierarchy:
    """Synsets by their offsets, in the order of the file; edges from hypernym to hyponym."""
    source, growing = TextFile(path), Growing()
    links: list[tuple[str, str]] = []
    for number, line in source.lines():
        if line.startswith(" "):  # the licence
            continue
        fields = line.split(" | ")[0].split()
        try:
            offset, words = fields[0], int(fields[3], 16)
            if not (offset.isdecimal() and len(offset) == 8) or not line.endswith("\n"):
                raise ValueError
            first = 4 + 2 * words
            pointers = fields[first + 1 : first + 1 + 4 * int(fields[first])]
            if len(pointers) != 4 * int(fields[first]):
                raise ValueError
        except (IndexError, ValueError):
            raise InputError(
                f"{source.path}: line {number:,} is no synset of a WordNet data file; it may be "
                "truncated: copy it again"
            ) from None
        growing.node(offset, fields[4].replace("_", " "))
        links += [
            (pointers[k + 1], offset)
            for k in range(0, len(pointers), 4)
            if pointers[k] in _HYPERNYMS and pointers[k + 2] == fields[2]
        ]
    if not growing.place:
        raise InputError(f"{source.path}: holds no synset")
    for parent, child in links:
        if parent not in growing.place:
            raise InputError(
                f"{source.path}: {child} has the hypernym {parent}, which is not in the file; it "
                "may be truncated: copy it again"
            )
        growing.edge(growing.place[parent], growing.place[child])
    return growing.hierarchy(source.origin("WordNet"))
