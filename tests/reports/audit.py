"""Reports after training: of a table trained as the incident's was, and of a sound one.

Both are of the sea stars. The incident's pairs lack nodes, as they did there.
"""

from __future__ import annotations

import contextlib
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open
from safetensors.numpy import save_file

from taxcheck.engine.dataset import training_data
from taxcheck.engine.presets import resolve
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.trainer import train
from taxcheck.model.report import Report
from taxcheck.policy.read import loads
from taxcheck.run.check import check
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request
from tests.made_once import made_once

from .sound import DATA

_SEA_STARS = 7588  # the taxid of Asteroidea
# So much is learnt so late that the loss rises, and so fast that rows end at the clip.
_PUSHED = {"epochs": "20", "lr": "1", "lambda_schedule": "0:0,15:1", "workers": "1"}
ZERO, SAME = [5, 9, 12, 40, 41], [70, 71]  # rows of the incident's table that are made copies
CLADE_Z = 3.0  # the threshold of HIER005 there


@cache
def clade() -> tuple[np.ndarray, ...]:
    """Its taxids (nodes,); and its pairs: ancestors, descendants, distances, each (pairs,)."""
    taxid = np.loadtxt(DATA / "mapping.tsv", dtype=int, skiprows=1)[:, 0]
    table = pq.read_table(DATA / "pairs.parquet")
    ancestor, descendant, steps = (column.to_numpy() for column in table.columns[:3])
    inside = taxid == _SEA_STARS
    inside[descendant[inside[ancestor]]] = True
    number, kept = np.cumsum(inside) - 1, inside[ancestor]
    return taxid[inside], number[ancestor[kept]], number[descendant[kept]], steps[kept]


def lost() -> np.ndarray:
    """Which nodes (nodes,) are in no pair of the incident: its last tenth, and some before."""
    idx = np.arange(len(clade()[0]))
    return (idx >= len(idx) * 9 // 10) | ((idx > len(idx) // 3) & (idx % 7 == 3))


BEYOND = 155  # a tenth of 1,547: the nodes beyond a table that is sized from those pairs


@made_once
def incident_table() -> tuple[np.ndarray, Report]:
    """The incident's table (rows, dim), and the report on it."""
    return _audited("incident", ~lost(), "incident", _PUSHED, f"[rules.HIER005]\nz = {CLADE_Z}\n")


def audited_incident() -> Report:
    return incident_table()[1]


@made_once
def audited_healthy() -> Report:
    """Every row is trained, and nearly every score is beyond its nulls."""
    nodes = np.ones(len(clade()[0]), dtype=bool)
    return _audited("sea stars", nodes, "default", {"epochs": "20", "workers": "1"})[1]


def _audited(
    title: str, kept: np.ndarray, preset: str, keys: dict[str, str], policy: str = ""
) -> tuple[np.ndarray, Report]:
    """Train on the pairs of the nodes that are ``kept``, and audit the table."""
    taxid, ancestor, descendant, steps = clade()
    among = kept[ancestor] & kept[descendant]
    pairs = ancestor[among], descendant[among], steps[among]
    config = resolve(preset, None, keys)
    n_rows = int(pairs[1].max()) + 1 if config.table_from == "pairs" else len(taxid)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        numbered = np.c_[taxid, np.arange(len(taxid))]
        np.savetxt("mapping.tsv", numbered, "%d", "\t", header="taxid\tidx", comments="")
        names = ["ancestor_idx", "descendant_idx", "depth_diff"]
        pq.write_table(pa.table(list(pairs), names), "pairs.parquet")
        Path("taxdump").symlink_to(DATA / "taxdump")
        run = RunFolder(Path("run"))
        train(training_data(*pairs, n_rows), config, run)
        rows = _table(run.best, copied=not kept.all())
        request = Request(
            mapping="mapping.tsv",
            pairs="pairs.parquet",
            taxonomy="taxdump",
            embeddings=str(run.best),
            initial=str(run.initial),
            policy=loads(policy, load_rules(), "taxcheck.toml"),
            title=title,
            command="taxcheck run --embeddings run/best.safetensors",
        )
        return rows, check(request)


def _table(path: Path, *, copied: bool) -> np.ndarray:
    """The rows of a table; some are made copies of others first, if that is asked."""
    with safe_open(path, "numpy") as file:
        arrays, said = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    rows = arrays["embeddings"]
    if copied:
        rows[ZERO], rows[SAME] = 0.0, rows[SAME[0]]
        save_file(arrays, path, said)
    return rows
