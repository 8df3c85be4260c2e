"""Everything that can be chosen about a training run, and what of it changes as the run goes on.

Nothing heavy is imported, so that ``taxcheck train --help`` can list the keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from taxcheck.model.geometry import GeometryName

if TYPE_CHECKING:
    from taxcheck.geometry.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One run. The defaults are the preset "default"; ``docs/ablations.md`` measures them."""

    # The table
    dim: int = 10
    geometry: GeometryName = "tangent"
    dtype: Literal["float32", "float64"] = "float64"
    max_norm: float = 0.98  # clip of ball rows
    max_radius: float = 0.0  # of tangent and Lorentz rows; 0: what the dtype can hold
    table_from: Literal["mapping", "pairs"] = "mapping"

    # Where rows start
    init: Literal["cones", "depth-aware", "nested", "uniform"] = "nested"
    init_min: float = 0.05  # depth-aware: ball norm of the roots ...
    init_max: float = 0.85  # ... and of the deepest nodes
    init_scale: float = 1e-3  # uniform: coordinates in [-scale, scale]
    cone_step: float = 1.2  # cones: hyperbolic step from a parent at depth 8 ...
    cone_growth: float = 1.1  # ... times this for each level below it, up to depth 12
    cone_radius: float = 3.0  # all radii are then scaled so that this is the largest
    nested_step: float = 1.5  # nested: hyperbolic radius gained with each level of depth
    nested_radii: tuple[tuple[int, float], ...] = ()  # (depth, radius), overrides nested_step

    # Objective
    loss: Literal["softmax", "margin"] = "softmax"
    margin: float = 0.2
    temperature: float = 1.0
    lambda_reg: float = 0.01
    lambda_schedule: tuple[tuple[int, float], ...] = ()  # (from epoch, value), overrides lambda_reg
    depth_weight: float = 0.0  # a pair's loss is weighted by depth_diff ** -this
    source_weight: Literal["pairs", "sources"] = "sources"  # "sources": all sources weigh the same

    # Which pairs are drawn, and against what
    grouping: Literal["sources", "pairs"] = "sources"  # do positives of a source share negatives
    anchor: Literal["descendant", "ancestor"] = "descendant"  # the end that negatives are drawn for
    balance: Literal["none", "balanced", "oversample", "temperature"] = "none"
    depth1_factor: float = 10.0  # oversample: parent-child pairs count this often
    balance_temperature: float = 2.0  # temperature: share of a distance ~ count ** (1 / this)
    depth_cap: int = 0  # pairs of a larger distance are left out; 0: none
    curriculum: tuple[tuple[int, int, int], ...] = ()  # (until epoch, least, largest distance)
    negatives: int = 100
    degree_share: float = 0.0  # share of the negatives drawn by degree
    hard_share: float = 0.0  # share of the negatives drawn at the source's depth, never related

    # The end of a run, in which the nearest candidates join the negatives
    refine: float = 0.4  # share of the epochs, or of max_seconds; 0: never
    refine_lr: float = 0.2  # falls to 0 as lr does before
    refine_temperature: float = 0.3
    refine_nearest: int = 300  # at most so many candidates ...
    refine_window: float = 1.5  # ... this many temperatures beyond the farthest positive

    # Optimizer
    optimizer: Literal["rsgd", "adam", "adagrad"] = "rsgd"
    lr: float = 0.5
    lr_schedule: Literal["constant", "linear"] = "linear"
    burn_in: int = 0  # epochs at lr * burn_in_factor
    burn_in_factor: float = 0.01
    batch_size: int = 1024  # pairs whose gradients are summed (torch); the kernel steps per source

    # How long, and what is kept
    epochs: int = 100
    max_seconds: float = 0.0  # of training, with its evaluations and files; 0: no limit
    early_stopping: int = 0  # evaluations without improvement; 0: never
    min_delta: float = 0.0
    best_from: int = 0  # epochs that are done before a table can be the best
    evaluate_every: int = 10  # epochs
    evaluate_sources: int = 1000
    keep_last: int = 3

    # The machine
    backend: Literal["auto", "numba", "torch"] = "auto"
    device: str = "cpu"
    workers: int = 0  # threads of the kernel; 1 is deterministic; 0: all
    seed: int = 0

    @property
    def model(self) -> Model:
        """The space of this run."""
        from taxcheck.geometry.models import model_of

        return model_of(self.geometry)

    @property
    def radius_limit(self) -> float:
        """The largest hyperbolic radius that rows may have.

        Without ``max_radius`` it is what numbers of the dtype hold well: 37 of tangent rows in
        float64, 17 in float32; on the sheet, whose time coordinate loses digits on the way, 16 and
        6.
        """
        if self.model.limited_by == "max_norm":
            return 2 * math.atanh(self.max_norm)
        if self.model.limited_by is None:
            return math.inf
        held = self.model.largest_radius(self.dtype) - self.model.room
        return self.max_radius or float(math.floor(held))

    @property
    def reach_limit(self) -> float:
        """The largest norm of a ball row, the largest radius of others, none in flat space."""
        return self.max_norm if self.model.limited_by == "max_norm" else self.radius_limit


@dataclass(frozen=True, slots=True)
class Phase:
    """How a part of a run is trained."""

    lr: float
    lambda_reg: float = 0.0
    temperature: float = 1.0
    refining: bool = False  # against the nearest candidates, too
    stage: int = 1  # of the run: within one, losses can be compared


def phase(config: TrainConfig, epoch: int, seconds: float = 0.0) -> Phase:
    """The plan of an epoch, counted from 0, after so many seconds of training.

    ``lr * burn_in_factor`` for the epochs of burn-in. Then ``lr``, or where it is linear, ``lr``
    falling to 0 over what is left before refinement: of the epochs, or of max_seconds where those
    are spent earlier. Refinement starts again at ``refine_lr``. The weight of the regulariser is
    that of the last step of its schedule up to the epoch. A new stage begins where burn-in ends,
    with every stage of the curriculum, with every step of that schedule, and with refinement.
    """
    ends = {config.burn_in, *(until for until, _, _ in config.curriculum)}
    ends |= {start for start, _ in config.lambda_schedule}
    stage = 1 + sum(0 < end <= epoch for end in ends)
    steps = [weight for start, weight in config.lambda_schedule if start <= epoch]
    weight = steps[-1] if steps else config.lambda_reg
    if epoch < config.burn_in:
        return Phase(config.lr * config.burn_in_factor, weight, config.temperature, stage=stage)
    done = (epoch - config.burn_in) / max(config.epochs - config.burn_in, 1)
    if config.max_seconds:
        done = max(done, seconds / config.max_seconds)
    before = 1 - config.refine
    refining = config.refine > 0 and done >= before
    lr = config.refine_lr if refining else config.lr
    if config.lr_schedule == "linear":
        left = (1 - done) / config.refine if refining else 1 - done / before
        lr *= min(max(left, 0.0), 1.0)
    heat = config.refine_temperature if refining else config.temperature
    return Phase(lr, weight, heat, refining, stage + refining)


def out_of_time(config: TrainConfig, seconds: float, ahead: float = 0.0) -> bool:
    """Whether the seconds of training are spent, with those that are still ahead of its end."""
    return 0 < config.max_seconds <= seconds + ahead


def out_of_patience(config: TrainConfig, waited: int) -> bool:
    """Whether so many evaluations without improvement end a run; a patience of 0 never does."""
    return 0 < config.early_stopping <= waited
