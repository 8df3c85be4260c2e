"""The same questions answered with Python sets and loops: slow, short, and easy to believe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

Pair = tuple[int, int, int]


def ancestors(edges: set[tuple[int, int]], node: int) -> dict[int, int]:
    """Every proper ancestor of a node with its shortest distance."""
    found: dict[int, int] = {}
    level, distance = {node}, 0
    while level:
        distance += 1
        level = {p for p, c in edges if c in level} - found.keys() - {node}
        found |= dict.fromkeys(level, distance)
    return found


@dataclass
class Naive:
    expected: int
    distinct: int
    duplicates: int
    reversed: int
    missing: Counter[int]
    false: int
    unproven: int


def judge(rows: list[Pair], strict: bool) -> Naive:
    """rows: (ancestor, descendant, depth_diff), without self pairs; ``strict``: a tree is meant."""
    first: dict[tuple[int, int], int] = {}
    for a, d, k in rows:
        first.setdefault((a, d), k)
    # an edge is stated by any row, a repeated one too
    stated = {(a, d) for a, d, k in rows if k == 1}
    nodes = {x for a, d, _ in rows for x in (a, d)}
    reach = {node: ancestors_of_parents(stated, node) for node in nodes}
    cyclic = {node for node in nodes if node in reach[node]}
    # what lies on a cycle implies nothing
    edges = {(a, d) for a, d in stated if d not in reach[a]}
    parents = Counter(d for _, d in edges)
    with_parent = {d for _, d in stated}
    above = {node: ancestors(edges, node) for node in nodes}
    tops = {d for a, d, _ in rows if d not in with_parent and d not in above[a]} | cyclic
    tree = max(parents.values(), default=0) <= 1
    false = unproven = 0
    for (a, d), k in first.items():
        known = above[d].get(a)
        if known == k:
            continue
        possible = d not in above[a] if known is None else 0 < k < known
        if not strict:
            unproven += possible
            false += not possible
        elif tree:
            roots = [max(above[x], key=above[x].get, default=x) for x in (a, d)]
            contradicted = known is not None or k <= len(above[d]) or roots[0] == roots[1]
            contradicted &= known is not None or d not in cyclic
            false += contradicted
            unproven += not contradicted
        elif d in tops or tops & reach[d]:
            unproven += possible
            false += not possible
        else:
            false += 1
    missing: Counter[int] = Counter()
    for d in nodes:
        for a, k in above[d].items():
            if (a, d) not in first:
                missing[k] += 1
    return Naive(
        expected=sum(map(len, above.values())),
        distinct=len(first),
        duplicates=len(rows) - len(first),
        reversed=sum((d, a) in first for a, d in first) // 2,
        missing=missing,
        false=false,
        unproven=unproven,
    )


def ancestors_of_parents(edges: set[tuple[int, int]], node: int) -> set[int]:
    """Everything reachable upwards from a node in at least one step, itself too on a cycle."""
    reached: set[int] = set()
    level = {p for p, c in edges if c == node}
    while level:
        reached |= level
        level = {p for p, c in edges if c in level} - reached
    return reached


def reduction(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """Pairs with no third node in between; pairs inside a cycle all stay."""
    reach = {a: ancestors_of_parents(pairs, a) for pair in pairs for a in pair}
    inside = {(a, d) for a, d in pairs if d in reach[a] and a in reach[d]}
    rest = pairs - inside
    nodes = {x for pair in rest for x in pair}
    return inside | {
        (a, d) for a, d in rest if not any((a, c) in rest and (c, d) in rest for c in nodes)
    }
