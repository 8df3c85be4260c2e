"""The documentation keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxcheck.cli import cli
from taxcheck.config import parse_policy
from taxcheck.registry import load_rules
from taxcheck.sources.aliases import MAPPING_ALIASES, MAPPING_BARE, PAIR_ALIASES, PAIR_BARE

README = Path("README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command):
    assert f"taxcheck {command}" in README


def test_every_column_name_is_in_the_readme():
    table = {
        role: set(re.findall(r"`([^`]+)`", names))
        for role, names in re.findall(r"^\| (?:mapping|pairs) \| (.+?) \| (.*) \|$", README, re.M)
    }
    for role, names in {**MAPPING_ALIASES, **PAIR_ALIASES}.items():
        assert set(names) - {role} == table[f"`{role}`"]
    assert set(MAPPING_BARE) == table["either, whichever is left"]
    for role, names in PAIR_BARE.items():
        assert set(names) == table[f"`{role}` with a mapping, else `{role}_taxid`"]


def test_the_policy_in_the_readme_is_valid():
    import tomllib

    (text,) = re.findall(r"```toml\n(.*?)```", README, re.S)
    policy = parse_policy(tomllib.loads(text), load_rules(), None)
    assert policy.dataset.roots == (7586,)
    assert not policy.rules["MAP009"].enabled


def test_every_file_in_the_architecture_exists():
    text = Path("docs/architecture.md").read_text(encoding="utf-8")
    tree = text.split("## The tree")[1].split("##")[0]
    for name in re.findall(r"\b([a-z_]+\.py)\b", tree):
        assert list(Path("taxcheck").rglob(name)), name


def test_links_between_documents_lead_somewhere():
    for page in (*Path().glob("*.md"), *Path("docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_nothing_names_a_machine():
    places = re.compile(r"/(?:work|tmp|root|home)/(?!\.)|localhost:\d")
    for page in (*Path().glob("*.md"), *Path("docs").glob("*.md"), *Path("rules").glob("*.py")):
        assert not places.search(page.read_text(encoding="utf-8")), page
