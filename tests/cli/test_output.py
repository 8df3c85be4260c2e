"""Which reports are asked for, where they go, and what becomes of one that cannot be written."""

from __future__ import annotations

import json
import re
import resource
from pathlib import Path

import pytest

from taxcheck.cli import main
from taxcheck.cli.output import SUFFIXES, Target, asked
from taxcheck.files import append_text
from taxcheck.model.errors import OutputError, UsageError
from taxcheck.run.registry import load_renderers

KNOWN = ("github", "html", "json", "junit", "markdown", "mine", "projection", "sarif", "terminal")
ACTIONS = {"GITHUB_ACTIONS": "true"}
SUMMARISED = {**ACTIONS, "GITHUB_STEP_SUMMARY": "summary.md"}


def wanted(*arguments, environment=None, **short):
    """``--format a --output b``, as a person types it, then the short ways."""
    options = list(zip(arguments[::2], arguments[1::2], strict=True))
    formats = tuple(value for option, value in options if option == "--format")
    outputs = tuple(value for option, value in options if option == "--output")
    return asked(formats, outputs, short, KNOWN, environment or {})


def files(targets):
    return [(target.format, target.path) for target in targets.files]


def test_without_a_wish_the_terminal_has_the_report():
    assert (files(wanted()), wanted().printed) == ([], ("terminal",))


def test_the_nth_output_belongs_to_the_nth_format():
    targets = wanted("--output", "a", "--format", "sarif", "--output", "b", "--format", "junit")
    assert (files(targets), targets.printed) == ([("sarif", "a"), ("junit", "b")], ("terminal",))


def test_a_format_without_an_output_is_printed():
    targets = wanted("--format", "sarif", "--output", "a", "--format", "markdown")
    assert (files(targets), targets.printed) == ([("sarif", "a")], ("markdown",))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.html", "html"),
        ("a.json", "json"),
        ("a.sarif", "sarif"),
        ("A.SARIF.JSON", "sarif"),
        ("out/a.xml", "junit"),
        ("a.b.md", "markdown"),
    ],
)
def test_an_output_alone_tells_its_format(path, name):
    assert files(wanted("--output", path)) == [(name, path)]


def test_the_short_ways_stand_beside_the_long_one():
    targets = wanted("--format", "sarif", "--output", "a", html="b", json="-", projection=None)
    assert (files(targets), targets.printed) == ([("sarif", "a"), ("html", "b")], ("json",))


@pytest.mark.parametrize(
    ("arguments", "short", "words"),
    [
        (["--format", "sarfi"], {}, ["did you mean sarif", ", ".join(KNOWN)]),
        (["--output", "a.txt"], {}, ["a.txt", ".sarif"]),
        (["--output", "-"], {}, ["--format"]),
        (["--format", "json", "--output", "a", "--output", "b"], {}, ["2 --output for 1"]),
        (["--format", "json", "--format", "html"], {}, ["json and html", "standard output"]),
        (["--format", "html"], {"json": "-"}, ["html and json", "standard output"]),
        (["--output", "a.json"], {"json": "./a.json"}, ["a.json", "two reports"]),
    ],
)
def test_what_cannot_be_is_said(arguments, short, words):
    with pytest.raises(UsageError) as said:
        wanted(*arguments, **short)
    assert all(word in str(said.value) for word in words), said.value


def test_a_device_may_hold_several_reports():
    assert len(wanted("--format", "html", "--output", "/dev/null", json="/dev/null").files) == 2


def test_pictures_are_made_for_those_who_show_them():
    assert not wanted("--output", "a.sarif", json="b").drawn
    assert wanted("--format", "mine").drawn, "of a plugin nobody knows"
    assert wanted(html="a").drawn
    assert not wanted(html="a").projected
    assert wanted(projection="a").projected


