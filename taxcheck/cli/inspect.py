"""taxcheck inspect: what is in a checkpoint."""

from __future__ import annotations

from typing import Any

import click

from taxcheck.cli.options import as_typed, request_options
from taxcheck.cli.streams import say


@click.command()
@click.argument("checkpoint")
@request_options("key", "geometry", "curvature", key="Name of the array to take as the table.")
def inspect(checkpoint: str, **read_as: Any) -> None:
    """Tell what is in a checkpoint: format, arrays, geometry and how sure that is."""
    from taxcheck.sources.checkpoints.checkpoint import describe
    from taxcheck.sources.checkpoints.opening import open_checkpoint

    for line in describe(open_checkpoint(checkpoint, **read_as)):
        say(as_typed(line))
