"""What commands share: rendering a report to its files, and a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from taxcheck.report import Report
    from taxcheck.request import Progress


def render(report: Report, outputs: dict[str, str | None], terminal: bool, verbose: bool) -> None:
    """Write every report that was asked for; BrokenError where a renderer fails."""
    import shutil

    from taxcheck.errors import BrokenError
    from taxcheck.output import write_text
    from taxcheck.registry import load_renderers
    from taxcheck.report import RenderOptions

    renderers = load_renderers()
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
            text = renderers[name](report, options)
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
