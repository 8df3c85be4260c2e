"""[inputs]: a policy that names its files, from any folder; a command line wins."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from taxcheck.cli import cli
from taxcheck.commands.init import profile
from taxcheck.model.errors import UsageError
from taxcheck.policy.model import Inputs, Policy
from taxcheck.policy.read import load_policy, loads, parse_policy
from taxcheck.policy.write import dumps
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request, under_policy

WHOLE = """
[inputs]
mapping = "mapping.tsv"
pairs = "pairs.parquet"
held_out = "held_out.parquet"
taxonomy = "taxdump"
embeddings = "../run/table.pt"
initial = "../run/first.pt"
mapping_columns = "label,row"
pair_columns = "above,below"
key = "model.lt.weight"
geometry = "lorentz"
curvature = 2
labels = "taxid"
"""


def parsed(text: str, source: str | None = None) -> Policy:
    return parse_policy(tomllib.loads(text), load_rules(), source)


def test_every_field_of_a_request_can_be_named_and_paths_follow_the_policy():
    inputs = parsed(WHOLE, "data/taxcheck.toml").inputs
    assert asdict(inputs) == {
        "mapping": "data/mapping.tsv",
        "pairs": "data/pairs.parquet",
        "held_out": "data/held_out.parquet",
        "taxonomy": "data/taxdump",
        "embeddings": "data/../run/table.pt",
        "initial": "data/../run/first.pt",
        "mapping_columns": "label,row",
        "pair_columns": "above,below",
        "key": "model.lt.weight",
        "geometry": "lorentz",
        "curvature": 2,
        "labels": "taxid",
    }
    assert {f.name for f in fields(Inputs)} <= {f.name for f in fields(Request)}


def test_an_absolute_path_stays(tmp_path):
    text = f'[inputs]\npairs = "{tmp_path}/p.csv"\n'
    assert parsed(text, "data/taxcheck.toml").inputs.pairs == f"{tmp_path}/p.csv"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('mappings = "m"', "unknown key 'mappings' in [inputs]; did you mean 'mapping'?"),
        ('embedding = "m"', "did you mean 'embeddings'?"),
        ("pairs = 3", "[inputs] pairs must be a text, or a list of texts, not 3"),
        ("taxonomy = 3", "[inputs] taxonomy must be a text, not 3"),
        ('pairs = ""', "[inputs] pairs must be a text"),
        ("pairs = []", "[inputs] pairs must be a text, or a list of texts, not []"),
        ('pairs = ["a.tsv", 3]', "[inputs] pairs must hold texts, not 3"),
        ('pairs = ["a.tsv", "-"]', "only a command line can name standard input"),
        ('taxonomy = ["a", "b"]', "[inputs] taxonomy must be a text, not ['a', 'b']"),
        ('mapping = "-"', "only a command line can name standard input"),
        ('geometry = "sphere"', "'sphere' is none of ball, lorentz, tangent, euclidean"),
        ("curvature = true", "curvature must be a number"),
        ("curvature = -1", "give c > 0"),
        ("curvature = nan", "give c > 0"),
        ("curvature = inf", "give c > 0"),
    ],
)
def test_what_cannot_be_is_one_line(line: str, words: str):
    with pytest.raises(UsageError) as caught:
        parsed(f"[inputs]\n{line}\n")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_is_a_table():
    with pytest.raises(UsageError, match=r"\[inputs\] must be a table"):
        parsed('inputs = "pairs.csv"\n')


def test_a_command_line_wins_and_takes_along_what_is_said_of_its_file():
    policy = parsed(WHOLE)
    both = under_policy(Inputs(pairs="other.csv"), policy)
    assert (both.mapping, both.mapping_columns) == ("mapping.tsv", "label,row")
    assert (both.pairs, both.pair_columns, both.held_out) == ("other.csv", None, None)
    table = under_policy(Inputs(embeddings="later.pt", geometry="ball"), policy)
    assert (table.embeddings, table.geometry) == ("later.pt", "ball")
    assert (table.key, table.initial, table.curvature) == (None, None, None)
    assert (table.pairs, table.held_out) == ("pairs.parquet", "held_out.parquet")
    columns = under_policy(Inputs(pair_columns="ancestor,descendant"), policy)
    assert (columns.pairs, columns.pair_columns) == ("pairs.parquet", "ancestor,descendant")


def test_without_either_one_line_tells_how():
    with pytest.raises(UsageError) as caught:
        under_policy(Inputs(), Policy())
    assert "give `mapping`, `pairs` or `embeddings`" in str(caught.value)
    assert "[inputs] of taxcheck.toml" in str(caught.value)


paths = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1)


@example("-", "-", 1.0)
@given(paths, paths, st.floats(min_value=1e-6, max_value=1e6))
def test_what_is_written_is_what_is_read(name: str, key: str, curvature: float):
    given_ = Inputs(pairs=f"data/{name}", key=key, curvature=curvature)
    text = dumps(Policy(source="data/taxcheck.toml", inputs=given_))
    read = parsed(text, "data/taxcheck.toml").inputs
    assert (read.key, read.curvature) == (key, curvature)
    assert read.pairs is not None
    # a path may be spelt otherwise (a//b, a/./b), and then leads to the same place
    resolved = [Path(p).absolute().resolve() for p in (given_.pairs or "", read.pairs)]
    assert resolved[0] == resolved[1]


def test_standard_input_is_not_written():
    assert "inputs" not in dumps(Policy(inputs=Inputs(pairs="-")))
    text = dumps(Policy(inputs=Inputs(mapping="m.tsv", pairs="-")))
    assert text.endswith('\n\n[inputs]\nmapping = "m.tsv"\n')


def test_a_profile_names_the_files_as_seen_from_its_folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n")
    (tmp_path / "p.tsv").write_text("ancestor\tdescendant\tdepth_diff\n0\t1\t1\n")
    request = Request(mapping=f"{tmp_path}/m.tsv", pairs=f"{tmp_path}/p.tsv")
    assert parsed(profile(request)).inputs == Inputs(
        mapping=f"{tmp_path}/m.tsv", pairs=f"{tmp_path}/p.tsv"
    )


def test_a_pyproject_names_files_too(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.taxcheck.inputs]\npairs = "p.csv"\n')
    assert load_policy(path, load_rules()).inputs.pairs == str(tmp_path / "p.csv")


def test_what_build_and_fix_leave_can_be_run_in_its_folder_and_from_elsewhere(
    tmp_path, monkeypatch
):
    source = tmp_path / "edges.csv"
    source.write_text("child,parent\nb,a\nc,a\nd,b\ne,b\nf,c\ng,d\n")
    taxcheck("build", str(source), "--out", str(tmp_path / "built"), "--split", "0.5")
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    rows = "0\t1\t1\n1\t2\t1\n0\t2\t2\n"
    (tmp_path / "p.tsv").write_text(f"ancestor\tdescendant\tdepth_diff\n{rows}{rows}")
    files = ["--mapping", f"{tmp_path}/m.tsv", "--pairs", f"{tmp_path}/p.tsv"]
    taxcheck("fix", *files, "--out", f"{tmp_path}/fixed")
    held_out = {"held_out": "held_out.parquet"}
    for name, more in (("built", held_out), ("fixed", {})):
        policy = tmp_path / name / "taxcheck.toml"
        raw = tomllib.loads(policy.read_text())
        assert raw["inputs"] == {"mapping": "mapping.tsv", "pairs": "pairs.parquet", **more}
        roles = ["mapping", "pairs", "held-out"][: 2 + len(more)]
        for folder, arguments in ((tmp_path / name, []), (tmp_path, ["--policy", str(policy)])):
            monkeypatch.chdir(folder)
            report = taxcheck("run", *arguments, "--json", "-")
            assert [one["role"] for one in json.loads(report)["inputs"]] == roles


@pytest.mark.parametrize("value", ["nan", "-nan", "true", '"1"', "[1]"])
def test_a_threshold_that_is_no_number_is_refused(value):
    with pytest.raises(UsageError, match=r"\[rules\.PAIR009\] departure must be a number, not"):
        loads(f"[rules.PAIR009]\ndeparture = {value}\n", load_rules())


def taxcheck(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output
