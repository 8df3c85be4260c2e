"""The statistics that a report holds: plain numbers, in the words that its JSON has for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number = float | None  # None: there is none, or it is not finite
Share = Number  # 0 to 1
Percentiles = Mapping[int, Number]  # 0, 10, 25, 50, 75, 90, 99, 100; empty where no row has a value
Summary = TypeVar("Summary", bound=Struct)


def summary_of(kind: type[Summary], value: object, /, **computed: object) -> Summary:
    """A summary whose fields are the attributes of a value that have their names, or computed."""
    names = [name for name in kind.__struct_fields__ if name not in computed]
    return kind(**{name: getattr(value, name) for name in names}, **computed)


class MappingSummary(Struct, frozen=True):
    """The mapping of identifiers to idx."""

    rows: Count
    nodes: Count  # idx that an identifier maps to
    n_nodes: Count  # largest idx + 1
    holes: Count  # idx from 0 to n_nodes - 1 that no identifier maps to
    derived: bool  # made from the labels of the pairs, since no mapping was given


class DepthShares(
    Struct, frozen=True, rename={"near": "1", "middle": "2-5", "far": ">5"}
):  # the names that the JSON has had from the first
    """Parts of the pairs, by the distance that they span; they sum to 1."""

    near: Share  # parents and children
    middle: Share
    far: Share


class DepthCount(Struct, frozen=True):
    """Pairs that span one distance."""

    depth: int
    pairs: Count


class DepthSummary(Struct, frozen=True):
    """The distances that pairs span, by their column depth_diff."""

    mean: Number
    median: Number
    max: int | None
    shares: DepthShares
    histogram: tuple[DepthCount, ...]  # ascending; the first 1,000 depths


class PairSummary(Struct, frozen=True):
    """The training pairs."""

    rows: Count
    valid: Count  # rows that break no rule of their own
    nodes: Count  # nodes in some pair
    only_descendant: Count
    only_ancestor: Count
    both: Count
    never: Count  # nodes of the mapping in no pair
    table_size: Count  # largest idx in the pairs + 1
    holes_in_range: Count  # idx below table_size in no pair
    depth: DepthSummary | None  # null where no pair states its depth


class TreeSummary(Struct, frozen=True):
    """The graph of parents and children, and its closure held against the pairs."""

    kind: str  # "tree", "dag" or "damaged tree"
    kind_reason: str
    edges_from: str  # depth-1 pairs, or the transitive reduction of all
    edges: Count
    roots: Count
    components: Count
    max_depth: Count
    expected_pairs: Count | None  # of the complete closure; null, as the next, where it is unknown
    missing_pairs: Count | None
    false_pairs: Count | None
    unproven_pairs: Count | None
    duplicate_pairs: Count | None
    path: str | None  # how the closure was proved
    unproven_by_reason: Mapping[str, Count] = {}


class Clip(Struct, frozen=True):
    """Where the engine stops rows on their way out; null where no clip is known."""

    norm: Number
    radius: Number


class NormSummary(Struct, frozen=True, rename={"share_above": "share_over_0.9"}):
    """Euclidean norms, in the unit ball."""

    percentiles: Percentiles
    share_above: Share  # rows with a norm above 0.9; null where no row has a norm
    share_at_clip: Share  # null where no clip is known


class RadiusSummary(Struct, frozen=True):
    """Hyperbolic distances from the origin."""

    percentiles: Percentiles


class UntrainedClade(Struct, frozen=True):
    """The rows of one clade that were never trained."""

    clade: str
    never_trained: Count
    nodes: Count


class UpdatesAtDepth(Struct, frozen=True):
    """Recorded updates of the nodes at one depth."""

    depth: Count
    nodes: Count
    without: Count  # nodes without an update
    mean: Number  # updates of a node


class UntrainedSummary(Struct, frozen=True):
    """The rows that were never trained, by what explains it and by how it is known."""

    total: Count
    rows: Count  # rows that ought to be there
    by_evidence: Mapping[str, Count]  # a row counts once, under its strongest evidence
    by_explanation: Mapping[str, Count]  # a row counts once, under what in the data explains it
    by_both: Mapping[str, Mapping[str, Count]] = {}  # {explanation: {evidence: rows}}
    by_clade: tuple[UntrainedClade, ...] = ()  # most affected first
    updates_by_depth: tuple[UpdatesAtDepth, ...] = ()  # empty where no updates were recorded
    told_by: tuple[str, ...] = ()  # the kinds of evidence that there were, strongest first
    trained_known: bool = False  # whether they show too that every other row was trained


class NullSummary(Struct, frozen=True):
    """What a table scores that has learned nothing."""

    value: Number
    margin_low: Number  # lower bound of the bootstrap of how much better this table is


class ScoreSummary(Struct, frozen=True):
    """One measure of quality, and all that it is to be read against."""

    value: Number
    ci: tuple[Number, Number]  # bootstrap interval, [low, high]
    protocol: str
    sources: Count  # how many were scored
    total: Count  # of how many
    higher_is_better: bool = True
    beats_every_null: bool = False
    nulls: Mapping[str, NullSummary] = {}  # what needs no learning
    compared_sources: Count | None = None  # on how many nulls and the next two were computed
    trained_only: Number = None  # among trained rows alone; null where none is known untrained
    euclidean: Number = None  # by Euclidean distance, for comparison
    ceiling: Number = None  # the best that ties allow
    percentiles: Mapping[int, Number] = {}  # 50, 99: of the single ranks that a mean rank is of


class RootSummary(Struct, frozen=True):
    """Where the root lies."""

    idx: Count
    radius: Number
    nearer: Count  # rows nearer the centre


class RadiusAtDepth(Struct, frozen=True):
    """Percentiles of the radius of the nodes at one depth."""

    depth: Count
    p5: Number
    p25: Number
    p50: Number
    p75: Number
    p95: Number


class HeldOutSummary(Struct, frozen=True):
    """What the table tells of pairs that were held out of its training.

    Ancestors in training are no candidates.
    """

    pairs: Count  # distinct held-out pairs that training does not have
    in_training: Count = 0  # those that it has, which are not scored
    untrained: Count = 0  # pairs with a node whose row was never trained
    map: ScoreSummary | None = None
    mean_rank: ScoreSummary | None = None
    hits: Mapping[int, ScoreSummary | None] = {}  # by k


class QualitySummary(Struct, frozen=True):
    """How well the table holds the hierarchy; null where it could not be computed."""

    seed: int = 0
    map: ScoreSummary | None = None
    mean_rank: ScoreSummary | None = None
    hits: Mapping[int, ScoreSummary | None] = {}  # by k, of any ancestor
    parent_hits: Mapping[int, ScoreSummary | None] = {}  # by k, of any parent
    held_out: HeldOutSummary | None = None  # null where no pairs were held out
    spearman: ScoreSummary | None = None  # of hyperbolic radius with depth
    spearman_recentred: Number = None  # the same, re-centred on the root
    pearson_norm: Number = None  # of depth with the norm
    monotone_edges: ScoreSummary | None = None  # edges whose child lies farther from the centre
    siblings: ScoreSummary | None = None
    separation: ScoreSummary | None = None
    separation_successors: Number = None  # in an order-dependent form, for comparison
    hubness: Number = None  # skew of the k-occurrence
    distortion: Mapping[str, Number] = {}  # of distances in the tree; empty for other graphs
    root: RootSummary | None = None
    radius_by_depth: tuple[RadiusAtDepth, ...] = ()
    saturated_levels: Share = None  # depths whose median is within 2 % of the clip
    clade_level: str = ""  # which classes are held apart: "rank class", "subtrees at depth 3"
    spread_level: str = ""  # which subtrees ``clades`` lists, or why there are none


class CladeSummary(Struct, frozen=True):
    """How far the members of one clade lie from each other."""

    idx: Count
    label: str
    size: Count
    depth: Count
    spread: Number
    expected: Number
    z: Number
    never_trained: Share  # of its members; null where nothing tells of their training


class TableSummary(Struct, frozen=True):
    """A trained table, by itself and held against its data."""

    rows: Count
    dim: Count
    dtype: str
    geometry: str  # "ball", "lorentz", "tangent" or "euclidean"
    curvature: Number  # c > 0 of curvature -c
    confidence: str  # "certain", "likely" or "guess"
    reasons: tuple[str, ...]  # of the geometry
    clip: Clip
    norms: NormSummary
    radius: RadiusSummary
    non_finite: Count  # rows with NaN or infinity
    outside: Count  # rows that are no points of the space
    duplicates: Count  # rows equal to an earlier one
    same_direction: Count  # further rows whose direction an earlier one has
    effective_rank: Number
    participation_ratio: Number
    direction_rank: Number  # effective rank of the unit directions
    distance_ceiling: Number  # largest distance that the clip allows
    sample: str  # what was sampled, and the seed
    never_trained: UntrainedSummary | None = None
    quality: QualitySummary | None = None  # null where no pairs were given
    clades: tuple[CladeSummary, ...] | None = None  # by |z|, descending; the first 200


class Statistics(Struct, frozen=True):
    """What was counted and measured; a part is null where it was not."""

    mapping: MappingSummary | None = None
    pairs: PairSummary | None = None
    tree: TreeSummary | None = None
    embeddings: TableSummary | None = None  # where a trained table was audited
