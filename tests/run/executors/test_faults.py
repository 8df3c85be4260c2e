"""What goes wrong while others read the pairs: the same report, or one line; nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributed import Client

from taxcheck.cli import main
from taxcheck.model.errors import InputError
from taxcheck.run import evidence, fold
from taxcheck.run.executors import dask as dask_engine
from taxcheck.run.request import Request
from tests.run.executors.reports import checked, corrupted, in_files, partitions_of

MAPPING, PAIRS = "fixtures/healthy/mapping.tsv", "fixtures/healthy/pairs.parquet"


def armed(where, marker):
    """In a worker: it is killed as it reads its next batch, unless another one was before."""
    from taxcheck.run.fold import FoldPairs
    from taxcheck.statistics.hierarchy.compare import Comparison

    job = {"fold": FoldPairs, "judge": Comparison}[where]
    read = job.read

    def deadly(self, batch):
        if not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return read(self, batch)

    job.read = deadly


@pytest.mark.parametrize("where", ["fold", pytest.param("judge", marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_changes_nothing(where, cluster, tmp_path, monkeypatch):
    request = corrupted("rows_turned_round", tmp_path / "data")
    marker = str(tmp_path / "killed")
    with Client(cluster) as client, partitions_of(1, monkeypatch):
        client.run(armed, where, marker)
        assert checked(request, cluster) == checked(request)
    assert Path(marker).exists()


def left_on(cluster):
    """The tasks that the scheduler knows, once it had a moment to let go of what nobody holds."""
    with Client(cluster) as client:
        for _ in range(50):
            left = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            if not left:
                break
            time.sleep(0.1)
        return left, {key for keys in client.has_what().values() for key in keys}


def test_nothing_stays_on_the_workers(cluster, tmp_path, monkeypatch):
    request = corrupted("rows_turned_round", tmp_path / "data")
    with partitions_of(1, monkeypatch):
        checked(request, cluster)
    assert left_on(cluster) == (0, set())
    Path(request.pairs).write_bytes(Path(request.pairs).read_bytes()[:-9])
    with pytest.raises(InputError):
        checked(request, cluster)
    assert left_on(cluster) == (0, set())


def test_a_file_that_changes_between_the_passes_is_one_line(cluster, tmp_path, monkeypatch):
    request = corrupted("rows_turned_round", tmp_path)
    edges_of = evidence.edges_of

    def slow(*given):
        os.utime(request.pairs, (1, 1))
        return edges_of(*given)

    monkeypatch.setattr(evidence, "edges_of", slow)
    with pytest.raises(InputError, match=r"pairs\.parquet: changed while it was read"):
        checked(request, cluster)


def test_a_file_that_workers_do_not_see_is_one_line(cluster, tmp_path, monkeypatch):
    request = in_files(corrupted("rows_turned_round", tmp_path), tmp_path / "pairs", [3_000])
    partitions = fold.PairData.partitions

    def gone(data):
        found = partitions(data)
        (tmp_path / "pairs" / "part-001.parquet").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(fold.PairData, "partitions", gone)
    with pytest.raises(InputError, match=r"part-001\.parquet: vanished") as told:
        checked(request, cluster)
    assert "\n" not in str(told.value)


def test_a_file_without_rows_among_others(cluster, tmp_path):
    request = in_files(corrupted("rows_turned_round", tmp_path), tmp_path / "pairs", [3_000, 3_000])
    assert checked(request, cluster) == checked(request)


def thousands(path, rows, extra=""):
    """A text in which only the rows before tell what 1.234 means."""
    lines = [f"{k // 7}\t{k + 1}\n" for k in range(rows)]
    path.write_text("ancestor\tdescendant\n" + "".join(lines) + extra)
    return path


@pytest.mark.parametrize(
    ("extra", "told"),
    [("3\t1.234\n4\t2.345\n" * 40, True), ("3\t1.234\n" * 40 + "4\t2345\n" * 400, False)],
)
def test_what_only_the_whole_text_tells_is_asked_of_it(extra, told, cluster, tmp_path, monkeypatch):
    """A part alone would take 1.234 for a thousand, or could not tell."""
    mapping = tmp_path / "mapping.tsv"
    mapping.write_text("taxid\tidx\n" + "".join(f"{k + 5}\t{k}\n" for k in range(3_000)))
    pairs = thousands(tmp_path / "pairs.tsv", 900, extra)
    request = Request(mapping=str(mapping), pairs=str(pairs))
    expected = checked(request)
    assert told == any("separator" in note for one in expected["inputs"] for note in one["notes"])
    with partitions_of(150, monkeypatch):
        assert checked(request, cluster) == expected


def running(marker):
    """The processes that inherited this variable."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in environ.read_bytes():
                found.append(environ.parent.name)
        except OSError:
            continue
    return found


def gate(folder, *more):
    folder.mkdir()
    env = {**os.environ, "TMPDIR": str(folder), "TAXCHECK_TEST_MARKER": str(folder)}
    command = [sys.executable, "-m", "taxcheck.cli", "run", "--pairs", PAIRS, *more]
    return subprocess.run(
        [*command, "--mapping", MAPPING], env=env, capture_output=True, text=True, timeout=600
    )


@pytest.mark.slow
@pytest.mark.long
def test_a_local_cluster_ends_with_the_command(tmp_path):
    done = gate(tmp_path / "tmp", "--engine", "dask", "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("PASS") == 1
    assert list((tmp_path / "tmp").iterdir()) == []
    assert running(str(tmp_path / "tmp")) == []


def test_no_scheduler_is_one_line_and_exit_code_3(monkeypatch, capsys):
    monkeypatch.setattr(dask_engine, "_PATIENCE", 1.0)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--mapping", MAPPING, "--pairs", PAIRS, "--engine", "tcp://127.0.0.1:9"])
    assert ended.value.code == 3
    said = capsys.readouterr()
    assert said.err.startswith("taxcheck: tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert (said.err.count("\n"), said.out) == (1, "")


def test_an_engine_is_named_as_it_was_typed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--mapping", MAPPING, "--pairs", PAIRS, "--engine", "ray"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("taxcheck: --engine ray: is none of threads, dask")
