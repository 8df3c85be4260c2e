"""What a repair leaves in its folder: the tables, plan.json, the policy, the gate's report."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from msgspec import structs

from taxcheck.commands.build.write import write_pairs, write_table
from taxcheck.commands.fix.numbering import Numbering
from taxcheck.commands.fix.plan import Step
from taxcheck.commands.fix.planning import Planned
from taxcheck.files import whole_file, write_text
from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Severity
from taxcheck.model.geometry import Geometry
from taxcheck.model.report import RenderOptions, Report
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Inputs, Policy, RulePolicy
from taxcheck.policy.write import own_text, update
from taxcheck.run.gather import Gathered, open_tables
from taxcheck.run.registry import cause_names, load_renderers, load_rules
from taxcheck.run.request import Request

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.checkpoint import Checkpoint

HELD_OUT = "held_out.parquet"
_ROWS = 1 << 18


@dataclass(frozen=True, slots=True)
class CarriedTable:
    """An embedding table carried along to the new idx: each row goes where its node went."""

    table: Checkpoint
    row_of: IntArray  # (old n_nodes,), by labels where the table has them; -1 for none

    @classmethod
    def of(
        cls, request: Request, data: Gathered, numbering: Numbering, *, doubtful: bool
    ) -> CarriedTable | None:
        """None where the table has a row for each idx as it will be, for then it stays valid.

        None as well where it is ``doubtful`` whose each row is, and no labels say so.
        """
        from taxcheck.audit.alignment import align  # a repair without a table does not need it

        assert data.mapping is not None
        table = open_tables(request)["embeddings"]
        if doubtful and table.labels is None:
            return None
        changed = doubtful or numbering.renumbered or numbering.added
        if not changed and table.rows == len(numbering.identifiers):
            return None
        return cls(table, align(table, data.mapping).row_of[: data.mapping.n_nodes])

    def step(self, numbering: Numbering) -> Step:
        """What becomes of the table."""
        moved = int(np.count_nonzero((self.row_of >= 0) & (numbering.old_to_new >= 0)))
        fresh = len(numbering.identifiers) - moved
        what = "carry the table's rows along to the new idx, into embeddings.npy"
        if fresh:
            start = "starts" if fresh == 1 else "start"
            what += f"; {plural(fresh, 'node')} without a row {start} at the origin"
        safe = f"the numbers of {self.table.path} stay as they are, row by row"
        return Step((), what, moved, safe)

    def write(self, path: Path, numbering: Numbering) -> None:
        """Write (nodes, width) of the table's own type, in bounded blocks."""
        vectors, reading = self.table.vectors, self.table.reading
        n, width = len(numbering.identifiers), vectors.shape[1]
        source = np.full(n, -1, dtype=np.int64)
        kept = numbering.old_to_new >= 0
        source[numbering.old_to_new[kept]] = self.row_of[kept]
        origin = np.zeros(width, dtype=vectors.dtype)
        if reading.geometry is Geometry.LORENTZ:
            origin[0] = 1 / np.sqrt(reading.curvature)
        header = {
            "descr": np.lib.format.dtype_to_descr(vectors.dtype),
            "fortran_order": False,
            "shape": (n, width),
        }
        with whole_file(path) as partial, partial.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for first in range(0, n, _ROWS):
                rows = source[first : first + _ROWS]
                block = np.tile(origin, (len(rows), 1))
                block[rows >= 0] = vectors[rows[rows >= 0]]
                file.write(block.tobytes())


def write_data(folder: Path, repair: Planned, carried: CarriedTable | None) -> None:
    """Mapping, pairs, plan.json and, where they are needed, the old idx and the table."""
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
    write_text(str(folder / "plan.json"), text + "\n")
    if numbering.renumbered:
        old = np.flatnonzero(numbering.old_to_new >= 0)
        columns = {"old_idx": old, "new_idx": numbering.old_to_new[old]}
        write_table(folder / "old_to_new.parquet", pa.table(columns))
    if carried is not None:
        carried.write(folder / "embeddings.npy", numbering)


def write_policy(
    folder: Path, request: Request, repair: Planned, done: Collection[int] = ()
) -> None:
    """Write the given policy once more, with what the data means to be now and where it is.

    Rules of rows that are repeated on purpose only inform. Waivers that are ``done`` (numbers) have
    nothing left to waive and become comments, as everything that no longer holds; the comments of
    whoever wrote the policy stay.
    """
    assert repair.target is not None
    given, path = request.policy, folder / "taxcheck.toml"
    rules, settings = load_rules(), dict(given.rules)
    comments = ["Written by taxcheck fix; plan.json says what was done and why."]
    comments += [f"It rests on this: {said}." for said in repair.plan.rests_on]
    if repair.target.materialize and repair.target.factor != 1:
        repeated = [rule.id for rule in rules if Repair.REPEATED in rule.repair]
        for rule in repeated:
            settings[rule] = replace(settings.get(rule, RulePolicy()), severity=Severity.INFO)
        comments.append(
            "Rows of parent-child pairs are repeated on purpose, for engines that know no "
            f"weights; {' and '.join(repeated)} counts them and does not fail for it."
        )
    stated = Policy(
        dataset=repair.plan.dataset,
        rules=settings,
        source=str(path),
        waivers=tuple(one for k, one in enumerate(given.waivers) if k not in done),
        inputs=Inputs(
            mapping=str(folder / "mapping.tsv"),
            pairs=str(folder / "pairs.parquet"),
            held_out=None if repair.held_out is None else str(folder / HELD_OUT),
            taxonomy=request.taxonomy,
        ),
    )
    text = own_text(Path(given.source)) if given.source is not None else ""
    write_text(str(path), update(text, stated, rules, comments, causes=cause_names()))


def write_gate(report: Report, folder: Path, out: Path) -> Report:
    """Write the report of the gate, under final names."""
    inputs = tuple(
        structs.replace(one, path=str(out / Path(one.path).name)) if Path(one.path).parent == folder
        else one
        for one in report.inputs
    )  # fmt: skip
    policy = structs.replace(report.policy, source=str(out / "taxcheck.toml"))
    report = structs.replace(report, inputs=inputs, policy=policy)
    renderers = load_renderers()
    for name in ("html", "json"):
        write_text(str(folder / f"gate.{name}"), renderers[name](report, RenderOptions()))
    return report
