"""The documents that are written by hand keep up with the code; tests/docs has the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxcheck.cli import cli
from taxcheck.cli.train import GROUPS
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.presets import PRESETS
from taxcheck.engine.settings import BOUNDS, apply, check, choices, plain
from taxcheck.policy.read import parse_policy
from taxcheck.run.registry import load_rules

README = Path("README.md").read_text(encoding="utf-8")
COMPARING = Path("docs/compare.md").read_text(encoding="utf-8")
TRAINING = Path("docs/training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command):
    assert f"taxcheck {command}" in README


def test_every_option_of_build_is_documented():
    page = Path("docs/build.md").read_text(encoding="utf-8")
    for parameter in cli.commands["build"].params:
        for option in parameter.opts:
            if option not in ("--force", "-q", "--quiet", "source"):
                assert option in page, option


def test_every_key_of_a_run_is_documented():
    """The table in docs/training.md is what the code says, row by row."""
    defaults = plain(TrainConfig())
    rows = re.findall(
        r"^\| ([^|]+) \| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TRAINING, re.M
    )
    assert [row[1] for row in rows] == list(defaults)
    expected = [
        (
            group,
            key,
            "none" if defaults[key] == "" else str(defaults[key]),
            ", ".join(choices(key)) or BOUNDS.get(key, "text"),
            meaning,
        )
        for group, keys in GROUPS.items()
        for key, meaning in keys.items()
    ]
    assert rows == expected


def test_every_option_of_a_repair_is_documented():
    page = Path("docs/fix.md").read_text(encoding="utf-8")
    for option in cli.commands["fix"].params:
        assert f"{option.opts[0]}" in page


def test_every_preset_is_documented():
    rows = dict(re.findall(r"^\| `([\w:]+)` \| ([^|]+) \|$", TRAINING, re.M))
    assert {name: rows[name] for name in PRESETS} == {
        name: preset.description for name, preset in PRESETS.items()
    }


def test_the_settings_in_the_documentation_can_be():
    import tomllib

    (text,) = re.findall(r"```toml\n(.*?)```", TRAINING, re.S)
    assert check(apply(TrainConfig(), tomllib.loads(text))).epochs == 60


def test_the_waiver_in_the_documentation_is_valid():
    import tomllib

    (text,) = re.findall(r"```toml\n(.*?)```", COMPARING, re.S)
    (waiver,) = parse_policy(tomllib.loads(text), load_rules(), None).waivers
    assert (waiver.rule, waiver.taxid) == ("PAIR006", (9606, 9598))


@pytest.mark.parametrize("command", ["compare", "init", "selftest"])
def test_the_options_of_comparing_are_documented(command):
    """Those that are its own; columns are named as in `taxcheck run`."""
    for parameter in cli.commands[command].params:
        option = parameter.opts[-1]
        if option.startswith("--") and not option.endswith(("-columns", "quiet", "verbose")):
            assert option in COMPARING, option


def test_the_tree_in_the_architecture_is_the_one_there_is():
    text = Path("docs/architecture.md").read_text(encoding="utf-8")
    tree = text.split("## The tree\n\n")[1].split("\n\n")[0]
    told, above = set(), []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2 - 2
        for name in re.split(" {2,}", line.strip())[0].split(", "):
            above[depth:] = [name]
            told.add(Path(*above))
    assert [path for path in told if not path.exists()] == []
    rooms = {path.parent for path in Path("taxcheck").glob("*/*.py")}
    assert {path for path in told if path.is_dir() and path.parent == Path("taxcheck")} == rooms
    for name in re.findall(r"\b([a-z_]+\.py)\b", tree):
        assert list(Path("taxcheck").rglob(name)), name


def test_every_file_that_the_makefile_names_exists():
    named = re.findall(r"\b(?:[a-z_]+/)+[a-z_]+\.py\b", Path("Makefile").read_text())
    assert "tests/run/test_check.py" in named
    for name in named:
        assert Path(name).exists(), name
