"""What databases of one file have in common: which table is meant, and what is not in it yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taxcheck.model.errors import InputError
from taxcheck.sources.files import InputFile
from taxcheck.sources.readers import Candidate
from taxcheck.sources.tables.boxes import chosen


def stored_table(
    candidate: Candidate,
    what: str,
    kinds: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
) -> str:
    """The table that is meant, of those that are stored.

    ``kinds`` says of each name whether it is a "table", or a view or whatever computes its rows;
    ``columns`` has those of tables. InputError where several are there and none is named, and for
    what would be computed.
    """
    stored = [name for name, kind in kinds.items() if kind == "table"]
    table, rest = chosen(
        candidate.file,
        list(kinds) if candidate.file.part else stored,
        what,
        candidate,
        "; ".join(f"{name} has {', '.join(columns[name][:6])}" for name in stored[:4]),
    )
    if rest or kinds[table] != "table":
        raise InputError(
            f"{candidate.file.shown}: is a {kinds[table]}, whose rows would be computed by what "
            "the file says; store them: CREATE TABLE name AS SELECT * FROM it"
        )
    return table


def refuse_changes(file: InputFile, here: InputFile, beside: Mapping[str, str]) -> None:
    """InputError where what the database holds is not all in its file.

    ``here`` is the file on the disk; ``beside`` has the endings of files that hold the rest, and
    what is said of each, {} being its name.
    """
    if here is not file or file.here_only:
        return
    for suffix, said in beside.items():
        more = file.path.with_name(file.path.name + suffix)
        if more.is_file() and more.stat().st_size:
            raise InputError(f"{file.shown}: {said.format(more.name)}")


def quoted(name: str) -> str:
    """A name in a statement."""
    return '"' + name.replace('"', '""') + '"'
