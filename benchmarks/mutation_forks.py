"""Mutants in forks of one warm process: a pytest plugin that measures, forks and judges.

Times are processor time: what is left out, and what is ended, does not depend on what else the
machine does.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import coverage
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from benchmarks.mutants import Mutant
from benchmarks.mutation_subject import Subject

MEMORY = 8 << 30


class Warm:
    """A pytest plugin that measures the tests once and then runs the mutants in forks."""

    def __init__(
        self,
        subjects: list[Subject],
        chosen: list[tuple[Subject, int]],
        *,
        jobs: int,
        confirm: bool,
        longest: float,
        out: Path | None,
    ) -> None:
        self.subjects, self.chosen = subjects, chosen
        self.jobs, self.confirm, self.longest, self.out = jobs, confirm, longest, out
        self.results: list[dict[str, object]] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        settings.register_profile(
            "mutation",
            deadline=None,
            derandomize=True,
            max_examples=50,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutation")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.measure(session.items)
        for subject in self.subjects:
            subject.find()
        gc.freeze()
        if not self.sound(self.subjects):
            guilty = [str(subject.path) for subject in self.subjects if not self.sound([subject])]
            raise SystemExit(f"tests fail on sound modules put in anew: {guilty or 'all of them'}")
        self.loop()
        return True

    def measure(self, items: Sequence[pytest.Item]) -> None:
        """Which test runs which line, and how long it takes."""
        files = [str(s.path.resolve()) for s in self.subjects]
        measured = coverage.Coverage(include=files, data_file=None, config_file=False)
        self.seconds: dict[str, float] = {}
        self.items = {item.nodeid: item for item in items}
        measured.start()
        for k, item in enumerate(items):
            measured.switch_context(item.nodeid)
            start = time.process_time()
            reports = runtestprotocol(item, log=False, nextitem=items[(k + 1) % len(items)])
            self.seconds[item.nodeid] = time.process_time() - start
            if any(report.failed for report in reports):
                raise SystemExit(f"{item.nodeid} fails on sound code")
        measured.stop()
        data = measured.get_data()
        self.reached = {
            s.path: data.contexts_by_lineno(str(s.path.resolve())) for s in self.subjects
        }
        print(f"{len(items)} tests in {sum(self.seconds.values()):.0f} s", flush=True)
        for name, seconds in self.seconds.items():
            if seconds > self.longest:
                print(f"left out, {seconds:.1f} s: {name}", flush=True)

    def tests(self, subject: Subject, mutant: Mutant | None) -> list[str]:
        reached = self.reached[subject.path]
        lines = reached if mutant is None or mutant.function is None else mutant.lines
        names = {name for line in lines for name in reached.get(line, ()) if name}
        if mutant is not None and mutant.function is None:
            names |= {n for n in self.items if "test_catalogue" in n}
        names = {name for name in names if self.seconds[name] <= self.longest}
        return sorted(names, key=lambda name: (self.seconds[name], name))

    def sound(self, subjects: Sequence[Subject]) -> bool:
        names = dict.fromkeys(n for subject in subjects for n in self.tests(subject, None))
        pid = self.fork([(subject, None) for subject in subjects], list(names), 3600)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def fork(
        self, changes: list[tuple[Subject, Mutant | None]], names: list[str], allowed: int
    ) -> int:
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 2  # the change breaks the import, or the process
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            for subject, mutant in changes:
                subject.install(mutant)
            code = 0
            for k, name in enumerate(names):
                following = self.items[names[(k + 1) % len(names)]]
                reports = runtestprotocol(self.items[name], log=False, nextitem=following)
                if any(report.failed for report in reports):
                    code = 1
                    break
        except BaseException:
            code = code or 2
        finally:
            os._exit(code)

    def loop(self) -> None:
        waiting = list(reversed(self.chosen))
        running: dict[int, tuple[Subject, int, float]] = {}
        while waiting or running:
            while waiting and len(running) < self.jobs:
                subject, k = waiting.pop()
                mutant = subject.mutants[k]
                names = self.tests(subject, mutant)
                if not names:
                    self.record(subject, k, "unreached")
                    continue
                allowed = 5 + int(5 * sum(self.seconds[name] for name in names))
                pid = self.fork([(subject, mutant)], names, allowed)
                # one that waits for ever takes no processor time
                running[pid] = (subject, k, time.monotonic() + 20 * allowed)
            time.sleep(0.002)
            for pid, (subject, k, deadline) in list(running.items()):
                done, status = os.waitpid(pid, os.WNOHANG)
                late = not done and time.monotonic() > deadline
                if late:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                if done or late:
                    del running[pid]
                    code = os.waitstatus_to_exitcode(status) if done else -signal.SIGKILL
                    late = code in (-signal.SIGKILL, -signal.SIGXCPU)
                    self.record(subject, k, "timeout" if late else "killed" if code else "survived")

    def record(self, subject: Subject, k: int, result: str) -> None:
        mutant = subject.mutants[k]
        alive = result in ("survived", "unreached")
        doubtful = alive and mutant.function is None and self.confirm
        if doubtful and fresh_kills(subject, k, self.tests(subject, mutant)):
            result = "killed"
        self.results.append(
            {
                "file": str(subject.path),
                "number": k,
                "line": mutant.line,
                "function": mutant.function,
                "kind": mutant.kind,
                "change": mutant.change,
                "result": result,
            }
        )
        if self.out:
            with self.out.open("a") as file:
                file.write(json.dumps(self.results[-1]) + "\n")
        if len(self.results) % 100 == 0:
            print(f"{len(self.results)} of {len(self.chosen)}", flush=True)


def fresh_kills(subject: Subject, k: int, names: list[str]) -> bool:
    """Whether a process that imports the mutant in the first place fails its tests."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.mutation", "--fresh", f"{subject.path}:{k}", *names],
        capture_output=True,
        timeout=600,
    )
    return done.returncode != 0
