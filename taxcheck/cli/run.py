"""taxcheck run: the data gate."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck.cli.apart import expect_apart, inputs_of
from taxcheck.cli.options import takes_request
from taxcheck.cli.output import asked, progress_bar, render
from taxcheck.cli.push import pushed, pusher, service_options
from taxcheck.cli.streams import aside, say
from taxcheck.model.paths import is_folder

if TYPE_CHECKING:
    from taxcheck.model.report import Report
    from taxcheck.run.request import Progress, Request


@click.command()
@takes_request(
    "mapping",
    "pairs",
    "held_out",
    "taxonomy",
    "embeddings",
    "initial",
    "failures",
    "fail_on",
    "workers",
    "engine",
    "memory",
    "seed",
    "title",
    several={
        "embeddings": "Trained table to audit, of any engine; several times, or a folder, for the "
        "checkpoints of one run."
    },
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="html, json, sarif, junit, markdown, github, terminal, projection or a plugin's; as often "
    "as wanted. Printed where no --output belongs to it.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where the n-th --format goes. Alone its suffix tells the format: .html .json .sarif "
    ".xml (JUnit) .md.",
)
@click.option("--html", metavar="FILE", help="Write the report for people.")
@click.option(
    "--projection", metavar="FILE", help="Write the explorer of the table; see `taxcheck explore`."
)
@click.option("--json", "json_", metavar="FILE", help="Write the report for machines; - prints it.")
@click.option(
    "--baseline",
    metavar="FILE|URL",
    help="JSON report of an earlier run, or a dataset of a service as URL#latest-pass, #latest or "
    "#baseline: only what is new or worse than it fails.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.01,
    show_default=True,
    metavar="PART",
    help="With --baseline: by which part of its earlier value something may be worse.",
)
@click.option(
    "--cache",
    metavar="FOLDER",
    type=Path,
    envvar="TAXCHECK_CACHE",
    show_envvar=True,
    help="Keep results there, and answer an unchanged run from it.",
)
@service_options
@click.option("-v", "--verbose", is_flag=True, help="List every rule, not only what was found.")
def run(
    request: Request,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    html: str | None,
    projection: str | None,
    json_: str | None,
    baseline: str | None,
    tolerance: float,
    cache: Path | None,
    verbose: bool,
    **where: str | None,
) -> None:
    """Check a mapping and its training pairs, audit a trained table, or both together.

    Reads Parquet, Feather, CSV and TSV (plain, gzip, zstd) and pickled lists of dicts. Columns
    are found by name, or given by --mapping-columns and --pair-columns. Pairs that hold labels
    need no mapping. Of several tables of one run, or a folder of them, each is judged; the verdict
    is that of the last, in the order of the epochs that they record. What the command line does not
    name, [inputs] of the policy may: in a folder with such a taxcheck.toml `taxcheck run` is all.
    """
    from dataclasses import replace

    from taxcheck.run.registry import load_renderers

    short = {"html": html, "projection": projection, "json": json_}
    targets = asked(formats, outputs, short, load_renderers(), os.environ)
    read = [*inputs_of(request), *([baseline] if baseline is not None else ())]
    expect_apart((t.path for t in targets.files if not t.append), read)
    request = replace(request, drawn=targets.drawn, projected=targets.projected)
    service, fetched = pusher(request.policy, **where), _fetched(baseline)
    with progress_bar() as progress:
        if targets.projected and request.embeddings is not None and not _several(request):
            from taxcheck.commands.explore import check_and_explore

            report, explorer = check_and_explore(request, progress)
            note = "" if cache is None else "cache: a run that draws a projection is not kept"
        else:
            (report, note), explorer = _report(request, cache, progress), None
    if baseline is not None:
        from taxcheck.commands.compare.baseline import against

        report = against(report, baseline, tolerance, fetched)
    try:
        render(report, targets, verbose=verbose, explorer=explorer)
    finally:
        pushed(service, report)
    if note:
        (say if report.cached and "terminal" in targets.printed else aside)(note)
    sys.exit(report.exit_code)


def _fetched(baseline: str | None) -> bytes | str | None:
    """What a service has for a baseline that is an address; None where it is a file, or none."""
    if baseline is None or not baseline.startswith(("http://", "https://")):
        return None
    from taxcheck.integrations.baseline import fetch

    return fetch(baseline)


def _several(request: Request) -> bool:
    """Whether there is more than one table to judge."""
    return bool(request.series) or (
        request.embeddings is not None and is_folder(request.embeddings)
    )


def _report(request: Request, cache: Path | None, progress: Progress | None) -> tuple[Report, str]:
    """The report of a run, and what there is to say of the cache."""
    if _several(request):
        from taxcheck.commands.series import as_series, judge_series

        request = as_series(request)
        if request.series:
            note = "" if cache is None else "Several tables are judged anew, whatever is cached."
            return judge_series(request, progress), note
    if cache is None:
        from taxcheck.run.check import check

        return check(request, progress), ""
    from taxcheck.run.cache.answer import answer

    answered = answer(request, cache, progress)
    return answered.report, answered.note
