"""Every number of a report that has a name: what trends are drawn of.

A name is the path to the number in the report's JSON, below ``statistics``, in dots:
``pairs.only_ancestor``, ``embeddings.norms.percentiles.50``. A score is its value; beside it stand
``.low`` and ``.high``, its interval. Names do not change from one release to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from taxcheck.model.report import Report

_DEPTHS = 30  # distances of pairs that have a number each
_MOST, _LONGEST = 1000, 200  # numbers of a report, characters of a name
_LABELS = {
    "coverage": "nodes in some pair, of all",
    "untrained": "rows never trained, of all",
    "pairs.depth.shares.1": "pairs at depth 1",
    "pairs.depth.shares.2-5": "pairs at depth 2 to 5",
    "pairs.depth.shares.>5": "pairs deeper than 5",
    "embeddings.quality.map": "MAP",
    "embeddings.quality.mean_rank": "mean rank",
    "embeddings.quality.held_out.map": "MAP, held out",
    "embeddings.quality.held_out.mean_rank": "mean rank, held out",
    "embeddings.quality.spearman": "radius with depth (Spearman)",
    "embeddings.quality.monotone_edges": "child beyond its parent",
    "embeddings.quality.siblings": "siblings nearer (AUC)",
    "embeddings.quality.separation": "class separation",
}
_PARTS = {
    ".low": "lower bound",
    ".high": "upper bound",
    ".p50": "median",
    ".p99": "99th percentile",
}
FIRST = (  # what is looked at first, where a dataset has it
    "coverage",
    "pairs.depth.shares.1",
    "pairs.depth.shares.2-5",
    "pairs.depth.shares.>5",
    "embeddings.quality.map",
    "embeddings.quality.mean_rank",
    "embeddings.quality.held_out.map",
    "embeddings.norms.percentiles.50",
    "embeddings.norms.percentiles.99",
    "untrained",
)


def numbers(report: Report) -> dict[str, float]:
    """Every number of the report that has a name, in its order; shares are 0 to 1."""
    told = msgspec.to_builtins(report.statistics, str_keys=True)
    found = dict(_derived(report))
    named = ((name, value) for name, value in _flat(told, "") if len(name) <= _LONGEST)
    found.update(islice(named, _MOST))
    return {name.replace("\x00", "\ufffd"): value for name, value in found.items()}


def usual(known: Collection[str]) -> list[str]:
    """What is looked at unless something else is asked for; of a trained table, fewer depths."""
    of_table = any(name.startswith("embeddings.") for name in known)
    left_out = ("pairs.depth.shares.1", "pairs.depth.shares.2-5") if of_table else ()
    return [name for name in FIRST if name in known and name not in left_out]


def label(name: str) -> str:
    """What people call it: ``MAP``, ``norms percentiles 50``."""
    if name in _LABELS:
        return _LABELS[name]
    for suffix, said in _PARTS.items():
        if (whole := name.removesuffix(suffix)) in _LABELS:
            return f"{_LABELS[whole]}, {said}"
    section, _, rest = name.partition(".")
    said = rest.removeprefix("quality.").replace(".", " ").replace("_", " ")
    return said if section == "embeddings" else f"{section} {said}".strip()


def _derived(report: Report) -> Iterator[tuple[str, float]]:
    mapping, pairs = report.statistics.mapping, report.statistics.pairs
    if mapping is not None and pairs is not None and mapping.nodes:
        yield "coverage", 1 - min(pairs.never / mapping.nodes, 1.0)
    table = report.statistics.embeddings
    untrained = table.never_trained if table else None
    if untrained is not None and untrained.rows:
        yield "untrained", untrained.total / untrained.rows


def _flat(value: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        if "protocol" in value:
            yield from _score(value, name)
            return
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)
    elif isinstance(value, list | tuple) and name == "pairs.depth.histogram":
        for item in value[:_DEPTHS]:
            yield f"{name}.{item['depth']}", float(item["pairs"])


def _score(value: Mapping[str, Any], name: str) -> Iterator[tuple[str, float]]:
    parts = [("", value["value"]), (".low", value["ci"][0]), (".high", value["ci"][1])]
    parts += [(f".p{share}", part) for share, part in value.get("percentiles", {}).items()]
    yield from ((name + suffix, float(part)) for suffix, part in parts if part is not None)
