"""The files of a policy's [inputs]: a value, how the policy states it, and how it is written.

With them a run needs no argument. Paths in the file are relative to it, so that a folder with data
and policy can be moved; in the value they are what one would type where the command runs.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from taxcheck.errors import UsageError

GEOMETRIES = ("ball", "lorentz", "tangent", "euclidean")
_FILES = ("mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial")
# What tells how a file is to be read, or belongs to it, is not said of another in its place.
_OF = {
    "mapping": ("mapping_columns",),
    "pairs": ("pair_columns", "held_out"),
    "embeddings": ("initial", "key", "geometry", "curvature"),
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a run and how they are read, as the options of ``taxcheck run``."""

    mapping: str | None = None
    pairs: str | None = None
    held_out: str | None = None
    taxonomy: str | None = None
    embeddings: str | None = None
    initial: str | None = None
    mapping_columns: str | None = None
    pair_columns: str | None = None
    key: str | None = None
    geometry: str | None = None
    curvature: float | None = None

    def under(self, given: Inputs) -> Inputs:
        """These, where ``given`` (the command line's) says nothing.

        A file given in place of one of these comes without what these say of it.
        """
        left = self
        for file, belongings in _OF.items():
            if getattr(given, file) is not None:
                left = replace(left, **dict.fromkeys(belongings))
        stated = {key: value for key, value in asdict(given).items() if value is not None}
        return replace(left, **stated)


def parse_inputs(
    raw: Mapping[str, object], folder: Path, unknown: Callable[[str, str], UsageError]
) -> Inputs:
    """The policy's [inputs]; ``folder`` is the policy's, ``unknown`` makes the error for a key.

    Raises UsageError that names the key whose value cannot be.
    """
    known = {f.name for f in fields(Inputs)}
    for key, value in raw.items():
        where = f"policy: [inputs] {key}"
        if key not in known:
            raise unknown("[inputs]", key)
        if key == "curvature":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UsageError(f"{where} must be a number, not {value!r}")
            if not 0 < value < math.inf:
                raise UsageError(f"{where} = {value}: give c > 0, the space has curvature -c")
        elif not isinstance(value, str) or not value:
            raise UsageError(f"{where} must be a text, not {value!r}")
        elif key == "geometry" and value not in GEOMETRIES:
            raise UsageError(f"{where} = {value!r} is none of {', '.join(GEOMETRIES)}")
        elif key in _FILES and value == "-":
            raise UsageError(f"{where} = '-': only a command line can name standard input")
    values = {k: str(folder / str(v)) if k in _FILES else v for k, v in raw.items()}
    return Inputs(**values)  # type: ignore[arg-type]


def inputs_lines(inputs: Inputs, folder: Path) -> list[str]:
    """[inputs] for a policy in ``folder``; relative paths, and those in it, lead from there.

    Standard input has no name that a policy could give; where nothing is left to name there is no
    section.
    """
    lines = []
    for key, value in asdict(inputs).items():
        if value is None or (key in _FILES and value == "-"):
            continue
        if key in _FILES:
            path = Path(value)
            if path.is_relative_to(folder) or not path.is_absolute():
                value = Path(os.path.relpath(path, folder)).as_posix()
                value = "./-" if value == "-" else value  # a file of that name, no standard input
        # JSON's texts are TOML's basic strings, but for DEL, which TOML wants escaped.
        lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f"))
    return ["[inputs]", *lines] if lines else []
