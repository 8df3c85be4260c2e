"""taxcheck run: the data gate."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck.cli.output import progress_bar, render

if TYPE_CHECKING:
    from taxcheck.report import Report
    from taxcheck.request import Progress, Request


@click.command()
@click.option("--mapping", metavar="FILE", help="Table of identifier -> idx; - is standard input.")
@click.option("--pairs", metavar="FILE", help="Training pairs (ancestor, descendant).")
@click.option("--held-out", metavar="FILE", help="Held-out pairs, checked for leaks.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump: names, ranks, true ancestry.")
@click.option("--embeddings", metavar="FILE", help="Trained table to audit, of any engine.")
@click.option("--initial", metavar="FILE", help="The table before training, to tell idle rows.")
@click.option("--key", help="Name of the array in the checkpoint; see `taxcheck inspect`.")
@click.option(
    "--geometry",
    type=click.Choice(["ball", "lorentz", "tangent", "euclidean"]),
    help="What the rows are; otherwise it is told from the file.",
)
@click.option("--curvature", type=float, metavar="C", help="c > 0 of curvature -c; default 1.")
@click.option("--policy", metavar="FILE", type=Path, help="taxcheck.toml or a pyproject.toml.")
@click.option(
    "--mapping-columns",
    metavar="ROLES",
    help="Columns of the mapping, in order (taxid,idx) or by name (taxid=label,idx=row).",
)
@click.option(
    "--pair-columns",
    metavar="ROLES",
    help="Columns of the pairs, in order (ancestor,descendant,depth_diff) or by name.",
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
@click.option("--projection", metavar="FILE", help="Write a page that shows the table in a disk.")
@click.option("--json", "json_", metavar="FILE", help="Write the report for machines; - prints it.")
@click.option("--failures", metavar="FOLDER", type=Path, help="Write all offending rows (Parquet).")
@click.option(
    "--baseline",
    metavar="FILE",
    help="JSON report of an earlier run: only what is new or worse than it fails.",
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
    "--fail-on",
    type=click.Choice(["fail", "warn"]),
    default="fail",
    show_default=True,
    help="The mildest outcome that exits with 1.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=min(os.cpu_count() or 1, 8),
    show_default="processors, at most 8",
    help="Threads that fold the data; the result does not depend on it.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything sampled.")
@click.option(
    "--cache",
    metavar="FOLDER",
    type=Path,
    envvar="TAXCHECK_CACHE",
    show_envvar=True,
    help="Keep results there, and answer an unchanged run from it.",
)
@click.option("--title", help="Name of the run in the report; default: the pairs' file name.")
@click.option("-v", "--verbose", is_flag=True, help="List every rule, not only what was found.")
def run(
    mapping: str | None,
    pairs: str | None,
    held_out: str | None,
    taxonomy: str | None,
    embeddings: str | None,
    initial: str | None,
    key: str | None,
    geometry: str | None,
    curvature: float | None,
    policy: Path | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    html: str | None,
    projection: str | None,
    json_: str | None,
    failures: Path | None,
    baseline: str | None,
    tolerance: float,
    fail_on: str,
    workers: int,
    seed: int,
    cache: Path | None,
    title: str | None,
    verbose: bool,
) -> None:
    """Check a mapping and its training pairs, audit a trained table, or both together.

    Reads Parquet, Feather, CSV and TSV (plain, gzip, zstd) and pickled lists of dicts. Columns
    are found by name, or given by --mapping-columns and --pair-columns. Pairs that hold labels
    need no mapping. What the command line does not name, [inputs] of the policy may: in a folder
    with such a taxcheck.toml `taxcheck run` is all.
    """
    from taxcheck.cli.formats import asked
    from taxcheck.config import load_policy
    from taxcheck.policy_inputs import Inputs
    from taxcheck.registry import load_renderers, load_rules
    from taxcheck.request import under_policy
    from taxcheck.rule import Outcome

    short = {"html": html, "projection": projection, "json": json_}
    targets = asked(formats, outputs, short, load_renderers(), os.environ)
    given = Inputs(
        mapping=mapping,
        pairs=pairs,
        held_out=held_out,
        taxonomy=taxonomy,
        embeddings=embeddings,
        initial=initial,
        key=key,
        geometry=geometry,
        curvature=curvature,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
    )
    request = under_policy(
        given,
        load_policy(policy, load_rules()),
        workers=workers,
        seed=seed,
        drawn=targets.drawn,
        projected=targets.projected,
        failures=failures,
        fail_on=Outcome(fail_on),
        command=shlex.join(["taxcheck", *sys.argv[1:]]),
        title=title,
    )
    with progress_bar() as progress:
        report, note = _report(request, cache, progress)
    if baseline is not None:
        from taxcheck.comparison.baseline import against

        report = against(report, baseline, tolerance)
    render(report, targets, verbose=verbose)
    if note:
        click.echo(note, err=not (report.cached and "terminal" in targets.printed))
    sys.exit(report.exit_code)


def _report(request: Request, cache: Path | None, progress: Progress | None) -> tuple[Report, str]:
    """The report of a run, and what there is to say of the cache."""
    if cache is None:
        from taxcheck.pipeline import check

        return check(request, progress), ""
    from taxcheck.caching.answer import answer

    answered = answer(request, cache, progress)
    return answered.report, answered.note
