"""`taxcheck fix`: the gate, the plan, the repaired data, and the gate again before it is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from taxcheck.build.write import write_pairs, write_table
from taxcheck.clock import Clock
from taxcheck.config import load_policy
from taxcheck.errors import UsageError
from taxcheck.fixing.folder import expect_free, whole_folder
from taxcheck.fixing.numbering import Numbering
from taxcheck.fixing.plan import Findings, Plan, Step, Wishes
from taxcheck.fixing.planning import Repair, plan_repair
from taxcheck.fixing.policy import write_intent
from taxcheck.fixing.reading import better_reading
from taxcheck.fixing.sample import or_sampled
from taxcheck.pipeline import Gathered, check, gather, judge
from taxcheck.policy_inputs import Inputs
from taxcheck.registry import load_renderers, load_rules
from taxcheck.report import RenderOptions, Report
from taxcheck.request import Progress, Request, open_tables
from taxcheck.waivers import WaiverState

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.value import Checkpoint

HELD_OUT = "held_out.parquet"
_READINGS = 3  # tried one after the other, as long as each is better than the one before


class _RefusedError(Exception):
    """The gate fails what was written, so it goes."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """How it ended: the gate before, the plan, and the gate after where data was written."""

    before: Report
    plan: Plan
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


@dataclass(frozen=True, slots=True)
class _Carried:
    """The embedding table that goes along."""

    table: Checkpoint
    row_of: np.ndarray[tuple[int], np.dtype[np.int64]]


def fix(
    request: Request,
    out: Path,
    wishes: Wishes | None = None,
    *,
    dry_run: bool = False,
    shown: Callable[[Report, Plan], None] | None = None,
    progress: Progress | None = None,
) -> Fixed:
    """Repair a mapping and its pairs into a new folder, which is there whole or not at all.

    ``shown`` gets the plan before anything is written. ``request.embeddings`` is carried along,
    not audited. Raises TaxcheckError, one line, for everything that a user can mend.
    """
    if request.mapping is None or request.pairs is None:
        raise UsageError("fix takes --mapping and --pairs")
    if "-" in (request.mapping, request.pairs, request.held_out):
        raise UsageError("fix reads its inputs more than once: give files, not standard input")
    expect_free(out)
    wishes = wishes or Wishes()
    gate = replace(request, embeddings=None, initial=None, failures=None, drawn=False)
    read: tuple[Step, ...] = ()
    before: Report | None = None
    while True:
        with ExitStack() as stack:
            clock = Clock()
            data, _ = stack.enter_context(gather(gate, clock, progress))
            report = judge(gate, data, {}, clock)
            before, findings = before or report, Findings(report)
            better = None
            if len(read) < _READINGS:
                better = better_reading(gate, findings, data.sources)
            if better is not None:
                read, gate = (*read, better[0]), better[1]
                continue
            return _carry_out(
                request, out, wishes, data, findings, read, before, shown, dry_run=dry_run
            )


def _carry_out(
    request: Request,
    out: Path,
    wishes: Wishes,
    data: Gathered,
    findings: Findings,
    read: tuple[Step, ...],
    before: Report,
    shown: Callable[[Report, Plan], None] | None,
    *,
    dry_run: bool,
) -> Fixed:
    repair = plan_repair(data, findings, request.policy.dataset, wishes, read)
    plan, carried = or_sampled(repair.plan, request), None
    if request.embeddings is not None and repair.numbering is not None:
        carried = _carried(request, data, repair.numbering)
    if carried is not None and repair.numbering is not None:
        from taxcheck.fixing.table import step_of

        step = step_of(carried.table, carried.row_of, repair.numbering)
        plan = replace(plan, steps=(*plan.steps, step))
    if shown is not None:
        shown(before, plan)
    if dry_run or repair.target is None or not plan.possible:
        return Fixed(before, plan)
    after: Report | None = None
    try:
        with whole_folder(out) as folder:
            _write(folder, replace(repair, plan=plan), carried)
            _declare(folder, request, repair)
            after = _judged(folder, out, request)
            done = [k for k, one in enumerate(after.waivers) if one.state is WaiverState.STALE]
            if done:
                _declare(folder, request, repair, done)
                after = _judged(folder, out, request)
            if after.exit_code:
                raise _RefusedError
            names = sorted(path.name for path in folder.iterdir())
    except _RefusedError:
        return Fixed(before, plan, after)
    return Fixed(before, plan, after, tuple(names))


def _carried(request: Request, data: Gathered, numbering: Numbering) -> _Carried | None:
    """The table, where it does not have a row for each idx as it will be; else it stays valid."""
    from taxcheck.fixing.table import rows_before

    assert data.mapping is not None
    table = open_tables(request)["embeddings"]
    changed = numbering.renumbered or numbering.added
    if not changed and table.rows == len(numbering.identifiers):
        return None
    return _Carried(table, rows_before(table, data.mapping))


def _write(folder: Path, repair: Repair, carried: _Carried | None) -> None:
    numbering, target = repair.numbering, repair.target
    assert numbering is not None
    assert target is not None
    nodes = numbering.nodes
    idx = pa.array(np.flatnonzero(nodes))
    identifiers = numbering.identifiers.filter(pa.array(nodes))
    name = "taxid" if pa.types.is_integer(identifiers.type) else "identifier"
    write_table(folder / "mapping.tsv", pa.table({name: identifiers, "idx": idx}))
    write_pairs(folder / "pairs.parquet", target.batches(), target.schema)
    if repair.held_out is not None:
        write_pairs(folder / HELD_OUT, repair.held_out.batches())
    text = json.dumps(repair.plan.record(), indent=2, ensure_ascii=False)
    (folder / "plan.json").write_text(text + "\n", encoding="utf-8")
    if numbering.renumbered:
        old = np.flatnonzero(numbering.old_to_new >= 0)
        columns = {"old_idx": old, "new_idx": numbering.old_to_new[old]}
        write_table(folder / "old_to_new.parquet", pa.table(columns))
    if carried is not None:
        from taxcheck.fixing.table import write_table as write_vectors

        write_vectors(folder / "embeddings.npy", carried.table, carried.row_of, numbering)


def _declare(folder: Path, request: Request, repair: Repair, done: Collection[int] = ()) -> None:
    """Write the policy; waivers that are ``done`` have nothing left to waive."""
    assert repair.target is not None
    comments = ["Written by taxcheck fix; plan.json says what was done and why."]
    repeated = repair.target.materialize and repair.target.factor != 1
    if repeated:
        comments.append(
            "Rows of parent-child pairs are repeated on purpose, for engines that know no "
            "weights; PAIR006 counts them and does not fail for it."
        )
    write_intent(
        folder / "taxcheck.toml",
        repair.plan.dataset,
        request.policy.source,
        comments,
        inputs=Inputs(
            mapping=str(folder / "mapping.tsv"),
            pairs=str(folder / "pairs.parquet"),
            held_out=None if repair.held_out is None else str(folder / HELD_OUT),
            taxonomy=request.taxonomy,
        ),
        repeated=repeated,
        done=done,
    )


def _judged(folder: Path, out: Path, request: Request) -> Report:
    """The gate on what was written, under the policy beside it; its report, under final names."""
    mapping, pairs, policy = ("mapping.tsv", "pairs.parquet", "taxcheck.toml")
    report = check(
        Request(
            mapping=str(folder / mapping),
            pairs=str(folder / pairs),
            held_out=str(folder / HELD_OUT) if (folder / HELD_OUT).exists() else None,
            taxonomy=request.taxonomy,
            policy=load_policy(folder / policy, load_rules()),
            workers=request.workers,
            command=request.command,
            title=request.title or out.name,
        )
    )
    inputs = tuple(
        replace(one, path=str(out / Path(one.path).name)) if Path(one.path).parent == folder
        else one
        for one in report.inputs
    )  # fmt: skip
    report = replace(report, inputs=inputs, policy_source=str(out / policy))
    renderers, options = load_renderers(), RenderOptions()
    for name in ("html", "json"):
        (folder / f"gate.{name}").write_text(renderers[name](report, options), encoding="utf-8")
    return report
