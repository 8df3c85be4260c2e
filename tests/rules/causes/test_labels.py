"""Labels in another spelling: beside a mapping, without one, beside idx."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from taxcheck.commands.selftest.frame import DatasetFrame, closure
from taxcheck.model.report import Report
from taxcheck.run.check import check

PARENTS = [-1, 0, 0, *(1 + k % 2 for k in range(60))]
NAMES = [f"Ordo café {k}" if k < 3 else f"Species ünica {k}" for k in range(len(PARENTS))]
ROWS = pd.DataFrame(closure(PARENTS)).iloc[:, :3].set_axis(["a", "d", "depth_diff"], axis=1)


def labelled(
    spelled: Callable[[str], str], where: np.ndarray | None = None, mapping: bool = True
) -> DatasetFrame:
    """The pairs with their names, of some rows in another spelling."""
    where = np.ones(len(ROWS), dtype=bool) if where is None else where

    def column(end: str) -> list[str]:
        names = [NAMES[k] for k in ROWS[end]]
        return [spelled(n) if w else n for n, w in zip(names, where, strict=True)]

    ends = {"ancestor_label": column("a"), "descendant_label": column("d")}
    return DatasetFrame(
        pd.DataFrame({"name": NAMES, "idx": range(len(NAMES))}),
        pd.DataFrame(ends).assign(depth_diff=ROWS["depth_diff"]),
        mapping_given=mapping,
    )


def explained(report: Report) -> dict[str, tuple[int, int]]:
    (cause,) = report.causes
    assert cause.name == "label_variants"
    return {e.rule: (e.count, e.of) for e in cause.explains}


@pytest.mark.parametrize(
    ("form", "spelled"),
    [
        ("letter case", str.upper),
        ("Unicode form", lambda name: unicodedata.normalize("NFD", name)),
        ("no-break blanks", lambda name: name.replace(" ", "\u00a0")),
        ("blanks too many", lambda name: name.replace(" ", "  ")),
        ("signs in place of blanks", lambda name: name.replace(" ", "_")),
        ("quotes", lambda name: f"'{name}'"),
        ("accents", lambda name: name.replace("é", "e").replace("ü", "u")),
        ("the prefix 'obo:'", lambda name: f"obo:{name}"),
        ("letter case, signs in place of blanks", lambda name: name.replace(" ", "_").upper()),
    ],
)
def test_each_form_and_no_other_is_named(
    form: str, spelled: Callable[[str], str], tmp_path: Path
) -> None:
    report = check(labelled(spelled).write(tmp_path))
    assert report.causes[0].parameters == {"form": form, "labels": len(NAMES)}
    counts = explained(report)
    assert counts["PAIR002"] == (len(ROWS), len(ROWS))
    assert counts["PAIR003"] == (len(NAMES), len(NAMES))


def test_labels_of_single_rows_without_a_mapping(tmp_path: Path) -> None:
    """Thirty species have one row in capitals, with an ancestor in capitals as well."""
    leaf = ROWS["d"].to_numpy() >= 33
    where = leaf & (ROWS["depth_diff"].to_numpy() == 2)
    report = check(labelled(str.upper, where, mapping=False).write(tmp_path))
    assert explained(report)["PAIR017"] == (31, 31)  # and the root that they have


def test_where_two_identifiers_are_one_nothing_is_decided(tmp_path: Path) -> None:
    frame = labelled(str.upper)
    extra = pd.DataFrame({"name": [name.title() for name in NAMES], "idx": range(63, 126)})
    both = pd.concat([frame.mapping, extra], ignore_index=True)
    assert extra["name"].tolist() != NAMES
    assert not check(DatasetFrame(both, frame.pairs).write(tmp_path)).causes


def test_labels_of_another_mapping_are_no_spelling(tmp_path: Path) -> None:
    frame = labelled(lambda name: name)
    other = frame.mapping.assign(name=[f"Genus {k}" for k in range(len(NAMES))])
    assert not check(DatasetFrame(other, frame.pairs).write(tmp_path)).causes


def test_a_prefix_that_few_labels_lack(tmp_path: Path) -> None:
    few = np.asarray(ROWS["d"] >= 50)
    frame = labelled(lambda name: name.removeprefix("Species ünica "), few)
    (cause,) = check(frame.write(tmp_path)).causes
    form = "the prefix 'Species ünica '"
    assert cause.parameters == {"form": form, "labels": len(NAMES) - 50}
    assert ("PAIR002", few.sum(), few.sum()) in [(e.rule, e.count, e.of) for e in cause.explains]
