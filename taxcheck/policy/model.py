"""The policy: what the data is meant to be, where it is, how strict each rule is.

``read.py`` makes it of ``taxcheck.toml``, ``write.py`` writes it, ``waive.py`` applies its waivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Severity
from taxcheck.model.paths import Paths, stated
from taxcheck.model.rule import Rule
from taxcheck.model.waiver import Waiver

INTENTS = ("closure", "edges", "sampled")
KINDS = ("auto", "tree", "dag")
DUPLICATES = ("forbid", "weights")
SAMPLERS = ("unknown", "uniform", "balanced", "same-depth", "same-depth-filtered")
TABLES = ("dataset", "inputs", "rules", "service", "waiver")
TABLES_OF_ROWS = ("mapping", "pairs", "held_out")  # each may be of several files
FILES = ("mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial")  # keys of [inputs]
# What tells how a file is to be read, or belongs to it, is not said of another in its place.
_OF = {
    "mapping": ("mapping_columns",),
    "pairs": ("pair_columns", "held_out"),
    "embeddings": ("initial", "key", "geometry", "curvature", "labels"),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Declared intent: what the pairs mean to be, against which the rules judge.

    ``pairs`` is "closure", "edges", "sampled" or "depth<=k"; ``roots`` are identifiers.
    ``sampler`` names how training draws: "uniform" takes pairs as they come, "balanced" gives the
    depths 1, 2 to 5 and beyond 5 equal shares of the draws; "same-depth" draws negatives of the
    descendant's depth unfiltered, "same-depth-filtered" leaves out the anchor's own descendants.
    """

    pairs: str = "closure"
    kind: str = "auto"
    roots: tuple[int | str, ...] = ()
    duplicates: str = "forbid"
    sampler: str = "unknown"

    @property
    def depth_cap(self) -> int | None:
        """The k of "depth<=k"; 1 for edges; None where no cap is declared."""
        if self.pairs == "edges":
            return 1
        return int(self.pairs.removeprefix("depth<=")) if self.pairs.startswith("depth") else None

    def __post_init__(self) -> None:
        if self.pairs not in INTENTS and not re.fullmatch(r"depth<=[1-9][0-9]{0,8}", self.pairs):
            raise UsageError(
                f"policy: [dataset] pairs = {self.pairs!r} is none of {', '.join(INTENTS)}, "
                "depth<=k (k a whole number from 1)"
            )
        for key, allowed in (("kind", KINDS), ("duplicates", DUPLICATES), ("sampler", SAMPLERS)):
            value = getattr(self, key)
            if value not in allowed:
                raise UsageError(
                    f"policy: [dataset] {key} = {value!r} is none of {', '.join(allowed)}"
                )


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a run and how they are read; paths are as one would type them.

    Mapping, pairs and held-out pairs are each a file, a folder, a pattern or an address, or several
    of them, which are read as one table in the order in which they stand.
    """

    mapping: Paths | None = None
    pairs: Paths | None = None
    held_out: Paths | None = None
    taxonomy: str | None = None
    embeddings: str | None = None
    initial: str | None = None
    mapping_columns: str | None = None
    pair_columns: str | None = None
    key: str | None = None
    geometry: str | None = None
    curvature: float | None = None
    labels: str | None = None

    def __post_init__(self) -> None:
        """Take lists and paths as well."""
        for name in TABLES_OF_ROWS:
            object.__setattr__(self, name, stated(getattr(self, name)))

    def under(self, given: Inputs) -> Inputs:
        """These, where ``given`` (what a command was told) says nothing.

        A file given in place of one of these comes without what these say of it.
        """
        left = self
        for file, belongings in _OF.items():
            if getattr(given, file) is not None:
                left = replace(left, **dict.fromkeys(belongings))
        told = {key: value for key, value in asdict(given).items() if value is not None}
        return replace(left, **told)


@dataclass(frozen=True, slots=True)
class Service:
    """The dataset of a service that runs on this data belong to, where they are pushed to one.

    Which service that is no policy says: who may change one could have the runs, and the token,
    sent elsewhere.
    """

    project: str | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class RulePolicy:
    """What the policy says of one rule."""

    enabled: bool = True
    severity: Severity | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy; ``source`` is the file it came from, None for the defaults."""

    dataset: Dataset = Dataset()
    rules: Mapping[str, RulePolicy] = field(default_factory=dict)
    source: str | None = None
    waivers: tuple[Waiver, ...] = ()
    inputs: Inputs = field(default_factory=Inputs)
    service: Service = Service()

    def of(self, rule: Rule) -> RulePolicy:
        """What the policy says of a rule, the defaults where it is silent."""
        return self.rules.get(rule.id, RulePolicy())

    def thresholds(self, rule: Rule) -> dict[str, float]:
        """The thresholds in force for a rule."""
        return {key: t.default for key, t in rule.thresholds.items()} | dict(
            self.of(rule).thresholds
        )

    def differences(self, rules: Iterable[Rule]) -> dict[str, str]:
        """Every setting that differs from its default, as key -> value, for the report."""
        changed = {
            f"dataset.{f.name}": str(getattr(self.dataset, f.name))
            for f in fields(Dataset)
            if getattr(self.dataset, f.name) != getattr(Dataset(), f.name)
        }
        for rule in rules:
            own = self.of(rule)
            if not own.enabled:
                changed[f"rules.{rule.id}.enabled"] = "false"
            if own.severity is not None and own.severity != rule.severity:
                changed[f"rules.{rule.id}.severity"] = own.severity.value
            for key, value in own.thresholds.items():
                if value != rule.thresholds[key].default:
                    changed[f"rules.{rule.id}.{key}"] = f"{value:g}"
        return changed
