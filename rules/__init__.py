"""The rules that ship with taxcheck: its first plugin, a few modules per family."""

from __future__ import annotations

from types import ModuleType

from taxcheck.rule import Rule

from . import (
    embedding_precision,
    embedding_radius,
    embedding_rows,
    embedding_saturation,
    embedding_shape,
    hierarchy_groups,
    hierarchy_radius,
    hierarchy_ranking,
    mapping_index,
    mapping_rows,
    mapping_taxonomy,
    pair_balance,
    pair_coverage,
    pair_direction,
    pair_dominance,
    pair_identifiers,
    pair_rows,
    pair_sampling,
    training_config,
    training_coverage,
    training_curve,
    training_run,
    tree_closure,
    tree_shape,
    tree_taxonomy,
)

_MODULES: tuple[ModuleType, ...] = (
    mapping_rows,
    mapping_index,
    mapping_taxonomy,
    pair_rows,
    pair_coverage,
    pair_identifiers,
    pair_direction,
    pair_balance,
    pair_dominance,
    pair_sampling,
    tree_shape,
    tree_closure,
    tree_taxonomy,
    embedding_rows,
    embedding_saturation,
    embedding_radius,
    embedding_precision,
    embedding_shape,
    training_coverage,
    hierarchy_radius,
    hierarchy_ranking,
    hierarchy_groups,
    training_config,
    training_run,
    training_curve,
)

RULES: tuple[Rule, ...] = tuple(
    sorted(
        (
            value
            for module in _MODULES
            for value in vars(module).values()
            if isinstance(value, Rule)
        ),
        key=lambda rule: rule.id,
    )
)
