"""taxcheck explore: a page in which all of a trained table can be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxcheck.cli.apart import expect_apart, inputs_of
from taxcheck.cli.options import takes_request
from taxcheck.cli.output import progress_bar
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.run.request import Request


@click.command()
@takes_request(
    "embeddings",
    "mapping",
    "pairs",
    "taxonomy",
    "initial",
    "workers",
    "memory",
    "seed",
    "title",
    argument={"embeddings": "CHECKPOINT"},
    mapping="Gives rows their identifiers; else row k is idx k.",
    pairs="Give the hierarchy: edges, clades, lineages.",
    taxonomy="NCBI taxdump, folder of a build, or table of names: gives rows their names.",
    title="Name of the table on the page; default: its file name.",
)
@click.option("--out", metavar="FILE", required=True, help="The page; - prints it.")
def explore(request: Request, out: str) -> None:
    """Write a page in which every row of a trained table can be found, seen and named.

    One file without a network: it opens from a disk, and can be mailed. The page draws the table
    in two dimensions, made of its own numbers alone, and says how much of the neighbourhoods that
    keeps. Colours tell clades, depths, radii and what was found of single rows.
    """
    from taxcheck.commands.explore import explore as explored
    from taxcheck.files import write_text
    from taxcheck.run.registry import load_explorer

    expect_apart([out], inputs_of(request))
    with progress_bar() as progress:
        found = explored(request, progress)
    write_text(out, load_explorer()(found))
    if out != "-":
        say("\n".join((*found.lines(), f"written: {out}")))
