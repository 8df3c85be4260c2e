"""Held-out pairs go along: numbered anew, kept out of training, and judged with the result."""

from __future__ import annotations

import json
import tomllib

import pytest

from taxcheck.commands.fix.plan import Wishes
from taxcheck.commands.fix.repair import fix
from taxcheck.commands.selftest.folder import PARENTS, TAXA, Folder, taxonomy
from taxcheck.commands.selftest.frame import closure
from taxcheck.model.errors import UsageError
from taxcheck.run.request import Request
from tests.commands.fix.repaired import pairs_of, repair, steps

TAXIDS = [taxon[0] for taxon in TAXA]
TRUTH = {(TAXIDS[a], TAXIDS[d], k) for a, d, k, *_ in closure(PARENTS)}
HELD = [(1, 7), (2, 11), (6, 13)]  # Canidae-lupus, Felidae-catus, and the edge Panthera-leo
HELD_NAMED = {(9608, 9612, 2), (9681, 9685, 2), (9688, 9689, 1)}


def split(**more: object) -> Folder:
    """A sound split: what is held out is not in training."""
    folder = Folder(**more)  # type: ignore[arg-type]
    folder.held_out = [row for row in folder.pairs if row[:2] in HELD]
    folder.drop(*HELD)
    return folder


def both(path) -> tuple[set, set]:
    return pairs_of(path / "fixed"), pairs_of(path / "fixed", "held_out")


def test_a_sound_split_is_left_alone(tmp_path):
    fixed = repair(split(), tmp_path)
    assert (fixed.plan.steps, fixed.written, fixed.exit_code) == ((), (), 0)


def test_what_is_missing_is_added_and_what_is_held_out_is_not(tmp_path):
    folder = split()
    folder.drop((0, 9), (0, 14))
    fixed = repair(folder, tmp_path)
    assert steps(fixed) == {"TREE004": 2}
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)
    assert fixed.plan.pairs == (29, 31)
    assert fixed.plan.held_out == (3, 3)
    assert "held_out.parquet" in fixed.written
    policy = tomllib.loads((tmp_path / "fixed" / "taxcheck.toml").read_text())
    assert policy["inputs"]["held_out"] == "held_out.parquet"
    plan = json.loads((tmp_path / "fixed" / "plan.json").read_text())
    assert plan["after"] == {"nodes": 15, "pairs": 31, "held-out pairs": 3}
    (leak,) = [r for r in fixed.after.results if r.id == "PAIR012"]
    # the edges of training imply two of the three, which is told
    assert (leak.outcome, leak.observed["implied"]) == ("info", 2)
    assert leak.observed["exact"] == 0


def test_it_follows_the_numbering(tmp_path):
    """Ten idx are skipped in the middle; both parts are numbered anew alike."""
    folder = split()
    shifted = [k + 10 * (k > 6) for k in range(15)]
    folder.mapping = [(taxid, shifted[idx]) for taxid, idx in folder.mapping]
    for part in ("pairs", "held_out"):
        rows = [(shifted[a], shifted[d], *rest) for a, d, *rest in getattr(folder, part)]
        setattr(folder, part, rows)
    assert steps(repair(folder, tmp_path)) == {"MAP004": 8}
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_exchanged_columns_are_exchanged_in_both(tmp_path):
    folder = split()
    for part in ("pairs", "held_out"):
        rows = [(d, a, k, below, above) for a, d, k, above, below in getattr(folder, part)]
        setattr(folder, part, rows)
    assert "PAIR015" in steps(repair(folder, tmp_path))
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_a_leak_is_taken_out_of_training(tmp_path):
    folder = split()
    folder.pairs = closure(PARENTS)
    fixed = repair(folder, tmp_path)
    assert steps(fixed) == {"PAIR012": 3}
    assert fixed.plan.kept == 31
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_a_node_that_is_only_held_out_comes_back_to_training(tmp_path):
    """All three pairs of the tiger are held out: nothing would train it."""
    folder = split()
    tiger = [row for row in folder.pairs if row[1] == 14]
    folder.held_out += tiger
    folder.drop(*(row[:2] for row in tiger))
    fixed = repair(folder, tmp_path)
    assert [(s.what.split()[0], s.rows) for s in fixed.plan.steps] == [("add", 3), ("move", 3)]
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_rows_that_are_no_held_out_pairs_are_left_out(tmp_path):
    """A stranger, a repeated pair, one that runs upwards, one of cousins, and no pair at all."""
    folder = split()
    folder.held_out += [(0, 99, 1, 0, 1), folder.held_out[0], (7, 0, 3, 3, 0), (7, 11, 2, 3, 5)]
    folder.held_out.append(("x", 3, 1, 0, 1))
    folder.drop((0, 9))
    fixed = repair(folder, tmp_path)
    assert [(s.what.split()[0], s.rows) for s in fixed.plan.steps] == [("add", 1), ("leave", 5)]
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_under_every_other_intent(tmp_path):
    """Edges, and a sampled set, which gets no pair but an edge for the coyote, in no pair."""
    folder = Folder(policy='[dataset]\npairs = "edges"\n')
    folder.held_out = [row for row in folder.pairs if row[:2] == (2, 6)]
    folder.drop((2, 6))
    folder.pairs = [row for row in folder.pairs if row[2] == 1] * 2
    assert steps(repair(folder, tmp_path / "edges")) == {"PAIR006": 13}
    edges = {row for row in TRUTH if row[2] == 1}
    panthera = {(9681, 9688, 1)}
    assert both(tmp_path / "edges") == (edges - panthera, panthera)

    folder = split(policy='[dataset]\npairs = "sampled"\n', taxa=taxonomy())
    folder.pairs = [row for row in folder.pairs if row[1] not in (8, 14)]
    folder.held_out += [row for row in closure(PARENTS) if row[:2] == (6, 14)]
    repair(folder, tmp_path / "sampled")
    found, held = both(tmp_path / "sampled")
    assert held == HELD_NAMED
    assert found == {row for row in TRUTH - HELD_NAMED if row[1] not in (9614, 9694)} | {
        (9611, 9614, 1), (9688, 9694, 1),
    }  # fmt: skip


def test_weights_are_of_training_alone(tmp_path):
    folder = split()
    fixed = repair(folder, tmp_path, Wishes(target_share=0.5))
    assert fixed.after.exit_code == 0
    # of 31 pairs 13 are edges: 18 / 13 times as heavy they are half of the draws
    assert "50.0 %" in fixed.plan.steps[0].what
    assert fixed.plan.steps[0].what.startswith("weigh parent-child pairs, 1.38 for 1")
    assert both(tmp_path) == (TRUTH - HELD_NAMED, HELD_NAMED)


def test_where_nothing_can_stay_held_out_it_is_said(tmp_path):
    folder = Folder(held_out=[(0, 99, 1, 0, 1), (7, 11, 2, 3, 5)])
    folder.drop((0, 9))
    fixed = repair(folder, tmp_path)
    assert fixed.plan.lacking[-1].rule == "PAIR012"
    assert (fixed.exit_code, fixed.written) == (1, ())
    assert not (tmp_path / "fixed").exists()


def test_standard_input_cannot_be_read_twice(tmp_path):
    with pytest.raises(UsageError, match="not standard input"):
        fix(Request(mapping="m", pairs="p", held_out="-"), tmp_path / "fixed")
