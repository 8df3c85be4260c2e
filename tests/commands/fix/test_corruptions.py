"""Each corruption is found, and repaired to the truth it was made from or refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from taxcheck.commands.fix import repair
from taxcheck.commands.fix.repair import fix
from taxcheck.model.finding import Outcome
from tests.commands.fix.repaired import by_name, pairs_of
from tests.commands.selftest.bases import CORRUPTIONS, REPAIRABLE, REPAIRED, base
from tests.commands.selftest.exactly import SEED, corruption_of, expect_exactly, repeated

pytestmark = pytest.mark.long

# What the files themselves do not say, and the rule that says so.
WITHOUT_TAXONOMY = {
    "all_idx_permuted": "PAIR010",
    "coverage_repaired_by_self_pairs": "PAIR003",
    "dag_cycle": "TREE001",
    "dag_declared_a_tree": "TREE002",
    "dag_distance_shorter_than_the_depths_allow": "TREE005",  # a lost edge would make it so
    "dag_distances_of_longer_paths": "PAIR008",
    "dag_pairs_beyond_the_edges": "TREE005",
    "dag_pairs_missing": "TREE004",
    "dag_parents_missing": "TREE007",
    "edge_reversed": "TREE001",
    "false_ancestor_without_depths": "TREE002",
    "false_ancestors_at_occupied_levels": "TREE005",
    "idx_beyond_the_mapping": "PAIR002",
    "identifiers_looked_up_one_row_off": "PAIR010",
    "idx_given_to_two_taxids": "MAP003",
    "idx_rotated": "PAIR010",  # or the identifiers were
    "idx_shifted_beside_floats": "PAIR002",
    "idx_shifted_by_one": "PAIR002",  # or the identifiers were, and the mapping was cut
    "idx_shifted_without_identifiers": "PAIR002",
    "idx_of_bfloat16": "PAIR003",
    "idx_of_eight_bits": "PAIR003",
    "idx_of_eight_bits_below_zero": "PAIR003",
    "idx_read_as_decimals": "PAIR003",
    "index_range_taken_for_taxids": "PAIR014",
    "last_nodes_in_no_pair": "PAIR003",
    "leaves_dropped": "PAIR003",
    "long_cycle": "TREE001",
    "first_row_of_each_descendant_in_a_dag": "TREE004",
    "held_out_pairs_reversed_in_training": "PAIR012",  # all of them run upwards
    "mapped_idx_of_eight_bits": "PAIR002",
    "mapping_of_another_build": "PAIR010",
    "mapping_row_lost": "PAIR002",
    "mapping_row_lost_without_a_trace": "PAIR002",
    "mapping_starts_again": "PAIR002",
    "node_held_out_whole": "PAIR012",  # none of its pairs can stay held out
    "pairs_numbered_in_text_order": "PAIR010",
    "parent_of_a_clade_missing": "TREE007",
    "parents_lost": "TREE007",
    "parents_of_leaves_missing": "TREE007",
    "range_permuted": "PAIR010",
    "row_numbers_before_the_pairs": "PAIR002",
    "rows_of_the_mapping_counted": "PAIR010",
    "second_mapping_appended": "MAP003",
    "second_parent_alone": "TREE002",
    "second_parents_lost": "TREE005",
    "second_parent_in_a_declared_tree": "TREE002",
    "subtree_dropped": "PAIR003",
    "taxid_numbered_again": "MAP002",
    "taxid_overwritten_by_another": "MAP002",
    "taxids_of_another_build": "PAIR010",
    "taxid_overwritten_under_pairs_that_have_it": "MAP002",
    "taxids_used_as_idx_in_the_mapping": "PAIR003",
    "two_idx_exchanged": "PAIR010",
    **(WEIGHTS := {n: "PAIR016" for n in CORRUPTIONS if n.startswith("weights_that_")}),
}
# The taxonomy does not know what these made up.
WITH_TAXONOMY = {
    **WEIGHTS,
    "held_out_pairs_reversed_in_training": "PAIR012",
    "index_range_taken_for_taxids": "PAIR014",
    "last_nodes_in_no_pair": "PAIR003",
    "mapping_of_another_build": "MAP006",
    "node_held_out_whole": "PAIR012",
}
# No row is wrong, so that there is nothing to be repaired.
UNTOUCHED = {
    "drawn_uniformly", "genus_ranked_below_its_species", "other_roots_than_declared",
    "same_depth_negatives", "taxids_merged_deleted_and_unheard_of",
}  # fmt: skip
# What these leave is no part of the base: roots that are gone, or other names.
OTHER_TRUTH = {"forest", "second_parent_with_its_ancestors"}
# Their mapping calls the nodes of the base by other identifiers.
RENAMED = {
    "codes_beside_idx_without_zeros",
    "header_of_other_words",
    "pairs_numbered_in_text_order",
    *(name for name in CORRUPTIONS if name.startswith("labels_") and name in REPAIRABLE),
}


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """The pages of the gate that is run again, and the wait for the disk, are others' business."""
    monkeypatch.setattr(repair, "write_gate", lambda report, *_: report)
    monkeypatch.setattr("os.fsync", lambda _: None)


