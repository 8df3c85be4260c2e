"""Commands that are advised: with the inputs of the run, and as the commands take them."""

from __future__ import annotations

import re
import shlex

import pytest

from taxcheck.cli import cli
from taxcheck.policy.model import FILES, Inputs, Policy
from taxcheck.run.registry import load_causes, load_rules
from taxcheck.run.request import Request
from taxcheck.run.typed import TAKES, typed

DATA = Request(mapping="my map.tsv", pairs=("a.parquet", "b.parquet"), pair_columns="child,parent")


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        (
            "``taxcheck fix ... --out fixed/`` adds them",
            "``taxcheck fix --mapping 'my map.tsv' --pairs a.parquet --pairs b.parquet "
            "--pair-columns child,parent --out fixed/`` adds them",
        ),
        (  # a taxonomy that the run does not have keeps the name that stands for it
            "``taxcheck fix ...\n    --taxonomy taxdump/``",
            "``taxcheck fix --mapping 'my map.tsv' --pairs a.parquet --pairs b.parquet "
            "--pair-columns child,parent --taxonomy taxdump/``",
        ),
        ("see ``taxcheck fix`` and ``a < ...``", "see ``taxcheck fix`` and ``a < ...``"),
        ("``taxcheck why 'unclosed --pairs pairs.parquet``",) * 2,
        ("``taxcheck  ``", "``taxcheck``"),
    ],
)
def test_dots_are_the_inputs(advice, said):
    assert typed(advice, DATA) == said


def test_what_stands_for_a_table_is_the_runs():
    request = Request(pairs="p.tsv", embeddings="run/best.pt", labels="names", key="w")
    listing = (
        "First:\n\n    taxcheck why NODE --embeddings checkpoint.pt --mapping mapping.tsv \\\n"
        "        --pairs pairs.parquet\n\nthen ``taxcheck evaluate checkpoint.pt "
        "--mapping mapping.tsv --pairs pairs.parquet``."
    )
    assert typed(listing, request, "203") == (  # without a mapping none is named
        "First:\n\n    taxcheck why 203 --embeddings run/best.pt --pairs p.tsv --key w "
        "--labels names\n\nthen ``taxcheck evaluate run/best.pt --pairs p.tsv --key w "
        "--labels names``."
    )


def test_what_the_policy_of_the_folder_names_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = Inputs(mapping="m.tsv", pairs="p.tsv")
    here = Request(
        mapping="m.tsv", pairs="p.tsv", policy=Policy(source="taxcheck.toml", inputs=named)
    )
    assert typed("``taxcheck fix ... --out o/``", here) == "``taxcheck fix --out o/``"
    there = Request(
        mapping="m.tsv", pairs="p.tsv", policy=Policy(source="../all.toml", inputs=named)
    )
    said = "``taxcheck fix --mapping m.tsv --pairs p.tsv --policy ../all.toml --out o/``"
    assert typed("``taxcheck fix ... --out o/``", there) == said


def test_every_command_takes_what_it_is_given():
    for name, fields in TAKES.items():
        known = {option for field in cli.commands[name].params for option in field.opts}
        assert {"--" + field.replace("_", "-") for field in fields} <= known
    assert set(FILES) <= set(TAKES["run"])


def test_no_advice_of_a_rule_or_a_cause_leaves_dots():
    request = Request(
        mapping="m.tsv", pairs="p.tsv", taxonomy="t", embeddings="e.npy", held_out="h.tsv"
    )
    for one in (*load_rules(), *load_causes()):
        for command in re.findall(r"taxcheck \w+ [^`\n]+", typed(one.document.fix, request)):
            words = shlex.split(command)
            assert not {"...", "checkpoint.pt", "mapping.tsv", "pairs.parquet"} & set(words), one
