"""The process of a job: its limits, what is heard of it, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer

import pytest

from taxcheck.service.store.jobs import LOG_BYTES, Beat, Progress
from taxcheck.service.worker import child
from taxcheck.service.worker.process import Ended, Ending, Limits, Tail, attend

GENEROUS = Limits(memory=4 << 30, seconds=60, niceness=5)


def run(
    tmp_path: Path,
    program: str,
    limits: Limits = GENEROUS,
    tell: Callable[[Progress | None, str | None], Beat] = lambda *_: Beat.GO_ON,
    stopping: Event | None = None,
) -> Ended:
    """What became of a program of Python."""
    head = "import json, os, resource, signal, subprocess, sys, time\n"
    command = [sys.executable, "-c", head + program]
    return attend(command, tmp_path, limits, tell, stopping or Event(), every=0.1)


def goes(pid: int) -> bool:
    """Whether a process is gone within five seconds; one that nobody has waited for is."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_what_is_said_is_kept_and_errors_apart(tmp_path: Path) -> None:
    ended = run(tmp_path, "print('out', flush=True); print('wrong', file=sys.stderr); sys.exit(3)")
    assert (ended.how, ended.code, ended.errors) == (Ending.ITSELF, 3, "wrong\n")
    assert sorted(ended.log.split()) == ["out", "wrong"]


def test_limits_hold_in_the_process(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        "print(resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_CORE)"
        "[1], os.nice(0), os.getpgid(0) == os.getpid(), os.getcwd(), sys.stdin.read() == '')",
    ).log.split()
    nice = min(os.nice(0) + 5, 19)
    assert said == [str(4 << 30), "0", str(nice), "True", str(tmp_path), "True"]


def test_nothing_secret_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAXCHECK_TOKEN", "TAXCHECK_SERVICE_DATABASE", "TAXCHECK_CACHE", "PGPASSWORD"):
        monkeypatch.setenv(name, "open sesame")
    assert "open sesame" not in run(tmp_path, "print(dict(os.environ))").log


def test_too_much_memory_is_refused_to_the_process_alone(tmp_path: Path) -> None:
    limits = Limits(memory=1 << 30, seconds=60, niceness=0)
    ended = run(tmp_path, "b'x' * (2 << 30)", limits)
    assert (ended.how, ended.code) == (Ending.ITSELF, 1)
    assert ended.errors.splitlines()[-1] == "MemoryError"


def test_time_is_up_by_the_clock_and_the_whole_group_goes(tmp_path: Path) -> None:
    program = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    for seconds in (1, 5, 25):  # until it had the time to say who its child is
        began = time.monotonic()
        ended = run(tmp_path, program, Limits(memory=4 << 30, seconds=seconds, niceness=0))
        assert (ended.how, ended.code) == (Ending.TIME, -signal.SIGKILL)
        assert seconds <= time.monotonic() - began < seconds + 10
        if ended.log:
            break
    assert goes(int(ended.log))


def test_what_a_process_leaves_running_goes_with_it(tmp_path: Path) -> None:
    program = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True)"
    )
    ended = run(tmp_path, program)
    assert (ended.how, ended.code) == (Ending.ITSELF, 0)
    assert goes(int(ended.log))


def test_it_goes_with_its_parent(tmp_path: Path) -> None:
    """The worker is killed: nobody is left to end the process, so it ends itself."""
    program = (
        "import sys, pathlib, threading\n"
        "from taxcheck.service.worker.process import Limits, attend\n"
        "from taxcheck.service.store.jobs import Beat\n"
        'attend([sys.executable, \'-c\', \'import os, time; open("pid", "w").write(str(os.getpid()'
        "));time.sleep(60)'], pathlib.Path('.'), Limits(4 << 30, 60, 0), lambda *_: Beat.GO_ON,"
        " threading.Event(), 1)"
    )
    noted = tmp_path / "pid"

    def kill() -> None:
        while not noted.exists() or not noted.read_text():
            time.sleep(0.01)
        os.kill(worker, signal.SIGKILL)

    moved = f"import os; os.chdir({str(tmp_path)!r})\n{program}"
    worker = os.posix_spawn(sys.executable, [sys.executable, "-c", moved], os.environ)
    kill()
    os.waitpid(worker, 0)
    assert goes(int(noted.read_text()))


