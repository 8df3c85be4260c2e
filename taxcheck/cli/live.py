"""What `taxcheck train` shows: bars and a small table on a terminal, else a line an evaluation."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from taxcheck.cli.output import Targets, progress_bar, render
from taxcheck.cli.streams import say
from taxcheck.commands.train.story import Watcher
from taxcheck.model.vocabulary import plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from taxcheck.engine.progress import Progress
    from taxcheck.model.report import Report
    from taxcheck.run.request import Progress as Reading

_LONG = 60.0  # seconds of a run whose length is told
_COLUMNS = {  # heading -> how values of the record are written
    "loss": "{loss:.4g}",
    "MAP": "{map:.4f}",
    "mean rank": "{mean_rank:.1f} ({mean_rank_low:.1f} to {mean_rank_high:.1f})",
    "rank p50, p99": "{rank_p50:.0f}, {rank_p99:.0f}",
    "norm p50": "{norm_p50:.4f}",
    "p90": "{norm_p90:.4f}",
    "p99": "{norm_p99:.4f}",
    "pairs/s": "{pairs_per_second:,.0f}",
    "lr": "{lr:.3g}",
    "lambda": "{lambda_reg:.3g}",
}
_SCORES = ("loss", "MAP", "mean rank", "rank p50, p99")  # one row of what is shown on a terminal


class Live(Watcher):
    """Shows a run; it sees the values that the run tells and nothing else."""

    def __init__(self, *, quiet: bool = False, terminal: bool | None = None) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._stage = ExitStack()  # the display of what goes on now
        self._read: Reading | None = None
        self._now: Progress | None = None
        self._last: Mapping[str, float] = {}  # the newest record
        self._evaluated: Mapping[str, float] = {}  # the newest with a ranking
        self._shown = False

    def __enter__(self) -> Live:
        if not self._quiet and self._terminal:
            self._read = self._stage.enter_context(progress_bar())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stage.close()

    def reading(self, stage: str, done: int, whole: int) -> None:
        """A bar for an input."""
        if self._read is not None:
            self._read(stage, done, whole)

    def judged(self, stage: str, report: Report, page: Path) -> None:
        """The whole screen of a gate that fails and of the audit; one line for a gate that passes.

        The screen says the verdict, the causes and what to do.
        """
        self._stage.close()
        self._read = None
        if self._quiet:
            return
        if stage == "gate" and not report.exit_code:
            say(f"gate: {report.verdict.value.upper()}: {report.headline}")
        else:
            render(report, Targets(), verbose=False)
        say(f"{stage}: {page}")

    def planned(self, lines: Sequence[str]) -> None:
        """A line each."""
        if not self._quiet:
            for told in lines:
                say(told)

    def trained(self, progress: Progress) -> None:
        """Keep what is newest, for the display to take up; without one, a line an evaluation."""
        self._now = progress
        if progress.record is not None:
            self._last = progress.record
            if "map" in progress.record:
                self._evaluated = progress.record
        if self._quiet:
            return
        if not self._terminal:
            if told := length(progress):
                say(told)
            if progress.record is not None and "map" in progress.record:
                say(line(progress))
        elif not self._shown:
            self._shown = True
            self._open()

    def _open(self) -> None:
        from rich.console import Console
        from rich.live import Live as Screen

        screen = Screen(
            get_renderable=self._screen, console=Console(stderr=True), refresh_per_second=4
        )
        self._stage.enter_context(screen)

    def _screen(self) -> RenderableType:
        """The bar over all epochs, and the table under it."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = self._now
        if now is None:
            return Text("")
        head = Table.grid(padding=(0, 1))
        head.add_row(
            f"epoch {now.epoch:,}/{now.epochs:,}",
            ProgressBar(total=1.0, completed=done(now), width=40),
            f"{clock(now.seconds)} trained, {clock(left(now))} left",
        )
        cells = written({**self._evaluated, **self._last, "loss": now.loss, "lr": now.lr})
        rows = []
        for shown in ({name: cells[name] for name in _SCORES} | {"best": best(now)},
                      {name: cells[name] for name in cells if name not in _SCORES}):  # fmt: skip
            table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
            for heading in shown:
                table.add_column(heading, justify="right", no_wrap=True)
            table.add_row(*shown.values())
            rows.append(table)
        return Group(head, *rows)


def done(progress: Progress) -> float:
    """The part of all epochs that is done."""
    return min((progress.epoch - 1 + progress.share) / max(progress.epochs, 1), 1.0)


def left(progress: Progress) -> float:
    """Seconds that the rest takes if it goes on as it went, or that it may take."""
    part, may = done(progress), progress.limit - progress.seconds
    return min(progress.seconds * (1 - part) / part, max(may, 0.0)) if part else float("nan")


def length(progress: Progress) -> str:
    """How long a run will take that takes more than a minute; "" of others."""
    whole = progress.foretold or 0.0
    if min(whole, progress.limit) < _LONG:
        return ""
    told = f"{plural(progress.epochs, 'epoch')} take about {clock(whole)} at the pace of the first"
    if whole > progress.limit:
        return f"{told}; max_seconds ends the run after {clock(progress.limit)}"
    return f"{told}, without evaluations"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds; "?" where they are not known."""
    if seconds != seconds:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def written(record: Mapping[str, float]) -> dict[str, str]:
    """The cells of the table by heading, in its order; a dash for what is not known yet."""
    return {heading: _cell(form, record) for heading, form in _COLUMNS.items()}


def _cell(form: str, record: Mapping[str, float]) -> str:
    try:
        return form.format_map(record)
    except KeyError:
        return "-"


def best(progress: Progress) -> str:
    """The best MAP so far and its epoch."""
    if progress.best_map is None:
        return "-"
    return f"{progress.best_map:.4f} at {progress.best_epoch}"


def line(progress: Progress) -> str:
    """One evaluation in one line."""
    cells = " ".join(
        f"{heading} {cell}" for heading, cell in written(progress.record or {}).items()
    )
    return (
        f"epoch {progress.epoch}/{progress.epochs} {cells} best {best(progress)}, "
        f"{clock(left(progress))} left"
    )
