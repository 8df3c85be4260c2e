"""What holds of every command: a folder's policy is enough, an input is read once, findings agree.

The folder has a tree of 121 nodes and one more that is in no pair, a self-pair, held-out pairs, a
policy that changes what rules say of them, and a table whose rows have no order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from taxcheck.cli import main
from taxcheck.model.result import RuleResult
from taxcheck.run import gather, judge
from taxcheck.sources.checkpoints import opening as checkpoints
from taxcheck.sources.tables.opening import Table

NODES, BRANCHES = 121, 3
POLICY = """# how this data is meant
[inputs]
mapping = "mapping.tsv"
pairs = "pairs.tsv"
held_out = "held_out.tsv"
embeddings = "table.npy"
geometry = "ball"

[dataset]
roots = [101]

[rules.PAIR003]
severity = "warn"

[rules.PAIR005]
enabled = false

[rules.EMB009]
enabled = false
"""
MENDED = '[rules.PAIR004]\nseverity = "warn"\n'  # with it, what a repair leaves passes
COMMANDS = {
    "run": ["run"],
    "why": ["why", "103"],
    "fix": ["fix", "--out", "fixed"],
    "train": ["train", "--out", "run1", "--epochs", "1", "--dim", "4", "--workers", "1", "-q"],
    "init": ["init", "--out", "profile.toml"],
    "evaluate": ["evaluate"],
    "explore": ["explore", "--out", "page.html"],
}
READ = {"mapping.tsv", "pairs.tsv", "held_out.tsv"}
TABLE = {"run", "why", "fix", "evaluate", "explore"}  # they open the table that there is
Findings = dict[str, tuple[str, int | None]]


def closure() -> list[tuple[int, int, int]]:
    rows = []
    for node in range(1, NODES):
        above, distance = (node - 1) // BRANCHES, 1
        while above >= 0:
            rows.append((above, node, distance))
            above, distance = ((above - 1) // BRANCHES if above else -1), distance + 1
    return rows


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = closure()
    held = [row for row in rows if row[2] > 2][::7]
    head = "ancestor_idx\tdescendant_idx\tdepth_diff\n"
    for name, kept in (("pairs", [*[r for r in rows if r not in held], (5, 5, 0)]),
                       ("held_out", held)):  # fmt: skip
        text = "".join(f"{a}\t{d}\t{k}\n" for a, d, k in kept)
        (tmp_path / f"{name}.tsv").write_text(head + text)
    mapping = "".join(f"{node + 100}\t{node}\n" for node in range(NODES + 1))
    (tmp_path / "mapping.tsv").write_text("taxid\tidx\n" + mapping)
    (tmp_path / "taxcheck.toml").write_text(POLICY)
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (NODES + 1, 4))
    np.save(tmp_path / "table.npy", points)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Findings]:
    """What rules found, a dictionary for each time that they judged."""
    found: list[Findings] = []
    honest = judge.run_rules

    def noted(*args: object) -> tuple[RuleResult, ...]:
        results = honest(*args)  # type: ignore[arg-type]
        found.append({r.id: (r.outcome.value, r.count) for r in results})
        return results

    monkeypatch.setattr(judge, "run_rules", noted)
    return found


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was read to its end, and each table and taxonomy opened."""
    counted: Counter[str] = Counter()
    honest = Table.batches

    def batches(self: Table, columns: object) -> Iterator[object]:
        yield from honest(self, columns)  # type: ignore[arg-type]
        counted[str(self.path)] += 1

    def opening(module: object, name: str) -> None:
        opened = getattr(module, name)

        def noted(path: str, *args: object, **more: object) -> object:
            counted[path] += 1
            return opened(path, *args, **more)

        monkeypatch.setattr(module, name, noted)

    monkeypatch.setattr(Table, "batches", batches)
    opening(checkpoints, "open_checkpoint")
    opening(gather, "open_beside")
    return counted


def typed(name: str) -> int:
    try:
        main(COMMANDS[name])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("name", COMMANDS)
