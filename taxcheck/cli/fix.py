"""taxcheck fix: a repaired copy of mapping and pairs that passes the gate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taxcheck.cli.apart import expect_apart, inputs_of
from taxcheck.cli.options import as_typed, takes_request
from taxcheck.cli.output import progress_bar
from taxcheck.cli.streams import say

if TYPE_CHECKING:
    from taxcheck.commands.fix.plan import RepairPlan
    from taxcheck.commands.fix.repair import Fixed
    from taxcheck.model.report import Report
    from taxcheck.run.request import Request


@click.command(
    epilog="Exit codes: 0 repaired, or nothing to repair, 1 the result would fail the gate, so "
    "nothing was written, 2 usage or policy, 3 an input cannot be read or the folder not be "
    "written, 130 and 143 stopped by a signal."
)
@takes_request(
    "mapping",
    "pairs",
    "held_out",
    "taxonomy",
    "embeddings",
    "memory",
    held_out="Held-out pairs, which go along and stay so.",
    taxonomy="NCBI taxdump: what is lost is built from it.",
    embeddings="Table whose rows are carried along.",
)
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
@click.option(
    "--json", "json_", metavar="FILE", help="Write the gate's report and the plan for machines."
)
def fix(request: Request, out: Path, dry_run: bool, json_: str | None, **wished: Any) -> None:
    """Repair a mapping and its pairs into a new folder that passes the gate.

    The originals are never touched. The plan is shown first: what is done, to how many rows, and
    why it is safe. What no repair can know is said, with what to give.
    """
    from taxcheck.commands.fix.plan import Wishes
    from taxcheck.commands.fix.repair import fix as repaired
    from taxcheck.model.errors import UsageError

    wishes = Wishes(**wished)
    by_weight = wishes.oversample is not None or wishes.target_share is not None
    if wishes.oversample is not None and wishes.target_share is not None:
        raise UsageError("--oversample and --target-share are two ways to one end: give one")
    if wishes.materialize and not by_weight:
        raise UsageError("--materialize repeats rows by their weight: give --oversample or "
                         "--target-share with it")  # fmt: skip
    expect_apart([json_], inputs_of(request))
    with progress_bar() as progress:
        ended = repaired(request, out, wishes, dry_run=dry_run, shown=_show, progress=progress)
    if json_ is not None:
        from taxcheck.files import write_text
        from taxcheck.model.written import to_json

        told = {"before": ended.before, "plan": ended.plan.record()}
        write_text(json_, f"{to_json(told).decode()}\n")
    _tell(ended, out, dry_run=dry_run)
    sys.exit(ended.exit_code)


def _show(before: Report, plan: RepairPlan) -> None:
    """The plan as a table, and what is not repaired as a line each."""
    _outcome("Before", before)
    if plan.steps:
        say()
        for line in _table([(s.what, f"{s.rows:,}", as_typed(s.safe)) for s in plan.steps]):
            say(line)
        if plan.possible:
            say(
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
        say(f"Cannot repair {one.rule}: {one.why}. Give {as_typed(one.give)}.")


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


def _outcome(when: str, report: Report) -> None:
    from taxcheck.policy.write import remark  # a headline may have a waiver's owner in it

    say(f"{when}: {report.verdict.value.upper()}. {remark(report.headline)}")


def _tell(ended: Fixed, out: Path, *, dry_run: bool) -> None:
    plan = ended.plan
    if not plan.possible:
        say("Nothing was written: the gate would fail what is left.")
    elif not plan.steps:
        say("Nothing to repair, and nothing was written.")
    elif dry_run:
        say("A dry run: nothing was written.")
    elif ended.after is not None and ended.written:
        _outcome("After", ended.after)
        for said in plan.rests_on:
            say(f"It rests on this: {said}.")
        say(f"{out}: {', '.join(ended.written)}")
    elif ended.after is not None:
        say("Nothing was written: the gate fails the result.")
        for cause, _ in ended.after.by_cause:
            say(f"  {cause.outcome.value.upper()} {cause.label}: {cause.message}")
