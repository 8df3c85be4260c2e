"""A process in which the command line reads files that may do it harm, measured and bounded.

``Cage`` is the side of the tests; ``python -m tests.trust.cage`` is the side inside. One process
serves many examples, so that Python and Arrow are loaded once; a crash or a hang ends it, is told
as such, and the next example finds a new one.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTS = 15.0  # the processor time of one command, in starts of the process, with its imports
HANG = 900.0  # of the clock, which a busy machine stretches a lot; one that waits takes no CPU
MEMORY = 1 << 30  # bytes resident beyond what the process held before
# Address space beyond the start, which keeps a failure from eating the machine; torch and the
# threads of a training map some 3 GiB that they hardly touch.
_ROOM = 6 << 30
_MOST = 300  # commands of one process: threads that have ended leave address space behind
_LONGEST = 1500  # characters of one line


@dataclass(frozen=True)
class Outcome:
    """How one command ended."""

    code: int | str  # exit code, or the word for how the process was lost
    error: str  # standard error
    starts: float = 0.0  # the processor time that it took, beside that of starting the process
    memory: int = 0
    left: tuple[str, ...] = ()  # files that were not there before

    def wrong(self) -> str | None:
        """What is not as documented; None where the command passed or refused in one line."""
        if self.code not in (0, 1, 2, 3):
            return f"ended with {self.code}: {self.error[-1500:]}"
        if self.starts > STARTS:
            return f"took {self.starts:.1f} starts: {self.error}"
        if self.memory > MEMORY:
            return f"took {self.memory >> 20} MiB: {self.error}"
        if self.left:
            return f"left {self.left} behind"
        if not self.error and self.code in (0, 1):
            return None
        line = self.error.removesuffix("\n")
        if "out of memory" in line:
            return f"asked for more than {_ROOM >> 30} GiB: {line}"
        if not line.startswith("taxcheck: ") or not line.isprintable() or len(line) > _LONGEST:
            return f"did not end in one printable line: {self.error[-1500:]!r}"
        return None


class Cage:
    """Runs commands in its process, one after the other; used in a with statement."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the cage
        self.started = 0
        self._served = 0

    def __enter__(self) -> Cage:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._told.close()

    def run(self, arguments: Sequence[object], cwd: Path, largest: int = -1) -> Outcome:
        """``taxcheck`` with these arguments in a folder, whose new files are named and removed.

        No file can be written beyond ``largest`` bytes, as on a disk that is full then.
        """
        if self._served >= _MOST:
            self._end()
        process = self._process or self._begin()
        self._served += 1
        assert process.stdin is not None
        assert process.stdout is not None
        given = [str(argument) for argument in arguments]
        asked = json.dumps({"arguments": given, "cwd": str(cwd), "largest": largest})
        process.stdin.write(asked + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], HANG)
        answer = process.stdout.readline() if ready else ""
        if answer:
            said = json.loads(answer)
            return Outcome(**said | {"left": tuple(said["left"])})
        if not ready:
            process.kill()
        code = process.wait()
        self._told.seek(0)
        words = f"the signal {-code}" if ready else f"nothing after {HANG:.0f} s"
        outcome = Outcome(words, self._told.read())
        self._end()
        return outcome

    def _begin(self) -> subprocess.Popen[str]:
        self._told.seek(0)
        self._told.truncate()
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", __name__],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._told,
            # under a limit on the size of files it would keep a part of a compiled module
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self.started += 1
        self._served = 0
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    raise LookupError(field)


def _serve() -> None:
    """Read a command a line, answer with what became of it a line."""
    import pyarrow as pa

    from taxcheck.cli import main
    from taxcheck.run.registry import load_renderers, load_rules

    load_rules(), load_renderers()
    pa.set_cpu_count(2)
    start = time.process_time()  # what imports took, on this machine and as busy as it is
    answers = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
    limit = _status("VmSize") + _ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for line in sys.stdin:
        asked = json.loads(line)
        cwd = Path(asked["cwd"])
        os.chdir(cwd)
        before = set(os.listdir())  # noqa: PTH208
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        held, clock = _status("VmRSS"), time.process_time()
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest"], -1))
        code, error = _one(main, asked["arguments"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
        starts = (time.process_time() - clock) / start
        memory = max(0, _status("VmHWM") - held)
        left = sorted(set(os.listdir()) - before - {"out"})  # noqa: PTH208
        for name in (*left, "out"):
            path = cwd / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        found = Outcome(code, error, starts, memory, tuple(left))
        answers.write(json.dumps(vars(found)) + "\n")
        answers.flush()


def _one(main: object, arguments: list[str]) -> tuple[int | str, str]:
    """Exit code and standard error of a command; whatever else it throws is no exit code."""
    # A pipe, since a file would be under the limit on the size of files.
    end, begin = os.pipe()
    told: list[bytes] = []
    with open(end, "rb") as pipe:  # noqa: PTH123
        listener = threading.Thread(target=lambda: told.append(pipe.read()))
        listener.start()
        sys.stdout.flush()
        real = os.dup(2)
        os.dup2(begin, 2)
        os.close(begin)
        try:
            main(arguments)  # type: ignore[operator]
            code: int | str = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 0 if done.code is None else "text"
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
        listener.join()
        return code, told[0].decode("utf-8", "backslashreplace")


if __name__ == "__main__":
    _serve()
