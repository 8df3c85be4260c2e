"""What is written is what the policy declares; and readings that no single rule corrects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.folder import LEOPARD, PARENTS, TAXA, Folder, taxonomy, with_taxids
from taxcheck.commands.selftest.frame import closure
from taxcheck.run.request import Request
from tests.commands.fix.repaired import mapping_of, pairs_of, repair, steps

TAXIDS = [taxon[0] for taxon in TAXA]
TRUTH = {(TAXIDS[a], TAXIDS[d], k) for a, d, k, *_ in closure(PARENTS)}


def test_edges_stay_edges(tmp_path):
    folder = Folder(policy='[dataset]\npairs = "edges"\n')
    folder.pairs = [row for row in folder.pairs if row[2] == 1]
    folder.pairs.append(folder.pairs[3])
    assert steps(repair(folder, tmp_path)) == {"PAIR006": 1}
    assert pairs_of(tmp_path / "fixed") == {row for row in TRUTH if row[2] == 1}


def test_a_sampled_set_stays_sampled_and_its_gaps_get_a_parent(tmp_path):
    """The coyote (8) is in no pair; a pair of strangers and a repeated row are there."""
    folder = Folder(policy='[dataset]\npairs = "sampled"\n', taxa=taxonomy())
    folder.pairs = [row for row in folder.pairs if row[1] not in (8, 12)]
    folder.pairs += [(0, 12, 3, 0, 3), (0, 12, 3, 0, 3), (2, 7, 2, 1, 3)]
    fixed = repair(folder, tmp_path)
    assert steps(fixed) == {"PAIR006": 1, "TREE009": 1, "PAIR003": 1}
    assert pairs_of(tmp_path / "fixed") == {
        row for row in TRUTH
        if row[1] not in (9614, 9683) or row in {(9611, 9614, 1), (33554, 9683, 3)}
    }  # fmt: skip


def test_a_merged_taxid_becomes_its_successor_and_keeps_its_idx(tmp_path):
    folder = Folder(taxa=taxonomy(), merged=[(LEOPARD, 9694)])
    folder.mapping[14] = (LEOPARD, 14)
    fixed = repair(folder, tmp_path)
    assert steps(fixed) == {"MAP006": 1}
    assert mapping_of(tmp_path / "fixed")[14] == 9694
    assert pairs_of(tmp_path / "fixed") == TRUTH


def test_what_the_taxonomy_does_not_know_keeps_the_parent_that_pairs_say(tmp_path):
    folder = Folder(taxa=taxonomy())
    folder.mapping.append((LEOPARD, 15))
    folder.pairs += [(6, 15, 1, 2, 3), (2, 15, 2, 1, 3), (0, 15, 3, 0, 3)]
    folder.drop((0, 7))
    fixed = repair(folder, tmp_path)
    own = {(9688, LEOPARD, 1), (9681, LEOPARD, 2), (33554, LEOPARD, 3)}
    assert fixed.exit_code == 0
    assert pairs_of(tmp_path / "fixed") == TRUTH | own
    assert [one.rule for one in fixed.plan.lacking] == ["MAP006"]


def test_a_reserved_hole_stays_where_the_policy_allows_it(tmp_path):
    """idx 0 is padding: it is told, not closed, while another finding is repaired."""
    folder = Folder(policy='[rules.MAP004]\nseverity = "info"\n')
    folder.mapping = [(taxid, idx + 1) for taxid, idx in folder.mapping]
    folder.pairs = [(a + 1, d + 1, *rest) for a, d, *rest in folder.pairs]
    folder.pairs.append(folder.pairs[0])
    fixed = repair(folder, tmp_path)
    assert steps(fixed) == {"PAIR006": 1}
    assert sorted(mapping_of(tmp_path / "fixed")) == list(range(1, 16))
    assert pairs_of(tmp_path / "fixed") == TRUTH
    assert "old_to_new.parquet" not in fixed.written


def _numbered_otherwise(folder):
    other = np.random.default_rng(5).permutation(15).tolist()
    folder.pairs = [(other[a], other[d], *rest) for a, d, *rest in folder.pairs]
    return folder


def test_of_idx_and_identifiers_that_are_sound_apart_a_taxonomy_says_which_is_right(tmp_path):
    """The idx are consistent in themselves, and every one is a stranger's."""
    fixed = repair(_numbered_otherwise(with_taxids()), tmp_path / "alone")
    (lacking,) = fixed.plan.lacking
    assert (lacking.rule, lacking.blocking, fixed.exit_code) == ("PAIR010", True, 1)
    assert "`pair_columns`" in lacking.give
    folder = _numbered_otherwise(with_taxids())
    folder.taxa = taxonomy()
    assert repair(folder, tmp_path).exit_code == 0
    assert pairs_of(tmp_path / "fixed") == TRUTH


@pytest.mark.parametrize("taxa", [False, True])
def test_identifiers_that_were_looked_up_one_row_off_never_move_the_idx(taxa, tmp_path):
    folder = with_taxids()
    step = {TAXIDS[k]: TAXIDS[k - 1] for k in range(15)}
    folder.pairs = [(*row[:-2], *(step[taxid] for taxid in row[-2:])) for row in folder.pairs]
    folder.taxa = taxonomy() if taxa else None
    fixed = repair(folder, tmp_path)
    assert bool(fixed.written) is taxa
    if taxa:
        assert pairs_of(tmp_path / "fixed") == TRUTH
    else:
        assert [one.rule for one in fixed.plan.lacking if one.blocking] == ["PAIR010"]


