"""What a page of the service costs at 1,000 and at 100,000 runs, and how fast runs are taken.

    python -m benchmarks.service [--data FOLDER] [--peer PYTHON] [--runs N ...]

The server is ``taxcheck serve`` on SQLite, asked over HTTP by another process. Beside it, where an
interpreter with MLflow is named, the list of runs of MLflow's server over as many runs.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import event, func, select

from benchmarks import page
from benchmarks.service_fill import DATASETS, PROJECTS, Source, fill, real, varied
from benchmarks.service_peer import Peer
from taxcheck.model.written import report_to_json
from taxcheck.service.settings import Settings
from taxcheck.service.store import tables
from taxcheck.service.store.metrics import FIRST
from taxcheck.service.store.store import open_store

RUNS = (1_000, 100_000)
CLIENTS, PUSHES = 32, 3_000
ASKED, WARM = 100, 10
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    port: int
    pid: int
    start: float  # seconds from the command to the first answer

    def cpu(self) -> float:
        """Seconds of processor time that it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


@dataclass(frozen=True)
class Cost:
    """Of one address: milliseconds, bytes, and queries of the database."""

    p50: float
    p95: float
    cpu: float
    bytes: int
    queries: int


@contextmanager
def serving(command: Sequence[str], port: int, ready: str) -> Iterator[Served]:
    """A server for as long as the block lasts."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit(f"{' '.join(command)}: ended with {process.returncode}")
            try:
                if fetch(port, ready)[0] == 200:
                    break
            except OSError:
                time.sleep(0.01)
        yield Served(port, process.pid, time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait()


def fetch(port: int, address: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", address, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def ours(data: Path, port: int) -> list[str]:
    """The command of our server, open to this machine and with no limit of pushes."""
    return [sys.executable, "-m", "taxcheck", "serve", "--data", str(data), "--port", str(port),
            "--open", "--workers", "0", "--pushes", "1000000000"]  # fmt: skip


def addresses(runs: int) -> dict[str, Callable[[random.Random], str]]:
    """What is asked for, of datasets drawn at random."""
    each = runs // DATASETS

    def dataset(draw: random.Random) -> tuple[int, str]:
        k = draw.randrange(DATASETS)
        return k, f"project-{k % PROJECTS}/dataset-{k:03}"

    def trend(draw: random.Random) -> str:
        project, _, name = dataset(draw)[1].partition("/")
        asked = "&".join(f"metric={metric}" for metric in FIRST[:5]).replace(">", "%3E")
        return f"/api/v1/projects/{project}/datasets/{name}/trend?limit=500&{asked}"

    def compare(draw: random.Random) -> str:
        k = dataset(draw)[0]
        return f"/compare?before=dataset-{k:03}-{each - 2}&after=dataset-{k:03}-{each - 1}"

    def run(draw: random.Random) -> str:
        return f"/runs/dataset-{dataset(draw)[0]:03}-{each - 1}"

    return {
        "home": lambda _: "/",
        "dataset": lambda draw: f"/{dataset(draw)[1]}",
        "trend of 500 points, five numbers": trend,
        "compare two runs": compare,
        "run": run,
        "list of 100 runs": lambda _: "/api/v1/runs?limit=100",
    }


def timed(served: Served, address: Callable[[random.Random], str]) -> tuple[list[float], int]:
    """Milliseconds of each request, sorted, and the bytes of the last answer."""
    draw, seconds, size = random.Random(0), [], 0
    for k in range(WARM + ASKED):
        where = address(draw)
        begun = time.perf_counter()
        status, body = fetch(served.port, where)
        if k >= WARM:
            seconds.append(1000 * (time.perf_counter() - begun))
        if status != 200:
            raise SystemExit(f"{where}: {status} {body[:300]!r}")
        size = len(body)
    return sorted(seconds), size


def queries(data: Path, asked: dict[str, Callable[[random.Random], str]]) -> dict[str, int]:
    """How often each address asks the database, in this process; the beginning of a transaction
    is no query."""
    from starlette.testclient import TestClient

    from taxcheck.service.access import settle
    from taxcheck.service.application import create_app

    store, counted = (
        open_store(settle(Settings(data=data, open=True, workers=0), has_tokens=False)),
        [],
    )

    @event.listens_for(store.database.engine, "before_cursor_execute")
    def count(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith(("BEGIN", "PRAGMA")):
            counted.append(statement)

    found = {}
    with TestClient(create_app(store), base_url="http://127.0.0.1") as client:
        for name, address in asked.items():
            counted.clear()
            answer = client.get(address(random.Random(1)))
            if answer.status_code != 200:
                raise SystemExit(f"{name}: {answer.status_code} {answer.text[:300]}")
            found[name] = len(counted)
    store.close()
    return found


def costs(data: Path, runs: int, port: int) -> tuple[dict[str, Cost], list[tuple[float, float]]]:
    """The cost of each address, and the seconds of five starts: of the clock, of the processor."""
    asked = addresses(runs)
    counted, found, starts = queries(data, asked), {}, []
    for _ in range(5):
        with serving(ours(data, port), port, "/healthz") as served:
            starts.append((served.start, served.cpu()))
    with serving(ours(data, port), port, "/healthz") as served:
        for name, address in asked.items():
            before = served.cpu()
            took, size = timed(served, address)
            cpu = 1000 * (served.cpu() - before) / (WARM + ASKED)
            found[name] = Cost(
                statistics.median(took), took[int(0.95 * len(took))], cpu, size, counted[name]
            )
    return found, sorted(starts)


def pushes(data: Path, sources: list[Source], port: int, wanted: int) -> tuple[float, int]:
    """Runs taken a second from 32 clients, and how many of them are not there afterwards."""
    draw = random.Random(1)
    day = int(time.time() * 1000) - 86_400_000
    weights = [source.weight for source in sources]
    raws = [
        report_to_json(varied(source.report, draw, f"pushed {k}", day + k))
        for k, source in enumerate(draw.choices(sources, weights, k=200))
    ]
    with serving(ours(data, port), port, "/healthz"):
        begun = time.perf_counter()
        with get_context("spawn").Pool(2) as pool:
            work = [(port, raws, half, wanted // 2) for half in range(2)]
            acknowledged = sum(pool.starmap(push_many, work))
        seconds = time.perf_counter() - begun
    store = open_store(Settings(data=data))
    with store.database.reading() as connection:
        there = connection.scalar(
            select(func.count()).where(tables.run.c.id.startswith("pushed-", autoescape=True))
        )
    store.close()
    return acknowledged / seconds, acknowledged - (there or 0)


def push_many(port: int, raws: list[bytes], half: int, wanted: int) -> int:
    """Push from half of the clients, each on a connection of its own; how many were taken."""
    from concurrent.futures import ThreadPoolExecutor

    clients = CLIENTS // 2

    def client(number: int) -> int:
        connection, taken = http.client.HTTPConnection("127.0.0.1", port, timeout=120), 0
        for k in range(number, wanted, clients):
            id = f"pushed-{half}-{k}"
            at = f"project=project-{k % PROJECTS}&dataset=dataset-{k % DATASETS:03}"
            connection.request(
                "PUT", f"/api/v1/runs/{id}?{at}", raws[k % len(raws)],
                {"Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 201:
                raise SystemExit(f"{id}: {answer.status} {body[:300]!r}")
            taken += 1
        return taken

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(client, range(clients)))


def main() -> None:
    """Measure, and write the section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="keeps the filled servers for another time")
    parser.add_argument("--peer", type=Path, help="an interpreter that has mlflow")
    parser.add_argument("--runs", type=int, nargs="*", default=RUNS)
    parser.add_argument("--pushes", type=int, default=PUSHES)
    parser.add_argument("--port", type=int, default=18740)
    asked = parser.parse_args()
    folder = asked.data or Path(tempfile.mkdtemp(prefix="taxcheck-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    sources = real(folder)
    found, starts, notes = {}, {}, []
    for runs in asked.runs:
        data = folder / f"{runs}-runs"
        if not (data / "filled").exists():
            shutil.rmtree(data, ignore_errors=True)
            store = open_store(Settings(data=data))
            fill(store, sources, runs)
            store.close()
            (data / "filled").touch()
        found[runs], starts[runs] = costs(data, runs, asked.port)
        print(runs, starts[runs], found[runs], flush=True)
    most = max(asked.runs)
    if asked.peer:
        peer = Peer(asked.peer, folder / "peer", most, DATASETS)
        with serving(peer.command(asked.port), asked.port, "/health") as served:
            notes.append(peer.told(served, found[most]))
    copied = folder / "pushed"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(folder / f"{most}-runs", copied)
    rate, lost = pushes(copied, sources, asked.port, asked.pushes)
    notes.append(
        f"{CLIENTS} clients pushed {asked.pushes:,} runs to the server with {most:,}: "
        f"{rate:.0f} a second, {lost} lost."
    )
    page.write_section("service", section(found, starts, notes))
    if not asked.data:
        shutil.rmtree(folder)


def section(
    found: dict[int, dict[str, Cost]],
    starts: dict[int, list[tuple[float, float]]],
    notes: list[str],
) -> str:
    """The section as Markdown."""
    rows = [
        [name, f"{runs:,}", f"{cost.p50:.0f} ms", f"{cost.p95:.0f} ms", f"{cost.cpu:.1f} ms",
         str(cost.queries), f"{cost.bytes / 1024:.0f} KiB"]
        for name in next(iter(found.values()))
        for runs, costs in found.items()
        for cost in [costs[name]]
    ]  # fmt: skip
    header = ["page", "runs", "p50", "p95", "processor time", "queries", "size"]
    said = ", ".join(
        f"{runs:,} runs: {clock:.2f} s, of which the processor worked {cpu:.2f} s"
        for runs, took in starts.items()
        for clock, cpu in [map(statistics.median, zip(*took, strict=True))]
    )
    busy = os.getloadavg()[0]
    return "\n\n".join((
        "## The service",
        f"Measured by `make bench-service`: {page.machine()}; SQLite, {DATASETS} datasets, reports "
        "of a healthy clade, of the incident and of a trained table whose numbers vary. Each page "
        f"was asked for {ASKED} times over HTTP by another process on the same machine. The "
        f"machine is shared, and was used by others meanwhile (load {busy:.0f} on "
        f"{os.cpu_count()} cores at the end): times of the clock hold that waiting, the "
        "server's processor time for a request does not. With 1,000 runs a dataset has five of "
        "them, with 100,000 five hundred. Sizes are as packed by gzip. The last five runs of each "
        "dataset were pushed as by a client; those before were written into the tables "
        "directly and share the files of three reports.",
        page.table(header, rows),
        f"From the command to the first answer, the median of five: {said}.",
        *notes,
    ))  # fmt: skip


if __name__ == "__main__":
    main()
