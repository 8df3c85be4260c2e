"""Reports as `taxcheck run --json` writes them, read back as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from taxcheck.comparison.shape import Judged, Statistics, Written, shaped
from taxcheck.errors import InputError
from taxcheck.report import SCHEMA_VERSION

_MAJOR = SCHEMA_VERSION.split(".")[0]
_KEYS = ("verdict", "tool", "title", "command", "inputs", "rules", "statistics", "policy")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One report as it was written down."""

    path: str
    content: Written
    sections: Mapping[str, Any]  # all of its statistics, as they stand

    @property
    def rules(self) -> dict[str, Judged]:
        """The rules by id."""
        return {rule.id: rule for rule in self.content.rules}

    @property
    def roles(self) -> frozenset[str]:
        """What kinds of inputs were read."""
        return frozenset(source.role for source in self.content.inputs)

    @property
    def version(self) -> str:
        """The taxcheck that wrote it."""
        return self.content.tool.version

    @property
    def statistics(self) -> Statistics:
        """Those that are drawn and scored."""
        return self.content.statistics


def read_report(path: str) -> Recorded:
    """Read a report; InputError where it is none, or of a schema that cannot be compared."""
    try:
        content = msgspec.json.decode(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise InputError(f"{path}: is no JSON of a report: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    return recorded(path, content)


def recorded(path: str, content: object) -> Recorded:
    """A report's content, once it is known to be one; InputError where it is not."""
    if not isinstance(content, Mapping) or "schema_version" not in content:
        raise InputError(f"{path}: is no report of `taxcheck run --json`")
    version = str(content["schema_version"])[:40]
    if version.split(".")[0] != _MAJOR:
        raise InputError(
            f"{path}: has report schema {version}, which cannot be compared with {SCHEMA_VERSION}; "
            f"write it again by this taxcheck"
        )
    missing = [key for key in _KEYS if key not in content]
    if missing:
        raise InputError(f"{path}: is no whole report, it lacks {', '.join(missing)}")
    try:
        return Recorded(path, shaped(content), content["statistics"])
    except ValueError as error:
        raise InputError(
            f"{path}: is not as `taxcheck run --json` writes it: {error}; write it again"
        ) from None
