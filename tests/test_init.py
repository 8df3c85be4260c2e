"""`taxcheck init`: a policy that can be read, that fits, and that accepts nothing by itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from taxcheck.cli.init import init
from taxcheck.config import Policy, parse_policy
from taxcheck.errors import UsageError
from taxcheck.pipeline import check
from taxcheck.profiling import profile
from taxcheck.registry import load_rules
from taxcheck.request import Request

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
    told = [{r.rule.id for r in x.results if r.outcome == "info"} for x in (before, after)]
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
