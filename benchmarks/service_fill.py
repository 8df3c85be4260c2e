"""A server's history, made from real reports whose numbers vary: years of it in minutes.

The last runs of each dataset are pushed as a client would push them. Those before are written into
the tables directly, with the same columns; their reports are the files of the real ones.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from sqlalchemy import insert, select

from taxcheck.model.report import Report
from taxcheck.model.written import report_from_json, report_to_json
from taxcheck.service.store import head, lookup, tables
from taxcheck.service.store.content import taken_apart
from taxcheck.service.store.database import now
from taxcheck.service.store.ingest import keep
from taxcheck.service.store.metrics import numbers
from taxcheck.service.store.pushed import Pushed
from taxcheck.service.store.store import Store

ROOT = Path(__file__).parent.parent
PROJECTS, DATASETS = 10, 200
DAYS = 390  # that the history spans
PUSHED = 5  # runs of each dataset that come as from a client
_AT_ONCE = 2000
_DAY = 86_400_000
_PEOPLE = ("ada", "barbara", "carl", "dorothy", "edsger")


@dataclass(frozen=True)
class Source:
    """A real report, and how often it is drawn."""

    report: Report
    weight: float


def varied(report: Report, draw: random.Random, title: str, moment: int) -> Report:
    """The report of another day: its numbers are up to a twentieth away from the real ones."""
    told = msgspec.to_builtins(report.statistics, str_keys=True)
    statistics = msgspec.convert(_varied(told, draw), type(report.statistics), str_keys=True)
    created = dt.datetime.fromtimestamp(moment / 1000, dt.UTC).isoformat(timespec="seconds")
    return replace(report, statistics=statistics, title=title, created=created)


def _varied(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _varied(item, draw) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_varied(item, draw) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return type(value)(value * (1 - draw.random() / 20))


def fill(store: Store, sources: list[Source], runs: int, seed: int = 0) -> None:
    """Put so many runs into an empty store, the same for each dataset, over a year."""
    draw = random.Random(seed)
    each = runs // DATASETS
    names = [(f"project-{k % PROJECTS}", f"dataset-{k:03}") for k in range(DATASETS)]
    with store.database.writing() as connection:
        keys = [lookup.dataset_key(connection, *name) for name in names]
    older = max(each - PUSHED, 0)
    if older:
        _write(store, sources, keys, older, each, seed)
    begun = now() - DAYS * _DAY
    for k in range(older, each):
        for project, dataset in names:
            moment = begun + DAYS * _DAY * (k + 1) // (each + 1)
            report = varied(_drawn(sources, draw), draw, f"{dataset}, run {k}", moment)
            who, commit = draw.choice(_PEOPLE), f"{draw.getrandbits(160):040x}"
            said = Pushed(id=f"{dataset}-{k}", project=project, dataset=dataset, branch="main",
                          person=who, commit=commit)  # fmt: skip
            keep(store, said, report_to_json(report))


def _drawn(sources: list[Source], draw: random.Random) -> Report:
    return draw.choices(sources, [source.weight for source in sources])[0].report


@dataclass(frozen=True)
class _Kept:
    """What the tables hold of a real report, but for the keys of its run."""

    report: Report
    blob: str
    documents: str
    size: int
    results: list[tuple[str, str, int | None, int | None, float | None]]
    metrics: list[tuple[int, float]]
    causes: list[tuple[str, int, str, int]]
    inputs: list[int]
    cause: str | None


def _kept(store: Store, report: Report) -> _Kept:
    """Push it once, to see what the tables hold of it, and take the run away again."""
    parts = taken_apart(report_to_json(report), report)
    blob, documents = store.blobs.put(parts.content), store.blobs.put(parts.documents)
    named = numbers(report)
    with store.database.writing() as connection:
        of = lookup.metric_keys(connection, tuple(named))
        files = [(one.role, one.fingerprint, one.rows) for one in report.inputs]
        inputs = lookup.input_keys(connection, files)
        rules = {r.id: (r.name, "rule") for r in report.results}
        rules |= {c.name: (c.name, "cause") for c in report.causes}
        lookup.name_rules(connection, rules)
    return _Kept(
        report, blob, documents, store.blobs.size(blob) or 0,
        [(r.id, r.outcome.value, r.count, r.total, r.share) for r in report.results],
        sorted((of[name], value) for name, value in named.items()),
        sorted((c.name, at, c.certainty, sum(e.count for e in c.explains))
               for at, c in enumerate(report.causes)),
        inputs,
        next((group.lead.name for group in report.by_cause), None),
    )  # fmt: skip


def _write(
    store: Store, sources: list[Source], datasets: list[int], older: int, each: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    kept = [_kept(store, source.report) for source in sources]
    weights = np.array([source.weight for source in sources])
    begun, received = now() - DAYS * _DAY, now()
    with store.database.reading() as connection:
        first = (connection.scalar(select(tables.run.c.key).order_by(-tables.run.c.key)) or 0) + 1
    total = older * len(datasets)
    for start in range(0, total, _AT_ONCE):
        order = range(start, min(start + _AT_ONCE, total))
        chosen = draw.choice(len(kept), len(order), p=weights / weights.sum())
        factors = 1 - draw.random(len(order)) / 20
        rows = [(first + n, n, kept[c], f) for n, c, f in zip(order, chosen, factors, strict=True)]
        with store.database.writing() as connection:
            at = begun + DAYS * _DAY // (each + 1)
            step = DAYS * _DAY // (each + 1)
            runs = [_run(n, key, one, datasets, at + step * (n // len(datasets)), received)
                    for key, n, one, _ in rows]  # fmt: skip
            connection.execute(insert(tables.run), runs)
            for table, values in _parts(rows):
                columns = ", ".join(f'"{column.name}"' for column in table.columns)
                marks = ", ".join("?" * len(table.columns))
                connection.exec_driver_sql(
                    f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', list(values)
                )
    for key in datasets:
        with store.database.writing() as connection:
            head.refresh(connection, key, older)


def _run(
    number: int, key: int, one: _Kept, datasets: list[int], moment: int, received: int
) -> dict[str, Any]:
    report = one.report
    at, dataset = divmod(number, len(datasets))
    return {
        "key": key, "id": f"dataset-{dataset:03}-{at}", "dataset": datasets[dataset],
        "verdict": report.verdict.value, "headline": report.headline, "cause": one.cause,
        "title": f"dataset-{dataset:03}, run {at}", "created": moment, "received": received,
        "commit": f"{key:040x}", "branch": "main", "person": _PEOPLE[key % len(_PEOPLE)],
        "link": f"https://ci.example.org/{key}", "tool_version": report.version,
        "schema_version": report.schema_version, "digest": f"{key:064x}", "blob": one.blob,
        "documents": one.documents, "bytes": one.size, "worse": 0,
    }  # fmt: skip


def _parts(rows: list[tuple[int, int, _Kept, float]]) -> Iterator[tuple[Any, Iterator[Any]]]:
    yield (
        tables.result,
        (
            (
                key,
                rule,
                outcome,
                int(count * f) if count else count,
                total,
                share * f if share else share,
            )
            for key, _, one, f in rows
            for rule, outcome, count, total, share in one.results
        ),
    )
    yield (
        tables.metric,
        ((key, name, value * f) for key, _, one, f in rows for name, value in one.metrics),
    )
    yield tables.run_cause, ((key, *cause) for key, _, one, _ in rows for cause in one.causes)
    yield (
        tables.run_input,
        (
            (key, at, file, one.report.inputs[at].path)
            for key, _, one, _ in rows
            for at, file in enumerate(one.inputs)
        ),
    )


def real(folder: Path) -> list[Source]:
    """Reports of a healthy clade, of the incident, and of a trained table, made in a folder."""
    healthy = ROOT / "fixtures" / "healthy"
    inputs = {
        "healthy": healthy,
        "incident": folder / "incident",
    }
    subprocess.run(
        [sys.executable, "-m", "fixtures.incident.build", folder / "incident"],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    for name, where in inputs.items():
        _run_taxcheck(1 if name == "incident" else 0, "run", *_data(where),
                      "--json", str(folder / f"{name}.json"))  # fmt: skip
    _run_taxcheck(None, "train", *_data(healthy), "--epochs", "6", "--workers", "1",
                  "--out", str(folder / "train"))  # fmt: skip
    drawn = (("healthy.json", 0.4), ("incident.json", 0.2), ("train/audit.json", 0.4))
    return [Source(report_from_json((folder / n).read_bytes()), weight) for n, weight in drawn]


def _data(folder: Path) -> list[str]:
    return ["--mapping", str(folder / "mapping.tsv"), "--pairs", str(folder / "pairs.parquet"),
            "--taxonomy", str(folder / "taxdump")]  # fmt: skip


def _run_taxcheck(expect: int | None, *arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "taxcheck", *arguments], capture_output=True, text=True
    )
    if expect is not None and ended.returncode != expect:
        raise SystemExit(f"taxcheck {arguments[0]}: exit code {ended.returncode}\n{ended.stderr}")
