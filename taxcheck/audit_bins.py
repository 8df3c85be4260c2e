"""Binned values for the pictures after training: what a Report carries and renderers draw."""

from __future__ import annotations

from dataclasses import dataclass

Five = tuple[float, float, float, float, float]  # 5th, 25th, 50th, 75th, 95th percentile


@dataclass(frozen=True, slots=True)
class Untrained:
    """The rows that were never trained: why, by the data, and how it is known."""

    rows: int  # that ought to be there
    never: int
    explanations: tuple[tuple[str, int], ...]  # (what in the data explains it, rows), most first
    evidence: tuple[tuple[str, int], ...]  # (by what it is known, rows), strongest first
    clades: tuple[tuple[str, int, int], ...]  # (clade, never trained, nodes), most affected first


@dataclass(frozen=True, slots=True)
class Norms:
    """Euclidean norms of the rows in the unit ball."""

    rows: int  # rows with a finite norm
    percentiles: tuple[tuple[int, float], ...]
    incident: tuple[tuple[int, float], ...]  # the same, of the incident's table
    histogram: tuple[tuple[float, float, int], ...]  # (from, to, rows)
    over: int  # rows with a norm above 0.9
    clip: float | None  # largest norm that the engine allows; None: unknown
    at_clip: int


@dataclass(frozen=True, slots=True)
class Radii:
    """Hyperbolic distance from the origin, by depth."""

    bands: tuple[tuple[int, Five], ...]  # (depth, percentiles)
    target: tuple[tuple[int, float], ...]  # (depth, radius that the repaired start aims at)
    clip: float | None  # radius of the engine's clip
    saturated: float | None  # share of depths whose median is within 2 % of the clip


@dataclass(frozen=True, slots=True)
class Null:
    """A score that needs no learning."""

    label: str
    value: float
    exceeded: bool  # the lower bound of the paired bootstrap lies above it


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """One measure of quality with all that it is to be read against."""

    label: str
    value: float
    low: float
    high: float
    nulls: tuple[Null, ...]
    protocol: str
    sources: int
    total: int
    lowest: float  # the axis: its ends, and whether it counts in powers of ten
    highest: float
    logarithmic: bool = False
    higher_is_better: bool = True
    trained_only: float | None = None
    euclidean: float | None = None
    ceiling: float | None = None
    remark: str = ""  # what else was read from the same quantity
    compared: int | None = None  # sources of nulls and further readings, where not all of them

    @property
    def beats_every_null(self) -> bool:
        """Whether it exceeds every null, by the lower bound of the paired bootstrap."""
        return bool(self.nulls) and all(null.exceeded for null in self.nulls)


@dataclass(frozen=True, slots=True)
class Clade:
    """How far the members of one clade lie from each other."""

    label: str
    size: int
    depth: int
    spread: float
    expected: float
    z: float
    never_trained: float  # share of its members


@dataclass(frozen=True, slots=True)
class Clades:
    """The spread of clades; ``named`` are those farthest from what is expected."""

    level: str  # "rank class", "subtrees at depth 3"
    total: int
    threshold: float  # a clade is an outlier where |z| exceeds it
    outliers: int
    wider: int  # outliers whose members lie farther apart than expected
    named: tuple[Clade, ...]  # by |z|, descending
    scores: tuple[tuple[float, float, int], ...]  # histogram of z: (from, to, clades)


@dataclass(frozen=True, slots=True)
class Projection:
    """A sample of the rows in two dimensions.

    In a ``disk``, ``points`` are coordinates of the log-map at its centre: their length is the
    hyperbolic distance from it, which keeps what the rim of the disk would round away. In a
    ``plane`` they are plain coordinates. ``clade`` is an index into ``clades``, -1 for others.
    """

    space: str  # "disk" | "plane"
    method: str  # how it was made, one sentence
    points: tuple[tuple[float, float], ...]
    idx: tuple[int, ...]
    names: tuple[str, ...]
    lineages: tuple[str, ...]
    clade: tuple[int, ...]
    clades: tuple[str, ...]
    untrained: tuple[bool, ...]  # the row was never trained; empty where that is unknown
    total: int  # rows that the sample stands for
    seed: int


@dataclass(frozen=True, slots=True)
class Curve:
    """What was recorded over the epochs; points are (epoch, value), thinned out.

    ``drop`` is by what part of its largest smoothed value the loss ends below it; ``rise``, by what
    part of its least of the second half it ends above that; None where the curve is too short.
    """

    unit: str  # of the axis: "epoch" | "record"
    records: int
    loss: tuple[tuple[float, float, float], ...] = ()  # (epoch, lowest, highest) by stretch
    smooth: tuple[tuple[float, float], ...] = ()  # medians of a tenth of the curve
    largest: tuple[float, float] | None = None  # of the smoothed loss
    least: tuple[float, float] | None = None  # of its second half
    last: tuple[float, float] | None = None
    drop: float | None = None
    rise: float | None = None
    radii: tuple[tuple[float, float], ...] = ()  # radius of the norms' 90th percentile
    farthest: tuple[tuple[float, float], ...] = ()  # radius of the largest norm
    clip: float | None = None  # radius of the clip
    reached: float | None = None  # the first epoch with a tenth of the rows at the clip
    broken: tuple[tuple[float, int], ...] = ()  # (epoch, steps that gave NaN)
    nan_steps: int = 0


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Rows with the same numbers."""

    size: int
    names: tuple[str, ...]  # of the first of them
    norm: float


@dataclass(frozen=True, slots=True)
class Copies:
    """Rows that are copies of an earlier one, in groups."""

    rows: int  # of the table
    copied: int  # rows equal to an earlier one
    groups: int
    largest: tuple[CopyGroup, ...]


@dataclass(frozen=True, slots=True)
class KOccurrence:
    """How often a row is among the k nearest of the other sampled rows."""

    k: int
    sampled: int
    skew: float | None
    greatest: tuple[str, int]  # (its name, how often)
    bins: tuple[tuple[int, int, int], ...]  # (from, to, rows): never, then doubling ranges


@dataclass(frozen=True, slots=True)
class AuditPictures:
    """All that is drawn after training; None where there is nothing to draw."""

    table: tuple[tuple[str, str], ...] = ()  # (what, value): geometry, dimensions, dtype ...
    dim: int | None = None
    untrained: Untrained | None = None
    norms: Norms | None = None
    radii: Radii | None = None
    distances: tuple[tuple[str, Five], ...] = ()  # (which pairs of nodes, percentiles)
    scores: tuple[ScoreCard, ...] = ()
    clades: Clades | None = None
    projection: Projection | None = None
    inside_by_depth: tuple[tuple[int, int, float], ...] = ()
    # ^ (depth of the child, edges, share of them whose child lies nearer the centre)
    updates_by_depth: tuple[tuple[int, int, float], ...] = ()
    # ^ (depth, nodes, share of them without a single update)
    curve: Curve | None = None
    copies: Copies | None = None
    hubs: KOccurrence | None = None
