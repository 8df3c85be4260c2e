"""taxcheck compare: two reports beside each other."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from taxcheck.cli.output import render_comparison
from taxcheck.cli.table import column_options


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
@column_options
@click.option("-v", "--verbose", is_flag=True, help="List every number, not only what changed.")
def compare(
    before: str,
    after: str,
    html: str | None,
    json_: str | None,
    tolerance: float,
    data: bool,
    before_data: Path | None,
    after_data: Path | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    verbose: bool,
) -> None:
    """Set two reports of `taxcheck run --json` side by side: what is new, fixed, worse or better.

    Exit codes: 0 nothing is new or worse, 1 something is, 2 usage, 3 a report cannot be read or
    has a schema that cannot be compared.
    """
    from taxcheck.comparison.compare import Asked
    from taxcheck.comparison.compare import compare as compared

    comparison = compared(
        Asked(
            before,
            after,
            tolerance=tolerance,
            data=data,
            before_data=before_data,
            after_data=after_data,
            mapping_columns=mapping_columns,
            pair_columns=pair_columns,
            command=shlex.join(["taxcheck", *sys.argv[1:]]),
        )
    )
    render_comparison(comparison, {"html": html, "json": json_}, verbose=verbose)
    sys.exit(comparison.exit_code)
