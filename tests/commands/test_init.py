"""`taxcheck init`: a policy that can be read, that fits, and that accepts nothing by itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from taxcheck.cli.init import init
from taxcheck.commands.init import profile
from taxcheck.model.errors import UsageError
from taxcheck.policy.model import Policy
from taxcheck.policy.read import parse_policy
from taxcheck.run.check import check
from taxcheck.run.registry import load_rules
from taxcheck.run.request import Request

HEALTHY = Request(
    mapping="fixtures/healthy/mapping.tsv",
    pairs="fixtures/healthy/pairs.parquet",
    taxonomy="fixtures/healthy/taxdump",
)
HEAD = "ancestor\tdescendant\tdepth_diff\n"
# a chain of five: 0 above 1 above 2 above 3 above 4
CHAIN = [(a, d, d - a) for d in range(5) for a in range(d)]


def parsed(text: str) -> Policy:
    return parse_policy(tomllib.loads(text), load_rules(), None)


def chain(folder: Path, pairs: list[tuple[int, int, int]]) -> Request:
    (folder / "m.tsv").write_text("taxid\tidx\n" + "".join(f"{10 + k}\t{k}\n" for k in range(5)))
    rows = "".join("\t".join(map(str, row)) + "\n" for row in pairs)
    (folder / "p.tsv").write_text(HEAD + rows)
    return Request(mapping=str(folder / "m.tsv"), pairs=str(folder / "p.tsv"))


def test_a_healthy_clade():
    """1,436 ancestors, ten of which hold 31,682 of 61,168 pairs; 7,111 pairs are edges."""
    text = profile(HEALTHY)
    policy = parsed(text)
    dataset = policy.dataset
    assert (dataset.pairs, dataset.kind, dataset.roots) == ("closure", "tree", (7586,))
    assert (dataset.duplicates, dataset.sampler) == ("forbid", "unknown")
    assert 'pairs = "closure"  # seen: all 61,168 pairs of the closure are there' in text
    assert policy.rules["PAIR011"].thresholds["top_ten_share"] == 0.52  # 31,682 / 61,168 = .518
    assert policy.rules["PAIR009"].thresholds["parent_share"] == 0.11  # 7,111 / 61,168 = .116
    assert "parent_share = 0.11  # told when it becomes more so; seen: 0.1163" in text


def test_under_its_own_policy_the_clade_passes_and_less_is_told():
    from dataclasses import replace

    before, after = check(HEALTHY), check(replace(HEALTHY, policy=parsed(profile(HEALTHY))))
    assert after.exit_code == 0
    told = [{r.id for r in x.results if r.outcome == "info"} for x in (before, after)]
    assert {"MAP008", "PAIR009", "PAIR011", "PAIR013"} <= told[0]
    assert not {"MAP008", "PAIR009", "PAIR011", "PAIR013"} & told[1]


@pytest.mark.parametrize(
    ("pairs", "meant"),
    [
        (CHAIN, 'pairs = "closure"  # seen'),
        ([row for row in CHAIN if row[2] == 1], 'pairs = "edges"  # guessed'),
        ([row for row in CHAIN if row[2] <= 2], 'pairs = "depth<=2"  # guessed'),
        ([row for row in CHAIN if row[2] != 3], 'pairs = "closure"  # guessed: 2 pairs missing'),
    ],
)
def test_what_the_pairs_mean_to_be(tmp_path, pairs, meant):
    text = profile(chain(tmp_path, pairs))
    assert meant in text
    parsed(text)


def test_findings_are_listed_and_not_accepted(tmp_path):
    request = chain(tmp_path, [*CHAIN, (2, 2, 0)])
    text = profile(request)
    assert "#   fail PAIR005: 1 of 11 rows" in text
    assert "# max_count = 1\n" in text
    assert parsed(text).waivers == ()
    from dataclasses import replace

    assert check(replace(request, policy=parsed(text))).exit_code == 1


def test_a_dag_of_text_identifiers():
    request = Request(mapping="fixtures/uberon/mapping.tsv", pairs="fixtures/uberon/pairs.parquet")
    policy = parsed(profile(request))
    assert (policy.dataset.pairs, policy.dataset.kind) == ("closure", "dag")


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    request = chain(tmp_path, CHAIN)
    out = tmp_path / "taxcheck.toml"
    out.write_text("mine")
    command = ["--mapping", request.mapping, "--pairs", request.pairs, "--out", str(out)]
    done = CliRunner().invoke(init, command)
    assert isinstance(done.exception, UsageError)
    assert out.read_text() == "mine"
    assert CliRunner().invoke(init, [*command, "--force"]).exit_code == 0
    assert parsed(out.read_text()).dataset.kind == "tree"


def test_names_of_files_cannot_break_the_policy(tmp_path):
    folder = tmp_path / "a\nroots = [1]"
    folder.mkdir()
    text = profile(chain(folder, CHAIN))
    assert parsed(text).dataset.roots == (10,)


def test_a_name_beyond_the_basic_plane_is_read_back(tmp_path):
    (tmp_path / "m.tsv").write_text("label\tidx\n\U0001d6fc\t0\nb\x7f\t1\n")
    (tmp_path / "p.tsv").write_text(f"{HEAD}0\t1\t1\n")
    request = Request(mapping=str(tmp_path / "m.tsv"), pairs=str(tmp_path / "p.tsv"))
    assert parsed(profile(request)).dataset.roots == ("\U0001d6fc",)


def test_what_a_person_wrote_stays_and_what_was_seen_is_seen_anew(tmp_path):
    first = profile(chain(tmp_path, CHAIN))
    assert profile(chain(tmp_path, CHAIN), text=first) == first
    mine = first.replace('sampler = "unknown"', 'sampler = "uniform"')
    mine = f"# ours\n{mine}\n# a\n[rules.MAP004]\nenabled = false  # b\n"
    text = profile(chain(tmp_path, [row for row in CHAIN if row[2] == 1]), text=mine)
    policy = parsed(text)
    assert (policy.dataset.pairs, policy.dataset.sampler) == ("edges", "uniform")
    guess = "guessed: all 4 pairs are at depth 1; TREE004 fails if a closure is meant"
    assert f'pairs = "edges"  # {guess}; PAIR009 warns if a closure is meant\n' in text
    assert "all 10 pairs of the closure" not in text
    assert not policy.rules["MAP004"].enabled
    assert all(f"# {comment}\n" in text for comment in ("ours", "a", "b"))
    assert text.count("The policy of taxcheck for this data") == 1
    assert text.count("# [[waiver]]") == 1


def test_what_only_a_guess_keeps_from_failing_is_listed(tmp_path):
    """The chain's closure has 10 pairs; 3 of them are deeper than 2."""
    text = profile(chain(tmp_path, [row for row in CHAIN if row[2] <= 2]))
    (line,) = [line for line in text.splitlines() if line.startswith('pairs = "depth<=2"')]
    assert "# guessed: " in line
    assert "; TREE004 fails if a closure is meant" in line
    assert "\n#   TREE004 fails if a closure is meant: 3 of 10 pairs" in text
    assert "if a closure is meant" not in profile(chain(tmp_path, CHAIN))
    again = profile(chain(tmp_path, CHAIN), text=text)
    assert "TREE004" not in again.split("[rules")[0]


