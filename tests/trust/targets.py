"""Every way in: a kind of file, and the command that reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.trust import seeds
from tests.trust.cage import ROOT
from tests.trust.seeds import Seed

MAPPING, PAIRS = ("--mapping", "mapping.tsv"), ("--pairs", "pairs.tsv")
FILE = "FILE"  # stands for the file under attack


@dataclass(frozen=True)
class Target:
    """Sound files of one kind, and the arguments of the command that reads one of them."""

    seeds: tuple[Seed, ...]
    arguments: tuple[str, ...]
    name: str = "victim"  # of the file, without its suffix; may lie in a folder
    beside: tuple[tuple[str, bytes], ...] = ()  # further files that the command wants

    def lay(self, seed: Seed, folder: Path) -> list[str]:
        """Write the file and those beside it; the arguments with its name."""
        for name, data in self.beside:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
        path = folder / f"{self.name}{seed.suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(seed.data)
        shown = str(path.relative_to(folder))
        return [shown if argument == FILE else argument for argument in self.arguments]


POLICY = b"""[dataset]
pairs = "closure"
kind = "tree"
roots = [7586]
duplicates = "forbid"
sampler = "uniform"

[rules.PAIR009]
severity = "fail"

[rules.MAP009]
enabled = false

[rules.EMB004]
severity = "info"

