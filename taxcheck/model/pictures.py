"""The values of a report's pictures: counted and binned, bounded whatever the data's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from taxcheck.model.vocabulary import number, plural

_NOISE = 0.01  # of the largest loss
_SOLVED = 1e-3  # a loss that is as good as 0, and a rise that is none
Five = tuple[float, float, float, float, float]  # 5th, 25th, 50th, 75th, 95th percentile


class Bar(Struct, frozen=True):
    """One bar or segment of a picture, already counted."""

    label: str
    value: int | float


class Draws(Struct, frozen=True):
    """What one way of drawing training pairs yields: parts of the draws, which sum to 1."""

    label: str
    shares: tuple[float, float, float]  # at depth 1, at depth 2 to 5, deeper
    declared: bool = False  # the policy says that training draws so


class Pictures(Struct, frozen=True):
    """Binned values for the report's pictures; None where there is nothing to draw."""

    roles: tuple[Bar, ...] | None = None  # both, only descendant, only ancestor, never
    depths: tuple[tuple[int, int], ...] | None = None  # (depth_diff, pairs)
    closure_depths: tuple[tuple[int, int], ...] | None = None  # what the complete closure has
    draws: tuple[Draws, ...] | None = None
    id_axis: tuple[tuple[float, float, float], ...] | None = None
    # ^ bins along idx: shares (mapped and in pairs, mapped and in none, hole), each 0 to 1
    taxid_cut: tuple[float, int | float, float, float] | None = None
    # ^ (taxid = n_nodes as a share of the taxid-ordered axis, its taxid, share covered below it,
    #    share covered from it on); shares are 0 to 1
    taxid_axis: tuple[float, ...] | None = None  # bins of nodes in taxid order: share covered
    table_size: int | None = None
    n_nodes: int | None = None
    pairs_per_node: tuple[tuple[int, int, int], ...] | None = None  # (lowest, highest, nodes)


class Untrained(Struct, frozen=True):
    """The rows that were never trained: why, by the data, and how it is known."""

    rows: int  # that ought to be there
    never: int
    explanations: tuple[tuple[str, int], ...]  # (what in the data explains it, rows), most first
    evidence: tuple[tuple[str, int], ...]  # (by what it is known, rows), strongest first
    clades: tuple[tuple[str, int, int], ...]  # (clade, never trained, nodes), most affected first
    told_by: tuple[str, ...] = ()  # the kinds of evidence that there were, strongest first
    trained_known: bool = False  # whether they show too that every other row was trained


class Norms(Struct, frozen=True):
    """How far out the rows lie: by hyperbolic radius, or by norm where the table is Euclidean."""

    rows: int  # rows that are points
    percentiles: tuple[tuple[int, float], ...]
    histogram: tuple[tuple[float, float, int], ...]  # (from, to, rows)
    over: int  # rows with a norm in the unit ball above 0.9
    clip: float | None  # the farthest that the engine allows; None: unknown
    at_clip: int | None  # None: no clip is known
    of: Literal["radius", "norm"] = "norm"


class Radii(Struct, frozen=True):
    """Hyperbolic distance from the origin, by depth."""

    bands: tuple[tuple[int, Five], ...]  # (depth, percentiles)
    clip: float | None  # radius of the engine's clip
    saturated: float | None  # share of depths whose median is within 2 % of the clip


class Null(Struct, frozen=True):
    """A score that needs no learning."""

    label: str
    value: float
    exceeded: bool  # the lower bound of the paired bootstrap lies above it


class ScoreCard(Struct, frozen=True):
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


class Clade(Struct, frozen=True):
    """How far the members of one clade lie from each other."""

    label: str
    size: int
    depth: int
    spread: float
    expected: float
    z: float
    never_trained: float | None  # share of its members; None where nothing tells of their training


class Clades(Struct, frozen=True):
    """The spread of clades; ``named`` are those farthest from what is expected."""

    level: str  # "rank class", "subtrees at depth 3"
    z: tuple[float, ...]  # of all clades, ascending
    named: tuple[Clade, ...]  # by |z|, descending
    scores: tuple[tuple[float, float, int], ...]  # histogram of z: (from, to, clades)


class Projection(Struct, frozen=True):
    """A sample of the rows in two dimensions.

    In a ``disk``, ``points`` are coordinates of the log-map at its centre: their length is the
    hyperbolic distance from it, which keeps what the rim of the disk would round away. In a
    ``plane`` they are plain coordinates. ``clade`` is an index into ``clades``, -1 for others.
    """

    space: str  # "disk" | "plane"
    method: str  # how it was made, one sentence
    points: tuple[tuple[float, float], ...]
    idx: tuple[int, ...]  # empty where no file has any
    names: tuple[str, ...]
    lineages: tuple[str, ...]
    clade: tuple[int, ...]
    clades: tuple[str, ...]
    untrained: tuple[bool, ...]  # the row was never trained; empty where that is unknown
    total: int  # rows that the sample stands for
    seed: int


