"""What is written is what the policy declares; and readings that no single rule corrects."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fixtures.rules.folder import LEOPARD, PARENTS, TAXA, Folder, closure, taxonomy, with_taxids
from tests.fixing.repaired import mapping_of, pairs_of, repair, steps

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


def test_pairs_that_were_numbered_by_another_mapping_are_numbered_by_their_taxids(tmp_path):
    """The idx are consistent in themselves, and every one is a stranger's."""
    folder = with_taxids()
    other = np.random.default_rng(5).permutation(15).tolist()
    folder.pairs = [(other[a], other[d], *rest) for a, d, *rest in folder.pairs]
    fixed = repair(folder, tmp_path)
    assert list(steps(fixed)) == ["PAIR010"]
    assert "their own taxids" in fixed.plan.steps[0].what
    assert pairs_of(tmp_path / "fixed") == TRUTH


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
