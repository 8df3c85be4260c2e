"""taxcheck serve: the place where a team keeps, compares and looks at its runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from taxcheck.cli.options import as_typed
from taxcheck.cli.service import takes_settings
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.service.settings import Settings


@click.command()
@takes_settings()
@click.option("--check", is_flag=True, help="Say what it would do, and whether it can; end then.")
def serve(settings: Settings, check: bool) -> None:
    """Keep runs, compare them, and show them to people and programs.

    Each option can be set in the environment, as TAXCHECK_SERVICE_ and its name. Exit codes:
    0 it was stopped, or with --check it would start, 2 usage, access control or an address that is
    taken, 3 the data cannot be used.
    """
    if check:
        from taxcheck.service.checking import checked

        found = checked(settings)
        for part, said in found.lines:
            say(f"{part:<10}{as_typed(said)}")
        sys.exit(found.exit_code)
    from taxcheck.service.serving import serve as start

    start(settings, say)
