"""Speed of the engine, and quality by seconds of training: ``python -m benchmarks.engine``.

WordNet's nouns and its mammals need Debian's wordnet-base. Every figure is entered as soon as it is
measured, so that a long benchmark may be taken in parts: ``--only speed mammals wordnet-dag-300``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks import page
from fixtures.makers.dag import write_dag
from fixtures.makers.make_wordnet import NOUNS, read_nouns
from taxcheck.audit.metrics.ranking import positives_of, rank
from taxcheck.engine.backend import chunk_pairs, make_stepper
from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData, from_gathered
from taxcheck.engine.initial import initial_table
from taxcheck.engine.presets import find
from taxcheck.engine.sampling import Sampler, negatives_of, refined
from taxcheck.engine.trainer import train
from taxcheck.geometry.space import Space
from taxcheck.run.gather import gather
from taxcheck.run.request import Request

WORK = Path("demo/bench/engine")
MAMMAL = "01861778"  # mammal.n.01
BUDGETS = (60, 300, 1800)
ENDLESS = 100_000  # epochs: the seconds decide


def dataset(name: str) -> TrainingData:
    """The WordNet nouns, or the subtree of mammal.n.01, as facebookresearch's script cuts it."""
    folder = WORK / name
    if not (folder / "pairs.parquet").exists():
        nodes, edges = read_nouns()
        if name == "mammals":
            below = {MAMMAL}
            children: dict[str, list[str]] = {}
            for parent, child in edges:
                children.setdefault(parent, []).append(child)
            stack = [MAMMAL]
            while stack:
                new = [c for c in children.get(stack.pop(), ()) if c not in below]
                below.update(new)
                stack.extend(new)
            nodes = [node for node in nodes if node in below]
            edges = [(a, d) for a, d in edges if a in below and d in below]
        write_dag(nodes, edges, folder)
    mapping, pairs = str(folder / "mapping.tsv"), str(folder / "pairs.parquet")
    with gather(Request(mapping=mapping, pairs=pairs)) as data:
        return from_gathered(data)


def quality(data: TrainingData, config: TrainConfig) -> dict[str, float]:
    """Train for ``max_seconds``; MAP and mean rank over all sources, protocol nickel."""
    start = time.perf_counter()
    trained = train(data, config)
    wall = time.perf_counter() - start
    descendants = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    positives = positives_of(data.ancestors.astype(np.int64), descendants, data.n_nodes)
    result = rank(Space.of(trained.table, config.geometry), positives)
    return {
        "epochs": trained.epoch,
        "seconds": trained.seconds,
        "wall": wall,
        "map": result.map,
        "mean_rank": result.mean_rank,
        "sources": len(result.sources),
    }


def speed(data: TrainingData, config: TrainConfig, *, refine: bool = False) -> float:
    """Pairs per second of an epoch's first steps, the median of three, after one that compiles."""
    stepper = make_stepper(data, config, initial_table(data, config, np.random.default_rng(0)))
    sampler, others = Sampler(data, config), negatives_of(data, config)
    met = refined(others, config) if refine else others
    taken, phase = [], Phase(config.lr, config.lambda_reg, config.temperature)
    for epoch in range(4):
        chunks = list(islice(sampler.epoch(epoch, chunk_pairs(config)), 2))
        start = time.perf_counter()
        pairs = sum(stepper.step(chunk, phase, met).pairs for chunk in chunks)
        taken.append(pairs / (time.perf_counter() - start))
    return float(np.median(taken[1:]))


def speeds(data: TrainingData) -> dict[str, float]:
    """Every way to step, d = 10, 50 negatives."""
    base = TrainConfig(negatives=50, dim=10)
    sheet = replace(base, geometry="lorentz", optimizer="rsgd", lr=0.1)
    pairs = {"grouping": "pairs", "source_weight": "pairs"}
    return {
        "kernel, preset default, a source's positives share its negatives": speed(data, base),
        "the same, independent negatives for each pair": speed(data, replace(base, **pairs)),
        "the same, refinement": speed(data, base, refine=True),
        "kernel, Lorentz, Riemannian SGD, shared": speed(data, sheet),
        "the same, independent": speed(data, replace(sheet, **pairs)),
        "torch, preset default, batches of 1,024 pairs": speed(
            data, replace(base, backend="torch")
        ),
    }


def measures() -> dict[str, Callable[[], dict[str, float]]]:
    """What can be measured, by name."""
    long = TrainConfig(epochs=ENDLESS, evaluate_every=ENDLESS)
    mammals = replace(long, dim=5, max_seconds=60.0)
    runs: dict[str, Callable[[], dict[str, float]]] = {
        "speed": lambda: speeds(dataset("nouns")),
        "mammals": lambda: quality(dataset("mammals"), mammals),
    }
    for name, seconds in itertools.product(("default", "dag"), BUDGETS):
        config = replace(find(name).config, epochs=ENDLESS, evaluate_every=ENDLESS)
        config = replace(config, max_seconds=float(seconds))
        runs[f"wordnet-{name}-{seconds}"] = lambda config=config: quality(dataset("nouns"), config)
    return runs


def section(found: dict[str, dict[str, float]]) -> str:
    """The section of docs/benchmarks.md, of all figures that there are."""
    parts = [
        "## The engine",
        f"Measured by `make bench-engine`: {page.machine()}; two threads. The machine is shared, "
        "so compare speeds within one table; seconds are those of training, on this machine.",
    ]
    if pace := found.get("speed"):
        rows = [[name, f"{value:,.0f}"] for name, value in pace.items()]
        parts.append(page.table(["WordNet nouns, d = 10, 50 negatives", "pairs/s"], rows))
    rows = []
    for name, result in found.items():
        if name != "speed":
            preset = name.split("-")[1] if "-" in name else "default"
            rows.append(
                [
                    "WordNet nouns, d = 10" if "-" in name else "WordNet mammals, d = 5",
                    f"`{preset}`",
                    f"{result['seconds']:,.0f} s ({result['wall']:,.0f} s in all)",
                    f"{result['epochs']:,}",
                    f"{result['map']:.4f}",
                    f"{result['mean_rank']:.2f}",
                    f"{result['sources']:,}",
                ]
            )
    if rows:
        header = ["data", "preset", "training", "epochs", "MAP", "mean rank", "sources, all"]
        parts += [
            page.table(header, rows),
            "Every budget is a run of its own, with its own schedule. Published end points for the "
            "nouns at d = 10: MAP 0.851, mean rank 4.02 (ball, arXiv:1705.08039) and 0.928, 2.95 "
            "(Lorentz, arXiv:1806.03417); for mammals at d = 5: 0.927, 1.26.",
        ]
    return "\n\n".join(parts)


def main() -> None:
    """Measure what is asked, and write the page."""
    runs = measures()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(runs), default=list(runs))
    options = parser.parse_args()
    if not NOUNS.exists():
        raise SystemExit(f"{NOUNS} is not there: install Debian's wordnet-base")
    WORK.mkdir(parents=True, exist_ok=True)
    kept = WORK / "measured.json"
    for name in options.only:
        result = runs[name]()
        print(name, result, flush=True)
        found = (json.loads(kept.read_text()) if kept.exists() else {}) | {name: result}
        ordered = {key: found[key] for key in runs if key in found}
        kept.write_text(json.dumps(ordered, indent=2))
        page.write_section("engine", section(ordered))


if __name__ == "__main__":
    main()
