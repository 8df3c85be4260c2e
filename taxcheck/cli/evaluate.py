"""taxcheck evaluate: one table, scored by published protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxcheck.cli.apart import expect_apart, inputs_of
from taxcheck.cli.options import as_typed, takes_request
from taxcheck.cli.output import progress_bar
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.run.request import Request


@click.command()
@takes_request(
    "mapping",
    "pairs",
    "held_out",
    "known",
    "embeddings",
    "workers",
    "memory",
    "seed",
    argument={"embeddings": "CHECKPOINT"},
    mapping="Joins labels and idx; else row k is idx k.",
    pairs="Pairs that give the positives.",
    held_out="Pairs that were not trained on, scored apart.",
)
@click.option(
    "--protocol",
    type=click.Choice(["nickel", "gensim", "edges"]),
    default="nickel",
    show_default=True,
    help="What is ranked for whom; gensim only for comparison.",
)
@click.option(
    "--sources", default="2000", show_default=True, help="How many sources are scored, or all."
)
@click.option(
    "--ties",
    type=click.Choice(["sklearn", "optimistic", "mean", "pessimistic"]),
    default="sklearn",
    show_default=True,
    help="How candidates at the same distance are ranked.",
)
@click.option("--json", "json_", metavar="FILE", help="Write the scores for machines; - prints.")
def evaluate(request: Request, protocol: str, sources: str, ties: str, json_: str | None) -> None:
    """Score a checkpoint by MAP, mean rank and hits@k against the pairs' ancestors.

    Filtered, where other pairs are known: their ancestors are true, and no candidates. Held-out
    pairs are scored apart, which tells what was learnt from what is remembered.
    """
    import json
    from dataclasses import asdict

    from taxcheck.commands.evaluate import evaluate_table
    from taxcheck.files import write_text
    from taxcheck.model.errors import UsageError

    if sources != "all" and not (sources.isdigit() and int(sources) > 0):
        raise UsageError(f"--sources {sources}: give a number from 1, or all")
    expect_apart([json_], inputs_of(request))
    most = None if sources == "all" else int(sources)
    with progress_bar() as progress:
        result = evaluate_table(request, protocol, ties, most, progress)
    if json_ is not None:
        write_text(json_, json.dumps(asdict(result), indent=2, sort_keys=True) + "\n")
    if json_ != "-":
        say("\n".join(map(as_typed, result.lines())))
