"""Datasets of the ablations, and what is measured of a table trained on one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.ablations_choices import LIFTED
from taxcheck.audit.clades import by_rank
from taxcheck.audit.metrics import nulls
from taxcheck.audit.metrics.depth import ceiling_under_ties, radius_depth
from taxcheck.audit.metrics.lists import Lists
from taxcheck.audit.metrics.ranking import rank, score
from taxcheck.audit.metrics.retrieval import kin
from taxcheck.audit.metrics.separation import class_separation, successors_separation
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.dataset import TrainingData, from_gathered
from taxcheck.engine.initial import initial_table
from taxcheck.engine.settings import apply
from taxcheck.engine.trainer import train
from taxcheck.geometry.space import Space
from taxcheck.run.gather import gather
from taxcheck.run.intake import read_mapping
from taxcheck.run.request import Request
from taxcheck.sources.tables.opening import open_mapping
from taxcheck.sources.taxonomies.taxdump import open_taxonomy

Measures = Mapping[str, float]
WORKERS = 2
_LARGE, _SOURCES = 20_000, 4_000  # of more nodes, so many sources are ranked, the same every time


@dataclass(frozen=True, slots=True)
class Subject:
    """A hierarchy to train on, and its answers."""

    name: str
    data: TrainingData
    ancestors: Lists  # that MAP and mean rank rank
    parents: Lists
    relatives: Lists  # no candidates for a parent
    classes: np.ndarray | None  # (n,) class of each node, -1: none
    ceiling: float  # of Spearman's rho of radius and depth

    @classmethod
    def read(cls, name: str, folder: Path) -> Subject:
        """From mapping.tsv, pairs.parquet and, for classes, a taxdump."""
        mapping, pairs = str(folder / "mapping.tsv"), str(folder / "pairs.parquet")
        with gather(Request(mapping=mapping, pairs=pairs)) as gathered:
            data = from_gathered(gathered)
        n = data.n_nodes
        owner = np.repeat(np.arange(n), np.diff(data.starts))
        below = np.flatnonzero(np.diff(data.starts))
        chosen = below
        if n > _LARGE:
            chosen = np.sort(np.random.default_rng(0).choice(below, _SOURCES, replace=False))
        direct = data.distances == 1
        ancestors = Lists.from_csr(data.starts, data.ancestors, chosen)
        parents = Lists.from_pairs(owner[direct], data.ancestors[direct], n, chosen)
        parents = parents.some(np.flatnonzero(parents.lengths))
        above = Lists.from_pairs(owner, data.ancestors, n, parents.sources)
        under = Lists.from_pairs(data.ancestors, owner, n, parents.sources)
        classes = None
        if (folder / "taxdump").exists():
            taxids = read_mapping(
                open_mapping(str(folder / "mapping.tsv")), WORKERS, None
            ).identifiers.integers
            taxonomy = open_taxonomy(str(folder / "taxdump"))
            clades = None if taxids is None else by_rank(taxonomy, taxids)
            classes = clades.of if clades else None
        return cls(
            name,
            data,
            ancestors,
            parents,
            kin(above, under),
            classes,
            ceiling_under_ties(data.depth),
        )

    def trained(self, config: TrainConfig) -> Measures:
        """Train in memory, and measure the last table."""
        config = replace(config, workers=WORKERS, backend="numba")
        config = replace(config, evaluate_every=config.epochs, evaluate_sources=10)
        cpu = time.process_time()
        run = train(self.data, config)
        found = self.measured(Space.of(run.table, config.geometry))
        return found | {
            "seconds": run.seconds,
            "epochs": run.epoch,
            "cpu": time.process_time() - cpu,
        }

    def measured(self, space: Space) -> dict[str, float]:
        """Everything that the page reports of a table."""
        ranking = rank(space, self.ancestors, workers=WORKERS)
        parent = rank(space, self.parents, left_out=self.relatives, workers=WORKERS)
        radius = radius_depth(space, self.data.depth)
        out = {
            "map": ranking.map,
            "mean_rank": ranking.mean_rank,
            "parent": parent.any_at(1),
            "spearman": radius.spearman,
            "share": radius.spearman / self.ceiling,
            "pearson": radius.pearson_norm,
            "separation": float("nan"),
            "successors": float("nan"),
        }
        if self.classes is not None:
            found = class_separation(space, self.classes, np.random.default_rng(0), resamples=10)
            out["separation"] = found.ratio.value
            out["successors"] = successors_separation(space, self.classes, np.random.default_rng(0))
        return out

    def nulls(self, config: TrainConfig) -> Mapping[str, Measures]:
        """What tables without training reach; the popularity null is an order, and no table."""
        rng, data, deepest = np.random.default_rng(0), self.data, int(self.data.depth.max())
        norm = config.init_min + (config.init_max - config.init_min) * data.depth / deepest
        directions = rng.standard_normal((data.n_nodes, config.dim))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        followers = np.bincount(data.ancestors, minlength=data.n_nodes)
        popular = score(nulls.popular(followers, self.ancestors), self.ancestors)
        nearest = score(nulls.popular(followers, self.parents, self.relatives), self.parents)
        started = {
            f"{start}, untrained": replace(config, init=start) for start in ("nested", "cones")
        } | {f"nested, nested_radii {LIFTED}, untrained": apply(config, {"nested_radii": LIFTED})}
        return {
            "radius by depth, random directions": self.measured(
                Space.of(norm[:, None] * directions, "ball")
            ),
            **{
                name: self.measured(
                    Space.of(initial_table(data, c, np.random.default_rng(c.seed)), c.geometry)
                )
                for name, c in started.items()
            },
            "popularity": {
                "map": popular.map,
                "mean_rank": popular.mean_rank,
                "parent": nearest.any_at(1),
            },
        }
