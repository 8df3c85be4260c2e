"""Nothing that the code knows is missing from the pages that are made of it."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields

import pytest

from docs.generate import python, rest, rules
from docs.generate.markdown import prose, table
from taxcheck.cli import cli
from taxcheck.commands.compare.comparison import comparison_schema
from taxcheck.model.finding import Outcome
from taxcheck.model.rule import About
from taxcheck.model.schema import report_schema
from taxcheck.model.waiver import KEYS, WaiverState
from taxcheck.policy.model import TABLES, Dataset, Inputs, Service
from taxcheck.run.registry import load_rules
from taxcheck.sources.tables.columns import MAPPING_ALIASES, MAPPING_BARE, PAIR_ALIASES, PAIR_BARE
from tests.docs.made import pages
from tests.docs.session import lay_out, matches, run

RULES = {rule.id: rule for rule in load_rules()}


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_option_of_every_command_is_told(name):
    text = pages()[f"reference/commands/{name}.md"]
    for parameter in cli.commands[name].params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            assert re.search(rf"^`[^`]*{parameter.opts[-1]}\b", text, re.M), parameter.opts
    assert f"({name}.md)" in pages()["reference/commands/index.md"]


def test_every_address_of_rest_is_told():
    text = pages()[rest.PATH]
    for path, operations in rest.described()["paths"].items():
        for method, one in operations.items():
            assert f"### `{method.upper()} {path}`" in text
            told = text.split(f"### `{method.upper()} {path}`")[1].split("\n### ")[0]
            for parameter in one.get("parameters", ()):
                assert f"| `{parameter['name']}` |" in told


def test_every_key_of_a_policy_is_told():
    text = pages()["reference/policy.md"]
    named = [field.name for part in (Dataset, Inputs, Service) for field in fields(part)]
    keys = [*named, "enabled", "severity", *KEYS]
    for key in keys:
        assert re.search(rf"^\| `{key}` \|", text, re.M), key
    assert all(f"| `{state}` |" in text for state in WaiverState)
    assert all(re.search(rf"^## \[+{table}", text, re.M) for table in TABLES)


def test_every_threshold_is_told_with_its_default():
    text = pages()["reference/policy.md"]
    for rule in RULES.values():
        for key, threshold in rule.thresholds.items():
            assert f"| [{rule.id}](rules/{rule.id}.md) | `{key}` | {threshold.default:g} |" in text


def test_every_name_of_a_column_is_told():
    text = pages()["reference/inputs.md"]
    told = {
        (of, role): set(re.findall(r"`([^`]+)`", names))
        for of, role, names in re.findall(r"^\| (mapping|pairs) \| (.+?) \| (.*) \|$", text, re.M)
    }
    for of, aliases in (("mapping", MAPPING_ALIASES), ("pairs", PAIR_ALIASES)):
        for role, names in aliases.items():
            assert told[of, f"`{role}`"] == set(names) - {role}
    assert told["mapping", "either, whichever is left"] == set(MAPPING_BARE)
    for role, names in PAIR_BARE.items():
        assert told["pairs", f"`{role}` with a mapping, else `{role}_taxid`"] == set(names)


def test_the_columns_of_the_example_can_be_given_so(tmp_path):
    page = tmp_path / "inputs.md"
    page.write_text(pages()["reference/inputs.md"], encoding="utf-8")
    lay_out(tmp_path)
    typed = list(run(page, tmp_path))
    assert any("--pair-columns" in command.text for command, _, _ in typed)
    assert [code for _, _, code in typed] == [0] * 4


def test_what_a_file_is_can_be_asked_as_the_page_says(tmp_path):
    text = pages()["which-file.md"]
    (page := tmp_path / "which-file.md").write_text(text, encoding="utf-8")
    lay_out(tmp_path)
    typed = list(run(page, tmp_path))
    assert [code for _, _, code in typed] == [0, 0, 3, 0, 0]
    for command, output, _ in typed:
        assert matches(command.shown, output), output
    for kind in ("| an Excel workbook |", "| an Avro file | anything | rewrite it as Parquet |"):
        assert kind in text


@pytest.mark.parametrize("name", ["report", "comparison"])
def test_every_key_of_the_json_is_told(name):
    schema = {"report": report_schema, "comparison": comparison_schema}[name]()
    text = pages()[f"reference/{name}-json.md"]
    sections = re.split(r"^## ", text, flags=re.M)[1:]
    told = {section.split()[0]: section for section in sections}
    assert all(f"| `{key}` |" in told["The"] for key in schema["properties"])
    for definition, value in schema["$defs"].items():
        for key in value.get("properties", ()):
            assert f"| `{key}` |" in told[definition], (definition, key)


@pytest.mark.parametrize("path", [p for _, _, public in python.PUBLIC.values() for p in public])
def test_what_is_public_exists_and_is_documented(path):
    try:
        thing = importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        thing = getattr(importlib.import_module(module), name)
    assert thing.__doc__


def test_every_family_and_every_input_of_rules_has_words():
    assert set(About) == set(rules.FAMILIES)
    taken = {name for rule in RULES.values() for name in (*rule.needs, *rule.wants)}
    assert taken - {"dataset", "threshold"} == set(rules.INPUTS)


@pytest.mark.long
@pytest.mark.parametrize("id", ["PAIR003", "HIER003", "MAP006"])
def test_the_page_of_a_rule_shows_what_the_gate_really_says(id):
    """One of the data, one of a table, one that needs a taxonomy; a build makes all."""
    rule = RULES[id]
    report, _ = rules.example(id)
    (result,) = (r for r in report.results if r.id == id)
    assert result.outcome in (Outcome.FAIL, Outcome.WARN)
    text = rules.page(rule, report)
    assert f"# {id} {rule.name}" in text
    assert " ".join(result.message.split())[:20] in " ".join(text.split())
    assert f"| count | {result.count:,} |" in text
    for threshold in rule.thresholds.values():
        assert f"= {threshold.default:g}" in text
    for other in (*rule.caused_by, *(r.id for r in RULES.values() if id in r.caused_by)):
        assert f"[{other}]({other}.md)" in text


def test_words_are_not_taken_for_marks():
    assert prose("idx < n, 2 * 3 * 4 and ``a * b`` <x>") == (
        "idx &lt; n, 2 \\* 3 \\* 4 and ``a * b`` &lt;x>"
    )
    assert prose("unless --force-all is given") == "unless `--force-all` is given"
    assert prose("see PAIR003 and `PAIR004`", "./") == "see [PAIR003](./PAIR003.md) and `PAIR004`"
    assert prose("one\n\n    code < 1\n\ntwo") == "one\n\n    code < 1\n\ntwo"
    assert prose("these:\n- a\n- b") == "these:\n\n- a\n- b"
    assert table(("a",), [("b|c\nd",)]) == "| a |\n| --- |\n| b\\|c d |"
