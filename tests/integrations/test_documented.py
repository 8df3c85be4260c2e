"""The examples of docs/integrations.md are what a reader can copy."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from dataclasses import fields

import yaml

from taxcheck import Guard
from taxcheck.policy.model import Inputs
from taxcheck.policy.read import parse_policy
from taxcheck.run.registry import load_rules
from tests.integrations.conftest import ROOT

PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def test_the_policy_is_one():
    (text,) = blocks("toml")
    inputs = parse_policy(tomllib.loads(text), load_rules(), None).inputs
    assert inputs == Inputs("mapping.tsv", "pairs.parquet", "held_out.parquet")


def test_every_key_of_inputs_is_named():
    table = PAGE.split("| key |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) - {"embeddings"} == {
        f.name for f in fields(Inputs)
    } - {"embeddings"}


def test_workflow_and_hook_are_what_there_is():
    workflow, config = (yaml.safe_load(text) for text in blocks("yaml"))
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step = workflow["jobs"]["gate"]["steps"][-1]
    assert set(step["with"]) <= set(action["inputs"])
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (shown,) = config["repos"][0]["hooks"]
    assert shown["id"] == hook["id"]
    assert shown.get("files", hook["files"]) == hook["files"]
    table = PAGE.split("| input |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) >= set(action["inputs"])
    outputs = PAGE.split("Outputs: ")[1].split(".")[0]
    assert set(re.findall(r"`([a-z-]+)`", outputs)) == set(action["outputs"])


def test_what_the_examples_call_exists():
    called = {
        ast.unparse(node.func): node
        for text in blocks("python")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    }
    guard = called["Guard"]
    accepted = inspect.signature(Guard).parameters
    assert {keyword.arg for keyword in guard.keywords} <= set(accepted)
    for name in ("before", "after_epoch", "finish"):
        assert f"guard.{name}" in called
        assert hasattr(Guard, name)