def test_github_comes_by_itself_in_actions():
    targets = wanted(environment=SUMMARISED)
    assert targets.printed == ("terminal", "github")
    assert targets.files == (Target("markdown", "summary.md", append=True, quiet=True),)
    assert wanted(environment=ACTIONS).files == ()
    assert wanted(environment={"GITHUB_ACTIONS": "false"}).printed == ("terminal",)


def test_a_named_format_wins_over_what_comes_by_itself():
    targets = wanted("--format", "sarif", "--output", "a", environment=SUMMARISED)
    assert (files(targets), targets.printed) == ([("sarif", "a")], ("terminal",))
    targets = wanted("--format", "github", environment=SUMMARISED)
    assert (files(targets), targets.printed) == ([("markdown", "summary.md")], ("github",))


def test_annotations_leave_a_report_on_standard_output_alone():
    targets = wanted(json="-", environment=SUMMARISED)
    assert (files(targets), targets.printed) == ([("markdown", "summary.md")], ("json",))


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The command for a path 0 -> 1 -> 2 with its closure, outside of any CI."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    (tmp_path / "p.tsv").write_text("ancestor_idx\tdescendant_idx\n0\t1\n1\t2\n0\t2\n")

    def run(*arguments):
        with pytest.raises(SystemExit) as done:
            main(["run", "--mapping", "m.tsv", "--pairs", "p.tsv", *map(str, arguments)])
        return done.value.code

    return run


def test_a_mistake_shows_before_an_input_is_read(small, tmp_path, capsys):
    (tmp_path / "m.tsv").unlink()
    assert small("--format", "nonsense") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_report_that_cannot_be_written_does_not_lose_the_others(small, tmp_path, capsys):
    code = small("--html", "nowhere/a.html", "--output", "gone/b.json", "--output", "c.json")
    said = capsys.readouterr()
    assert code == 3
    assert "nowhere/a.html" in said.err
    assert "gone/b.json" in said.err
    assert said.err.count("\n") == 1
    assert "json: c.json" in said.out
    assert json.loads((tmp_path / "c.json").read_text())["verdict"] == "pass"


def test_every_format_of_the_command_is_one_that_is_installed():
    """What the suffixes and the pages promise can be had."""
    known = load_renderers()
    assert set(SUFFIXES.values()) <= set(known)
    page = Path(__file__).parents[2].joinpath("docs/formats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", page, re.M)
    assert sorted(name for name, _ in rows) == sorted(known)
    suffixes = {s: name for name, said in rows for s in re.findall(r"`(\.[\w.]+)`", said)}
    assert suffixes == SUFFIXES


def test_actions_get_annotations_and_a_summary(small, tmp_path, monkeypatch, capsys):
    (tmp_path / "summary.md").write_text("of an earlier command\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    assert small("--json", "a.json") == 0
    lines = capsys.readouterr().out.splitlines()
    word = lines[0].removeprefix("::stop-commands::")
    end = lines.index(f"::{word}::")
    assert "json: a.json" in lines[:end]
    assert lines[end + 1].startswith("::notice title=taxcheck%3A PASS::")
    assert not any("summary.md" in line for line in lines)
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("of an earlier command\n<!-- taxcheck -->")
    assert json.loads((tmp_path / "a.json").read_text())["verdict"] == "pass"


def test_a_taxon_gives_no_command_to_the_runner(small, tmp_path, monkeypatch, capsys):
    """Between the two lines nothing is obeyed; outside of them lines are ours alone."""
    (tmp_path / "m.tsv").write_text(
        "taxid\tidx\n::add-mask::a\t0\n::add-mask::a\t1\n##[error]\t2\n"
    )
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert small() == 1
    lines = capsys.readouterr().out.splitlines()
    end = lines.index(f"::{lines[0].removeprefix('::stop-commands::')}::")
    assert all(line.startswith(("::error title=", "::warning title=")) for line in lines[end + 1 :])


def test_a_summary_that_cannot_be_written_loses_nothing(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "nowhere/summary.md")
    assert small("--json", "a.json") == 3
    said = capsys.readouterr()
    assert "nowhere/summary.md" in said.err
    assert "::notice" in said.out
    assert (tmp_path / "a.json").exists()


def test_what_cannot_be_added_whole_is_taken_back(tmp_path):
    """The disk, here a limit on the size of files, ends in the middle of the text."""
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OutputError, match="summary"):
            append_text(str(path), "half of this is too much")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == "before\n"
    append_text(str(path), "whole\n")
    assert path.read_text() == "before\nwhole\n"