def test_in_a_folder_with_a_policy_no_file_is_named_and_each_is_read_once(
    folder: Path, reads: Counter[str], name: str
) -> None:
    if name == "fix":
        (folder / "taxcheck.toml").write_text(POLICY + MENDED)
    assert typed(name) == (1 if name in ("run", "train") else 0), "its verdict"
    own = {file: count for file, count in reads.items() if file in READ}
    assert own == dict.fromkeys(READ - ({"held_out.tsv"} if name == "explore" else set()), 1)
    assert reads["table.npy"] == (1 if name in TABLE else 0)


@pytest.mark.parametrize("name", ["run", "fix", "init"])
def test_a_taxonomy_is_read_once(folder: Path, reads: Counter[str], name: str) -> None:
    lines = "".join(
        f"{n + 100}\t|\t{(n - 1) // BRANCHES + 100 if n else 100}\t|\tspecies\t|\n"
        for n in range(NODES)
    )
    dump = folder / "taxdump"
    dump.mkdir()
    (dump / "nodes.dmp").write_text(lines)
    (dump / "names.dmp").write_text("100\t|\tall\t|\t\t|\tscientific name\t|\n")
    policy = MENDED + POLICY.replace("[dataset]", 'taxonomy = "taxdump"\n\n[dataset]')
    (folder / "taxcheck.toml").write_text(policy)
    assert typed(name) <= 1, "its verdict"
    assert (folder / "fixed").exists() == (name == "fix")
    assert reads["taxdump"] == 1


@pytest.mark.usefixtures("folder")
def test_the_same_data_and_policy_give_the_same_findings(judged: list[Findings]) -> None:
    found: dict[str, Findings] = {}
    for name in ("run", "why", "fix", "train"):
        judged.clear()
        typed(name)
        found[name] = judged[0]
    run = found["run"]
    assert run["PAIR003"] == ("warn", 1)
    assert run["PAIR005"] == ("skipped", None)
    assert run["TREE003"][0] == "warn"
    assert found["why"] == run
    data = {rule: said for rule, said in run.items() if rule[:3] not in ("EMB", "HIE", "TRA")}
    assert found["fix"] == found["train"] == data


def test_why_tells_of_a_node_what_the_policy_lets_a_run_tell(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taxcheck.toml").write_text(POLICY.replace("EMB009", "EMB002"))
    table = np.load(folder / "table.npy")
    table[3] = np.nan
    np.save(folder / "table.npy", table)
    typed("why")
    shown = capsys.readouterr().out
    assert "103: idx 3" in shown
    assert "EMB002" not in shown
    (folder / "taxcheck.toml").write_text(POLICY)
    typed("why")
    assert "EMB002 non_finite" in capsys.readouterr().out


def test_what_init_lists_is_what_run_finds_under_its_policy(
    folder: Path, judged: list[Findings]
) -> None:
    (folder / "taxcheck.toml").write_text(POLICY.partition("[rules.PAIR003]")[0])
    typed("init")
    listed = re.findall(r"^#   (fail|warn) (\w+):", (folder / "profile.toml").read_text(), re.M)
    assert ("fail", "PAIR003") in listed
    judged.clear()
    main_run = ["run", "--policy", "profile.toml"]
    with pytest.raises(SystemExit):
        main(main_run)
    told = {(outcome, rule) for rule, (outcome, _) in judged[0].items()
            if outcome in ("fail", "warn") and rule[:3] in ("MAP", "PAI", "TRE")}  # fmt: skip
    assert told == set(listed)


def test_a_file_that_is_given_comes_without_what_the_policy_says_of_another(
    folder: Path, reads: Counter[str]
) -> None:
    other = (folder / "pairs.tsv").read_text()
    (folder / "other.tsv").write_text(other)
    with pytest.raises(SystemExit):
        main(["train", "--pairs", "other.tsv", "--out", "run2", "-q"])
    assert reads["other.tsv"] == 1
    assert reads["held_out.tsv"] == reads["pairs.tsv"] == 0
