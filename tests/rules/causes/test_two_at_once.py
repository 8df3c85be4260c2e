"""Two kinds of damage at once: no cause is certain that neither is, and no repair ends falsely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, touching
from taxcheck.model.finding import Outcome
from tests.commands.fix.repaired import by_name, pairs_of
from tests.commands.selftest.bases import CORRUPTIONS, base

SEED = 20261130
WITH = "tree with taxonomy"
FORMS = (WITH, "tree", "tree without depths")
ENDS = ["ancestor_idx", "descendant_idx"]
Damage = Callable[[DatasetFrame], DatasetFrame]


def only(keep: Callable[[pd.DataFrame], pd.Series | np.ndarray]) -> Damage:
    return lambda frame: frame.only(keep(frame.pairs))


def every(pairs: pd.DataFrame, k: int) -> np.ndarray:
    return np.arange(len(pairs)) % k == 0


@cache
def clade() -> list[int]:
    tree = Tree(base("tree").pairs)
    inner = (x for x in tree.children if tree.depth(x) > 1)
    return next(below for x in inner if 30 <= len(below := tree.below(x)) <= 60)


@cache
def with_taxonomy() -> DatasetFrame:
    return replace(base("tree"), taxonomy=base(WITH).taxonomy)


def of_rank(rank: str) -> set[int]:
    taxonomy, mapping = base(WITH).taxonomy, base("tree").mapping
    assert taxonomy is not None
    taxids = taxonomy.nodes.loc[taxonomy.nodes["rank"] == rank, "taxid"]
    return set(mapping.loc[mapping["taxid"].isin(taxids), "idx"])


def turned(frame: DatasetFrame) -> DatasetFrame:
    pairs = frame.pairs.copy()
    inner = pairs["ancestor_idx"].isin(clade()) & pairs["descendant_idx"].isin(clade())
    pairs.loc[inner, ENDS] = pairs.loc[inner, ENDS[::-1]].to_numpy()
    return replace(frame, pairs=pairs)


def doubled(frame: DatasetFrame) -> DatasetFrame:
    return frame.appended(frame.pairs[frame.pairs["descendant_idx"].isin(clade())])


def slipped(frame: DatasetFrame) -> DatasetFrame:
    pairs = frame.pairs.sort_values(ENDS, ignore_index=True)
    return replace(frame, pairs=pairs.assign(ancestor_idx=np.roll(pairs["ancestor_idx"], 1)))


def wrong(frame: DatasetFrame) -> DatasetFrame:
    generator, pairs = np.random.default_rng(SEED), frame.pairs.copy()
    hit = generator.choice(len(pairs), len(pairs) // 50, replace=False)
    drawn = generator.integers(0, len(frame.mapping), len(hit))
    pairs.loc[hit, "ancestor_idx"] = drawn
    return replace(frame, pairs=pairs)


def with_negatives(frame: DatasetFrame) -> DatasetFrame:
    generator = np.random.default_rng(SEED)
    more = frame.pairs.sample(len(frame.pairs) // 3, random_state=SEED)
    drawn = generator.integers(0, len(frame.mapping), len(more))
    return frame.appended(more.assign(descendant_idx=drawn))


def exchanged(frame: DatasetFrame) -> DatasetFrame:
    """The columns of both ends, with their depths."""
    both = {"ancestor": "descendant", "descendant": "ancestor"}
    names = {f"{a}_{what}": f"{d}_{what}" for a, d in both.items() for what in ("idx", "depth")}
    return replace(frame, pairs=frame.pairs.rename(columns=names)[[*frame.pairs.columns]])


# What is done, and the names that are true of it. Two of one family are not put together.
DAMAGES: dict[str, tuple[str, Damage, set[str]]] = {
    "capped": ("distance", only(lambda p: p["depth_diff"] <= 3), {"depth_capped"}),
    "no parents": ("distance", only(lambda p: p["depth_diff"] > 1), {"no_parent_pairs"}),
    "every fifth lost": ("rows", only(lambda p: ~every(p, 5)), {"every_kth_row"}),
    "every third left": ("rows", only(lambda p: every(p, 3)), {"every_kth_row"}),
    "cut": ("rows", lambda f: replace(f, pairs=f.pairs[: 7 * len(f.pairs) // 10]),
            {"truncated_rows"}),
    "one of each ancestor": ("rows", only(lambda p: ~p.duplicated("ancestor_idx")),
                             {"one_row_per_node"}),
    "clade lost": ("nodes", only(lambda p: ~touching(p, clade())), {"lost_clade"}),
    "genera lost": ("nodes", only(lambda p: ~touching(p, of_rank("genus"))), {"lost_levels"}),
    "top lost": ("nodes", only(lambda p: p["ancestor_depth"] >= 2), {"lost_levels"}),
    "clade doubled": ("surplus", doubled, {"doubled_clade"}),
    "negatives": ("surplus", with_negatives, {"negatives_mixed_in"}),
    "clade turned": ("ends", turned, {"reversed_clade", "exchanged_ends"}),
    "columns exchanged": ("ends", exchanged, {"swapped_pair_columns"}),
    "slipped": ("rows", slipped, {"shifted_column"}),
    "wrong": ("chance", wrong, set()),
}  # fmt: skip
COMBINED = [
    (one, other, form)
    for one, other in permutations(DAMAGES, 2)
    for form in FORMS
    if DAMAGES[one][0] != DAMAGES[other][0]
]
# What else is true of two together, and why.
EQUAL: dict[frozenset[str], set[str]] = {
    # of up to three rows of a node one in three is one
    frozenset({"capped", "every third left"}): {"one_row_per_node"},
    # the first row of an ancestor is a child's: nearly all that is left is parents and children
    frozenset({"one of each ancestor", "negatives"}): {"depth_capped"},
}


def judged(frame: DatasetFrame, allowed: set[str], truth: set[object], folder: Path) -> None:
    fixed = fix(frame.write(folder / "data"), folder / "fixed")
    certain = {cause.name for cause in fixed.before.causes if cause.certainty == "certain"}
    assert certain <= allowed
    if fixed.written and fixed.after is not None and fixed.after.verdict is Outcome.PASS:
        assert {pair[:2] for pair in pairs_of(folder / "fixed")} <= truth


@cache
def truth_of(name: str) -> set[object]:
    sound = base(name)
    named = by_name(sound.pairs, dict(enumerate(sound.mapping[sound.mapping.columns[0]].tolist())))
    return {pair[:2] for pair in named}


def both_done(one: str, other: str, form: str, folder: Path) -> None:
    frame = DAMAGES[other][1](DAMAGES[one][1](with_taxonomy()))
    if not len(frame.pairs):
        pytest.skip("nothing is left")
    own = [column for column in base(form).pairs if column in frame.pairs]
    frame = replace(
        frame,
        pairs=frame.pairs[own].reset_index(drop=True),
        taxonomy=frame.taxonomy if form == WITH else None,
    )
    allowed = DAMAGES[one][2] | DAMAGES[other][2] | EQUAL.get(frozenset({one, other}), set())
    judged(frame, allowed, truth_of("tree"), folder)


def drawn(what: list[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    chosen = np.random.default_rng(SEED).choice(len(what), min(count, len(what)), replace=False)
    return [what[k] for k in np.sort(chosen)]


@pytest.mark.long
@pytest.mark.parametrize(("one", "other", "form"), drawn(COMBINED, 12))
def test_some_of_a_tree(one: str, other: str, form: str, tmp_path: Path):
    both_done(one, other, form, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other", "form"), COMBINED)
def test_all_of_a_tree(one: str, other: str, form: str, tmp_path: Path):
    both_done(one, other, form, tmp_path)


# Corruptions that stand beside the causes: one of what is lost, doubled or added, and any other.
PLANTED = [
    (one, other)
    for one, other in permutations(
        [name for name, corruption in CORRUPTIONS.items() if corruption.base == "tree"], 2
    )
    if {CORRUPTIONS[name].corrupt.__module__.rpartition(".")[2] for name in (one, other)}
    & {"extraction", "closure"}
]
# What else becomes true of one that is planted beside another.
BESIDE = {
    "edges_as_declared": {"depth_capped"},  # where the other one's declaration takes its place
    "all_idx_permuted": {"other_build"},  # every idx is one of another numbering, one to one
}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(("one", "other"), drawn(PLANTED, 20))
def test_planted_ones(one: str, other: str, tmp_path: Path):
    first = CORRUPTIONS[one].corrupt(base("tree"), np.random.default_rng(SEED))
    alone = CORRUPTIONS[other].corrupt(base("tree"), np.random.default_rng(SEED))
    try:
        both = CORRUPTIONS[other].corrupt(first.frame, np.random.default_rng(SEED))
    except (ValueError, IndexError, KeyError, TypeError, AssertionError):
        pytest.skip("it cannot be planted into what the first one left")
    if not len(both.frame.pairs):
        pytest.skip("nothing is left")
    beside = BESIDE.get(one, set()) | BESIDE.get(other, set())
    judged(both.frame, {*first.causes, *alone.causes} | beside, truth_of("tree"), tmp_path)
