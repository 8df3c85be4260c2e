"""A peer with a server of its own, MLflow: what its list of runs costs over as many runs."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import subprocess
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

ASKED = 20
METRICS = 60  # of each run, about as many as the mean of our reports


class Peer:
    """MLflow's server over its SQLite database, filled with as many runs."""

    def __init__(self, python: Path, folder: Path, runs: int, experiments: int) -> None:
        self.python, self.folder, self.experiments = python, folder, experiments
        self.url = f"sqlite:///{folder / 'mlflow.db'}"
        if not (folder / "filled").exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run([python, "-m", "mlflow", "db", "upgrade", self.url], check=True)
            self._fill(runs)
            (folder / "filled").touch()

    def command(self, port: int) -> list[str]:
        """The command of its server, with one process as ours."""
        return [str(self.python), "-m", "mlflow", "server", "--backend-store-uri", self.url,
                "--port", str(port), "--workers", "1",
                "--artifacts-destination", str(self.folder / "artifacts")]  # fmt: skip

    def told(self, served: Any, ours: dict[str, Any]) -> str:
        """One sentence that sets its list of 100 runs beside ours."""
        everywhere = self._asked(served.port, list(range(1, self.experiments + 1)))
        draw = random.Random(0)
        one = self._asked(served.port, [draw.randint(1, self.experiments)])
        here, dataset = ours["list of 100 runs"], ours["dataset"]
        return (
            "MLflow's server over as many runs and datasets, with "
            f"{METRICS} numbers a run, asked in the same way for what its own list shows (100 "
            f"runs): of one dataset p50 {one[0]:.0f} ms, p95 {one[1]:.0f} ms, "
            f"{one[0] / dataset.p50:.1f} times our page of a dataset; of all datasets p50 "
            f"{everywhere[0]:.0f} ms, p95 {everywhere[1]:.0f} ms, {everywhere[0] / here.p50:.1f} "
            "times our list."
        )

    def _asked(self, port: int, experiments: list[int]) -> tuple[float, float]:
        body = json.dumps({
            "experiment_ids": [str(one) for one in experiments], "max_results": 100,
            "order_by": ["attributes.start_time DESC"],
        }).encode()  # fmt: skip
        took = []
        for k in range(ASKED + 2):
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/search",
                body,
                {"Content-Type": "application/json"},
            )
            begun = time.perf_counter()
            with urllib.request.urlopen(asked) as answer:
                runs = json.load(answer)["runs"]
            if len(runs) != 100:
                raise SystemExit(f"MLflow answers with {len(runs)} runs")
            if k >= 2:
                took.append(1000 * (time.perf_counter() - begun))
        return statistics.median(took), sorted(took)[int(0.95 * len(took))]

    def _fill(self, runs: int) -> None:
        """Rows as its own client writes them, into the tables that its own command made."""
        draw = random.Random(0)
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as connection, connection:
            for k in range(1, self.experiments + 1):
                _insert(connection, "experiments", {
                    "experiment_id": k, "name": f"dataset-{k}", "lifecycle_stage": "active",
                    "artifact_location": "", "creation_time": 0, "last_update_time": 0,
                })  # fmt: skip
            for k in range(runs):
                id = f"{draw.getrandbits(128):032x}"
                _insert(connection, "runs", {
                    "run_uuid": id, "name": f"run-{k}", "source_type": "LOCAL", "source_name": "",
                    "entry_point_name": "", "user_id": "ada", "status": "FINISHED",
                    "start_time": k * 1000, "end_time": k * 1000 + 500, "source_version": "",
                    "lifecycle_stage": "active", "artifact_uri": "",
                    "experiment_id": 1 + k % self.experiments,
                })  # fmt: skip
                numbers = [(f"metric.{m}", draw.random()) for m in range(METRICS)]
                connection.executemany(
                    "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) "
                    "VALUES (?, ?, 0, 0, 0, ?)",
                    [(name, value, id) for name, value in numbers],
                )
                connection.executemany(
                    "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
                    [("mlflow.user", "ada", id), ("mlflow.source.name", "train.py", id)],
                )


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
    )
