"""Reports after training: the incident's table, whose rows lack a quarter, and a sound one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from taxcheck.audit.pictures import draw_audit
from taxcheck.audit.projection import Labels, project, sample
from taxcheck.audit.summary import summarize_audit
from taxcheck.audit.values import Copies, CoverageOfTraining
from taxcheck.audit_bins import Projection
from taxcheck.data_bins import Bar, Pictures
from taxcheck.geometry.space import Space
from taxcheck.report import InputSummary, Report
from taxcheck.rule import Defect, Outcome, Sample

from .build import complete, result
from .catalogue import AFTER_TRAINING, CATALOGUE
from .incident import incident
from .sound import healthy
from .tables import (
    CLIP,
    embeddings,
    incident_coverage,
    incident_norms,
    rising_loss,
    scores,
    training,
)

_CLADES = (
    "Gammaproteobacteria", "Actinomycetes", "Bacilli", "Alphaproteobacteria", "Saccharomycetes",
    "Clostridia", "Betaproteobacteria", "Cyanophyceae", "Mollicutes", "Thermoprotei",
)  # fmt: skip


@cache
def points(scattered: bool, dim: int = 2, rows: int = 4000) -> tuple[Space, np.ndarray, np.ndarray]:
    """Clades as sectors of the ball; where ``scattered``, a quarter lies anywhere."""
    rng = np.random.default_rng(11)
    clade = rng.choice(len(_CLADES), rows, p=np.arange(10, 0, -1) / 55)
    centres = np.arange(len(_CLADES)) * 2 * np.pi / len(_CLADES)
    radius = np.clip(rng.gamma(5, 1.1, rows), 0.2, 11)
    angle = centres[clade] + rng.normal(0, 0.16, rows)
    never = np.zeros(rows, dtype=bool)
    if scattered:
        never = rng.random(rows) < 0.26
        angle[never] = rng.uniform(0, 2 * np.pi, never.sum())
        radius[never] = 2 * np.arctanh(rng.uniform(0.1, 0.95, never.sum()))
    tangent = np.zeros((rows, dim))
    tangent[:, 0], tangent[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    if dim > 2:
        tangent[:, 2:] = rng.normal(0, 0.4, (rows, dim - 2))
    return Space.of(tangent, "tangent"), clade, never


def projected(scattered: bool, dim: int = 2, umap: bool | None = False) -> Projection | None:
    space, clade, never = points(scattered, dim)
    rows = sample(space, seed=0, limit=3000)
    names = [f"{_CLADES[clade[row]][:-1]} sp. {row}" for row in rows]
    lineages = [f"cellular organisms › Bacteria › {_CLADES[clade[row]]}" for row in rows]
    labels = Labels(names, lineages, clade[rows], _CLADES, never[rows])
    return project(space, rows, labels, seed=0, umap=umap)


def _checkpoint(rows: int, dim: int) -> InputSummary:
    return InputSummary(
        role="checkpoint",
        path="runs/small/best.pth",
        format="state_dict of the incident's engine",
        bytes=4 * rows * dim,
        rows=rows,
        fingerprint="blake3:5d0a7fe81b4c4a3f8ad1f05b7f1e2c33",
        columns={"table": "lt.weight"},
        notes=("The largest norm is below 1: rows are read as points of the Poincaré ball.",),
    )


def _results() -> list:
    cause = ("PAIR014",)
    never = tuple(
        Sample({"evidence": "in no pair", "explanation": "beyond the table"}, None, idx)
        for idx in range(92290, 92296)
    )
    return [
        result(
            "PAIR014",
            Outcome.FAIL,
            "82,040 of 82,040 nodes with a taxid below 111,103 are covered, 0 of 29,063 above.",
            count=29063,
            total=111103,
            fix="``taxcheck fix --mapping mapping.tsv --taxonomy taxdump/ --out fixed/``",
        ),
        result(
            "PAIR003",
            Outcome.FAIL,
            "29,063 of 111,103 nodes (26.2 %) are in no pair.",
            caused_by=cause,
            count=29063,
            total=111103,
            impact="29,063 of 111,103 nodes (26.2 %) will never be trained.",
        ),
        result(
            "PAIR004",
            Outcome.FAIL,
            "A table sized from the pairs has 92,290 rows, 18,813 too few; 10,250 idx inside that "
            "range are in no pair.",
            caused_by=cause,
            count=18813,
            total=111103,
        ),
        result(
            "EMB001",
            Outcome.FAIL,
            "The table has 92,290 rows, the mapping 111,103 nodes: 18,813 nodes have no row.",
            caused_by=cause,
            count=18813,
            total=111103,
            impact="Every lookup of the last 18,813 nodes fails.",
        ),
        result(
            "EMB004",
            Outcome.FAIL,
            "30.4 % of the rows have a norm above 0.9; the 90th percentile is 0.9997; 27.0 % of "
            "the depths have their median within 2 % of the clip.",
            threshold={"share_over": 0.25, "norm_90": 0.98, "saturated_levels": 0.1},
            count=28070,
            total=92290,
            fix="set ``max_norm = 0.98`` and ``lambda_reg = 0.01``, then train again",
        ),
        result(
            "EMB006",
            Outcome.FAIL,
            "29,063 of 111,103 rows (26.2 %) were never trained: 18,813 beyond the table, "
            "10,250 in no pair.",
            caused_by=cause,
            count=29063,
            total=111103,
            samples=never,
            impact="29,063 of 111,103 rows (26.2 %) hold their random start.",
        ),
        result(
            "HIER005",
            Outcome.WARN,
            "5 of 165 clades are spread out of proportion, Streptomyces most of all.",
            caused_by=("EMB006",),
            threshold={"z": 3.5},
            count=5,
            total=165,
            observed={"scattered": 4, "tight": 1},
        ),
        result(
            "TRAIN009",
            Outcome.WARN,
            "The loss rises: 0.6 at its least, 1 at the end; norms reached the clip.",
            threshold={"drop": 0.1, "rise": 0.05},
            count=2,
            total=120,
        ),
    ]


@cache
def audited_incident() -> Report:
    """The incident after training, in the figures of its own diagnosis."""
    base = incident()
    table = embeddings(
        incident_norms(),
        10,
        CLIP,
        duplicates=Defect(1244, 92290),
        copy_groups=41,
        largest_copies=(
            Copies(1100, (5, 9, 12, 40), 0.0),
            Copies(96, (7, 8, 99, 104), 0.4217),
            Copies(2, (70, 71), 0.99),
        ),
    )
    coverage = incident_coverage()
    found = scores(good=False)
    roles = (
        Bar("both roles", 21801),
        Bar("only descendant", 60238),
        Bar("only ancestor", 1),
        Bar("in no pair", 29063),
    )
    noted = [r for r in base.results if r.outcome is Outcome.INFO]
    skipped = {r.rule.id: r.reason or "" for r in base.results if r.outcome is Outcome.SKIPPED}
    return replace(
        base,
        title="incident",
        command="taxcheck audit --embeddings best.pth --mapping mapping.tsv --pairs pairs.parquet",
        inputs=(
            replace(base.inputs[0], rows=111103),
            replace(base.inputs[1], rows=975896),
            _checkpoint(92290, 10),
        ),
        results=complete([*noted, *_results()], skipped, 111103, CATALOGUE | AFTER_TRAINING),
        statistics={**base.statistics, "embeddings": summarize_audit(table, coverage, found)},
        pictures=Pictures(
            roles=roles, depths=base.pictures.depths, table_size=92290, n_nodes=111103
        ),
        audit=draw_audit(
            table,
            coverage,
            found,
            projected(scattered=True, dim=10),
            training=training(rising_loss(), max_norm=CLIP),
        ),
    )


@cache
def audited_healthy() -> Report:
    """A sound clade, every row trained, every score beyond its nulls."""
    base = healthy()
    norms = np.tanh(np.random.default_rng(2).normal(3.4, 0.6, 7112).clip(0.2, 5.5) / 2)
    table = embeddings(norms, 10, CLIP)
    trained = np.zeros(7112, dtype=bool)
    coverage = CoverageOfTraining(7112, trained, {}, {}, (), table.duplicates, None, ())
    found = scores(good=True)
    noted = [r for r in base.results if r.outcome is Outcome.INFO]
    skipped = {r.rule.id: r.reason or "" for r in base.results if r.outcome is Outcome.SKIPPED}
    return replace(
        base,
        inputs=(*base.inputs, _checkpoint(7112, 10)),
        results=complete(noted, skipped, 7112, CATALOGUE | AFTER_TRAINING),
        statistics={**base.statistics, "embeddings": summarize_audit(table, coverage, found)},
        audit=draw_audit(table, coverage, found, projected(scattered=False, dim=10)),
    )
