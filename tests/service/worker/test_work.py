"""Jobs done: the findings, the line and the exit code of the command line, kept as a run."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from msgspec import structs
from sqlalchemy import Connection

from taxcheck.cli import main
from taxcheck.model.report import Report
from taxcheck.model.written import report_from_json
from taxcheck.service.settings import Settings
from taxcheck.service.store import jobs, runs, uploads
from taxcheck.service.store.asked import Asked, Audit, Build, Gate, Repair
from taxcheck.service.store.blobs import Blobs
from taxcheck.service.store.database import Database
from taxcheck.service.store.errors import AwayError, NoRoomError
from taxcheck.service.store.jobs import JobStory
from taxcheck.service.store.store import Store, open_store
from taxcheck.service.worker import process as attending
from taxcheck.service.worker.work import work
from tests.service.pushing import push
from tests.service.worker.test_process import confines

pytestmark = pytest.mark.long

Typed = Callable[..., tuple[int, str, str]]
BRANCHES, NODES = 3, 40
POLICY = """
[inputs]
mapping = "mapping.tsv"
pairs = "pairs.tsv"
embeddings = "table.npy"
geometry = "ball"

[rules.PAIR005]
severity = "warn"

[rules.PAIR003]
enabled = false
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that jobs may read: a small tree with a self pair, a table, a policy."""
    folder = tmp_path / "shared"
    folder.mkdir()
    rows = []
    for node in range(1, NODES):
        above, distance = (node - 1) // BRANCHES, 1
        while above >= 0:
            rows.append((above, node, distance))
            above, distance = ((above - 1) // BRANCHES if above else -1), distance + 1
    text = "".join(f"{a}\t{d}\t{k}\n" for a, d, k in [*rows, (5, 5, 0)])
    (folder / "pairs.tsv").write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n" + text)
    mapping = "".join(f"{node + 100}\t{node}\n" for node in range(NODES))
    (folder / "mapping.tsv").write_text("taxid\tidx\n" + mapping)
    np.save(folder / "table.npy", np.random.default_rng(0).uniform(-0.3, 0.3, (NODES, 4)))
    (folder / "taxcheck.toml").write_text(POLICY)
    return folder


@pytest.fixture
def store(tmp_path: Path, data: Path) -> Store:
    return open_store(Settings(data=tmp_path / "data", prefixes=(data,), lease=4))


def submit(store: Store, asked: Asked) -> str:
    return jobs.submit(store, project="ncbi", dataset="animals", asked=asked, person="ada")


def done(store: Store, asked: Asked, stopping: threading.Event | None = None) -> JobStory:
    """What became of a job that one worker takes up."""
    id = submit(store, asked)
    held = jobs.claim(store, "one")
    assert held is not None
    work(store, held, stopping or threading.Event())
    return jobs.one(store, id)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """What the command line says to a person in a folder: exit code, output and errors."""

    def call(folder: Path, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with monkeypatch.context() as there:
            there.chdir(folder)
            there.setattr(sys, "argv", ["taxcheck", *arguments])
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return call


def judged(report: Report) -> object:
    """All that is found, without time, paths and the commands that name them."""

    def pathless(told: Any) -> Any:
        return structs.replace(told, fix=None, document=replace(told.document, fix=""))

    results, causes = ([pathless(one) for one in some] for some in (report.results, report.causes))
    return report.verdict, results, causes, report.policy.differences


def uploaded(store: Store, path: Path, name: str | None = None) -> str:
    content = path.read_bytes()
    made = uploads.begin(store, "ncbi", name or path.name, len(content))
    with uploads.appending(store, made.id, 0) as piece:
        piece.write(content)
    uploads.complete(store, made.id, blake3(content).hexdigest())
    return f"upload:{made.id}"


def test_an_audit_finds_what_the_command_line_finds_under_the_same_policy(
    store: Store, data: Path, typed: Typed
) -> None:
    story = done(store, Audit(policy=f"{data}/taxcheck.toml", seed=3))
    code, *_ = typed(data, "run", "--seed", "3", "--json", "report.json", "--html", os.devnull)
    assert (story.state, story.exit_code) == ("done", code)
    assert story.run == story.id
    own, kept = report_from_json((data / "report.json").read_bytes()), runs.report(store, story.id)
    assert judged(kept) == judged(own)
    assert kept.audit == own.audit is not None
    assert [one.fingerprint for one in kept.inputs] == [one.fingerprint for one in own.inputs]
    assert {r.id: r.outcome.value for r in kept.results}["PAIR005"] == "warn"
    row = runs.one(store, story.id)
    assert (row.project, row.dataset, row.person, row.job) == (
        "ncbi", "animals", "ada", story.id)  # fmt: skip


@pytest.mark.slow
def test_a_gate_leaves_the_table_out_that_the_policy_names(store: Store, data: Path) -> None:
    story = done(store, Gate(policy=f"{data}/taxcheck.toml"))
    kept = runs.report(store, story.id)
    assert {one.role for one in kept.inputs} == {"mapping", "pairs"}
    assert not any(result.id.startswith("EMB") for result in kept.results)


@pytest.mark.slow
def test_uploads_are_read_under_their_own_names(store: Store, data: Path) -> None:
    story = done(
        store,
        Gate(
            mapping=uploaded(store, data / "mapping.tsv", "../../data of .tsv"),
            pairs=uploaded(store, data / "pairs.tsv", "../../data of .tsv"),
            title="--help",
        ),
    )
    assert (story.state, story.line) == ("done", None)
    kept = runs.report(store, story.id)
    assert [one.path for one in kept.inputs] == ["data_of_.tsv", "pairs-data_of_.tsv"]
    assert kept.title == "--help"
    assert str(store.settings.data) not in kept.command


@pytest.mark.slow
@pytest.mark.parametrize("names", [
    ("taxcheck.toml", "pyproject.toml"), ("numpy.py", "numpy.py"), ("-", ".."),
])  # fmt: skip
def test_no_name_of_an_upload_means_anything_to_a_command(
    store: Store, data: Path, names: tuple[str, str]
) -> None:
    mapping, pairs = names
    story = done(
        store,
        Gate(
            mapping=uploaded(store, data / "mapping.tsv", mapping),
            pairs=uploaded(store, data / "pairs.tsv", pairs),
        ),
    )
    assert (story.state, story.line) == ("done", None)
    assert runs.report(store, story.id).policy.source is None


def test_a_policy_that_leads_out_is_refused(store: Store, data: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.tsv").write_text("taxid\tidx\n1\t0\n")
    for said in ("../secret.tsv", f"{tmp_path}/secret.tsv", "/etc/passwd"):
        (data / "out.toml").write_text(f'[inputs]\nmapping = "{said}"\n')
        story = done(store, Gate(policy=f"{data}/out.toml"))
        assert story.state == "failed"
        assert story.line is not None
        assert "in none of the folders" in story.line


@pytest.mark.slow
def test_a_policy_that_was_uploaded_names_no_file_beside_it(store: Store, data: Path) -> None:
    policy = uploaded(store, data / "taxcheck.toml")
    story = done(store, Gate(policy=policy))
    assert (story.state, story.exit_code) == ("failed", 3)
    assert story.line is not None
    assert "the policy was uploaded alone; give `" in story.line
    story = done(
        store,
        Gate(policy=policy, mapping=f"{data}/mapping.tsv", pairs=f"{data}/pairs.tsv"),
    )
    assert story.state == "done"
    kept = runs.report(store, story.id)
    assert {r.id: r.outcome.value for r in kept.results}["PAIR005"] == "warn"


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "arguments"), [
    (Gate(mapping="{data}/pairs.tsv", pairs="{data}/mapping.tsv"),
     ["run", "--mapping", "{data}/pairs.tsv", "--pairs", "{data}/mapping.tsv"]),
    (Audit(embeddings="{data}/mapping.tsv", mapping="{data}/mapping.tsv"),
     ["run", "--embeddings", "{data}/mapping.tsv", "--mapping", "{data}/mapping.tsv"]),
    (Build(source="{data}/mapping.tsv"), ["build", "{data}/mapping.tsv", "--out", "built"]),
    (Build(source="{data}/pairs.tsv", root="no such node"),
     ["build", "{data}/pairs.tsv", "--out", "built", "--root", "no such node"]),
    (Repair(mapping="{data}/mapping.tsv"),
     ["fix", "--mapping", "{data}/mapping.tsv", "--out", "fixed", "--dry-run"]),
    (Gate(mapping="{data}/mapping.tsv", mapping_columns="nonsense"),
     ["run", "--mapping", "{data}/mapping.tsv", "--mapping-columns", "nonsense"]),
])  # fmt: skip
def test_a_failure_keeps_the_line_and_the_exit_code_of_the_command_line(
    store: Store, data: Path, tmp_path: Path, typed: Typed, asked: Asked, arguments: list[str]
) -> None:
    told = {
        name: value.format(data=data)
        for name in asked.__struct_fields__
        if isinstance(value := getattr(asked, name), str)
    }
    story = done(store, structs.replace(asked, **told))
    code, _, errors = typed(tmp_path, *(part.format(data=data) for part in arguments))
    assert code > 1
    assert (story.state, story.exit_code) == ("failed", code)
    assert f"taxcheck: {story.line}\n" == story.log == errors


def test_a_policy_that_is_none_fails_with_its_line(store: Store, data: Path, typed: Typed) -> None:
    (data / "taxcheck.toml").write_text("[ruls]\n")
    story = done(store, Gate(policy=f"{data}/taxcheck.toml", mapping=f"{data}/mapping.tsv"))
    code, _, errors = typed(data, "run", "--mapping", "mapping.tsv")
    assert (story.state, story.exit_code) == ("failed", code)
    assert errors.replace("taxcheck.toml", f"{data}/taxcheck.toml") == f"taxcheck: {story.line}\n"


def test_a_build_is_kept_as_a_run_with_its_files(store: Store, typed: Typed) -> None:
    source = str(Path("fixtures/healthy/taxdump").absolute())
    store = replace(store, settings=replace(store.settings, prefixes=(Path(source),)))
    story = done(store, Build(source=source, root="Forcipulatida", split=0.1, seed=1))
    assert (story.state, story.exit_code, story.line) == ("done", 0, None)
    assert runs.one(store, story.id).verdict == "pass"
    files = jobs.results(store, story.id)
    manifest = json.loads(files["manifest.json"].read_bytes())
    assert json.loads(bytes(story.outcome or b"")) == manifest
    assert {"mapping.tsv", "pairs.parquet", "held_out.parquet", "taxcheck.toml"} <= files.keys()
    _, again, _ = typed(files["manifest.json"].parent, "run", "--json", "-")
    assert report_from_json(again.encode()).results == runs.report(store, story.id).results
    assert list((store.settings.data / "work").iterdir()) == []


def test_a_plan_of_a_repair_is_kept_beside_the_report_that_it_answers(
    store: Store, data: Path
) -> None:
    story = done(store, Repair(mapping=f"{data}/mapping.tsv", pairs=f"{data}/pairs.tsv"))
    assert (story.state, story.exit_code) == ("done", 0)
    plan = json.loads(bytes(story.outcome or b""))
    assert [one["rules"] for one in plan["repairs"]] == [["PAIR005"]]
    assert runs.one(store, story.id).verdict == "fail"
    assert "A dry run: nothing was written." in story.log
    assert jobs.results(store, story.id) == {}


def test_too_much_memory_is_one_line(store: Store, data: Path) -> None:
    large = np.lib.format.open_memmap(
        data / "large.npy", mode="w+", dtype="f8", shape=(NODES, 5_000_000)
    )
    del large  # 1.5 GiB that take no room on the disk
    store = replace(store, settings=replace(store.settings, job_bytes=2 << 30))
    story = done(store, Audit(embeddings=f"{data}/large.npy"))
    assert (story.state, story.exit_code) == ("failed", 3)
    assert story.line is not None
    # where the room ends first decides in whose words
    assert any(words in story.line for words in ("out of memory", "Cannot allocate memory"))
    assert story.line.endswith("a job may take 2 GiB of memory here")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A command that never ends on its own; it notes its number in the file that is returned."""
    noted = tmp_path / "pid"
    program = tmp_path / "slow.py"
    program.write_text(
        "#!/bin/sh\n"
        f"exec {sys.executable} -c 'import os, time; "
        f'open("{noted}", "w").write(str(os.getpid())); print("begun", flush=True); '
        "time.sleep(600)'\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr("taxcheck.service.worker.work.COMMAND", (str(program),))
    may_write = "taxcheck.service.worker.work.writable"
    monkeypatch.setattr(may_write, lambda _: ("/dev", str(tmp_path)))
    return noted


def while_it_runs(noted: Path, act: Callable[[int], None]) -> threading.Thread:
    def wait() -> None:
        while not noted.exists() or not noted.read_text():
            time.sleep(0.02)
        act(int(noted.read_text()))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.usefixtures("slow")
def test_too_much_time_is_one_line(store: Store, data: Path) -> None:
    store = replace(store, settings=replace(store.settings, job_seconds=1))
    story = done(store, Gate(mapping=f"{data}/mapping.tsv"))
    assert story.state == "failed"
    assert story.line == "was stopped after 1 s, which is as long as a job may take here"


def test_a_job_that_runs_is_cancelled(store: Store, data: Path, slow: Path) -> None:
    def act(_: int) -> None:
        (running,) = jobs.jobs(store).jobs
        jobs.cancel(store, running.id)

    thread = while_it_runs(slow, act)
    story = done(store, Gate(mapping=f"{data}/mapping.tsv"))
    thread.join()
    assert (story.state, story.run, story.log) == ("cancelled", None, "begun\n")


def test_a_worker_that_stops_hands_its_job_back(store: Store, data: Path, slow: Path) -> None:
    stopping = threading.Event()
    thread = while_it_runs(slow, lambda _: stopping.set())
    story = done(store, Gate(mapping=f"{data}/mapping.tsv"), stopping)
    thread.join()
    assert (story.state, story.attempts, story.worker) == ("queued", 0, None)


def test_a_job_whose_process_is_killed_is_tried_three_times(
    store: Store, data: Path, slow: Path
) -> None:
    id = submit(store, Gate(mapping=f"{data}/mapping.tsv"))
    for attempt in (1, 2, 3):
        slow.unlink(missing_ok=True)
        thread = while_it_runs(slow, lambda pid: os.kill(pid, 9))
        held = jobs.claim(store, "one")
        assert held is not None
        work(store, held, threading.Event())
        thread.join()
        story = jobs.one(store, id)
        assert (story.state, story.attempts) == ("failed" if attempt == 3 else "queued", attempt)
    assert story.line is not None
    assert story.line.startswith("given up after 3 tries")
    assert "SIGKILL" in story.line


@pytest.mark.slow
def test_a_worker_that_lost_its_job_keeps_nothing(store: Store, data: Path) -> None:
    """It was thought dead; the job is another's when it comes to keep the report."""
    id = submit(store, Gate(mapping=f"{data}/mapping.tsv"))
    late = jobs.claim(store, "late")
    assert late is not None
    jobs.take_from(store, jobs.signs(store))
    held = jobs.claim(store, "next")
    assert held is not None
    stopping = threading.Event()
    store.settings.data.mkdir(exist_ok=True)
    work(store, late, stopping)
    assert jobs.one(store, id).state == "running"
    assert runs.find(store).rows == ()
    work(store, held, stopping)
    assert jobs.one(store, id).state == "done"
    assert [row.id for row in runs.find(store).rows] == [id]


@pytest.mark.slow
def test_a_run_that_has_the_jobs_id_is_a_failure_and_not_a_loop(store: Store, data: Path) -> None:
    id = submit(store, Gate(mapping=f"{data}/mapping.tsv"))
    push(store, "healthy", id)
    held = jobs.claim(store, "one")
    assert held is not None
    work(store, held, threading.Event())
    story = jobs.one(store, id)
    assert story.state == "failed"
    assert story.line is not None
    assert story.line.startswith("its report cannot be kept: ")


@pytest.mark.slow
def test_a_database_that_is_away_for_a_while_costs_nothing(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beats fail, and then the end cannot be told at once; the job is neither lost nor doubled."""
    honest, tries = Database.writing, count()
    held = jobs.claim(store, "one") if submit(store, Gate(mapping=f"{data}/mapping.tsv")) else None
    assert held is not None

    @contextmanager
    def writing(self: Database) -> Iterator[Connection]:
        if next(tries) < 3:
            raise AwayError("database: does not answer")
        with honest(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "writing", writing)
    work(store, held, threading.Event())
    assert jobs.one(store, held.id).state == "done"
    assert [row.id for row in runs.find(store).rows] == [held.id]
    assert next(tries) > 3


def test_a_disk_without_room_is_a_try_and_told(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(*_: object) -> None:
        raise NoRoomError("reports: the disk is full; nothing was kept")

    monkeypatch.setattr(Blobs, "put", put)
    story = done(store, Gate(mapping=f"{data}/mapping.tsv"))
    assert (story.state, story.attempts) == ("queued", 1)
    assert story.line == "reports: the disk is full; nothing was kept"


@pytest.mark.skipif(not confines(), reason="the kernel has no Landlock")
def test_a_file_that_becomes_a_link_after_it_was_looked_at_leads_nowhere(
    store: Store, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write in an allowed folder does not read by it what the server may read."""
    secret = tmp_path / "secret.tsv"
    (data / "mapping.tsv").rename(secret)
    (data / "mapping.tsv").write_text("taxid\tidx\n")
    before = attending.attend

    def late(*given: Any, **named: Any) -> Any:
        (data / "mapping.tsv").unlink()
        (data / "mapping.tsv").symlink_to(secret)
        return before(*given, **named)

    monkeypatch.setattr("taxcheck.service.worker.work.attend", late)
    files = {name: str(data / f"{name}.tsv") for name in ("mapping", "pairs")}
    story = done(store, Gate(**files))
    assert story.state == "failed"
    assert "permission denied" in story.line
