"""Which reports a command line asks for, where each goes, and the progress bar above them."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxcheck.model.errors import UsageError

if TYPE_CHECKING:
    from taxcheck.commands.compare.comparison import Comparison
    from taxcheck.model.explorer import Explorer
    from taxcheck.model.report import RenderOptions, Report
    from taxcheck.run.request import Progress

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


def render(
    report: Report, targets: Targets, verbose: bool, explorer: Explorer | None = None
) -> None:
    """Write every report that was asked for; one that cannot be does not lose the others.

    Where there is an ``explorer``, it is the projection: the report itself has a sample alone.

    What fails is told at the end: BrokenError of a renderer before OutputError of a file.
    """
    from taxcheck.run.registry import load_explorer, load_renderers

    renderers: Mapping[str, Callable[..., str]] = load_renderers()
    if explorer is not None:
        made = load_explorer()
        renderers = {**renderers, "projection": lambda *_: made(explorer)}
    _render(report, renderers, targets, verbose)


def render_comparison(
    comparison: Comparison, outputs: dict[str, str | None], verbose: bool
) -> None:
    """The same for two reports; on the terminal unless one of the outputs is standard output."""
    from taxcheck.run.registry import load_comparison_renderers

    given = [Target(name, path) for name, path in outputs.items() if path is not None]
    printed = tuple(target.format for target in given if target.path == STDOUT)
    files = tuple(target for target in given if target.path != STDOUT)
    targets = Targets(files, printed or ("terminal",))
    _render(comparison, load_comparison_renderers(), targets, verbose)


def _render(
    value: object,
    renderers: Mapping[str, Callable[..., str]],
    targets: Targets,
    verbose: bool,
) -> None:
    """Files first, so that a reader who closes standard output early has them all the same."""
    import shutil

    from taxcheck.files import append_text, write_text
    from taxcheck.model.errors import TaxcheckError
    from taxcheck.model.report import RenderOptions

    filed = RenderOptions(verbose=verbose)
    shown = RenderOptions(
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        width=min(shutil.get_terminal_size((100, 25)).columns, 120),
        verbose=verbose,
    )
    troubles: list[TaxcheckError] = []
    written = []
    for target in targets.files:
        write = append_text if target.append else write_text
        try:
            write(target.path, _text(target.format, renderers, value, filed))
        except TaxcheckError as trouble:
            troubles.append(trouble)
        else:
            written += [] if target.quiet else [f"{target.format}: {target.path}\n"]
    for name in targets.printed:
        try:
            text = _text(name, renderers, value, shown)
            if name == "terminal":
                text = _inert(text + "".join(written))
            write_text("-", text)
        except TaxcheckError as trouble:
            troubles.append(trouble)
    if troubles:
        worst = max(troubles, key=lambda trouble: trouble.exit_code)
        raise type(worst)("; ".join(map(str, troubles)))


def _text(
    name: str, renderers: Mapping[str, Callable[..., str]], value: object, options: RenderOptions
) -> str:
    """What a renderer makes of a value; BrokenError where that is no text of a file."""
    from taxcheck.model.errors import BrokenError

    try:
        text = renderers[name](value, options)
        text.encode("utf-8")
    except Exception as error:
        raise BrokenError(
            f"the {name} renderer broke ({type(error).__name__}: {error}); "
            "please report this with the command that showed it"
        ) from error
    return text


def _inert(text: str) -> str:
    """Text of which GitHub Actions obeys no line, whatever a taxon is called.

    The word that ends the silence is made of the text, which cannot hold it.
    """
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return text
    import hashlib

    token = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"::stop-commands::{token}\n{text}::{token}::\n"


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """A progress bar for long reads, on standard error, where that is a terminal.

    Whoever started us may have it as lines instead.
    """
    tell = progress_lines()
    if tell is not None:
        yield lambda stage, done, whole: tell(f"reading {stage}", done, whole)
        return
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def told(stage: str, done: int, whole: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(f"reading {stage}", total=whole)
        bars.update(tasks[stage], completed=done, total=whole)

    with bars:
        yield told


def progress_lines() -> Progress | None:
    """Progress as JSON, a line each, to the open file whose number TAXCHECK_PROGRESS gives."""
    number = os.environ.get("TAXCHECK_PROGRESS", "")
    if not number.isdecimal():
        return None
    import json

    def tell(stage: str, done: int, whole: int) -> None:
        line = json.dumps({"stage": stage, "done": done, "whole": whole})
        with suppress(OSError):  # nobody listens any more, which is no reason to stop
            os.write(int(number), f"{line}\n".encode())

    return tell