@pytest.mark.parametrize(
    ("heard", "how"), [(Beat.CANCEL, Ending.CANCELLED), (Beat.LOST, Ending.LOST)]
)
def test_what_a_beat_is_answered_is_obeyed(tmp_path: Path, heard: Beat, how: Ending) -> None:
    ended = run(tmp_path, "time.sleep(60)", tell=lambda *_: heard)
    assert (ended.how, ended.code) == (how, -signal.SIGKILL)


def test_a_worker_that_stops_ends_it(tmp_path: Path) -> None:
    stopping = Event()
    Timer(0.3, stopping.set).start()
    began = time.monotonic()
    assert run(tmp_path, "time.sleep(60)", stopping=stopping).how is Ending.STOPPING
    assert time.monotonic() - began < 10


def test_a_process_that_somebody_kills_is_told_by_its_signal(tmp_path: Path) -> None:
    ended = run(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert (ended.how, ended.code) == (Ending.ITSELF, -signal.SIGKILL)


def test_progress_and_log_are_told_while_it_runs_and_only_where_they_change(tmp_path: Path) -> None:
    told: list[tuple[Progress | None, str | None]] = []

    def tell(progress: Progress | None, log: str | None) -> Beat:
        told.append((progress, log))
        return Beat.GO_ON

    run(
        tmp_path,
        "tell = int(os.environ['TAXCHECK_PROGRESS'])\n"
        "for done in (1, 2):\n"
        "    os.write(tell, json.dumps({'stage': 'reading pairs', 'done': done, 'whole': 2}).encode"
        "() + b'\\n'); print('read', done, flush=True); time.sleep(0.5)\n"
        "os.write(tell, b'no JSON\\n'); time.sleep(0.5)",
        tell=tell,
    )  # fmt: skip
    assert [one for one, _ in told if one] == [
        Progress("reading pairs", 1, 2), Progress("reading pairs", 2, 2)]  # fmt: skip
    assert [log for _, log in told if log] == ["read 1\n", "read 1\nread 2\n"]


def test_a_flood_of_words_is_kept_to_its_end(tmp_path: Path) -> None:
    ended = run(tmp_path, "for n in range(300_000): print('line', n)")
    assert ended.code == 0
    lines = ended.log.splitlines()
    assert lines[-1] == "line 299999"
    assert lines == [f"line {n}" for n in range(300_000 - len(lines), 300_000)]
    assert LOG_BYTES - 20 < len(ended.log.encode()) <= LOG_BYTES


@pytest.mark.parametrize("bytes_", [b"\xff\x00" * 100, "ä".encode() * 100, b"x" * 300])
def test_a_tail_is_text_within_its_bound_whatever_was_written(bytes_: bytes) -> None:
    tail = Tail(101)
    for k in range(0, len(bytes_), 7):
        tail.add(bytes_[k : k + 7])
        assert len(tail.text().encode()) <= 101
        assert "\x00" not in tail.text()
    assert tail.text()


def confines() -> bool:
    """Whether the kernel can confine a process; asked in one of its own."""
    program = (
        f"import runpy, sys; child = runpy.run_path({child.__file__!r});"
        "sys.exit(not child['confine'](['/'], ['/']))"
    )
    return subprocess.run([sys.executable, "-I", "-S", "-c", program]).returncode == 0


@pytest.mark.skipif(not confines(), reason="the kernel has no Landlock")
def test_no_other_file_and_no_network_is_reached(tmp_path: Path) -> None:
    """Nor the environment of the server, which may hold a password."""
    job, beside = tmp_path / "job", tmp_path / "beside"
    for folder in (job, beside):
        folder.mkdir()
        (folder / "file").write_text("seen")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tries = (
            f"open({str(beside / 'file')!r}).read()",
            f"open({str(beside / 'new')!r}, 'w')",
            f"os.listdir({str(beside)!r})",
            f"os.rename('file', {str(beside / 'moved')!r})",
            "open('/etc/hostname').read()",
            "open(f'/proc/{os.getppid()}/environ').read()",
            f"socket.create_connection(('127.0.0.1', {port}), 5)",
        )
        program = "import socket\nprint(open('file').read()); open('new', 'w').write('x')\n"
        for one in tries:
            program += f"try: {one}; print('reached')\nexcept OSError: print('refused')\n"
        limits = replace(
            GENEROUS,
            readable=("/usr", "/lib", "/lib64", "/proc/self", sys.prefix, sys.base_prefix),
            writable=(str(job), "/dev"),
        )
        ended = run(job, program, limits)
    assert (ended.code, ended.errors) == (0, "")
    assert ended.log.split() == ["seen", *["refused"] * len(tries)]
