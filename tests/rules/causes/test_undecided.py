"""Where the evidence is the same for two truths, nothing is certain and no repair chooses one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.fix.repair import Fixed, fix
from taxcheck.commands.selftest.frame import DatasetFrame, Tree, closure
from taxcheck.model.finding import Outcome
from taxcheck.run.check import check
from tests.commands.fix.repaired import by_name, pairs_of, request_of
from tests.commands.selftest.bases import base

ENDS = ["ancestor_idx", "descendant_idx"]
EXCHANGED = dict(zip(ENDS, ENDS[::-1], strict=True))


def repaired(frame: DatasetFrame, path: Path, policy: str = "") -> Fixed:
    frame.write(path / "data")
    (path / "data/taxcheck.toml").write_text(policy)
    return fix(request_of(path / "data"), path / "fixed")


def refused(fixed: Fixed) -> bool:
    return not fixed.written and any(one.blocking for one in fixed.plan.lacking)


@cache
def with_taxonomy() -> DatasetFrame:
    return replace(base("tree"), taxonomy=base("tree with taxonomy").taxonomy)


def of_two_builds(frame: DatasetFrame, *, old_first: bool) -> DatasetFrame:
    """The pairs, and the same ones in an older numbering: in the order of taxids as text."""
    order = np.argsort(frame.mapping["taxid"].astype(str).to_numpy(), kind="stable")
    old = frame.pairs.assign(**{end: np.argsort(order)[frame.pairs[end]] for end in ENDS})
    both = [old, frame.pairs] if old_first else [frame.pairs, old]
    return replace(frame, pairs=pd.concat(both, ignore_index=True))


@pytest.mark.parametrize("old_first", [False, True])
def test_of_two_numberings_nothing_says_which_is_the_mappings(
    old_first: bool, tmp_path: Path
) -> None:
    fixed = repaired(of_two_builds(base("tree"), old_first=old_first), tmp_path)
    (cause,) = fixed.before.causes
    assert (cause.name, cause.certainty, cause.repair) == ("appended_file", "likely", None)
    assert refused(fixed)


@pytest.mark.parametrize("old_first", [False, True])
def test_of_two_numberings_a_taxonomy_says_which_is_the_mappings(
    old_first: bool, tmp_path: Path
) -> None:
    frame = with_taxonomy()
    fixed = repaired(of_two_builds(frame, old_first=old_first), tmp_path)
    (cause,) = fixed.before.causes
    assert (cause.name, cause.certainty) == ("appended_file", "certain")
    last = len(frame.pairs)
    assert f"up to row {last:,}" * old_first in cause.message
    taxids = dict(enumerate(frame.mapping["taxid"].tolist()))
    assert pairs_of(tmp_path / "fixed") == by_name(frame.pairs, taxids)


def test_a_mapping_that_was_cut_is_no_sign_of_another_dataset(tmp_path: Path) -> None:
    """Two trees are numbered through, and the mapping has the first alone."""
    frame = base("tree")
    n = len(frame.mapping)
    second = pd.DataFrame(closure([-1, *(k // 3 for k in range(119))]), columns=frame.pairs.columns)
    second[ENDS] += n
    fixed = repaired(frame.appended(second), tmp_path)
    assert "appended_file" not in {cause.name for cause in fixed.before.causes}
    assert refused(fixed)


def test_columns_that_are_right_within_one_clade_are_not_exchanged(tmp_path: Path) -> None:
    frame = base("tree without depths")
    tree = Tree(frame.pairs if "depth_diff" in frame.pairs else base("tree").pairs)
    clade = next(x for x in tree.children if 100 <= len(tree.below(x)) <= 400)
    inside = frame.pairs[ENDS].isin([clade, *tree.below(clade)]).all(axis=1)
    turned = frame.pairs.rename(columns=EXCHANGED)[frame.pairs.columns]
    pairs = frame.pairs.where(inside, turned, axis=0)
    fixed = repaired(replace(frame, pairs=pairs), tmp_path)
    assert "certain" not in {cause.certainty for cause in fixed.before.causes}
    assert refused(fixed)


def pedigree(n: int = 127) -> DatasetFrame:
    """Everyone's two parents, as far back as they are known: a forest only from the other end."""
    up = pd.DataFrame(closure([-1, *(k // 2 for k in range(n - 1))]))[[1, 0, 2]]
    up.columns = pd.Index([*ENDS, "depth_diff"])
    mapping = pd.DataFrame({"identifier": [f"P{k}" for k in range(n)], "idx": range(n)})
    return DatasetFrame(mapping, up)


def test_what_a_dag_may_be_by_nature_warns_and_is_not_turned_round(tmp_path: Path) -> None:
    fixed = repaired(pedigree(), tmp_path, '[dataset]\nkind = "dag"\n')
    (found,) = (r for r in fixed.before.results if r.name == "swapped_pair_columns")
    assert found.outcome is Outcome.WARN
    assert "look exchanged" in found.message
    assert {cause.certainty for cause in fixed.before.causes} == {"likely"}
    assert refused(fixed)


def test_pairs_at_one_idx_do_not_say_whose_they_are(tmp_path: Path) -> None:
    """A taxid was copied over another one, and its own pairs are lost."""
    frame = base("tree")
    first, second = Tree(frame.pairs).leaves(depth=4)[:2]
    mapping = frame.mapping.copy()
    mapping.loc[first, "taxid"] = mapping.loc[second, "taxid"]
    frame = replace(frame.only(frame.pairs["descendant_idx"] != second), mapping=mapping)
    assert refused(repaired(frame, tmp_path))


@pytest.mark.parametrize("joined", [False, True])
def test_a_mapping_that_was_cut_proves_no_idx_wrong(joined: bool, tmp_path: Path) -> None:
    """Identifiers were looked up one row off, in a mapping that then lost its last row.

    ``joined``: rows whose identifier it lacks were dropped.
    """
    frame = base("tree")
    taxids = frame.mapping["taxid"].to_numpy()
    beside = {f"{end[:-4]}_taxid": taxids[frame.pairs[end] - 1] for end in ENDS}
    frame = replace(frame, mapping=frame.mapping[:-1], pairs=frame.pairs.assign(**beside))
    if joined:
        frame = frame.only((frame.pairs[ENDS] > 0).all(axis=1))
    assert refused(repaired(frame, tmp_path))


def test_one_distance_for_all_pairs_does_not_add_up(tmp_path: Path) -> None:
    frame = base("tree")
    pairs = frame.pairs[ENDS].assign(depth_diff=2)
    report = check(replace(frame, pairs=pairs).write(tmp_path))
    assert "depths_offset" not in {cause.name for cause in report.causes}
