"""The frozen values that the audit's rules judge: the table, its training, its scores.

Arrays are read-only and indexed by row of the table, which is the idx of the mapping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Defect
from taxcheck.model.pictures import Curve, Five
from taxcheck.model.vocabulary import HIGH_NORM, NEAR_CLIP, UNIT_ROUNDOFF
from taxcheck.sources.checkpoints.checkpoint import Facts, Reading

FloatArray = npt.NDArray[np.float64]


def five_of(values: FloatArray) -> Five:
    """The 5th, 25th, 50th, 75th and 95th percentile of (k,)."""
    a, b, c, d, e = map(float, np.percentile(values, (5, 25, 50, 75, 95)))
    return a, b, c, d, e


PERCENTILES = (0, 10, 25, 50, 75, 90, 99, 100)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Copies:
    """Rows with the same numbers, as one group."""

    size: int  # rows in the group
    rows: tuple[int, ...]  # the first of them
    norm: float  # as stored; 0 for rows that were never filled


@dataclass(frozen=True, slots=True)
class Saturation:
    """How the rows that are points crowd at the boundary: by their norms, and by their radii."""

    rows: int
    rows_above: int  # with a norm above HIGH_NORM
    rows_at_clip: int | None  # within 2 % of the clip's radius; None: no clip known
    p90: float  # 90th percentile of the norms
    error: float  # bound of the radius error at the 90th percentile of the radii

    @property
    def above(self) -> float:
        """Share of the rows with a norm above HIGH_NORM."""
        return self.rows_above / self.rows

    @property
    def at_clip(self) -> float | None:
        """Share of the rows at the clip; None where no clip is known."""
        return None if self.rows_at_clip is None else self.rows_at_clip / self.rows


@dataclass(frozen=True, slots=True)
class EmbeddingStatistics:
    """The table by itself. Norms are those of the ball model, whatever the stored geometry.

    A row that is not finite has NaN in ``norms`` and ``radii``; a row outside the ball has its
    norm, and an infinite radius.
    """

    rows: int
    dim: int
    dtype: str
    reading: Reading
    norms: FloatArray  # (rows,) Euclidean norm in the unit ball; as stored where it is Euclidean
    radii: FloatArray  # (rows,) hyperbolic distance from the origin, for curvature -1
    norm_percentiles: Mapping[int, float]  # PERCENTILES of the finite norms
    radius_percentiles: Mapping[int, float]
    norm_histogram: tuple[tuple[float, float, int], ...]  # (from, to, rows)
    clip_radius: float | None  # hyperbolic radius of the engine's clip; None: no clip known
    at_clip: int | None  # rows with the clip's norm, to the dtype's precision; None: no clip known
    non_finite: Defect
    outside: Defect  # detail: "norm >= 1" or "off the sheet"
    duplicates: Defect  # rows equal to an earlier row
    same_direction: int  # rows whose unit direction an earlier, different row has
    effective_rank: float  # of the log-map at the origin
    participation_ratio: float
    direction_rank: float  # effective rank of the unit directions
    unit_roundoff: float  # of what the numbers hold, which may be less than their dtype could
    sampled_distances: FloatArray  # (k,) hyperbolic distances of seeded random pairs
    ceiling: float | None  # the largest distance that clip or clamp allows
    sample: str  # how many rows or pairs were sampled where not all were used, and the seed
    radius_histogram: tuple[tuple[float, float, int], ...] = ()  # (from, to, rows)
    rounded_out: int = 0  # rows outside the ball by less than a hundredfold of rounding
    # Rows off the sheet by more than rounding makes, and still points.
    drifted: Defect = field(default_factory=lambda: Defect(0, 0))
    copy_groups: int = 0  # groups of equal rows
    largest_copies: tuple[Copies, ...] = ()  # the largest of these groups, in that order

    @property
    def held_as(self) -> str:
        """The dtype, and where the numbers hold less than it could, how much they do hold."""
        if self.unit_roundoff <= UNIT_ROUNDOFF.get(self.dtype, 0.0):
            return self.dtype
        kinds = {u: name for name, u in UNIT_ROUNDOFF.items()}
        numbers = kinds.get(self.unit_roundoff, f"numbers to {self.unit_roundoff:.0e}")
        return f"{numbers}, stored as {self.dtype}"

    @property
    def saturation(self) -> Saturation | None:
        """How the rows crowd at the boundary; None where no row is a point.

        The error of a radius is bounded by u e^rho / 2 where norms near 1 are what is stored, and
        by u rho on the sheet and in tangent coordinates, which hold the radius.
        """
        inside = np.isfinite(self.radii)
        if not inside.any():
            return None
        radii, clip = self.radii[inside], self.clip_radius
        p90 = float(np.percentile(radii, 90))
        stored_in_ball = self.reading.geometry == "ball"
        return Saturation(
            rows=len(radii),
            rows_above=int(np.count_nonzero(self.norms[inside] > HIGH_NORM)),
            rows_at_clip=int(np.count_nonzero(radii >= NEAR_CLIP * clip))
            if clip and np.isfinite(clip)
            else None,
            p90=self.norm_percentiles[90],
            error=self.unit_roundoff * (math.exp(p90) / 2 if stored_in_ball else p90),
        )


@dataclass(frozen=True, slots=True)
class CoverageOfTraining:
    """Which rows were never trained, by which evidence, and what in the data explains it.

    Evidence, strongest first: "recorded updates", "optimizer state", "equal to the initial
    table", "in no pair", "inside the init box". Explanations: "in no pair", "index hole",
    "beyond the table", "taxid unknown", "sampled zero times", "unexplained".
    """

    rows: int  # rows that ought to be there: the mapping's n_nodes, or the table's rows
    never: BoolArray  # (rows,)
    by_evidence: Mapping[str, int]  # a row counts once, under its strongest evidence
    by_explanation: Mapping[str, int]  # a row counts once
    by_clade: tuple[tuple[str, int, int], ...]  # (clade, never trained, nodes), most affected first
    defect: Defect  # samples with idx, evidence and explanation
    updates: IntArray | None  # (rows,) recorded updates of every row; None: not recorded
    updates_by_depth: tuple[tuple[int, int, int, float], ...]  # (depth, nodes, with none, mean)
    by_both: Mapping[tuple[str, str], int] = field(default_factory=dict)
    # ^ (explanation, evidence) -> rows; its margins are by_explanation and by_evidence
    told_by: tuple[str, ...] = ()  # the kinds of evidence that there were, strongest first
    trained_known: bool = False  # whether they show too that every other row was trained


@dataclass(frozen=True, slots=True)
class NullScore:
    """A score that needs no learning, and by how much the table exceeds it."""

    value: float
    margin_low: float  # lower bound of the paired bootstrap of (table - null), better is positive


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of quality with its interval and its nulls."""

    value: float
    low: float
    high: float
    nulls: Mapping[str, NullScore]  # "depth-aware init", "shuffled within depth", "collapsed" ...
    protocol: str
    sources: int  # how many were scored
    total: int  # of how many
    trained_only: float | None = None  # the same over trained rows alone
    euclidean: float | None = None  # the same by Euclidean distance; for comparison, no null
    ceiling: float | None = None  # the best that ties allow
    higher_is_better: bool = True
    compared: int | None = None  # sources of nulls, trained_only and euclidean; None: all of them
    optimum: float | None = None  # the best value there is; None: no bound, or none that counts
    percentiles: Mapping[int, float] = field(default_factory=dict)  # of what ``value`` is a mean

    @property
    def at_optimum(self) -> bool:
        """Whether no table could score better."""
        return self._best(self.value)

    @property
    def perfect_null(self) -> str | None:
        """The null that is at the optimum, so that no table could exceed it; None for none."""
        return next((name for name, null in self.nulls.items() if self._best(null.value)), None)

    def _best(self, value: float) -> bool:
        return self.optimum is not None and abs(value - self.optimum) <= _ROUNDING

    @property
    def beats_every_null(self) -> bool:
        """Whether the lower bound of the paired bootstrap exceeds every null."""
        return bool(self.nulls) and all(null.margin_low > 0 for null in self.nulls.values())