def _repaired(frame, folder):
    return fix(frame.write(folder / "data"), folder / "fixed")


def _beside_a_taxonomy(name, folder):
    frame = corruption_of(name).frame
    return _repaired(replace(frame, taxonomy=base("tree with taxonomy").taxonomy), folder)


def _judge(name, fixed, folder, refused, mapping=None):
    out = folder / "fixed"
    if name in refused:
        blocking = [one.rule for one in fixed.plan.lacking if one.blocking]
        assert blocking[0] == refused[name]
        assert fixed.exit_code == (fixed.before.verdict is Outcome.FAIL)
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
    if name in RENAMED:
        names = mapping[mapping.columns[0]].tolist()
        if all(str(name).isdecimal() for name in names):  # as pandas reads them back
            names = [int(name) for name in names]
        truth = by_name(base(CORRUPTIONS[name].base).pairs, dict(enumerate(names)))
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


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in REPAIRED else pytest.mark.slow) for n in REPAIRABLE],
)
def test_by_the_files_alone_or_with_their_own_taxonomy(name, tmp_path):
    """What the repair is shown first is what every run finds: exactly what was damaged."""
    corrupted = repeated(name)
    fixed = _repaired(corrupted.frame, tmp_path)
    expect_exactly(name, corrupted, fixed.before)
    _judge(name, fixed, tmp_path, WITHOUT_TAXONOMY, corrupted.frame.mapping)


# A taxonomy matters where the files say too little, or too much; beside the others it is slow.
TOLD = {*WITHOUT_TAXONOMY, *WITH_TAXONOMY, *UNTOUCHED} & {*REPAIRED}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in TOLD else pytest.mark.slow)
        for name in REPAIRABLE
        if CORRUPTIONS[name].base == "tree" and name not in RENAMED
    ],
)
def test_with_a_taxonomy(name, tmp_path):
    _judge(name, _beside_a_taxonomy(name, tmp_path), tmp_path, WITH_TAXONOMY)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["damaged_mapping_cells", "leaves_dropped", "rows_repeated", "swapped_mapping_columns"]
)
def test_a_repair_of_the_repaired_finds_nothing(name, tmp_path):
    fixed = _beside_a_taxonomy(name, tmp_path)
    from tests.commands.fix.repaired import request_of

    again = replace(request_of(tmp_path / "fixed"), taxonomy=str(tmp_path / "data" / "taxdump"))
    second = fix(again, tmp_path / "again")
    assert fixed.written
    assert (second.plan.steps, second.written, second.exit_code) == ((), (), 0)
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("then", ["idx_counted_from_one", "taxids_used_as_idx_in_the_pairs"])
def test_exchanged_columns_keep_their_identifiers_whatever_the_pairs_hold(then, tmp_path):
    generator = np.random.default_rng(SEED)
    frame = CORRUPTIONS["swapped_mapping_columns"].corrupt(base("tree"), generator).frame
    fixed = fix(
        CORRUPTIONS[then].corrupt(frame, generator).frame.write(tmp_path / "data"),
        tmp_path / "fixed",
    )
    assert fixed.after is not None
    assert pairs_of(tmp_path / "fixed") == _truth("tree")


def test_a_header_that_was_numbered_as_a_taxon_shows_no_idx_that_was_skipped(tmp_path):
    generator = np.random.default_rng(SEED)
    frame = CORRUPTIONS["header_line_read_as_data"].corrupt(base("tree"), generator).frame
    lost = CORRUPTIONS["mapping_row_lost_without_a_trace"].corrupt(frame, generator).frame
    fixed = fix(lost.write(tmp_path / "data"), tmp_path / "fixed")
    assert not fixed.plan.possible
    assert not fixed.written
