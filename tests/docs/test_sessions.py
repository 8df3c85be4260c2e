"""What the pages tell a reader to type is typed, and prints what they show."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from taxcheck.policy.read import parse_policy
from taxcheck.run.registry import load_rules
from tests.docs.session import NOT_RUN, blocks, commands, lay_out, matches, run

TYPED = [
    Path("README.md"),
    Path("docs/tutorial.md"),
    Path("docs/reference/exit-codes.md"),
    *sorted(Path("docs/how-to").glob("*.md")),
]
# Why a block may be left out, in the words that a reader sees.
LEFT_OUT = {
    "Not run by the tests: installs packages",
    "Not run by the tests: installs a package",
    "Not run by the tests: make targets have their own",
    "Not run with this page: the tests run it by themselves",
}


SLOW = pytest.mark.slow
LONG = {
    "audit-gensim",
    "train",
    "repair-the-incident",
    "one-machine-too-small",
    "explore-a-table",
    "write-a-rule",
    "write-a-cause",
    "back-up-and-restore",
    "set-up-the-service",
}  # take their time


@pytest.mark.long
@pytest.mark.parametrize(
    "page", [pytest.param(p, marks=SLOW if p.stem in LONG else ()) for p in TYPED], ids=str
)
def test_what_is_typed_prints_what_is_shown(page: Path, tmp_path: Path):
    lay_out(tmp_path)
    done = 0
    for command, output, code in run(page, tmp_path):
        where = f"{page}:{command.line}: $ {command.text}"
        shown = "\n".join(command.shown)
        assert matches(command.shown, output), f"{where}\nshown:\n{shown}\nprinted:\n{output}"
        told = code == 0 or _told(page, command.line)
        assert told, f"{where}\nended with {code}, which the page does not say:\n{output}"
        done += 1
    assert done


@pytest.mark.slow
def test_pages_are_typed_one_after_the_other_in_one_clone(tmp_path: Path):
    """No page needs what another one made, or is in its way."""
    lay_out(tmp_path)
    for page in TYPED:
        for command, output, code in run(page, tmp_path):
            where = f"{page}:{command.line}: $ {command.text}"
            assert matches(command.shown, output), f"{where}\n{output}"
            assert code == 0 or _told(page, command.line), f"{where}\n{output}"


def test_every_page_makes_a_folder_of_its_own():
    """So that none is in the way of another, which the slow test sees by typing all."""
    made = [
        name
        for page in TYPED
        for name in re.findall(r"^\$ mkdir (\S+) && cp -r", page.read_text("utf-8"), re.M)
    ]
    assert len(made) == len(set(made)) >= 15


def _told(page: Path, line: int) -> bool:
    """Whether the page asks for the code right after a command; its number is then compared."""
    after = [c for block in blocks(page) if block.language == "console" for c in commands(block)]
    at = [c.line for c in after].index(line)
    return at + 1 < len(after) and after[at + 1].text == "echo $?"


@pytest.mark.parametrize("page", TYPED, ids=str)
def test_what_is_not_run_says_why(page: Path):
    titles = {block.title for block in blocks(page) if block.title.startswith(NOT_RUN)}
    assert titles <= LEFT_OUT


@pytest.mark.parametrize("page", TYPED, ids=str)
def test_policies_that_are_only_shown_are_valid(page: Path):
    for block in blocks(page):
        if block.language == "toml" and not block.title:
            parse_policy(tomllib.loads(block.text), load_rules(), None)


def test_a_session_is_compared_line_by_line():
    output = "one 1\ntwo\nthree\n"
    assert matches(("one 1", "two", "three"), output)
    assert matches(("one …", "…"), output)
    assert matches(("…", "three"), output)
    assert matches((), output)
    assert not matches(("one 1", "three"), output)
    assert not matches(("one 2", "…"), output)
    assert not matches(("…", "two"), output)
    assert matches(("taxcheck 9.9.9 · run",), "taxcheck 0.1.0 · run\n")


def test_pages_that_are_typed_show_no_prompt_elsewhere():
    """A command in a block of another language would not be run."""
    for page in TYPED:
        for block in blocks(page):
            assert block.language == "console" or not re.search(r"^\$ ", block.text, re.M)
