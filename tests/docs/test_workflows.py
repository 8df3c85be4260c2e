"""The examples for workflows: each is whole, and every command in them is one that there is."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import yaml

from taxcheck.cli import cli
from tests.docs.session import blocks

PAGE = Path("docs/how-to/workflows.md")
FILES = {block.title: block.text for block in blocks(PAGE) if block.title}


def test_every_example_is_whole():
    assert len(FILES) == 7
    stages = yaml.safe_load(FILES["dvc.yaml"])["stages"]
    assert set(stages["gate"]["outs"]) <= set(stages["train"]["deps"])
    job = yaml.safe_load(FILES[".gitlab-ci.yml"])["gate"]
    said = " ".join(job["script"])
    assert all(name in said for name in (*job["artifacts"]["paths"], "report.xml"))
    for name in ("airflow_gate.py", "dagster_gate.py"):
        ast.parse(FILES[name])
    for name in ("Jenkinsfile", "gate.nf"):
        assert FILES[name].count("{") == FILES[name].count("}") > 0


def test_every_command_takes_what_it_is_given():
    text = PAGE.read_text(encoding="utf-8").replace("taxcheck \\\n  run", "taxcheck run")
    found = re.findall(r"taxcheck ((?:run|train) [^\n'\"]+)", text)
    assert len(found) == 9
    for command in found:
        name, *words = shlex.split(command)
        options = {one for parameter in cli.commands[name].params for one in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
