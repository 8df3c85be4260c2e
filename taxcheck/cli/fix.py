"""taxcheck fix: a repaired copy of mapping and pairs that passes the gate."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taxcheck.cli.output import progress_bar
from taxcheck.cli.table import column_options, table_options

if TYPE_CHECKING:
    from types import FrameType

    from taxcheck.fixing.plan import Plan
    from taxcheck.fixing.repair import Fixed
    from taxcheck.report import Report


@click.command(
    epilog="Exit codes: 0 repaired, or nothing to repair, 1 the result would fail the gate, so "
    "nothing was written, 2 usage or policy, 3 an input cannot be read or the folder not be "
    "written, 130 and 143 stopped by a signal."
)
@click.option("--mapping", required=True, metavar="FILE", help="Table of identifier -> idx.")
@click.option("--pairs", required=True, metavar="FILE", help="Training pairs.")
@click.option("--held-out", metavar="FILE", help="Held-out pairs, which go along and stay so.")
@click.option("--taxonomy", metavar="FOLDER", help="NCBI taxdump: what is lost is built from it.")
@click.option("--embeddings", metavar="FILE", help="Table whose rows are carried along.")
@click.option("--out", required=True, metavar="FOLDER", type=Path, help="A folder to be made.")
@click.option("--dry-run", is_flag=True, help="Show the plan and write nothing.")
@click.option(
    "--oversample",
    type=click.FloatRange(0, 1_000_000, min_open=True),
    metavar="N",
    help="A parent-child pair weighs N times as much.",
)
@click.option(
    "--target-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="X",
    help="Parent-child pairs weigh so much that they are this share of the draws.",
)
@click.option(
    "--cap-depth", type=click.IntRange(1), metavar="K", help="Leave out pairs deeper than K."
)
@click.option("--materialize", is_flag=True, help="Repeat rows in place of a weights column.")
@click.option("--policy", metavar="FILE", type=Path, help="taxcheck.toml or a pyproject.toml.")
@column_options
@table_options
def fix(
    mapping: str,
    pairs: str,
    held_out: str | None,
    taxonomy: str | None,
    embeddings: str | None,
    out: Path,
    dry_run: bool,
    oversample: float | None,
    target_share: float | None,
    cap_depth: int | None,
    materialize: bool,
    policy: Path | None,
    mapping_columns: str | None,
    pair_columns: str | None,
    key: str | None,
    geometry: str | None,
    curvature: float | None,
) -> None:
    """Repair a mapping and its pairs into a new folder that passes the gate.

    The originals are never touched. The plan is shown first: what is done, to how many rows, and
    why it is safe. What no repair can know is said, with what to give.
    """
    from taxcheck.config import load_policy
    from taxcheck.errors import UsageError
    from taxcheck.fixing.plan import Wishes
    from taxcheck.fixing.repair import fix as repaired
    from taxcheck.registry import load_rules
    from taxcheck.request import Request

    if oversample is not None and target_share is not None:
        raise UsageError("--oversample and --target-share are two ways to one end: give one")
    if materialize and oversample is None and target_share is None:
        raise UsageError("--materialize repeats rows by their weight: give --oversample or "
                         "--target-share with it")  # fmt: skip
    request = Request(
        mapping=mapping,
        pairs=pairs,
        held_out=held_out,
        taxonomy=taxonomy,
        embeddings=embeddings,
        key=key,
        geometry=geometry,
        curvature=curvature,
        mapping_columns=mapping_columns,
        pair_columns=pair_columns,
        policy=load_policy(policy, load_rules()),
        workers=min(os.cpu_count() or 1, 8),
        command=shlex.join(["taxcheck", *sys.argv[1:]]),
    )
    wishes = Wishes(oversample, target_share, cap_depth, materialize)
    signal.signal(signal.SIGTERM, _stop)
    with progress_bar() as progress:
        ended = repaired(request, out, wishes, dry_run=dry_run, shown=_show, progress=progress)
    _tell(ended, out, dry_run=dry_run)
    sys.exit(ended.exit_code)


def _stop(number: int, _: FrameType | None) -> None:
    click.echo("taxcheck: stopped; nothing was written", err=True)
    raise SystemExit(128 + number)


def _show(before: Report, plan: Plan) -> None:
    """The plan as a table, and what is not repaired as a line each."""
    click.echo(f"Before: {before.verdict.value.upper()}. {before.headline}")
    if plan.steps:
        click.echo()
        for line in _table([(s.what, f"{s.rows:,}", s.safe) for s in plan.steps]):
            click.echo(line)
        if plan.possible:
            click.echo(
                f"\n{plan.nodes[0]:,} -> {plan.nodes[1]:,} nodes, "
                f"{plan.pairs[0]:,} -> {plan.pairs[1]:,} pairs, "
                f"of which {plan.kept:,} stay"
                + (
                    f", held out {plan.held_out[0]:,} -> {plan.held_out[1]:,}"
                    if plan.held_out
                    else ""
                )
            )
    for one in plan.lacking:
        click.echo(f"Cannot repair {one.rule}: {one.why}. Give {one.give}.")


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((100, 25)).columns, 140)
    count = max(4, *(len(row[1]) for row in rows))
    text = max((width - count - 4) // 2, 20)
    lines = [f"{'what':{text}}  {'rows':>{count}}  why it is safe", "-" * width]
    for what, number, safe in rows:
        left, right = textwrap.wrap(what, text), textwrap.wrap(safe, text)
        for k in range(max(len(left), len(right))):
            cells = [part[k] if k < len(part) else "" for part in (left, right)]
            shown = number if k == 0 else ""
            lines.append(f"{cells[0]:{text}}  {shown:>{count}}  {cells[1]}".rstrip())
    return lines


def _tell(ended: Fixed, out: Path, *, dry_run: bool) -> None:
    plan = ended.plan
    if not plan.possible:
        click.echo("Nothing was written: the gate would fail what is left.")
    elif not plan.steps:
        click.echo("Nothing to repair, and nothing was written.")
    elif dry_run:
        click.echo("A dry run: nothing was written.")
    elif ended.after is not None and ended.written:
        click.echo(f"After: {ended.after.verdict.value.upper()}. {ended.after.headline}")
        click.echo(f"{out}: {', '.join(ended.written)}")
    elif ended.after is not None:
        click.echo("Nothing was written: the gate fails the result.")
        for cause, _ in ended.after.causes:
            click.echo(f"  {cause.outcome.value.upper()} {cause.rule.id} {cause.message}")
