"""Every corruption is repaired to the truth that it was made from, or refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from taxcheck.fixing.repair import fix
from taxcheck.rule import Outcome
from tests.corruptions import CORRUPTIONS, base
from tests.fixing.repaired import by_name, pairs_of

pytestmark = pytest.mark.long

SEED = 20240907
DATA = [
    name
    for name, c in CORRUPTIONS.items()
    if base(c.base).table is None and base(c.base).mapping_given
]
# What the files themselves do not say, and the rule that says so.
WITHOUT_TAXONOMY = {
    "coverage_repaired_by_self_pairs": "PAIR003",
    "dag_cycle": "TREE001",
    "dag_declared_a_tree": "TREE002",
    "dag_parents_missing": "TREE007",
    "edge_reversed": "TREE001",
    "false_ancestor_without_depths": "TREE002",
    "idx_given_to_two_taxids": "MAP003",
    "index_range_taken_for_taxids": "PAIR014",
    "last_nodes_in_no_pair": "PAIR003",
    "leaves_dropped": "PAIR003",
    "long_cycle": "TREE001",
    "held_out_pairs_reversed_in_training": "PAIR012",  # all of them run upwards
    "node_held_out_whole": "PAIR012",  # none of its pairs can stay held out
    "parent_of_a_clade_missing": "TREE007",
    "parents_of_leaves_missing": "TREE007",
    "second_parent_alone": "TREE002",
    "second_parent_in_a_declared_tree": "TREE002",
    "subtree_dropped": "PAIR003",
    "taxid_overwritten_by_another": "MAP002",
    "taxid_overwritten_under_pairs_that_have_it": "MAP002",
    "taxids_used_as_idx_in_the_mapping": "PAIR003",
}
# The taxonomy does not know what these made up.
WITH_TAXONOMY = {
    "held_out_pairs_reversed_in_training": "PAIR012",
    "index_range_taken_for_taxids": "PAIR014",
    "last_nodes_in_no_pair": "PAIR003",
    "node_held_out_whole": "PAIR012",
}
# No row is wrong, so that there is nothing to be repaired.
UNTOUCHED = {
    "drawn_uniformly", "genus_ranked_below_its_species", "other_roots_than_declared",
    "same_depth_negatives", "taxids_merged_deleted_and_unheard_of",
}  # fmt: skip
# What these leave is no part of the base: roots that are gone, or other names.
OTHER_TRUTH = {"forest", "second_parent_with_its_ancestors"}


def _repaired(name, folder, taxonomy):
    corruption = CORRUPTIONS[name]
    corrupted = corruption.corrupt(base(corruption.base), np.random.default_rng(SEED))
    frame = corrupted.frame
    if taxonomy:
        frame = replace(frame, taxonomy=base("tree with taxonomy").taxonomy)
    return fix(frame.write(folder / "data"), folder / "fixed"), frame.policy


def _judge(name, fixed, folder, refused):
    out = folder / "fixed"
    if name in refused:
        blocking = [one.rule for one in fixed.plan.lacking if one.blocking]
        assert blocking[0] == refused[name]
        assert fixed.exit_code == 1
        assert not out.exists()
        return
    assert fixed.plan.possible
    assert fixed.exit_code == 0
    if not fixed.written:
        assert fixed.before.verdict in (Outcome.PASS, Outcome.WARN)
        assert not out.exists()
        return
    assert fixed.after.verdict is Outcome.PASS
    assert name not in UNTOUCHED
    if name in OTHER_TRUTH:
        return
    truth, found = _truth(CORRUPTIONS[name].base), pairs_of(out)
    if (out / "held_out.parquet").exists():
        held_out = pairs_of(out, "held_out")
        assert not found & held_out
        found |= held_out
    if found == truth:
        return
    ends = {end for a, d, _ in found for end in (a, d)}
    cap = max(k for _, _, k in found)
    assert found == {(a, d, k) for a, d, k in truth if {a, d} <= ends and k <= cap}


@cache
def _truth(name):
    sound = base(name)
    pairs = sound.pairs if "depth_diff" in sound.pairs else base("tree").pairs
    return by_name(pairs, dict(enumerate(sound.mapping[sound.mapping.columns[0]].tolist())))


@pytest.mark.parametrize("name", DATA)
def test_by_the_files_alone_or_with_their_own_taxonomy(name, tmp_path):
    fixed, _ = _repaired(name, tmp_path, taxonomy=False)
    _judge(name, fixed, tmp_path, WITHOUT_TAXONOMY)


@pytest.mark.parametrize("name", [n for n in DATA if CORRUPTIONS[n].base == "tree"])
def test_with_a_taxonomy(name, tmp_path):
    fixed, _ = _repaired(name, tmp_path, taxonomy=True)
    _judge(name, fixed, tmp_path, WITH_TAXONOMY)


@pytest.mark.parametrize(
    "name", ["damaged_mapping_cells", "leaves_dropped", "rows_repeated", "swapped_mapping_columns"]
)
def test_a_repair_of_the_repaired_finds_nothing(name, tmp_path):
    fixed, _ = _repaired(name, tmp_path, taxonomy=True)
    from tests.fixing.repaired import request_of

    again = replace(request_of(tmp_path / "fixed"), taxonomy=str(tmp_path / "data" / "taxdump"))
    second = fix(again, tmp_path / "again")
    assert fixed.written
    assert (second.plan.steps, second.written, second.exit_code) == ((), (), 0)
    assert not (tmp_path / "again").exists()
