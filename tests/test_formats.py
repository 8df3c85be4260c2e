"""Which reports are asked for, where they go, and what becomes of one that cannot be written."""

from __future__ import annotations

import json

import pytest

from taxcheck.cli import main
from taxcheck.cli.formats import Target, asked
from taxcheck.errors import UsageError

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
