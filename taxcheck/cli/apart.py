"""No output takes the place of a file that is read: who mistypes a name loses no data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from taxcheck.model.errors import TaxcheckError, UsageError
from taxcheck.model.paths import Paths, each, is_address, is_file, split_part

if TYPE_CHECKING:
    from taxcheck.run.request import Request

_TABLES = ("mapping", "pairs", "held_out")
_FILES = ("taxonomy", "embeddings", "initial", "labels")  # or folders, where reports may lie


def inputs_of(request: Request) -> list[Paths]:
    """All files that a run reads, as they were given."""
    tables = [given for name in _TABLES if (given := getattr(request, name)) is not None]
    others = (*(getattr(request, name) for name in _FILES), *request.series, request.policy.source)
    files = (one for one in others if one is not None and is_file(split_part(one)[0]))
    return [*tables, *request.known, *files]


def expect_apart(outputs: Iterable[str | None], inputs: Iterable[Paths]) -> None:
    """UsageError where a file that would be written is one that is read.

    A file that is not there yet is nobody's.
    """
    read = [path for given in inputs for path in _files(given)]
    for output in outputs:
        if output is not None and output != "-" and any(_same(output, path) for path in read):
            raise UsageError(f"{output} is read, and would be lost: write to another file")


def _files(given: Paths) -> Iterator[Path]:
    """The files of a table; none where there is none, which who reads it says better."""
    for path in each(given):
        plain = split_part(path)[0]
        if is_file(plain):
            yield Path(plain)
        elif path != "-" and not is_address(path):
            from taxcheck.sources.listing import list_files

            with suppress(TaxcheckError, OSError, ValueError):
                yield from [Path(split_part(one.path)[0]) for one in list_files(path).files]


def _same(output: str, path: Path) -> bool:
    with suppress(OSError, ValueError):
        return os.path.isfile(output) and path.samefile(output)  # noqa: PTH113 - devices are none
    return False
