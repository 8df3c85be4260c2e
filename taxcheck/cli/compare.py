"""taxcheck compare: two reports beside each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from taxcheck.cli.apart import expect_apart
from taxcheck.cli.options import request_options, typed
from taxcheck.cli.output import render_comparison


@click.command()
@click.argument("before", metavar="BEFORE.json")
@click.argument("after", metavar="AFTER.json")
@click.option("--html", metavar="FILE", help="Write the comparison for people.")
@click.option("--json", "json_", metavar="FILE", help="Write it for machines; - prints it.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.01,
    show_default=True,
    metavar="PART",
    help="By which part of its earlier value something may differ and be the same.",
)
@click.option("--data", is_flag=True, help="Compare the tables that the reports name as well.")
@click.option(
    "--before-data",
    type=Path,
    metavar="FOLDER",
    help="Where BEFORE's mapping.*, pairs.* and taxdump/ lie now.",
)
@click.option(
    "--after-data", type=Path, metavar="FOLDER", help="Where AFTER's lie now; each implies --data."
)
@request_options("mapping_columns", "pair_columns")
@click.option("-v", "--verbose", is_flag=True, help="List every number, not only what changed.")
def compare(html: str | None, json_: str | None, verbose: bool, **asked: Any) -> None:
    """Set two reports of `taxcheck run --json` side by side: what is new, fixed, worse or better.

    Exit codes: 0 nothing is new or worse, 1 something is or a finding is no longer judged, 2 usage,
    3 a report cannot be read, has a schema that cannot be compared, or is of another dataset.
    """
    from taxcheck.commands.compare.compare import Asked
    from taxcheck.commands.compare.compare import compare as compared

    expect_apart([html, json_], [str(asked["before"]), str(asked["after"])])
    comparison = compared(Asked(**asked, command=typed()))
    render_comparison(comparison, {"html": html, "json": json_}, verbose=verbose)
    sys.exit(comparison.exit_code)