@dataclass(frozen=True, slots=True)
class CladeSpread:
    """How far the members of a clade lie from each other, against what size and depth predict."""

    idx: int
    label: str
    size: int
    depth: int
    spread: float
    expected: float
    z: float  # robust z-score of the residual; an outlier is beyond the rule's threshold
    never_trained: float | None  # share of its members; None where nothing tells of their training
    inside: int | None = None  # idx of the smallest judged clade around it


@dataclass(frozen=True, slots=True)
class Hubs:
    """How often each sampled row is among the k nearest of the others."""

    k: int
    sampled: int
    greatest: tuple[int, int]  # (row, how often)
    occurrences: tuple[tuple[int, int], ...]  # (how often, rows), ascending; every row counts once


@dataclass(frozen=True, slots=True)
class HierarchyScores:
    """Does the embedding hold the hierarchy. A part that cannot be computed stays as it is here."""

    seed: int
    map: Score | None = None
    mean_rank: Score | None = None
    hits: Mapping[int, Score] = field(default_factory=dict)  # hits@k of any ancestor
    parent_hits: Mapping[int, Score] = field(default_factory=dict)  # hits@k of any parent
    spearman: Score | None = None  # hyperbolic radius with depth, as stored
    spearman_recentred: float | None = None  # the same, re-centred on the root
    pearson_norm: float | None = None  # Pearson of depth with the norm, as the successors report it
    monotone_edges: Score | None = None  # edges whose child lies farther from the centre
    monotone_by_depth: tuple[tuple[int, int, float], ...] = ()  # (child's depth, edges, share)
    siblings: Score | None = None  # AUC of siblings against random nodes of the same depth
    separation: Score | None = None  # mean inter-class over mean intra-class distance, all pairs
    separation_successors: float | None = None  # their order-dependent form, for comparison
    clades: tuple[CladeSpread, ...] = ()  # by |z|, descending
    clade_level: str = ""  # which classes are separated: "rank class", "subtrees at depth 3"
    hubness: float | None = None  # skew of the k-occurrence
    distortion: Mapping[str, float] = field(default_factory=dict)  # average, worst, scale ...
    root: tuple[int, float, int] | None = None  # (idx, its radius, rows nearer the origin)
    radius_by_depth: tuple[tuple[int, float, float, float, float, float], ...] = ()
    # ^ (depth, 5th, 25th, 50th, 75th, 95th percentile of the radius)
    saturated_levels: float | None = None  # share of depths whose median is within 2 % of the clip
    distance_bands: Mapping[str, Five] = field(default_factory=dict)
    # ^ percentiles by kind of pair: "parent-child", "sibling", "random"
    hubs: Hubs | None = None  # what ``hubness`` is the skew of
    spread_level: str = ""  # which ``clades`` these are, or why there are none


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """What the table tells of pairs that were held out of its training, apart from those in it.

    Ancestors in training are no candidates, and popularity is that in training. Beside the nulls
    of the same lists stands what the training pairs score.
    """

    pairs: int  # distinct held-out pairs that training does not have
    in_training: int  # those that it has, which are not scored
    untrained: int  # pairs, of ``pairs``, with a node whose row was never trained
    map: Score
    mean_rank: Score
    hits: Mapping[int, Score]
    training: Score | None  # MAP of the training pairs


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """How the table was trained, as far as its file, a log or a run's config says."""

    facts: Facts
    rows: int
    dim: int
    table_size_from_pairs: int | None  # max idx in the pairs + 1
    n_nodes: int | None  # of the mapping
    curve: Curve | None = None  # the recorded metrics; None: nothing was recorded
