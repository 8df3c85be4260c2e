"""taxcheck inspect: what is in a checkpoint, and how tables of rows are understood."""

from __future__ import annotations

from typing import Any

import click

from taxcheck.cli.options import as_typed, request_options
from taxcheck.cli.streams import say


@click.command()
@click.argument("checkpoint", required=False)
@request_options(
    "mapping",
    "pairs",
    "held_out",
    "mapping_columns",
    "pair_columns",
    "key",
    "geometry",
    "curvature",
    "labels",
    key="Name of the array to take as the table.",
)
def inspect(checkpoint: str | None, **read_as: Any) -> None:
    """Tell how files are understood, before anything is judged.

    Of a checkpoint: format, arrays, geometry and how sure that is. Of a mapping and of pairs: their
    files in the order in which they are read, columns, and what was guessed.
    """
    from taxcheck.model.errors import UsageError

    asked = {role: read_as.pop(role) for role in ("mapping", "pairs", "held_out")}
    columns = {table: read_as.pop(f"{table}_columns") for table in ("mapping", "pair")}
    if checkpoint is None and not any(asked.values()):
        raise UsageError("nothing to inspect: give a checkpoint, `mapping`, `pairs` or `held_out`")
    if any(asked.values()):
        from taxcheck.sources.tables.describe import describe as describe_table
        from taxcheck.sources.tables.opening import open_mapping, open_pairs

        if asked["mapping"]:
            for line in describe_table(open_mapping(asked["mapping"], columns["mapping"])):
                say(as_typed(line))
        for name, role in (("pairs", "pairs"), ("held_out", "held-out")):
            if asked[name]:
                given = asked["mapping"] is not None
                source = open_pairs(asked[name], columns["pair"], given, role=role)
                for line in describe_table(source):
                    say(as_typed(line))
    if checkpoint is not None:
        from taxcheck.sources.checkpoints.checkpoint import describe
        from taxcheck.sources.checkpoints.opening import open_checkpoint

        for line in describe(open_checkpoint(checkpoint, **read_as)):
            say(as_typed(line))
