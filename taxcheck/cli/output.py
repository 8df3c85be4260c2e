"""What commands share: rendering a report to its files, and a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from taxcheck.comparison.value import Comparison
    from taxcheck.report import Report
    from taxcheck.request import Progress


def render(report: Report, outputs: dict[str, str | None], terminal: bool, verbose: bool) -> None:
    """Write every report that was asked for; BrokenError where a renderer fails."""
    from taxcheck.registry import load_renderers

    _render(report, load_renderers(), outputs, terminal, verbose)


def render_comparison(
    comparison: Comparison, outputs: dict[str, str | None], verbose: bool
) -> None:
    """The same for two reports; on the terminal unless one of the outputs is standard output."""
    from taxcheck.registry import load_comparison_renderers

    terminal = "-" not in outputs.values()
    _render(comparison, load_comparison_renderers(), outputs, terminal, verbose)


def _render(
    value: object,
    renderers: Mapping[str, Callable[..., str]],
    outputs: dict[str, str | None],
    terminal: bool,
    verbose: bool,
) -> None:
    import shutil

    from taxcheck.errors import BrokenError
    from taxcheck.output import write_text
    from taxcheck.report import RenderOptions

    options = RenderOptions(
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        width=min(shutil.get_terminal_size((100, 25)).columns, 120),
        verbose=verbose,
    )
    wanted = {name: path for name, path in outputs.items() if path is not None}
    if terminal:
        wanted = {"terminal": "-"} | wanted
    for name, path in wanted.items():
        try:
            text = renderers[name](value, options)
        except Exception as error:
            raise BrokenError(
                f"the {name} renderer broke ({type(error).__name__}: {error}); "
                "please report this with the command that showed it"
            ) from error
        write_text(path, text)
    for name, path in wanted.items():
        if path != "-" and terminal:
            click.echo(f"{name}: {path}")


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
