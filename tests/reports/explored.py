"""Explorers made by hand: a small tree on four rings, and what may go wrong with names and rows."""

from __future__ import annotations

import numpy as np

from taxcheck.model.explorer import Explorer, Mark, Way

HOSTILE = (
    "</script><script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "שלום עולם",
    "🦔 \u202eevil",
    'a "quoted", name\nof two lines',
    "x" * 10_000,
)


def tree(fan: int = 4, deep: int = 3) -> np.ndarray:
    """Parents of a whole tree, level by level."""
    parent, level = [-1], [0]
    for _ in range(deep):
        parent += [node for node in level for _ in range(fan)]
        level = list(range(len(parent) - fan * len(level), len(parent)))
    return np.array(parent)


def explorer(
    parent: np.ndarray | None = None,
    names: tuple[str | None, ...] = (),
    lost: tuple[int, ...] = (),
    hyperbolic: bool = True,
) -> Explorer:
    """Every node on the ring of its depth, at the middle of its leaves; rows ``lost`` are none."""
    above = tree() if parent is None else parent
    n = len(above)
    children: list[list[int]] = [[] for _ in range(n)]
    for node in range(n):
        if above[node] >= 0:
            children[above[node]].append(node)
    walk: list[int] = []
    open_ = [node for node in range(n) if above[node] < 0][::-1]
    while open_:
        walk.append(open_.pop())
        open_ += children[walk[-1]][::-1]
    depth, size = np.zeros(n, dtype=np.int64), np.ones(n)
    for node in walk:
        depth[node] = depth[above[node]] + 1 if above[node] >= 0 else 0
    for node in walk[::-1]:
        if above[node] >= 0:
            size[above[node]] += size[node]
    place = np.empty(n)
    place[walk] = np.arange(n)
    angle = 2 * np.pi * (place + size / 2) / n
    radii = 2.0 * depth
    radii[list(lost)] = np.nan
    across = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    marked = np.zeros(n, dtype=bool)
    marked[n // 2 :] = True
    return Explorer(
        title="a <b>tree</b>",
        created="2026-12-01T00:00:00+00:00",
        version="0.1",
        table=f"{n} rows of dimension 2",
        hyperbolic=hyperbolic,
        across=across if hyperbolic else across * radii[:, None],
        radii=radii,
        parent=above,
        walk=np.array(walk),
        depth=depth,
        more_parents=np.array([[n - 1, 0]]) if n > 2 else np.empty((0, 2), dtype=np.int64),
        names=names or tuple(f"node {k}" for k in range(n)),
        identifiers=tuple(1000 + 3 * k for k in range(n)),
        parent_rank=np.where(above >= 0, np.arange(n) % 7 + 1, 0),
        clades=tuple(children[0][:8]) if n > 2 else (),
        marks=(Mark("duplicate", "the same numbers", marked),),
        ways=(Way("hand", 0.5, 3.0), Way("foot", 0.25, float("nan"))),
        table_rank=2.0,
        nearest=10,
        sampled=n,
    )
