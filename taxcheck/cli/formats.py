"""Which reports a command line asks for, and where each goes; mistakes show before any reading."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from taxcheck.errors import UsageError

STDOUT = "-"
SUFFIXES = {
    ".html": "html",
    ".json": "json",
    ".sarif": "sarif",
    ".sarif.json": "sarif",
    ".xml": "junit",
    ".md": "markdown",
}
# They show no pictures of a table, whose making takes a moment; of a plugin's own nobody knows.
_PLAIN = frozenset({"github", "json", "junit", "markdown", "sarif", "terminal"})


@dataclass(frozen=True, slots=True)
class Target:
    """One report: the name of its renderer, and its file."""

    format: str
    path: str
    append: bool = False  # to a file that others write to as well
    quiet: bool = False  # not named on the terminal


@dataclass(frozen=True, slots=True)
class Targets:
    """All reports of a run."""

    files: tuple[Target, ...] = ()
    printed: tuple[str, ...] = ("terminal",)  # on standard output, in this order

    @property
    def drawn(self) -> bool:
        """Whether pictures of a trained table are wanted."""
        return bool(self._names - _PLAIN)

    @property
    def projected(self) -> bool:
        """Whether its projection is wanted."""
        return "projection" in self._names

    @property
    def _names(self) -> set[str]:
        return {target.format for target in self.files} | set(self.printed)


def asked(
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    short: Mapping[str, str | None],
    known: Collection[str],
    environment: Mapping[str, str],
) -> Targets:
    """The reports of ``--format``, ``--output`` and of the ``short`` options, format -> file.

    In GitHub Actions annotations and the job summary come on their own, unless a format is named.
    Raises UsageError where what is asked for cannot be.
    """
    for name in formats:
        if name not in known:
            raise _unknown(name, known)
    if formats and len(outputs) > len(formats):
        raise UsageError(
            f"{len(outputs)} --output for {len(formats)} --format: the n-th output belongs to the "
            "n-th format; name a format for each, or none and let the suffixes tell"
        )
    named = formats or tuple(_by_suffix(path) for path in outputs)
    paths = (*outputs, *[STDOUT] * (len(named) - len(outputs)))
    given = [Target(name, path) for name, path in zip(named, paths, strict=True)]
    given += [Target(name, path) for name, path in short.items() if path is not None]
    printed = tuple(target.format for target in given if target.path == STDOUT)
    if len(printed) > 1:
        raise UsageError(
            f"{' and '.join(printed)} both go to standard output, which holds one report: give "
            "an --output for each --format"
        )
    files = tuple(target for target in given if target.path != STDOUT)
    _distinct(files)
    targets = Targets(files, printed or ("terminal",))
    in_actions = environment.get("GITHUB_ACTIONS") == "true" and "github" in known
    return _in_actions(targets, formats, environment) if in_actions else targets


def _in_actions(
    targets: Targets, formats: tuple[str, ...], environment: Mapping[str, str]
) -> Targets:
    """The annotations below what the terminal shows; the summary wherever there is one."""
    if formats and "github" not in formats:
        return targets
    summary = environment.get("GITHUB_STEP_SUMMARY", "")
    files = targets.files
    if summary:
        files += (Target("markdown", summary, append=True, quiet=True),)
    alone = targets.printed == ("terminal",) and not formats
    return Targets(files, ("terminal", "github") if alone else targets.printed)


def _unknown(name: str, known: Collection[str]) -> UsageError:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return UsageError(f"no format {name!r}; {hint}There are {', '.join(sorted(known))}")


def _by_suffix(path: str) -> str:
    name = path.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return SUFFIXES[suffix]
    raise UsageError(
        f"--output {path}: no suffix that tells the format ({', '.join(SUFFIXES)}); give its "
        "--format"
    )


def _distinct(files: tuple[Target, ...]) -> None:
    """A device may receive several reports; of a file the last one alone would be left."""
    seen: set[Path] = set()
    for target in files:
        path = Path(target.path).absolute()
        if path in seen and (path.is_file() or not path.exists()):
            raise UsageError(f"{target.path} would hold two reports: give each its own file")
        seen.add(path)
