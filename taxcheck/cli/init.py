"""taxcheck init: a policy for the data as it is."""

from __future__ import annotations

from pathlib import Path
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
    "mapping",
    "pairs",
    "held_out",
    "taxonomy",
    "memory",
    policy="Whose [inputs] name what is not given; default: the one in this folder.",
)
@click.option(
    "--out", default="taxcheck.toml", show_default=True, metavar="FILE", help="- prints it."
)
@click.option("--force", is_flag=True, help="Replace a file; your comments in it stay.")
def init(request: Request, out: str, force: bool) -> None:
    """Profile the data and write a policy for it, each line with what was seen.

    What the pairs mean to be is proved where it can be and guessed where it cannot, which the line
    says. Findings are listed and never accepted: that is for a person to do.
    """
    from taxcheck.commands.init import profile, shadowed
    from taxcheck.files import write_text
    from taxcheck.model.errors import OutputError, UsageError
    from taxcheck.policy.write import own_text

    try:
        there = out != "-" and Path(out).exists()
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from None
    if there and not force:
        raise UsageError(f"{out} is there already; --force replaces it, --out names another")
    expect_apart([out], [one for one in inputs_of(request) if one != request.policy.source])
    with progress_bar() as progress:
        before = (
            Path(out).read_text("utf-8-sig", "replace") if there and Path(out).is_file() else ""
        )
        stands_for = None if there or out == "-" else shadowed(Path(out))
        if stands_for is not None:
            before = own_text(stands_for)
        text = profile(request, Path(out).parent, progress, before)
    write_text(out, text)
    if out != "-":
        say(f"policy: {out}")
    if stands_for is not None:
        say(f"It now stands in for [tool.taxcheck] of {stands_for}, and took over its text.")
