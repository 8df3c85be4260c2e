"""Everything that can be chosen about a training run, flat and frozen, under the field's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GeometryName = Literal["ball", "tangent", "lorentz", "euclidean"]


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
    max_seconds: float = 0.0  # stop after so many seconds of training; 0: no limit
    early_stopping: int = 0  # evaluations without improvement; 0: never
    min_delta: float = 0.0
    evaluate_every: int = 10  # epochs
    evaluate_sources: int = 1000
    keep_last: int = 3

    # The machine
    backend: Literal["auto", "numba", "torch"] = "auto"
    device: str = "cpu"
    workers: int = 0  # threads of the kernel; 1 is deterministic; 0: all
    seed: int = 0
