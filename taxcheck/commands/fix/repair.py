"""`taxcheck fix`: the gate, the plan, the repaired data, and the gate again before it is named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from taxcheck.commands.fix.causes import undo
from taxcheck.commands.fix.identifiers import settle
from taxcheck.commands.fix.plan import Findings, Lacking, RepairPlan, Step, Wishes
from taxcheck.commands.fix.planning import or_sampled, plan_repair
from taxcheck.commands.fix.proven import of_either_numbering, rows_doubtful, within_reach
from taxcheck.commands.fix.reading import better_reading
from taxcheck.commands.fix.write import CarriedTable, write_data, write_gate, write_policy
from taxcheck.files import expect_free, whole_folder
from taxcheck.model.errors import UsageError
from taxcheck.model.report import Report
from taxcheck.model.waiver import WaiverState
from taxcheck.policy.model import Inputs, Policy
from taxcheck.policy.read import load_policy
from taxcheck.run.gather import Gathered, gather
from taxcheck.run.judge import judge
from taxcheck.run.registry import cause_names, load_rules
from taxcheck.run.request import Progress, Request, under_policy

_READINGS = 3  # tried one after the other, as long as each is better than the one before


class _RefusedError(Exception):
    """The gate fails what was written, so it goes."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """How it ended: the gate before, the plan, and the gate after where data was written."""

    before: Report
    plan: RepairPlan
    after: Report | None = None
    written: tuple[str, ...] = ()  # files in the folder; none where nothing was kept

    @property
    def exit_code(self) -> int:
        """0 where the data is, or can be made, sound."""
        if self.after is not None:
            return self.after.exit_code
        if self.plan.steps:
            return int(not self.plan.possible)
        return self.before.exit_code


def fix(
    request: Request,
    out: Path,
    wishes: Wishes | None = None,
    *,
    dry_run: bool = False,
    shown: Callable[[Report, RepairPlan], None] | None = None,
    progress: Progress | None = None,
) -> Fixed:
    """Repair a mapping and its pairs into a new folder, which is there whole or not at all.

    ``shown`` gets the plan before anything is written. ``request.embeddings`` is carried along,
    not audited. Raises TaxcheckError, one line, for everything that a user can mend.
    """
    if request.mapping is None or request.pairs is None:
        raise UsageError("a repair takes `mapping` and `pairs`: give both")
    if "-" in (request.mapping, request.pairs, request.held_out):
        raise UsageError("fix reads its inputs more than once: give files, not standard input")
    expect_free(out)
    wishes = wishes or Wishes()
    gate = replace(request, embeddings=None, initial=None, failures=None, drawn=False)
    read: tuple[Step, ...] = ()
    before: Report | None = None
    while True:
        with ExitStack() as stack:
            given = stack.enter_context(gather(gate, progress))
            undone = undo(given, stack)
            before, findings = before or undone.before, Findings(undone.report)
            data, settled, unsettled = settle(undone.data, findings, stack)
            if settled:
                findings = Findings(judge(data))
            steps = (*undone.steps, *settled)
            better = None
            if len(read) < _READINGS and not steps:
                better = better_reading(gate, findings, data)
            if better is not None:
                read, gate = (*read, better[0]), better[1]
                continue
            return _carry_out(
                request,
                out,
                wishes,
                data,
                findings,
                (*read, *steps),
                unsettled,
                before,
                shown,
                moved=undone.moved or bool(settled) or _by_identifiers(data, request, gate),
                dry_run=dry_run,
            )


def _carry_out(
    request: Request,
    out: Path,
    wishes: Wishes,
    data: Gathered,
    findings: Findings,
    read: tuple[Step, ...],
    unsettled: tuple[Lacking, ...],
    before: Report,
    shown: Callable[[Report, RepairPlan], None] | None,
    *,
    moved: bool,
    dry_run: bool,
) -> Fixed:
    dataset = request.policy.dataset
    repair = plan_repair(data, findings, dataset, wishes, read, unsettled, moved=moved)
    plan, carried = repair.plan if read else or_sampled(repair.plan, data), None
    plan = within_reach(plan, data)
    if request.embeddings is not None and repair.numbering is not None:
        doubtful = rows_doubtful(data, moved=moved)
        carried = CarriedTable.of(request, data, repair.numbering, doubtful=doubtful)
        if doubtful and carried is None:
            plan = replace(plan, lacking=(*plan.lacking, of_either_numbering(plan)))
        if carried is not None:
            plan = replace(plan, steps=(*plan.steps, carried.step(repair.numbering)))
    if shown is not None:
        shown(before, plan)
    if dry_run or repair.target is None or not plan.possible:
        return Fixed(before, plan)
    after: Report | None = None
    try:
        with whole_folder(out, "repairing") as folder:
            write_data(folder, replace(repair, plan=plan), carried)
            write_policy(folder, request, repair)
            with gather(
                _written(folder, out, request), taxonomy=data.names or data.taxonomy
            ) as written:
                after = judge(written)
                done = [k for k, one in enumerate(after.waivers) if one.state is WaiverState.STALE]
                if done:
                    write_policy(folder, request, repair, done)
                    after = judge(written, _policy(folder))
            after = structs.replace(after, rests_on=plan.rests_on)
            after = write_gate(after, folder, out)
            if after.exit_code:
                raise _RefusedError
            names = sorted(path.name for path in folder.iterdir())
    except _RefusedError:
        return Fixed(before, plan, after)
    return Fixed(before, plan, after, tuple(names))


def _by_identifiers(data: Gathered, request: Request, gate: Request) -> bool:
    """Whether another reading than was asked for leaves the idx of the pairs out."""
    return data.sources["pairs"].labelled and gate.pair_columns != request.pair_columns


def _policy(folder: Path) -> Policy:
    return load_policy(folder / "taxcheck.toml", load_rules(), cause_names())


def _written(folder: Path, out: Path, request: Request) -> Request:
    """The gate on what was written, under the policy beside it."""
    return under_policy(
        Inputs(taxonomy=request.taxonomy),
        _policy(folder),
        workers=request.workers,
        command=request.command,
        title=request.title or out.name,
    )
