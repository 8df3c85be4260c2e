"""taxcheck init: a policy for the data as it is."""

from __future__ import annotations

from pathlib import Path

import click

from taxcheck.cli.table import column_options


@click.command()
@click.option("--mapping", metavar="FILE", help="Table of identifier -> idx.")
@click.option("--pairs", required=True, metavar="FILE", help="Training pairs.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump: names, ranks, true ancestry.")
@click.option(
    "--out", default="taxcheck.toml", show_default=True, metavar="FILE", help="- prints it."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@column_options
def init(
    mapping: str | None,
    pairs: str,
    taxonomy: str | None,
    out: str,
    force: bool,
    mapping_columns: str | None,
    pair_columns: str | None,
) -> None:
    """Profile the data and write a policy for it, each line with what was seen.

    What the pairs mean to be is proved where it can be and guessed where it cannot, which the line
    says. Findings are listed and never accepted: that is for a person to do.
    """
    from taxcheck.errors import OutputError, UsageError
    from taxcheck.output import write_text
    from taxcheck.profiling import profile
    from taxcheck.request import Request

    try:
        there = out != "-" and Path(out).exists()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None
    if there and not force:
        raise UsageError(f"{out} is there already; --force replaces it, --out names another")
    text = profile(
        Request(
            mapping=mapping,
            pairs=pairs,
            taxonomy=taxonomy,
            mapping_columns=mapping_columns,
            pair_columns=pair_columns,
        ),
        Path(out).parent,
    )
    write_text(out, text)
    if out != "-":
        click.echo(f"policy: {out}")
