"""What one run is asked to check, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Outcome
from taxcheck.model.paths import Paths
from taxcheck.policy.model import FILES, Inputs, Policy

# Called with what is being read, how much of it is done, and its whole, in bytes.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Request(Inputs):
    """What one run is asked to check: its inputs, and how.

    Paths are as the user gave them; "-" is standard input. Mapping, pairs and held-out pairs may be
    several paths.
    """

    policy: Policy = field(default_factory=Policy)
    workers: int = 1
    engine: str = "threads"  # who reads the pairs: also "dask", "spark", or a scheduler's address
    series: tuple[str, ...] = ()  # tables of one run, or folders of them, in place of one table
    known: tuple[Paths, ...] = ()  # tables of further pairs that are true; none of them is judged
    known_columns: str | None = None  # how these are read; None: as the pairs
    memory: int | None = None  # bytes that the run may take; None: half of what the machine has
    seed: int = 0
    drawn: bool = True  # whether pictures are wanted: a projection takes a moment
    projected: bool = False  # by true distances (UMAP, the extra "plots"), not by tangents alone
    failures: Path | None = None
    fail_on: Outcome = Outcome.FAIL
    command: str = ""
    title: str | None = None

    def __post_init__(self) -> None:
        Inputs.__post_init__(self)
        if not (self.mapping or self.pairs or self.embeddings):
            raise UsageError(
                "nothing to check: give `mapping`, `pairs` or `embeddings`, or name the files in "
                "[inputs] of taxcheck.toml"
            )
        if self.series and self.failures is not None:
            raise UsageError("`failures` are of one table: leave them out, or give one table")
        if self.held_out is not None and self.pairs is None:
            raise UsageError("`held_out` is judged against `pairs`: give both")
        if self.initial is not None and self.embeddings is None:
            raise UsageError("`initial` is compared with `embeddings`: give both")
        if [self.mapping, self.pairs, self.held_out, *self.known].count("-") > 1:
            raise UsageError("only one input can be '-', standard input")

    @property
    def inputs(self) -> Inputs:
        """What is read, as a policy would name it."""
        return Inputs(**{f.name: getattr(self, f.name) for f in fields(Inputs)})


def under_policy(
    given: Inputs, policy: Policy, taken: Collection[str] | None = None, **rest: Any
) -> Request:
    """The request for what is ``given`` under a policy, which names the inputs that it does not.

    Of those only the fields ``taken`` count, if that is said. ``rest`` are the fields of a Request
    that a policy says nothing of.
    """
    left = {f.name: None for f in fields(Inputs) if taken is not None and f.name not in taken}
    inputs = replace(policy.inputs, **left).under(given)
    return Request(**asdict(inputs), policy=policy, **rest)


def continued(begun: Request, given: Inputs, policy: Path | None = None, **rest: Any) -> Request:
    """The request that a run was ``begun`` with, for what is ``given`` now, which must agree.

    A file may have another path now: whether it is the same, its fingerprint tells. UsageError
    where it had no such file, was read in another way, or under another ``policy``.
    """
    was = begun.policy.source
    if policy is not None and (was is None or policy.resolve() != Path(was).resolve()):
        raise _disagrees("policy", str(policy), was)
    for name, now in asdict(given).items():
        then = getattr(begun, name)
        if now is not None and now != then and (then is None or name not in FILES):
            raise _disagrees(name, now, then)
    stated = {name: value for name, value in (asdict(given) | rest).items() if value is not None}
    return replace(begun, **stated)


def _disagrees(name: str, now: object, then: object) -> UsageError:
    return UsageError(
        f"`{name}` {now}: the run was begun with {'none' if then is None else then}; leave it out, "
        "or start a new run in another folder"
    )