class Curve(Struct, frozen=True):
    """What was recorded over the epochs: what its rule judges and its picture draws.

    Points are (epoch, value), thinned out. The loss is smoothed within each stage of the training.
    Of the stage in which it fell most, ``drop`` is by what part of its largest value it ends below
    that. ``rise`` is by what part of its least of the second half of the last stage it ends above
    that, and ``noise`` how much of that may be chance. None where no stage is long enough.
    """

    unit: str  # of the axis: "epoch" | "record"
    records: int
    losses: int  # records with a finite loss
    loss: tuple[tuple[float, float, float], ...] = ()  # (epoch, lowest, highest) by stretch
    smooth: tuple[tuple[float, float], ...] = ()  # medians of a tenth of a stage
    largest: tuple[float, float] | None = None  # of the smoothed loss, in the stage it fell most in
    ended: tuple[float, float] | None = None  # where that stage ends
    least: tuple[float, float] | None = None  # of the second half of its last stage
    last: tuple[float, float] | None = None
    drop: float | None = None
    rise: float | None = None
    noise: float = 0.0  # of the loss at the end, in its own unit
    learnt: bool = False  # the first evaluation found the rows placed: nothing was left to fall
    radii: tuple[tuple[float, float], ...] = ()  # radius of the norms' 90th percentile
    farthest: tuple[tuple[float, float], ...] = ()  # radius of the largest norm
    max_norm: float | None = None  # the clip, as a norm of the ball
    clip: float | None = None  # its radius
    near_clip: int | None = None  # records with a tenth of the rows at the clip; None: not recorded
    reached: float | None = None  # the first epoch of these
    broken: tuple[tuple[float, int], ...] = ()  # (epoch, steps that gave NaN)
    nan_steps: int = 0

    @property
    def norms(self) -> bool:
        """Whether norms were recorded."""
        return bool(self.radii) or self.near_clip is not None

    def course(self, between: str = " to ") -> str:
        """From where to where the loss went, in the stage in which it fell most."""
        ended = self.ended or self.last  # an older report knows one end alone
        if not (self.largest and ended and self.last):
            return ""
        at = f"{self.unit} {number(ended[0])}"
        when = "the end" if ended[0] >= self.last[0] else at
        return f"{number(self.largest[1])} at most{between}{number(ended[1])} at {when}"

    def stands_still(self, least_drop: float) -> bool:
        """Whether in no stage the loss fell by that part of its largest value.

        Near 0, and where the rows were placed from the start, there is nothing that could fall.
        """
        if self.drop is None or self.largest is None or self.learnt:
            return False
        return self.drop < least_drop and abs(self.largest[1]) > _SOLVED

    def rises(self, largest_rise: float) -> bool:
        """Whether the loss ends higher by more than that part; within its noise it does not."""
        if self.rise is None or self.largest is None or self.least is None or self.last is None:
            return False
        chance = max(_NOISE * abs(self.largest[1]), _SOLVED, self.noise)
        return self.last[1] - self.least[1] > chance and self.rise > largest_rise

    def signs(self, threshold: Mapping[str, float]) -> dict[str, str]:
        """What is wrong in words, by kind: drop and rise beyond their thresholds, clip, nan."""
        found: dict[str, str] = {}
        if self.largest and self.least and self.last:
            if "drop" in threshold and self.stands_still(threshold["drop"]):
                found["drop"] = f"the loss stands still: {self.course(', ')}"
            if "rise" in threshold and self.rises(threshold["rise"]):
                end = f"{number(self.last[1])} at the end"
                found["rise"] = f"the loss rises: {number(self.least[1])} at its least, {end}"
        if self.reached is not None:
            at = f"{self.unit} {number(self.reached)}"
            found["clip"] = f"a tenth of the norms reached the clip at {at}"
        if self.nan_steps:
            found["nan"] = f"{plural(self.nan_steps, 'step')} gave NaN or infinity"
        return found


class CopyGroup(Struct, frozen=True):
    """Rows with the same numbers."""

    size: int
    names: tuple[str, ...]  # of the first of them
    norm: float


class Copies(Struct, frozen=True):
    """Rows that are copies of an earlier one, in groups."""

    rows: int  # of the table
    copied: int  # rows equal to an earlier one
    groups: int
    largest: tuple[CopyGroup, ...]


class KOccurrence(Struct, frozen=True):
    """How often a row is among the k nearest of the other sampled rows."""

    k: int
    sampled: int
    skew: float | None
    greatest: tuple[str, int]  # (its name, how often)
    bins: tuple[tuple[int, int, int], ...]  # (from, to, rows): never, then doubling ranges


class Misplaced(Struct, frozen=True):
    """Rows that are no nearer to their relatives than random ones, by clade."""

    judged: int
    named: int
    level: str  # which clades these are
    clades: tuple[tuple[str, int, int], ...]  # (clade, misplaced, judged), worst first


class AuditPictures(Struct, frozen=True):
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
    misplaced: Misplaced | None = None
