"""The values of the pictures of the data, already counted and binned, which the Report holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar or segment of a picture, already counted."""

    label: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Draws:
    """What one way of drawing training pairs yields: parts of the draws, which sum to 1."""

    label: str
    shares: tuple[float, float, float]  # at depth 1, at depth 2 to 5, deeper
    declared: bool = False  # the policy says that training draws so


@dataclass(frozen=True, slots=True)
class Pictures:
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
