"""A folder that appears under its name when all its files are whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxcheck.build.hidden import hidden_folder
from taxcheck.errors import OutputError, UsageError

FILES = (
    "mapping.tsv",
    "mapping.parquet",
    "pairs.parquet",
    "held_out.parquet",
    "nodes.parquet",
    "taxcheck.toml",
    "manifest.json",
)


@contextmanager
def staged(out: Path, force: bool) -> Iterator[Path]:
    """A hidden folder beside ``out``; when the block ends well its files are what ``out`` holds.

    A folder that is new or empty appears in one step. With ``force`` the files of an earlier build
    are replaced one by one, the manifest last, and other files stay. Raises UsageError where the
    folder is in use, OutputError where it cannot be written.
    """
    try:
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
        if taken and not (force and out.is_dir()):
            raise UsageError(f"--out {out}: is there already; give a new folder, or --force")
        out.parent.mkdir(parents=True, exist_ok=True)
        with hidden_folder(out.resolve(), "building") as place:
            try:
                yield place
            except OutputError as error:  # by the name that was asked for
                raise OutputError(str(error).replace(str(place), str(out))) from None
            if taken:
                _replace_files(place, out)
            else:
                place.chmod(0o777 & ~_umask())
                place.replace(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None


def _replace_files(place: Path, out: Path) -> None:
    (out / "manifest.json").unlink(missing_ok=True)
    for name in FILES:
        if (place / name).exists():
            (place / name).replace(out / name)
        else:
            (out / name).unlink(missing_ok=True)


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask
