"""The commands of a page, run as a reader would type them, and what the page says they print.

A block of ``console`` holds commands after ``$`` and what they print. A line that is only ``…``
stands for any number of lines, a ``…`` within one for any text. Every command has to end with 0,
unless ``echo $?`` follows and shows its code. A block of any other language whose title is the name
of a file is written as that file. A block whose title begins with "Not run" is not run, and says
why. A server that is started with ``&`` runs until ``kill %1`` or the end of its page, on a free
port in the place of its usual one.

``python -m tests.docs.session PAGE`` shows what the commands of a page really print.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[2]
WIDTH = "80"
DATE = "1795305600"  # 22 November 2026; a report then tells no times
NOT_RUN = "Not run"
_BLOCK = re.compile(r'^( *)(`{3,})(\w+)(?: title="([^"]*)")?[^\n]*\n(.*?)^\1\2 *$', re.M | re.S)
_VERSION = re.compile(r"^taxcheck \d+\.\d+\.\d+")
PORT = "8740"  # of a server, on the pages
_QUOTED = re.compile(r"'[^']*'")
_SHELL = re.compile(r"[|&;<>$*?`(){}]|^\w+=")
_MOVES = re.compile(r"(?:^|&& )cd \S+$")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code of a page."""

    language: str
    title: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and the lines that the page shows under it."""

    text: str
    shown: tuple[str, ...]
    line: int


def blocks(page: Path) -> list[Block]:
    """Every block of code, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m[3], m[4] or "", m[5], text.count("\n", 0, m.start()) + 1)
        for m in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block; a backslash at the end of a line continues them."""
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            raise ValueError(f"line {block.line + at + 1}: a console block begins with '$ '")
        start, text = at, lines[at][2:]
        while text.endswith("\\"):
            at += 1
            text = text[:-1] + lines[at].strip()
        at += 1
        shown = at
        while at < len(lines) and not lines[at].startswith("$ "):
            at += 1
        yield Command(text, tuple(lines[shown:at]), block.line + start + 1)


def lay_out(folder: Path) -> None:
    """Make a folder look like a clone to the pages, of which they use the examples."""
    (folder / "fixtures").symlink_to(ROOT / "fixtures")


def run(page: Path, folder: Path) -> Iterator[tuple[Command, str, int]]:
    """Run a page, which begins in a folder: each command with its output and its exit code."""
    code = 0
    server = _Server()
    with contextlib.closing(server):
        for block in blocks(page):
            if block.title.startswith(NOT_RUN):
                continue
            if block.language == "console":
                for command in commands(block):
                    if command.text == "echo $?":
                        yield command, f"{code}\n", 0
                    else:
                        output, code = server.run(command.text, folder)
                        if _MOVES.search(command.text):
                            folder = Path(output.rstrip("\n"))
                            output = ""
                        yield command, output, code
            elif block.title:
                text = server.here(block.text)
                (folder / block.title).write_text(text, encoding="utf-8")
                if block.title == "pyproject.toml":
                    _installed(block.text, folder)


class _Server:
    """The server of a page, if it starts one."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])

    def here(self, text: str) -> str:
        """A text of the page with the port that is really taken."""
        return text.replace(PORT, self._port)

    def run(self, text: str, folder: Path) -> tuple[str, int]:
        """A command of the page."""
        if text == "kill %1":
            self.close()
            return "", 0
        if text.startswith("taxcheck serve") and text.endswith(" &"):
            output, code = self._start(shlex.split(text.removesuffix(" &")), folder)
        elif _MOVES.search(text):
            return _run(f"{text} && pwd", folder)
        else:
            output, code = _run(self.here(text), folder)
        return output.replace(self._port, PORT), code

    def _start(self, words: list[str], folder: Path) -> tuple[str, int]:
        environment = _environment(folder)
        environment["TAXCHECK_SERVICE_PORT"] = self._port
        self._process = subprocess.Popen(
            words, cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return line, 0 if line.startswith("taxcheck: http") else 1

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=60)
            self._process = None


def _installed(project: str, folder: Path) -> None:
    """Leave what ``pip install`` of a page's own package would: where its entry points are."""
    table = tomllib.loads(project)["project"]
    entries = [
        line
        for group, points in table["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    left = folder / f"{table['name']}-{table['version']}.dist-info"
    left.mkdir()
    (left / "entry_points.txt").write_text("\n".join(entries), encoding="utf-8")
    (left / "METADATA").write_text(f"Name: {table['name']}\nVersion: {table['version']}\n")


def _run(text: str, folder: Path) -> tuple[str, int]:
    """taxcheck and scripts in this process, which saves their start; whatever else in a shell."""
    words = shlex.split(text)
    plugins = any(folder.glob("*.dist-info"))  # are found when a process starts
    if not plugins and not _SHELL.search(_QUOTED.sub("", text)):
        if words[0] == "taxcheck":
            return _inside(words, folder)
        if words[0] == "python" and words[1].endswith(".py"):
            return _inside(words[1:], folder)
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=_environment(folder),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=900,
    )
    return done.stdout, done.returncode


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "COLUMNS": WIDTH,
        "SOURCE_DATE_EPOCH": DATE,
        "XDG_STATE_HOME": str(folder.absolute() / ".state"),
    }


def _inside(words: list[str], folder: Path) -> tuple[str, int]:
    from taxcheck.cli import main

    said = io.StringIO()
    arguments, sys.argv = sys.argv, words
    try:
        with (
            mock.patch.dict(
                os.environ,
                {
                    "COLUMNS": WIDTH,
                    "SOURCE_DATE_EPOCH": DATE,
                    "XDG_STATE_HOME": str(folder.absolute() / ".state"),
                },
            ),
            contextlib.chdir(folder),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            if words[0] == "taxcheck":
                main(words[1:])
            else:
                runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        return said.getvalue(), int(end.code or 0)
    finally:
        sys.argv = arguments
    return said.getvalue(), 0


def matches(shown: tuple[str, ...], output: str) -> bool:
    """Whether the lines that a page shows are the output, but for what it leaves out.

    The version of taxcheck is not compared.
    """
    if not shown:
        return True
    shown = tuple(_VERSION.sub("taxcheck …", line) for line in shown)
    parts = []
    for line in shown:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n")
    text = "\n".join(_VERSION.sub("taxcheck …", line) for line in output.rstrip().splitlines())
    return re.fullmatch("".join(parts), text + "\n") is not None


def main() -> None:
    """Show what a page's commands print."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder))
        for command, output, code in run(Path(sys.argv[1]), Path(folder)):
            print(f"$ {command.text}\n{output.rstrip()}")
            if code:
                print(f"[{code}]")
            if not matches(command.shown, output):
                print(f"^^^ line {command.line} shows something else", flush=True)


if __name__ == "__main__":
    main()
