"""Draws spread over depths: weights, a cap, repeated rows; and what is declared of them."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from taxcheck.commands.fix.plan import Wishes
from taxcheck.commands.selftest.folder import Folder
from taxcheck.model.finding import Outcome
from taxcheck.policy.read import load_policy
from taxcheck.run.registry import load_rules
from tests.commands.fix.repaired import repair, steps

# Of the fifteen carnivores' 34 pairs 14 are at depth 1, 12 at depth 2 and 8 at depth 3.


def written(path):
    return pd.read_parquet(path / "fixed" / "pairs.parquet")


def declared(path):
    return load_policy(path / "fixed" / "taxcheck.toml", load_rules())


def test_tenfold(tmp_path):
    fixed = repair(Folder(), tmp_path, Wishes(oversample=10))
    pairs = written(tmp_path)
    assert steps(fixed) == {"weigh": 14}
    assert fixed.after.verdict is Outcome.PASS
    assert set(pairs.loc[pairs["depth_diff"] == 1, "weight"]) == {10.0}
    assert set(pairs.loc[pairs["depth_diff"] > 1, "weight"]) == {1.0}
    assert len(pairs) == 34
    assert declared(tmp_path).dataset.duplicates == "weights"


def test_a_share(tmp_path):
    """14 f / (14 f + 20) = 0.7 where f = 10/3."""
    repair(Folder(), tmp_path, Wishes(target_share=0.7))
    pairs = written(tmp_path)
    near = pairs["depth_diff"] == 1
    assert pairs.loc[near, "weight"].sum() / pairs["weight"].sum() == pytest.approx(0.7, abs=1e-6)


def test_a_cap(tmp_path):
    fixed = repair(Folder(), tmp_path, Wishes(cap_depth=2))
    assert steps(fixed) == {"leave": 8}
    assert fixed.after.verdict is Outcome.PASS
    assert written(tmp_path)["depth_diff"].max() == 2
    assert len(written(tmp_path)) == 26
    assert declared(tmp_path).dataset.pairs == "depth<=2"


def test_a_cap_and_a_share(tmp_path):
    repair(Folder(), tmp_path, Wishes(cap_depth=2, target_share=0.5))
    pairs = written(tmp_path)
    near = pairs["depth_diff"] == 1
    assert pairs.loc[near, "weight"].sum() == pytest.approx(12, rel=1e-6)
    assert len(pairs) == 26


def test_repeated_rows_are_declared_and_pass(tmp_path):
    fixed = repair(Folder(), tmp_path, Wishes(oversample=3, materialize=True))
    pairs = written(tmp_path)
    assert "weight" not in pairs
    assert len(pairs) == 3 * 14 + 20
    assert (pairs["depth_diff"] == 1).sum() == 42
    assert fixed.exit_code == 0
    repeated = {r.id: r for r in fixed.after.results}["PAIR006"]
    assert (repeated.outcome, repeated.count) == (Outcome.INFO, 28)
    assert "on purpose" in (tmp_path / "fixed" / "taxcheck.toml").read_text()


def test_own_weights_stay_and_are_multiplied(tmp_path):
    folder = Folder()
    folder.pairs_header = (*folder.pairs_header, "weight")
    folder.pairs = [(*row, 2 + row[2]) for row in folder.pairs]
    folder.pairs.append((*folder.pairs[0][:5], 99))  # the first row of a pair owns it
    folder.drop((0, 9))
    folder.policy = '[dataset]\nduplicates = "weights"\n'
    fixed = repair(folder, tmp_path, Wishes(oversample=10))
    weight = written(tmp_path).set_index(["ancestor_idx", "descendant_idx"])["weight"]
    assert fixed.exit_code == 0
    assert weight[0, 1] == 30  # tenfold 3
    assert weight[0, 3] == 4
    assert weight[0, 9] == 1  # a pair that was missing


def test_the_policy_is_carried_along(tmp_path):
    folder = Folder()
    folder.policy = (
        '[dataset]\nroots = [33554]\nsampler = "uniform"\n[rules.PAIR009]\nseverity = "info"\n'
        "[rules.PAIR014]\ngroup = 7\n[rules.MAP008]\nenabled = false\n"
    )
    repair(folder, tmp_path, Wishes(oversample=3, materialize=True))
    policy = declared(tmp_path)
    assert policy.dataset.roots == (33554,)
    assert policy.dataset.sampler == "unknown"  # it is no longer uniform over pairs
    assert policy.rules["PAIR014"].thresholds == {"group": 7}
    assert not policy.rules["MAP008"].enabled
    assert policy.rules["PAIR006"].severity == "info"


WAIVER = """
[[waiver]]
rule = "{rule}"
owner = "somebody"
reason = "known"
expires = 2999-12-31
max_count = 9
"""


def test_a_waiver_goes_along_while_there_is_something_to_waive(tmp_path):
    """Two nodes are in no pair and nobody can place them; the missing pair is repaired."""
    folder = Folder()
    folder.pairs = [row for row in folder.pairs if row[1] not in (8, 10)]
    folder.drop((0, 9))
    folder.policy = WAIVER.format(rule="PAIR003") + WAIVER.format(rule="TREE004")
    folder.pairs += folder.pairs[:1]
    fixed = repair(folder, tmp_path)
    assert (fixed.exit_code, steps(fixed)["PAIR006"]) == (0, 1)
    assert [one.rule for one in declared(tmp_path).waivers] == ["PAIR003"]


def test_every_comment_of_the_policy_goes_along(tmp_path):
    """Whatever `run` accepts, `fix` writes: owners with odd characters, rules by their names."""
    folder = Folder()
    folder.drop((0, 9))
    folder.pairs += folder.pairs[:1]
    folder.policy = (
        "# what we mean\n[dataset]  # intent\nroots = [  # ours\n  33554,  # Carnivora\n]\n"
        "# how strict\n[rules.depth_imbalance]\ndeparture = inf  # never\n# the loader's\n"
        '[[waiver]]\nrule = "duplicate_pair"  # ask her\nowner = "an\\u007fa \U0001d6fc"\n'
        'reason = "x"\nexpires = 2999-12-31\nmax_count = 9\n# the end\n'
    )
    fixed = repair(folder, tmp_path)
    text = (tmp_path / "fixed" / "taxcheck.toml").read_text(encoding="utf-8")
    assert fixed.exit_code == 0
    for comment in ("what we mean", "intent", "ours", "Carnivora", "how strict", "never",
                    "the loader's", "ask her", "the end"):  # fmt: skip
        assert f"# {comment}\n" in text
    policy = declared(tmp_path)
    assert policy.rules["PAIR009"].thresholds == {"departure": math.inf}
    assert policy.waivers == ()  # nothing is repeated any more
    assert "# the loader's\n# [[waiver]]\n# rule" in text