def test_the_identifiers_alone_are_taken_where_the_reading_says_so(tmp_path):
    folder = _numbered_otherwise(with_taxids())
    folder.pairs.append(folder.pairs[0])
    columns = "ancestor_taxid=ancestor_taxid,descendant_taxid=descendant_taxid"
    assert repair(folder, tmp_path, pair_columns=columns).exit_code == 0
    found = pairs_of(tmp_path / "fixed")
    assert {(a, d) for a, d, _ in found} == {(a, d) for a, d, _ in TRUTH}


def test_a_node_that_the_taxonomy_does_not_know_proves_nothing_where_idx_are_doubtful(tmp_path):
    """The leopard stands where the lion did, and the lion where the tiger's pairs are."""
    folder = Folder(taxa=taxonomy())
    folder.mapping[13], folder.mapping[5] = (LEOPARD, 13), (TAXIDS[13], 5)
    fixed = repair(folder, tmp_path)
    blocking = [one for one in fixed.plan.lacking if one.blocking]
    assert [one.rule for one in blocking] == ["MAP006"]
    assert "1 node is not in the taxonomy" in blocking[0].why
    assert not fixed.written


def test_no_taxonomy_is_asked_for_where_identifiers_are_text(tmp_path):
    folder = Folder()
    folder.mapping = [(f"T:{taxid}", idx) for taxid, idx in folder.mapping]
    folder.drop((1, 3), (2, 3), (0, 3))
    folder.pairs.append((0, 15, 1, 0, 1))
    lacking = repair(folder, tmp_path).plan.lacking
    assert any("1 pair names an idx" in one.why for one in lacking)
    assert lacking
    assert not any("`taxonomy`" in one.give for one in lacking)


def test_what_rests_on_a_taxonomy_names_the_nodes_that_it_does_not_know(tmp_path):
    folder = Folder(taxa=taxonomy())
    folder.mapping.append((LEOPARD, 15))
    folder.pairs += [(6, 15, 1, 2, 3), (2, 15, 2, 1, 3), (0, 15, 3, 0, 3)]
    folder.drop((0, 7))
    (said,) = repair(folder, tmp_path).after.rests_on
    assert "but for the pairs of 1 node that it does not know" in said


def test_swapped_columns_and_a_damaged_file_at_once(tmp_path):
    """The mapping is read the right way first; what is then found is repaired."""
    folder = Folder(taxa=taxonomy())
    folder.mapping_header = None
    folder.mapping = [(idx, taxid) for taxid, idx in folder.mapping]
    folder.pairs = [(d, a, k, below, above) for a, d, k, above, below in folder.pairs]
    folder.pairs = folder.pairs[1:] + [folder.pairs[5]] * 2
    fixed = repair(folder, tmp_path)
    assert fixed.exit_code == 0
    assert {"MAP005", "PAIR015"} <= set(steps(fixed))
    assert pairs_of(tmp_path / "fixed") == TRUTH


def test_depths_are_those_of_the_hierarchy(tmp_path):
    folder = Folder()
    folder.change((1, 7), 1, 7, 2, 2, 4)
    repair(folder, tmp_path)
    table = pd.read_parquet(tmp_path / "fixed" / "pairs.parquet")
    columns = ["ancestor_idx", "descendant_idx", "depth_diff", "ancestor_depth", "descendant_depth"]
    assert set(table[columns].itertuples(index=False, name=None)) == set(closure(PARENTS))


def test_a_sample_that_nobody_declared_is_named_with_the_line_that_declares_it(tmp_path):
    """No pair says who the parents of the genera are; as a sample nothing is wrong with that."""
    folder = Folder()
    folder.drop((1, 3), (1, 4), (2, 5), (2, 6))
    refused = repair(folder, tmp_path)
    (lacking,) = [one for one in refused.plan.lacking if one.blocking]
    assert refused.exit_code == 1
    assert lacking.rule == "TREE007"
    assert '[dataset] pairs = "sampled"' in lacking.give
    folder.policy = '[dataset]\npairs = "sampled"\n'
    assert repair(folder, tmp_path / "declared").before.exit_code == 0


def test_what_is_unsound_as_a_sample_too_is_not_called_one(tmp_path):
    folder = Folder()
    folder.drop((1, 3), (1, 4), (2, 5), (2, 6))
    folder.pairs.append(folder.pairs[0])
    assert "sampled" not in repair(folder, tmp_path).plan.lacking[0].give


@pytest.mark.parametrize(("end", "written"), [("", False), ("\n", True)])
def test_a_file_that_may_end_within_its_last_row_is_not_completed(tmp_path, end, written):
    """The parent 14 of node 15, cut to 1, would give the pairs of another clade."""
    (tmp_path / "m.tsv").write_text("taxid\tidx\n" + "".join(f"{k + 70}\t{k}\n" for k in range(16)))
    rows = [(0, k, 1) for k in range(1, 15)]
    lines = "".join(f"{k},{d},{a}\n" for a, d, k in [*rows, rows[3], (0, 15, 2)])
    (tmp_path / "p.csv").write_text(f"depth_diff,descendant_idx,ancestor_idx\n{lines}1,15,1{end}")
    request = Request(mapping=str(tmp_path / "m.tsv"), pairs=str(tmp_path / "p.csv"))
    fixed = fix(request, tmp_path / "fixed")
    assert bool(fixed.written) is written
    if not written:
        assert any("cut off" in one.why for one in fixed.plan.lacking)