[[waiver]]
rule = "PAIR003"
owner = "someone"
reason = "a known gap"
expires = 2999-01-31
max_count = 5
"""
CONFIG = b"""geometry = "ball"
dim = 5
lr = 0.1
epochs = 2
lambda_schedule = [[1, 0.1], [2, 0.01]]
loss = "softmax"
batch_size = 16
seed = 3
max_norm = 0.99
"""


def beside(folder: Path) -> None:
    """The sound tables that every command may name, and a taxdump."""
    (folder / "mapping.tsv").write_bytes(seeds._text(seeds.MAPPING, "\t"))
    (folder / "pairs.tsv").write_bytes(seeds._text(seeds.PAIRS, "\t"))
    (folder / "half.tsv").write_bytes(seeds._text(seeds.PAIRS.slice(0, 6), "\t"))
    (folder / "dump").mkdir()
    for name, data in seeds.dump().items():
        (folder / "dump" / name).write_bytes(data)


def _taxcheck(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "taxcheck.cli", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode in (0, 1), done.stderr


def _odd() -> list[Seed]:
    """Sound Parquet whose columns are of types that no table of this kind has."""
    n = seeds.MAPPING.num_rows
    columns = [
        pa.array([float("nan"), 1.5, -0.0, 1e300, float("inf"), None, 3.0]),
        pa.array([2**64 - 1] * n, pa.uint64()),
        pa.array([None] * n),
        pa.array([True, False] * 3 + [None]),
        pa.array([b"\xff\0"] * n),
        pa.array([{"a": 1}] * n),
        pa.array([[1, 2]] * n),
        pa.array(range(n), pa.timestamp("us")),
        pa.array(range(n)).cast(pa.decimal128(38, 2)),
        pa.array([str(10**400)] * n, pa.large_string()),
        pa.array(["x\0y\n\u202e"] * n).dictionary_encode(),
        pa.array([None] * n, pa.string()),
    ]
    tables = [pa.table({"taxid": c, "idx": range(n)}) for c in columns]
    tables += [pa.table({"taxid": seeds.MAPPING["taxid"], "idx": c}) for c in columns]
    tables.append(pa.Table.from_arrays([columns[1]] * 3, ["taxid", "taxid", "idx"]))
    tables.append(pa.table({"": columns[0], "\0": columns[1], "idx": range(n)}))
    named = pa.table({"taxid": seeds.MAPPING["taxid"], "idx": range(n)})
    for text in (b"{", b'{"columns": 1}', b'{"index_columns": [{}], "columns": [{}]}'):
        tables.append(named.replace_schema_metadata({b"pandas": text}))
    return [Seed(".parquet", seeds._sink(pq.write_table, table)) for table in tables]


def _report(folder: Path) -> bytes:
    _taxcheck(folder, "run", *MAPPING, *PAIRS, "--taxonomy", "dump", "--json", "report.json")
    return (folder / "report.json").read_bytes()


def _trained(folder: Path) -> dict[str, bytes]:
    keys = ("--epochs", "2", "--dim", "3", "--workers", "1", "--refine", "0")
    _taxcheck(folder, "train", *MAPPING, *PAIRS, "--out", "trained", *keys, "-q")
    return {p.name: p.read_bytes() for p in (folder / "trained").iterdir()}


def simple() -> dict[str, Target]:
    """The targets whose seeds take no time to make."""
    found = {
        "mapping": Target(
            (*seeds.tables(seeds.MAPPING), *_odd()), ("run", "--mapping", FILE, *PAIRS)
        ),
        "pairs": Target(tuple(seeds.tables(seeds.PAIRS)), ("run", *MAPPING, "--pairs", FILE)),
        "pairs alone": Target(tuple(seeds.tables(seeds.PAIRS)), ("run", "--pairs", FILE)),
        "policy": Target((Seed(".toml", POLICY),), ("run", *MAPPING, *PAIRS, "--policy", FILE)),
        # A file that is missing ends the command behind the config, before it trains.
        "config": Target(
            (Seed(".toml", CONFIG),),
            ("train", "--pairs", "none.tsv", "--config", FILE, "--out", "out"),
        ),
    }
    for name, data in seeds.dump().items():
        rest = tuple((f"d/{k}", v) for k, v in seeds.dump().items() if k != name)
        found[name] = Target(
            (Seed("", data),), ("run", *MAPPING, *PAIRS, "--taxonomy", "d"), f"d/{name}", rest
        )
    for kind, made in seeds.sources().items():
        found[f"build {kind}"] = Target(
            tuple(made), ("build", FILE, "--format", kind, "--out", "out")
        )
    return found


def every(folder: Path) -> dict[str, Target]:
    """All targets; those of checkpoints, reports and runs need their libraries and a training."""
    made = tuple(seeds.checkpoints(folder))
    report = _report(folder)
    run = _trained(folder)
    keep = ("run.json", "checkpoint.safetensors", "metrics.jsonl", "initial.npy")
    record, checkpoint = (
        tuple((f"out/{name}", run[name]) for name in keep if name != victim)
        for victim in ("run.json", "checkpoint.safetensors")
    )
    return simple() | {
        "inspect": Target(made, ("inspect", FILE)),
        "embeddings": Target(made, ("run", "--embeddings", FILE, *MAPPING, *PAIRS)),
        "evaluate": Target(made, ("evaluate", FILE, *MAPPING, *PAIRS)),
        "why": Target(made, ("why", "7594", "--embeddings", FILE, *MAPPING, *PAIRS)),
        "initial": Target(made, ("run", "--embeddings", "seed0.pt", "--initial", FILE)),
        "baseline": Target(
            (Seed(".json", report),),
            ("run", *MAPPING, *PAIRS, "--taxonomy", "dump", "--baseline", FILE),
        ),
        "compare": Target((Seed(".json", report),), ("compare", "report.json", FILE, "-v")),
        # The gate refuses these pairs, so nothing is trained.
        "run.json": Target(
            (Seed("", run["run.json"]),),
            ("train", *MAPPING, "--pairs", "half.tsv", "--out", "out", "--resume", "-q"),
            "out/run.json", record,
        ),
        "resume": Target(
            (Seed("", run["checkpoint.safetensors"]),),
            ("train", *MAPPING, *PAIRS, "--out", "out", "--resume", "-q"),
            "out/checkpoint.safetensors", checkpoint,
        ),
    }  # fmt: skip


Make = Callable[[Path], dict[str, Target]]


def as_json(report: bytes) -> object:
    """A report as plain values."""
    return json.loads(report)