def test_a_new_file_takes_over_the_policy_of_the_pyproject(tmp_path, monkeypatch):
    chain(tmp_path, [*CHAIN, (2, 2, 0)])
    monkeypatch.chdir(tmp_path)
    waiver = (
        "[[tool.taxcheck.waiver]]  # ticket 77\nrule = 'PAIR005'\nowner = 'ana'\nreason = 'r'\n"
        "expires = 2090-01-01\nmax_count = 1\n"
    )
    Path("pyproject.toml").write_text(
        "[project]\nname = 'x'\n[tool.taxcheck.inputs]\nmapping = 'm.tsv'\npairs = 'p.tsv'\n"
        f"[tool.taxcheck.rules.MAP004]\nenabled = false  # Ana's\n{waiver}"
    )
    done = CliRunner().invoke(init, [])
    assert done.exit_code == 0
    assert "It now stands in for [tool.taxcheck] of pyproject.toml" in done.output
    text = Path("taxcheck.toml").read_text()
    policy = parsed(text)
    assert not policy.rules["MAP004"].enabled
    assert [one.owner for one in policy.waivers] == ["ana"]
    assert (policy.inputs.mapping, policy.inputs.pairs) == ("m.tsv", "p.tsv")
    assert "# Ana's\n" in text
    assert "# ticket 77\n" in text
    assert "name = " not in text
