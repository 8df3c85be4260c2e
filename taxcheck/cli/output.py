"""What commands share: rendering a report to its files, and a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxcheck.cli.formats import Targets
    from taxcheck.comparison.value import Comparison
    from taxcheck.report import RenderOptions, Report
    from taxcheck.request import Progress


def render(report: Report, targets: Targets, verbose: bool) -> None:
    """Write every report that was asked for; one that cannot be does not lose the others.

    What fails is told at the end: BrokenError of a renderer before OutputError of a file.
    """
    from taxcheck.registry import load_renderers

    _render(report, load_renderers(), targets, verbose)


def render_comparison(
    comparison: Comparison, outputs: dict[str, str | None], verbose: bool
) -> None:
    """The same for two reports; on the terminal unless one of the outputs is standard output."""
    from taxcheck.cli.formats import STDOUT, Target, Targets
    from taxcheck.registry import load_comparison_renderers

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

    from taxcheck.errors import TaxcheckError
    from taxcheck.output import append_text, write_text
    from taxcheck.report import RenderOptions

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
    from taxcheck.errors import BrokenError

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
    """A progress bar for long reads, on standard error, where that is a terminal."""
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