PLUGIN = """
def RENDER(report, options):
    return f"{report.verdict.value} {options.color}\\n"
def BROKEN(report, options):
    raise ZeroDivisionError("by zero")
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Two renderers of a package of somebody else."""
    meta = tmp_path / "site" / "mine-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text(
        "[taxcheck.renderers]\nmine = mine:RENDER\nbroken = mine:BROKEN\n"
    )
    (tmp_path / "site" / "mine.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "site")
    load_renderers.cache_clear()
    yield
    load_renderers.cache_clear()


@pytest.mark.usefixtures("plugin")
def test_a_renderer_of_a_plugin_is_a_format(small, tmp_path, capsys):
    assert small("--format", "mine") == 0
    assert capsys.readouterr().out == "pass False\n"
    assert small("--format", "mine", "--output", "mine.txt") == 0
    assert (tmp_path / "mine.txt").read_text() == "pass False\n"


@pytest.mark.usefixtures("plugin")
def test_a_renderer_that_breaks_does_not_lose_the_others(small, tmp_path, capsys):
    code = small("--format", "broken", "--output", "b", "--format", "json", "--output", "a.json")
    said = capsys.readouterr()
    assert code == 4
    assert "the broken renderer broke (ZeroDivisionError: by zero)" in said.err
    assert (tmp_path / "a.json").exists()
    assert not (tmp_path / "b").exists()
    assert "PASS" in said.out


@pytest.mark.parametrize(
    ("command", "lost"),
    [
        ("run --mapping m.tsv --pairs p.tsv --html m.tsv", "m.tsv"),
        ("run --mapping m.tsv --pairs p.tsv --json link", "link"),
        ("run --mapping m.tsv --pairs *.tsv --output ./p.tsv --format json", "./p.tsv"),
        ("run --mapping m.tsv --pairs shards --html shards/1.csv", "shards/1.csv"),
        ("run --mapping m.tsv --pairs p.tsv --policy t.toml --json t.toml", "t.toml"),
        ("run --mapping m.tsv --pairs p.tsv --baseline a.json --json a.json", "a.json"),
        ("init --mapping m.tsv --pairs p.tsv --out p.tsv --force", "p.tsv"),
        ("evaluate t.npy --pairs m.tsv --known p.tsv --json p.tsv", "p.tsv"),
        ("evaluate t.npy --mapping m.tsv --pairs p.tsv --json t.npy", "t.npy"),
        ("explore t.npy --mapping m.tsv --out t.npy", "t.npy"),
        ("compare a.json b.json --html b.json", "b.json"),
        ("build p.tsv --out new --json p.tsv", "p.tsv"),
        ("fix --mapping m.tsv --pairs p.tsv --out new --json m.tsv", "m.tsv"),
    ],
)
def test_no_report_takes_the_place_of_what_is_read(
    tmp_path: Path, monkeypatch, capsys, command: str, lost: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shards").mkdir()
    for name in ("m.tsv", "p.tsv", "t.toml", "t.npy", "a.json", "b.json", "shards/1.csv"):
        Path(name).write_text("" if name == "t.toml" else "mine")
    Path("link").symlink_to("p.tsv")
    before = {path: path.read_text() for path in Path().rglob("*.*")}
    with pytest.raises(SystemExit) as end:
        main(command.split())
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"taxcheck: {lost} is read, and would be lost: write to another file\n"
    )
    assert {path: path.read_text() for path in Path().rglob("*.*")} == before
