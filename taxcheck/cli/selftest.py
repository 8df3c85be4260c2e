"""taxcheck selftest: is every known corruption found by this installation."""

from __future__ import annotations

import sys
import time

import click

from taxcheck.cli.options import request_options
from taxcheck.cli.streams import say


@click.command()
@request_options(
    "mapping",
    "pairs",
    "mapping_columns",
    "pair_columns",
    mapping="Plant into a clade of your own data ...",
    pairs="... which has to be sound, and a tree.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the last line, and what was missed.")
def selftest(quiet: bool, **own: str | None) -> None:
    """Plant every known corruption into sound data, and prove that each is found.

    Takes less than half a minute, reads nothing from the network and needs no torch. Exit codes:
    0 everything was found, 1 something was missed, 2 usage, 3 the own data is not sound.
    """
    from taxcheck.commands.selftest.cases import load_cases
    from taxcheck.commands.selftest.planting import OWN, State, bases_of, own_clade, plant
    from taxcheck.model.errors import UsageError
    from taxcheck.run.request import Request

    if (own["mapping"] is None) != (own["pairs"] is None):
        raise UsageError("give --mapping and --pairs, both or neither")
    start = time.perf_counter()
    if own["mapping"] is None:
        plants = plant(lambda name: load_cases().bases[name]())
    else:
        tree = own_clade(Request(**own, drawn=False))  # type: ignore[arg-type]
        say(f"Planting into a clade of {len(tree.mapping):,} nodes, {len(tree.pairs):,} pairs.")
        plants = plant(lambda name: bases_of(tree, name), OWN)
    counts = dict.fromkeys(State, 0)
    for planted in plants:
        counts[planted.state] += 1
        if not quiet or planted.state is State.MISSED:
            rules = ", ".join(planted.rules) or "nothing"
            note = f": {planted.note}" if planted.note else ""
            say(f"{planted.state:<12}{planted.name:<48}{rules}{note}")
    missed, left = counts[State.MISSED], counts[State.NOT_PLANTED]
    said = f"{counts[State.FOUND]} of {sum(counts.values())} corruptions found as they should be"
    said += f", {missed} missed" if missed else ""
    said += f", {left} not planted, since this clade has no place for them" if left else ""
    say(f"{said}; {time.perf_counter() - start:.1f} s")
    sys.exit(1 if missed else 0)
