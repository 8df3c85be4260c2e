"""What one run is asked to check, and the opening of its inputs before the first is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxcheck.config import Policy
from taxcheck.errors import UsageError
from taxcheck.policy_inputs import Inputs
from taxcheck.report import InputSummary
from taxcheck.rule import Outcome
from taxcheck.sources.inputs import TableSource, open_mapping, open_pairs

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.value import Checkpoint

# Called with what is being read, how much of it is done, and its whole, in bytes.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Request(Inputs):
    """What one run is asked to check: its inputs, and how.

    Paths are as the user gave them; "-" is standard input.
    """

    policy: Policy = field(default_factory=Policy)
    workers: int = 1
    seed: int = 0
    drawn: bool = True  # whether pictures are wanted: a projection takes a moment
    projected: bool = False  # by true distances (UMAP, the extra "plots"), not by tangents alone
    failures: Path | None = None
    fail_on: Outcome = Outcome.FAIL
    command: str = ""
    title: str | None = None

    def __post_init__(self) -> None:
        if not (self.mapping or self.pairs or self.embeddings):
            raise UsageError(
                "nothing to check: give --mapping, --pairs or --embeddings, or name the files in "
                "[inputs] of taxcheck.toml"
            )
        if self.held_out is not None and self.pairs is None:
            raise UsageError("--held-out is judged against --pairs: give both")
        if self.initial is not None and self.embeddings is None:
            raise UsageError("--initial is compared with --embeddings: give both")
        if [self.mapping, self.pairs, self.held_out].count("-") > 1:
            raise UsageError("only one input can be '-', standard input")

    @property
    def inputs(self) -> Inputs:
        """What is read, as a policy would name it."""
        return Inputs(**{f.name: getattr(self, f.name) for f in fields(Inputs)})


def under_policy(given: Inputs, policy: Policy, **rest: Any) -> Request:
    """The request of a command line under a policy, which names what the line does not.

    ``rest`` are the fields of a Request that a policy says nothing of.
    """
    return Request(**asdict(policy.inputs.under(given)), policy=policy, **rest)


def open_sources(request: Request, progress: Progress | None) -> dict[str, TableSource]:
    """Open all tables and find their columns before the first is read: mistakes show at once."""

    def told(role: str) -> Callable[[int, int], None] | None:
        return (lambda done, whole: progress(role, done, whole)) if progress else None

    sources = {}
    if request.mapping is not None:
        sources["mapping"] = open_mapping(request.mapping, request.mapping_columns, told("mapping"))
    for role, path in (("pairs", request.pairs), ("held-out", request.held_out)):
        if path is not None:
            sources[role] = open_pairs(
                path, request.pair_columns, request.mapping is not None, told(role), role
            )
    return sources


def open_tables(request: Request) -> dict[str, Checkpoint]:
    """Open the embedding table and, where it is given, the one before training."""
    tables: dict[str, Checkpoint] = {}
    if request.embeddings is None:
        return tables
    from taxcheck.sources.checkpoints import open_checkpoint  # a gate does not need it

    for role, path in (("embeddings", request.embeddings), ("initial", request.initial)):
        if path is not None:
            tables[role] = open_checkpoint(
                path,
                key=request.key if role == "embeddings" else None,
                geometry=request.geometry,
                curvature=request.curvature,
            )
    return tables


def table_summary(role: str, table: Checkpoint, unmatched: int = 0) -> InputSummary:
    """How a checkpoint was understood; ``unmatched`` of its labels the mapping lacks."""
    reading = table.reading
    lost = (f"{unmatched:,} labels of the table are not in the mapping.",) if unmatched else ()
    return InputSummary(
        role="checkpoint" if role == "embeddings" else "initial table",
        path=table.path,
        format=table.format,
        bytes=table.bytes,
        rows=table.rows,
        fingerprint=table.fingerprint,
        columns={"table": table.key},
        notes=(
            f"{table.rows:,} rows of dimension {table.dim}, {table.dtype}; geometry "
            f"{reading.geometry.value} ({reading.confidence}).",
            *reading.reasons,
            *lost,
            *table.notes,
        ),
    )
