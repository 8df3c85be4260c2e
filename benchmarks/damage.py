"""What the audit finds of planted damage, and that it finds nothing in sound tables.

``python -m benchmarks.damage`` builds a clade of Echinodermata, trains tables on it, plants one
damage at a time into the default's, audits each, and writes the matrix into
docs/explanation/metrics.md. ``--others`` adds tables by gensim, geoopt and a loop as
poincare-embeddings has it, which take minutes to train.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from benchmarks.page import table, write_section
from taxcheck.cli import main as taxcheck
from taxcheck.engine.dataset import TrainingData, from_gathered
from taxcheck.engine.presets import find
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.settings import apply, check
from taxcheck.engine.trainer import train
from taxcheck.model.finding import Outcome
from taxcheck.model.report import Report
from taxcheck.run.check import check as audit
from taxcheck.run.gather import gather
from taxcheck.run.request import Request

ROOT = Path(__file__).parent.parent
WORK = ROOT / "demo" / "bench" / "damage"
PAGE = ROOT / "docs" / "explanation" / "metrics.md"
CLADE = "Asteroidea"
EPOCHS = {"default": 40, "dag": 60, "fixed": 100}
Rows = np.ndarray


@dataclass
class Tree:
    """The clade, and its children by node."""

    data: TrainingData
    rng: np.random.Generator

    @property
    def n(self) -> int:
        """Nodes."""
        return self.data.n_nodes

    def below(self, node: int) -> Rows:
        """A node and all of its descendants."""
        owner = np.repeat(np.arange(self.n), np.diff(self.data.starts))
        return np.r_[node, owner[self.data.ancestors == node]]

    def of_size(self, least: int, most: int) -> list[int]:
        """Nodes with so many descendants, the largest first."""
        sizes = np.bincount(self.data.ancestors, minlength=self.n)
        fit = np.flatnonzero((sizes >= least) & (sizes <= most))
        return [int(node) for node in fit[np.argsort(-sizes[fit], kind="stable")]]

    @property
    def leaves(self) -> Rows:
        """Nodes without descendants."""
        return np.setdiff1d(np.arange(self.n), self.data.ancestors)

    def some(self, share: float) -> Rows:
        """A share of the nodes below the upper three levels, at random."""
        deep = np.flatnonzero(self.data.depth > 2)
        return self.rng.choice(deep, round(share * self.n), replace=False)

    def turned(self, count: int, width: int) -> Rows:
        """Random directions."""
        x = self.rng.standard_normal((count, width))
        return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def noise(share: float) -> Callable[[Rows, Tree], Rows]:
    """Random directions, at the radii that the rows had."""

    def plant(x: Rows, tree: Tree) -> Rows:
        rows = tree.some(share)
        x[rows] = tree.turned(len(rows), x.shape[1]) * np.linalg.norm(x[rows], axis=1)[:, None]
        return rows

    return plant


def genus_collapsed(x: Rows, tree: Tree) -> Rows:
    """All of a genus at one point."""
    rows = tree.below(tree.of_size(15, 40)[0])
    x[rows] = x[rows[0]]
    return rows


def families_exchanged(x: Rows, tree: Tree) -> Rows:
    """Two subtrees of one size, apart from each other, have each other's rows."""
    fit = tree.of_size(20, 60)
    for one in fit:
        a = tree.below(one)
        for other in fit:
            b = tree.below(other)
            if len(a) == len(b) and not np.intersect1d(a, b).size:
                x[a], x[b] = x[b].copy(), x[a].copy()
                return np.r_[a, b]
    raise ValueError("no two subtrees of one size")


def shifted(x: Rows, tree: Tree) -> Rows:
    """Every row is the one before: a padding row was counted."""
    x[:] = np.roll(x, 1, axis=0)
    return np.arange(tree.n)


def untrained(x: Rows, tree: Tree) -> Rows:
    """Half of the nodes have the rows of a fresh table of the same size."""
    rows = tree.some(0.5)
    x[rows] = tree.turned(len(rows), x.shape[1]) * tree.rng.choice(
        np.linalg.norm(x, axis=1), (len(rows), 1)
    )
    return rows


def leaves_on_parents(x: Rows, tree: Tree) -> Rows:
    """Every leaf is where its parent is."""
    x[tree.leaves] = x[tree.data.parent[tree.leaves]]
    return tree.leaves


def radius_alone(x: Rows, tree: Tree) -> Rows:
    """Radii by depth, and directions at random: a start that was never trained."""
    x[:] = tree.turned(tree.n, x.shape[1]) * np.linalg.norm(x, axis=1)[:, None]
    return np.arange(tree.n)


DAMAGE: dict[str, Callable[[Rows, Tree], Rows]] = {
    "5 % of the rows are noise": noise(0.05),
    "1 % of the rows are noise": noise(0.01),
    "one genus collapsed": genus_collapsed,
    "two families exchanged": families_exchanged,
    "rows shifted by one": shifted,
    "half of the nodes untrained": untrained,
    "leaves on their parents": leaves_on_parents,
    "radius alone": radius_alone,
}


