"""Options and the Request that they make; what is wrong is told in the words that were typed."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from taxcheck.cli import cli, main
from taxcheck.cli.options import in_options, takes_request
from taxcheck.model.errors import UsageError
from taxcheck.policy.model import Inputs
from taxcheck.run.request import Request


def complaint(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("taxcheck: ")


def request_of(names: tuple[str, ...], *line: str, **more: object) -> Request:
    """What a command with these fields is handed."""
    seen: list[Request] = []

    @click.command()
    @takes_request(*names, **more)  # type: ignore[arg-type]
    def command(request: Request) -> None:
        seen.append(request)

    command.main(list(line), standalone_mode=False)
    return seen[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "taxcheck.toml").write_text(
        '[inputs]\nmapping = "m.tsv"\npairs = "p.tsv"\nheld_out = "h.tsv"\nembeddings = "t.npy"\n'
        'pair_columns = "child,parent"\nkey = "layer"\n[dataset]\nkind = "tree"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_policy_of_the_folder_names_what_the_line_does_not() -> None:
    request = request_of(("mapping", "pairs", "held_out", "embeddings"), "--mapping", "other.tsv")
    assert request.inputs == Inputs(
        mapping="other.tsv", pairs="p.tsv", held_out="h.tsv", embeddings="t.npy",
        pair_columns="child,parent", key="layer",
    )  # fmt: skip
    assert request.policy.dataset.kind == "tree"


@pytest.mark.usefixtures("folder")
def test_what_a_command_does_not_take_is_left_out() -> None:
    request = request_of(("mapping", "pairs"))
    assert request.inputs == Inputs(mapping="m.tsv", pairs="p.tsv", pair_columns="child,parent")


@pytest.mark.usefixtures("folder")
def test_other_pairs_come_without_what_is_said_of_those_of_the_policy() -> None:
    request = request_of(("mapping", "pairs", "held_out"), "--pairs", "q.tsv")
    assert request.inputs == Inputs(mapping="m.tsv", pairs="q.tsv")


@pytest.mark.usefixtures("folder")
def test_a_field_may_be_typed_without_its_option() -> None:
    names = ("pairs", "embeddings")
    assert request_of(names, argument={"embeddings": "CHECKPOINT"}).embeddings == "t.npy"
    request = request_of(names, "best.pt", argument={"embeddings": "CHECKPOINT"})
    assert (request.embeddings, request.key) == ("best.pt", None)


@pytest.mark.parametrize("fields", [
    {},
    {"mapping": "m", "held_out": "q"},
    {"mapping": "m", "initial": "t"},
    {"mapping": "-", "pairs": "-"},
])  # fmt: skip
def test_a_request_that_cannot_be_names_fields_and_the_line_names_options(
    fields: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        Request(**fields)  # type: ignore[arg-type]
    said = str(refused.value)
    assert "--" not in said
    line = [part for key, value in fields.items()
            for part in (f"--{key.replace('_', '-')}", value)]  # fmt: skip
    told = complaint(["run", *line], capsys)
    for field in ("mapping", "pairs", "embeddings", "held_out", "initial"):
        said = said.replace(f"`{field}`", f"--{field.replace('_', '-')}")
    assert told == said
    assert "`" not in told


def test_a_message_speaks_of_what_was_typed() -> None:
    parameters = cli.commands["evaluate"].params
    told = in_options("give `embeddings` and `mapping_columns`; see `taxcheck run`", parameters)
    assert told == "give CHECKPOINT and --mapping-columns; see `taxcheck run`"
    assert in_options("`nothing` is known of `x`", parameters) == "`nothing` is known of `x`"


def test_taxcheck_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.err) == (2, "")
    assert shown.out.splitlines()[0].endswith(" [OPTIONS] COMMAND [ARGS]...")
    assert "  selftest  Plant every known corruption" in shown.out


def test_only_the_command_line_speaks_of_options() -> None:
    """Texts below it may quote a whole command, as in `taxcheck run --json`."""
    option, command = re.compile(r"(?<![\w-])--[a-z]"), re.compile(r"taxcheck [a-z]+ --[a-z]+")
    found = []
    for path in sorted(Path("taxcheck").rglob("*.py")):
        if path.parts[1] == "cli":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documents
            and option.search(command.sub("", node.value))
        ]
    assert found == []
