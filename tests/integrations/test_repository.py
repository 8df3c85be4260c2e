"""Action, hook and pytest plugin in one repository: the same three verdicts from each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from taxcheck.cli import main
from tests.integrations.conftest import ROOT, environment, git

pytestmark = pytest.mark.long

CODES = {"sound": 0, "broken": 1, "unreadable": 3}


def hooked(repository: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pre-commit with the manifest's hook, as `language: system`, which needs no download."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = {"repo": "local", "hooks": [hook | {"language": "system"}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}))
    git(repository, "add", "--all")
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", *arguments],
        cwd=repository,
        env=environment(PRE_COMMIT_HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=900,
    )


def action(folder: Path, repository: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """The step of the action that runs taxcheck: its exit code, its outputs, the job's summary."""
    folder.mkdir(exist_ok=True)
    output, summary = folder / "output", folder / "summary"
    output.write_text("")
    env = environment(
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(output),
        GITHUB_STEP_SUMMARY=str(summary),
        RUNNER_TEMP=str(folder),
        **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
    )
    done = subprocess.run(
        ["bash", str(ROOT / "action" / "run.sh")],
        cwd=repository,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
    )
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    said = summary.read_text() if summary.exists() else ""
    return done.returncode, outputs, said + done.stdout + done.stderr


@pytest.mark.slow
def test_the_action(repository, state, tmp_path):
    temp = tmp_path / "temp"
    code, outputs, said = action(temp, repository, working_directory="data", cache="true")
    assert code == 0, said  # the step itself; the last step ends the job
    assert outputs["exit-code"] == str(CODES[state])
    if state == "unreadable":
        assert outputs == {"exit-code": "3", "reports": ""}
        assert "pairs.parquet: " in said
        return
    assert outputs["verdict"] == {"sound": "pass", "broken": "fail"}[state]
    report = json.loads(Path(outputs["json"]).read_text())
    assert outputs["headline"] == report["headline"]
    assert {Path(outputs[name]).name for name in ("html", "json", "sarif", "junit")} == {
        *("report.html", "report.json", "report.sarif", "report.xml")
    }
    assert report["headline"] in (temp / "summary").read_text()
    again = action(temp, repository, working_directory="data", cache="true")[1]
    assert json.loads(Path(again["json"]).read_text())["cached"] is True


@pytest.mark.slow
def test_the_hook(repository, state, tmp_path):
    done = hooked(repository, tmp_path / "home")
    assert done.returncode == int(state != "sound"), done.stdout + done.stderr
    assert (f"- exit code: {CODES[state]}" in done.stdout) == (state != "sound")
    assert ("Passed" in done.stdout) == (state == "sound")


def test_the_hook_leaves_other_files_alone(repository, tmp_path):
    (repository / "notes.md").write_text("x\n")
    done = hooked(repository, tmp_path / "home", "--files", "notes.md")
    assert (done.returncode, "Skipped" in done.stdout) == (0, True)


@pytest.mark.slow
def test_the_pytest_plugin(repository, state):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_data.py"],
        cwd=repository,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == int(state != "sound"), done.stdout + done.stderr
    expected = {"sound": "1 passed", "broken": "taxcheck: FAIL: ", "unreadable": "pairs.parquet: "}
    assert expected[state] in done.stdout


def test_the_policy_in_its_folder_and_from_elsewhere(repository, state, tmp_path, monkeypatch):
    policy = str(repository / "data" / "taxcheck.toml")
    for folder, more in ((repository / "data", []), (tmp_path, ["--policy", policy])):
        monkeypatch.chdir(folder)
        try:
            code = main(["run", *more])
        except SystemExit as done:
            code = done.code
        assert (code or 0) == CODES[state]
