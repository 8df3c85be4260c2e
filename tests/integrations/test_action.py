"""The action itself: its file, its inputs as data and never as code, what it installs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from taxcheck.cli import cli
from tests.integrations.conftest import HEALTHY, ROOT, environment
from tests.integrations.service import served
from tests.integrations.test_repository import action

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = ACTION["runs"]["steps"]


def test_it_is_an_action_by_githubs_schema():
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema"),
            *("vendor.github-actions", str(ROOT / "action.yml")),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_are_a_manifest_by_pre_commits_own_word():
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"],
        cwd=ROOT,
        check=True,
    )


def test_no_input_is_written_into_a_script():
    """What stands in ${{ }} becomes part of a script's text before the shell reads it."""
    for step in STEPS:
        assert "${{" not in step.get("run", "")
        assert set(step) & {"uses", "run"}
    named = " ".join(value for step in STEPS for value in step.get("env", {}).values())
    named += " ".join(str(value) for step in STEPS for value in step.get("with", {}).values())
    named += " ".join(str(step.get("if", "")) for step in STEPS)
    assert set(re.findall(r"inputs\.([a-z-]+)", named)) == set(ACTION["inputs"])


def test_every_variable_that_is_set_is_read_and_every_output_is_written():
    scripts = "".join(path.read_text() for path in (ROOT / "action").iterdir() if path.is_file())
    for step in STEPS:
        for variable in step.get("env", {}):
            if variable != "CODE":
                assert variable in scripts, variable
    outputs = {value["value"].split(".")[-1].rstrip(" }") for value in ACTION["outputs"].values()}
    assert outputs == set(ACTION["outputs"])
    for name in outputs:
        assert f'"{name}"' in (ROOT / "action" / "outputs.py").read_text()


def test_every_option_that_the_script_gives_exists():
    known = {option for parameter in cli.commands["run"].params for option in parameter.opts}
    used = re.findall(r"(--[a-z-]+)[= ]", (ROOT / "action" / "run.sh").read_text())
    assert len(used) == 12
    assert set(used) <= known


EVIL = ("$(touch owned)", "`touch owned`", "; touch owned", "x\ntouch owned", "' ; touch owned ; '")
NAMED = ("mapping", "pairs", "held_out", "taxonomy", "embeddings")


@pytest.mark.long
@pytest.mark.parametrize("turn", [0, 1])
def test_an_input_is_a_name_and_not_a_command(tmp_path, turn):
    """Whatever stands in a pull request's branch or file names reaches taxcheck as one word."""
    inputs = dict(zip(NAMED, EVIL[turn:] + EVIL[:turn], strict=True))
    code, outputs, said = action(tmp_path / "temp", tmp_path, **inputs, policy="", args="")
    assert (code, outputs["exit-code"]) == (0, "3"), said
    assert "no such file" in said
    assert not list(tmp_path.rglob("owned"))


@pytest.mark.long
def test_a_run_is_pushed_and_the_token_is_in_no_file(tmp_path):
    temp = tmp_path / "temp"
    inputs = {"mapping": str(HEALTHY / "mapping.tsv"), "pairs": str(HEALTHY / "pairs.parquet")}
    with served() as service:
        more = {"to": service.url, "token": "tck_1", "project": "demo", "dataset": "echino"}
        _, outputs, said = action(temp, tmp_path, **inputs, **more)
        (asked,) = service.asked
        assert asked.token == "Bearer tck_1"
        assert json.loads(asked.body) == json.loads(Path(outputs["json"]).read_text())
        assert f"pushed: {service.url}/" in said
    assert not any(b"tck_1" in path.read_bytes() for path in temp.rglob("*") if path.is_file())


@pytest.mark.long
def test_args_are_words_and_nothing_in_them_is_run(tmp_path):
    inputs = {"mapping": str(HEALTHY / "mapping.tsv"), "pairs": str(HEALTHY / "pairs.parquet")}
    title = "--title 'two words $(touch owned)'\n--seed 7"
    _, outputs, said = action(tmp_path / "temp", tmp_path, **inputs, args=title)
    report = json.loads(Path(outputs["json"]).read_text())
    assert report["title"] == "two words $(touch owned)", said
    assert not list(tmp_path.rglob("owned"))


def test_args_that_cannot_be_taken_apart_end_the_step(tmp_path):
    code, outputs, said = action(tmp_path / "temp", tmp_path, pairs="p", args="--title 'open")
    assert (code, outputs) == (2, {})
    assert "::error::args cannot be taken apart: No closing quotation" in said


def test_a_headline_is_one_line_of_output(tmp_path):
    (tmp_path / "report.json").write_text(
        json.dumps({"verdict": "fail", "headline": "a\nexit-code=0"})
    )
    done = subprocess.run(
        [sys.executable, str(ROOT / "action" / "outputs.py"), str(tmp_path), "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "exit-code=1",
        f"reports={tmp_path}",
        f"json={tmp_path}/report.json",
        "verdict=fail",
        "headline=a exit-code=0",
    ]


@pytest.mark.parametrize(
    ("inputs", "code", "asked"),
    [
        ({}, 0, "THERE"),
        ({"INPUT_EXTRAS": "checkpoints,plots"}, 0, "THERE[checkpoints,plots]"),
        ({"INPUT_VERSION": "0.1.0"}, 0, "taxcheck==0.1.0"),
        ({"INPUT_VERSION": "1.0rc1", "INPUT_EXTRAS": "torch"}, 0, "taxcheck[torch]==1.0rc1"),
        ({"INPUT_VERSION": "0.1 --index-url x"}, 2, None),
        ({"INPUT_EXTRAS": "a] evil @ x"}, 2, None),
    ],
)
def test_what_is_installed(tmp_path, inputs, code, asked):
    """With a python in the way that writes down where and how it was called."""
    fake = tmp_path / "bin" / "python"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nfor word in "$PWD" "$@"; do echo "$word"; done > "$0.called"\n')
    fake.chmod(0o755)
    temp = tmp_path / "temp"
    temp.mkdir()
    env = environment(GITHUB_ACTION_PATH="THERE", RUNNER_TEMP=str(temp), **inputs)
    env["PATH"] = f"{fake.parent}:{env['PATH']}"
    done = subprocess.run(
        ["bash", str(ROOT / "action" / "install.sh")], env=env, capture_output=True, text=True
    )
    assert done.returncode == code
    called = tmp_path / "bin" / "python.called"
    assert called.exists() == (asked is not None)
    if asked is not None:
        where, *words = called.read_text().splitlines()
        assert (where, words[:3], words[-1]) == (str(temp), ["-I", "-m", "pip"], asked)
    else:
        assert done.stdout.startswith("::error::")
