"""A closed standard output costs the report, a closed standard error only the complaint."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.case_folders import case_folder
from tests.cli.test_closed_pipe import COMMANDS, FILES, prepare

SCRIPT = f"{shlex.quote(sys.executable)} -m taxcheck"
BAD = case_folder("PAIR003", "bad")
FAILING = f"run --mapping {BAD}/mapping.tsv --pairs {BAD}/pairs.tsv"
CLOSED = "taxcheck: standard output: cannot be written: it is closed\n"
FULL = "taxcheck: standard output: cannot be written: No space left on device\n"
SAYS_ALL_ON_ERROR = ("nonsense", "selftest")  # the selftest is given no file that there is


def told(line: str, folder: Path) -> tuple[int, str, str]:
    """The exit code of a command, and what it said on either stream."""
    done = subprocess.run(
        ["sh", "-c", f"{SCRIPT} {line}"], capture_output=True, cwd=folder, text=True, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


def prepared(command: str, folder: Path) -> str:
    """The command as the tests of a closed pipe give it, and its inputs."""
    prepare(command, folder)
    return f"{command} {COMMANDS[command]}".removesuffix("2>&1")


@pytest.mark.parametrize(
    ("line", "code", "own"),
    [pytest.param(f"run {FILES}", 3, 0, marks=pytest.mark.slow), (FAILING, 3, 1),
     ("--help", 3, 0), pytest.param("run --help", 3, 0, marks=pytest.mark.slow),
     pytest.param("rules", 3, 0, marks=pytest.mark.slow), ("", 3, 2), ("nonsense", 2, 2)],
)  # fmt: skip
def test_a_closed_stream_gives_no_code_of_a_verdict(line, code, own, tmp_path):
    assert told(f"{line} >&- 2>/dev/null", tmp_path)[0] == code
    assert told(f"{line} >&- 2>&- <&-", tmp_path) == (code, "", "")
    found, _, error = told(f"{line} 2>&-", tmp_path)
    assert (found, error) == (own, "")


@pytest.mark.parametrize("stream", [">&-", ">/dev/full", "<&- >&-"])
@pytest.mark.parametrize("line", [f"run {FILES}", "--version", "train --help"])
def test_an_output_that_takes_nothing_is_one_line(line, stream, tmp_path):
    said = FULL if "full" in stream else CLOSED
    assert told(f"{line} {stream}", tmp_path) == (3, "", said)


def test_an_error_stream_that_is_full_costs_no_code(tmp_path):
    assert told("nonsense 2>/dev/full", tmp_path) == (2, "", "")
    cached = f"{FAILING} --cache kept --json -"  # whose note goes to standard error
    assert told(f"{cached} 2>/dev/full", tmp_path)[0] == 1
    assert told(f"{cached} 2>&-", tmp_path)[0] == 1


def test_a_command_that_prints_nothing_needs_no_output(tmp_path):
    prepared("build", tmp_path)
    assert told("build edges.csv --out built --quiet >&-", tmp_path) == (0, "", "")
    assert (tmp_path / "built" / "mapping.tsv").read_text().endswith('"c"\t2\n')


def test_reports_in_files_are_written_all_the_same(tmp_path):
    assert told(f"run {FILES} --html report.html >&-", tmp_path) == (3, "", CLOSED)
    assert "</html>" in (tmp_path / "report.html").read_text()


@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.slow
def test_every_command_says_that_its_output_is_closed(command, tmp_path):
    line = prepared(command, tmp_path)
    code, _, error = told(f"{line} >&-", tmp_path)
    if command in SAYS_ALL_ON_ERROR:
        assert (code, error) == (told(line, tmp_path)[0], told(line, tmp_path)[2])
    else:
        assert (code, error) == (3, CLOSED)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_keeps_its_code_where_errors_are_closed(command, tmp_path):
    for name in ("plain", "closed"):
        (tmp_path / name).mkdir()
    code, out, _ = told(prepared(command, tmp_path / "plain"), tmp_path / "plain")
    quiet = told(prepared(command, tmp_path / "closed") + " 2>&-", tmp_path / "closed")
    assert quiet[0] == code
    assert quiet[1].count("\n") == out.count("\n")


def test_all_lines_go_through_the_functions_that_know_of_it():
    folder = Path(__file__).parents[2] / "taxcheck" / "cli"
    users = {path.name for path in folder.glob("*.py") if "click.echo(" in path.read_text()}
    assert users == {"streams.py"}
