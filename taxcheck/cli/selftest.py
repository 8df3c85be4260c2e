"""taxcheck selftest: is every known corruption found by this installation."""

from __future__ import annotations

import sys
import time

import click

from taxcheck.cli.table import column_options


@click.command()
@click.option("--mapping", metavar="FILE", help="Plant into a clade of your own data ...")
@click.option("--pairs", metavar="FILE", help="... which has to be sound, and a tree.")
@column_options
@click.option("-q", "--quiet", is_flag=True, help="Print the last line, and what was missed.")
def selftest(
    mapping: str | None,
    pairs: str | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    quiet: bool,
) -> None:
    """Plant every known corruption into sound data, and prove that each is found.

    Takes less than half a minute, reads nothing from the network and needs no torch. Exit codes:
    0 everything was found, 1 something was missed, 2 usage, 3 the own data is not sound.
    """
    from taxcheck.errors import UsageError
    from taxcheck.request import Request
    from taxcheck.selftest.planting import State, plant
    from taxcheck.selftest.sample import OWN, bases_of, own_clade
    from taxcheck.selftest.sound import base

    if (mapping is None) != (pairs is None):
        raise UsageError("give --mapping and --pairs, both or neither")
    start = time.perf_counter()
    if mapping is None:
        plants = plant(base)
    else:
        tree = own_clade(
            Request(
                mapping=mapping,
                pairs=pairs,
                mapping_columns=mapping_columns,
                pair_columns=pair_columns,
                drawn=False,
            )
        )
        click.echo(
            f"Planting into a clade of {len(tree.mapping):,} nodes, {len(tree.pairs):,} pairs."
        )
        plants = plant(lambda name: bases_of(tree, name), OWN)
    counts = dict.fromkeys(State, 0)
    for planted in plants:
        counts[planted.state] += 1
        if not quiet or planted.state is State.MISSED:
            rules = ", ".join(planted.rules) or "nothing"
            note = f": {planted.note}" if planted.note else ""
            click.echo(f"{planted.state:<12}{planted.name:<48}{rules}{note}")
    missed, left = counts[State.MISSED], counts[State.NOT_PLANTED]
    said = f"{counts[State.FOUND]} of {sum(counts.values())} corruptions found as they should be"
    said += f", {missed} missed" if missed else ""
    said += f", {left} not planted, since this clade has no place for them" if left else ""
    click.echo(f"{said}; {time.perf_counter() - start:.1f} s")
    sys.exit(1 if missed else 0)
