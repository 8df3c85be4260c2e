"""taxcheck why: one node, and everything that is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from taxcheck.cli.options import takes_request
from taxcheck.cli.output import progress_bar
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.run.request import Request


@click.command()
@click.argument("node")
@takes_request(
    "mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial", "engine", "memory"
)
def why(request: Request, node: str) -> None:
    """Tell everything about one node, by its identifier: pairs, updates, radius, neighbours."""
    from taxcheck.commands.why import explain_node

    with progress_bar() as progress:
        lines = list(explain_node(request, node, progress))
    say("\n".join(lines))