@dataclass
class Clade:
    """The files of the clade that everything is trained on."""

    folder: Path

    @property
    def request(self) -> Request:
        """Its mapping and pairs."""
        return Request(
            mapping=str(self.folder / "mapping.tsv"), pairs=str(self.folder / "pairs.parquet")
        )

    def audited(self, file: Path, **more: str) -> Report:
        """The report of a table."""
        return audit(replace(self.request, embeddings=str(file), **more))


def clade() -> Clade:
    """Build it once."""
    folder = WORK / CLADE
    if not (folder / "pairs.parquet").exists():
        healthy = str(ROOT / "fixtures" / "healthy" / "taxdump")
        taxcheck(["build", healthy, "--root", CLADE, "--quiet", "--out", str(folder)])
    return Clade(folder)


def trained(preset: str, data: TrainingData) -> Path:
    """The best table of a preset, trained once."""
    run = RunFolder(WORK / preset)
    if not run.best.exists():
        run.begin(resume=False)
        keys = {"epochs": EPOCHS[preset], "workers": 1}
        train(data, check(apply(find(preset).config, keys)), run)
    return run.best


def others(data: TrainingData) -> dict[str, Path]:
    """Tables by other engines, trained once."""
    from benchmarks.other_engines import ENGINES

    names = [line.split("\t")[0] for line in (clade().folder / "mapping.tsv").open()][1:]
    owner, found = np.repeat(np.arange(data.n_nodes), np.diff(data.starts)), {}
    for name, (make, file) in ENGINES.items():
        found[name] = WORK / file
        if not found[name].exists():
            make(owner.astype(np.int64), data.ancestors.astype(np.int64), names, found[name])
    return found


def damaged(best: Path, tree: Tree, plant: Callable[[Rows, Tree], Rows]) -> tuple[Path, int]:
    """The table with a damage in a file of its own, and how many rows it was planted into."""
    with safe_open(str(best), "np") as file:
        kept = {"embeddings": file.get_tensor("embeddings").copy()}
        words = {key: file.metadata()[key] for key in ("geometry",) if key in file.metadata()}
    rows = plant(kept["embeddings"], tree)
    out = WORK / "damaged.safetensors"
    save_file(kept, str(out), words)
    return out, len(rows)


def half_precision(best: Path) -> Path:
    """Tangent rows as points of the ball, in float16: the outer levels do not fit."""
    with safe_open(str(best), "np") as file:
        x = file.get_tensor("embeddings")
    radius = np.linalg.norm(x, axis=1, keepdims=True)
    inside = np.minimum(np.tanh(radius / 2), 1 - 2.0**-10)
    out = WORK / "half.npy"
    np.save(out, (x / radius * inside).astype(np.float16))
    return out


def led(report: Report) -> tuple[str, int]:
    """What a report leads with, and how many rows or nodes that is."""
    if report.causes:
        cause = report.causes[0]
        return cause.name, max((part.count for part in cause.explains), default=0)
    bad = [r for r in report.results if r.outcome in (Outcome.FAIL, Outcome.WARN)]
    bad.sort(key=lambda r: (r.outcome is not Outcome.FAIL, -r.count))
    return (f"{bad[0].id} {bad[0].name}", bad[0].count) if bad else ("-", 0)


def alarms(report: Report) -> list[str]:
    """Rules that warn or fail."""
    return [
        f"{r.id} {r.outcome.value}"
        for r in report.results
        if r.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    ]


def main() -> None:
    """Make the tables, audit them, write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", action="store_true", help="tables by other engines as well")
    given = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    files = clade()
    with gather(files.request) as gathered:
        data = from_gathered(gathered)
    tables = {f"preset `{name}`": trained(name, data) for name in EPOCHS}
    if given.others:
        tables |= others(data)
    sound, rows = [], []
    for name, file in tables.items():
        report = files.audited(file)
        score = next(r for r in report.results if r.id == "HIER003").observed
        sound.append([name, f"{score['MAP: value']:.3f}", ", ".join(alarms(report)) or "none"])
        print(sound[-1], flush=True)
    for name, plant in DAMAGE.items():
        file, planted = damaged(
            tables["preset `default`"], Tree(data, np.random.default_rng(0)), plant
        )
        report = files.audited(file, geometry="tangent")
        lead, count = led(report)
        rows.append([name, f"{planted:,}", lead, f"{count:,}", ", ".join(alarms(report))])
        print(rows[-1], flush=True)
    half = half_precision(tables["preset `dag`"])
    report = files.audited(half, geometry="ball")
    lead, count = led(report)
    name = "`dag` in float16, as points of the ball"
    rows.append([name, f"{data.n_nodes:,}", lead, f"{count:,}", ", ".join(alarms(report))])
    print(rows[-1], flush=True)
    header = ["damage", "rows planted", "what leads", "rows it names", "rules"]
    write_section(
        "damage",
        f"Measured by `make bench-damage` on {CLADE} ({data.n_nodes:,} nodes, {data.pairs:,} "
        "pairs, 10 dimensions). Damage is planted into the table of `default`.\n\n"
        + table(header, rows)
        + "\n\nSound tables:\n\n"
        + table(["table", "MAP", "warnings and failures"], sound),
        PAGE,
    )


if __name__ == "__main__":
    main()
