"""The real tree whose shape the tables of cases have: a part of the healthy starfish.

0 Valvatacea: 2 orders, 11 families, of each some genera, of each genus some species
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow.parquet as pq

HEALTHY = Path(__file__).parents[2] / "fixtures" / "healthy"
VALVATACEA = 41243
_GENERA = 4
_SPECIES, _MORE = 4, 8  # of each genus; where a family has one or two of them, more


@cache
def starfish() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Taxids and parents by idx; parents come before their children.

    Of every family that gives ten nodes or more, the genera with most species and of those the
    first ones, by taxid.
    """
    taxids = [int(line.split("\t")[0]) for line in _lines("mapping.tsv")]
    table = pq.read_table(HEALTHY / "pairs.parquet", filters=[("depth_diff", "=", 1)])
    edges = zip(table["ancestor_idx"].to_pylist(), table["descendant_idx"].to_pylist(), strict=True)
    children: dict[int, list[int]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)

    def species(genus: int) -> list[int]:
        return [x for x in sorted(children.get(genus, ())) if x not in children]

    nodes, parents = [taxids.index(VALVATACEA)], [-1]

    def enter(node: int, parent: int) -> int:
        nodes.append(node)
        parents.append(parent)
        return len(nodes) - 1

    for order in sorted(children[nodes[0]]):
        above = enter(order, 0)
        for family in sorted(children[order]):
            genera = [x for x in children.get(family, ()) if species(x)]
            genera = sorted(genera, key=lambda x: (-len(species(x)), x))[:_GENERA]
            most = _SPECIES if len(genera) > 2 else _MORE
            if 1 + sum(1 + len(species(x)[:most]) for x in genera) < 10:
                continue
            at = enter(family, above)
            for genus in genera:
                place = enter(genus, at)
                for leaf in species(genus)[:most]:
                    enter(leaf, place)
    return tuple(taxids[x] for x in nodes), tuple(parents)


def _lines(name: str) -> list[str]:
    return (HEALTHY / name).read_text().splitlines()[1:]
