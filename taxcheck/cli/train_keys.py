"""What every key of a TrainConfig means, in the groups and words of ``taxcheck train --help``."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "The table": {
        "dim": "Dimension of the space; a Lorentz row has one number more.",
        "geometry": "Space that rows are points of.",
        "dtype": "Numbers that rows are made of.",
        "max_norm": "Clip of ball rows.",
        "max_radius": "Largest radius of tangent and Lorentz rows; 0: what the dtype can hold.",
        "table_from": "What sizes the table; a table from pairs lacks nodes beyond them.",
    },
    "Where rows start": {
        "init": "Nested, cones: by the hierarchy; depth-aware: radii alone; uniform: a box.",
        "init_min": "Depth-aware: ball norm of the roots.",
        "init_max": "Depth-aware: ball norm of the deepest nodes.",
        "init_scale": "Uniform: coordinates lie in [-scale, scale].",
        "cone_step": "Cones: hyperbolic step from a parent at depth 8.",
        "cone_growth": "Cones: the step grows so each level below, up to depth 12.",
        "cone_radius": "Cones: radii are scaled so that this is the largest.",
        "nested_step": "Nested: radius gained with each level of depth.",
        "nested_radii": "Nested: radii by depth, over nested_step: 0:0,3:20,12:34.",
    },
    "Objective": {
        "loss": "Softmax over a positive and its negatives, or a margin between them.",
        "margin": "Margin: by how much nearer than a negative a positive must be.",
        "temperature": "Softmax: distances are divided by it.",
        "lambda_reg": "Weight of the pull of each row to the radius of its depth.",
        "lambda_schedule": "Weights by first epoch, over lambda_reg: 0:0,50:0.01.",
        "depth_weight": "A pair's loss is weighted by depth_diff ** -this.",
        "source_weight": "What weighs the same: each pair, or each descendant.",
    },
    "Draws": {
        "grouping": "Sources: the positives of one descendant share their negatives.",
        "anchor": "The end of a pair that is held against negatives; ancestor: of pairs alone.",
        "balance": "How draws are spread over the distances of pairs.",
        "depth1_factor": "Oversample: parent-child pairs count so often.",
        "balance_temperature": "Temperature: share of a distance ~ count ** (1 / this).",
        "depth_cap": "Pairs of a larger distance are left out; 0: none.",
        "curriculum": "Distances by last epoch, all of them later: 20:1-2,50:1-5.",
        "negatives": "Negatives of a source, drawn with replacement.",
        "degree_share": "Share of them drawn as often as they are ancestors.",
        "hard_share": "Share of them drawn at the source's depth, never related to it.",
    },
    "Refinement, the end of a run": {
        "refine": "Share of a run in which the nearest candidates join the negatives; 0: never.",
        "refine_lr": "Learning rate there, falling as lr does before.",
        "refine_temperature": "Temperature there.",
        "refine_nearest": "At most so many candidates of each source.",
        "refine_window": "So many temperatures beyond its farthest positive.",
    },
    "Optimizer": {
        "optimizer": "How gradients become steps; rsgd is Riemannian.",
        "lr": "Learning rate.",
        "lr_schedule": "Constant, or falling to 0 in a line.",
        "burn_in": "First epochs, at a lower learning rate.",
        "burn_in_factor": "How much of it they have.",
        "batch_size": "Torch: pairs whose gradients are summed; the kernel steps by source.",
    },
    "How long, and what is kept": {
        "epochs": "Passes over the pairs.",
        "max_seconds": "Stop after so many seconds of training; 0: no limit.",
        "early_stopping": "Stop after so many evaluations without improvement; 0: never.",
        "min_delta": "Gain that counts as improvement.",
        "evaluate_every": "Epochs between evaluations.",
        "evaluate_sources": "Descendants that an evaluation ranks.",
        "keep_last": "Checkpoints that are kept beside the best.",
    },
    "The machine": {
        "backend": "Numba: a fused kernel on the CPU; torch: any device.",
        "device": "Where torch computes: cpu, cuda, cuda:1, mps.",
        "workers": "Threads of the kernel; 1 is deterministic; 0: all.",
        "seed": "Of everything that is drawn.",
    },
}
MEANINGS = {key: meaning for keys in GROUPS.values() for key, meaning in keys.items()}
