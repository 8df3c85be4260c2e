"""taxcheck inspect, evaluate, why: one embedding table, looked at and scored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def table_options(command: Command) -> Command:
    """Options that say which array is the table, and what its rows are."""
    for option in (
        click.option("--curvature", type=float, metavar="C", help="c > 0 of curvature -c."),
        click.option(
            "--geometry",
            type=click.Choice(["ball", "lorentz", "tangent", "euclidean"]),
            help="What the rows are; otherwise it is told from the file.",
        ),
        click.option("--key", help="Name of the array to take as the table."),
    ):
        command = option(command)
    return command


def column_options(command: Command) -> Command:
    """Options that name the columns of mapping and pairs, in order or by name."""
    for option in (
        click.option("--pair-columns", metavar="ROLES", help="As in `taxcheck run`."),
        click.option("--mapping-columns", metavar="ROLES", help="As in `taxcheck run`."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("checkpoint")
@table_options
def inspect(
    checkpoint: str, key: str | None, geometry: str | None, curvature: float | None
) -> None:
    """Tell what is in a checkpoint: format, arrays, geometry and how sure that is."""
    from taxcheck.sources.checkpoints import open_checkpoint
    from taxcheck.sources.checkpoints.describe import describe

    for line in describe(
        open_checkpoint(checkpoint, key=key, geometry=geometry, curvature=curvature)
    ):
        click.echo(line)


@click.command()
@click.argument("checkpoint")
@click.option("--pairs", required=True, metavar="FILE", help="Pairs that give the positives.")
@click.option("--mapping", metavar="FILE", help="Joins labels and idx; else row k is idx k.")
@column_options
@table_options
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
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "json_", metavar="FILE", help="Write the scores for machines; - prints.")
def evaluate(
    checkpoint: str,
    pairs: str,
    mapping: str | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    key: str | None,
    geometry: str | None,
    curvature: float | None,
    protocol: str,
    sources: str,
    ties: str,
    workers: int,
    seed: int,
    json_: str | None,
) -> None:
    """Score a checkpoint by MAP, mean rank and hits@k against the pairs' ancestors."""
    import json

    from taxcheck.errors import UsageError
    from taxcheck.evaluation import evaluate_table
    from taxcheck.output import write_text
    from taxcheck.request import Request

    if sources != "all" and not (sources.isdigit() and int(sources) > 0):
        raise UsageError(f"--sources {sources}: give a number from 1, or all")
    request = Request(
        mapping=mapping,
        pairs=pairs,
        embeddings=checkpoint,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        key=key,
        geometry=geometry,
        curvature=curvature,
        workers=workers,
        seed=seed,
    )
    result = evaluate_table(request, protocol, ties, None if sources == "all" else int(sources))
    if json_ is not None:
        write_text(json_, json.dumps(result.as_json(), indent=2, sort_keys=True) + "\n")
    if json_ != "-":
        click.echo("\n".join(result.lines()))


@click.command()
@click.argument("node")
@click.option("--embeddings", required=True, metavar="FILE", help="Trained table.")
@click.option("--mapping", required=True, metavar="FILE", help="Table of identifier -> idx.")
@click.option("--pairs", required=True, metavar="FILE", help="Training pairs.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump, for names and lineages.")
@column_options
@table_options
def why(
    node: str,
    embeddings: str,
    mapping: str,
    pairs: str,
    taxonomy: str | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    key: str | None,
    geometry: str | None,
    curvature: float | None,
) -> None:
    """Tell everything about one node, by its identifier: pairs, updates, radius, neighbours."""
    from taxcheck.request import Request
    from taxcheck.why import explain_node

    request = Request(
        mapping=mapping,
        pairs=pairs,
        taxonomy=taxonomy,
        embeddings=embeddings,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        key=key,
        geometry=geometry,
        curvature=curvature,
    )
    for line in explain_node(request, node):
        click.echo(line)
