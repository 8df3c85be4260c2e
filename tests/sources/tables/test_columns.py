"""Which column plays which role, with and without names, with and without a mapping."""

from __future__ import annotations

import pytest

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.tables.columns import (
    MAPPING_ALIASES,
    PAIR_ALIASES,
    PAIR_BARE,
    normalise,
    resolve_mapping_columns,
    resolve_pair_columns,
)


@pytest.mark.parametrize(
    ("names", "taxid", "idx"),
    [
        (("taxid", "idx"), "taxid", "idx"),
        (("idx", "taxid"), "taxid", "idx"),
        (("Tax_ID", "Node Index"), "Tax_ID", "Node Index"),
        (("idx", "name", "taxid"), "taxid", "idx"),
        (("id", "idx"), "id", "idx"),
        (("taxid", "id"), "taxid", "id"),
        (("synset", "index", "gloss"), "synset", "index"),
    ],
)
def test_mapping_names(names: tuple[str, ...], taxid: str, idx: str) -> None:
    assert resolve_mapping_columns(names, True).roles == {"taxid": taxid, "idx": idx}


def test_a_mapping_without_header_is_taxid_idx() -> None:
    columns = resolve_mapping_columns(("column 1", "column 2", "column 3"), False)
    assert columns.roles == {"taxid": "column 1", "idx": "column 2"}
    assert columns.guesses == (
        "Columns without names are taken as taxid, idx; 1 further column is not read.",
    )


INDEXED = ("ancestor_idx", "descendant_idx")
LABELS = ("ancestor_taxid", "descendant_taxid")


@pytest.mark.parametrize(
    ("names", "mapping", "expected"),
    [
        (INDEXED, True, {"ancestor": "ancestor_idx", "descendant": "descendant_idx"}),
        (INDEXED, False, {"ancestor_taxid": "ancestor_idx", "descendant_taxid": "descendant_idx"}),
        (LABELS, True, {n: n for n in LABELS}),
        (LABELS, False, {n: n for n in LABELS}),
        (
            INDEXED + LABELS,
            True,
            {"ancestor": INDEXED[0], "descendant": INDEXED[1]} | {n: n for n in LABELS},
        ),
        (INDEXED + LABELS, False, {n: n for n in LABELS}),
        (("parent", "child"), True, {"ancestor": "parent", "descendant": "child"}),
        (("parent", "child"), False, {"ancestor_taxid": "parent", "descendant_taxid": "child"}),
        (
            ("parent", "child", "parent_taxid", "child_taxid"),
            True,
            {"ancestor": "parent", "descendant": "child"}
            | {"ancestor_taxid": "parent_taxid", "descendant_taxid": "child_taxid"},
        ),
        (
            ("parent_idx", "child_idx", "parent", "child"),
            True,
            {"ancestor": "parent_idx", "descendant": "child_idx"}
            | {"ancestor_taxid": "parent", "descendant_taxid": "child"},
        ),
        # facebookresearch's closure files: id1 is the DESCENDANT
        (
            ("id1", "id2", "weight"),
            True,
            {"ancestor_taxid": "id2", "descendant_taxid": "id1", "weight": "weight"},
        ),
        (
            ("Child", "Parent", "Depth"),
            True,
            {"ancestor": "Parent", "descendant": "Child", "depth_diff": "Depth"},
        ),
    ],
)
def test_pair_names(names: tuple[str, ...], mapping: bool, expected: dict[str, str]) -> None:
    assert resolve_pair_columns(names, True, None, mapping).roles == expected


def test_words_under_an_open_name_are_identifiers() -> None:
    names, labels = ("parent", "child"), {"ancestor_taxid": "parent", "descendant_taxid": "child"}
    assert resolve_pair_columns(names, True, None, True, {"parent", "child"}).roles == labels
    assert set(resolve_pair_columns(names, True, None, True, {"child"}).roles) == {
        "ancestor",
        "descendant",
    }
    # a name that says idx is taken at its word: words below it are invalid rows
    assert resolve_pair_columns(INDEXED, True, None, True, ()).roles.keys() == {
        "ancestor",
        "descendant",
    }


def test_what_is_inferred_is_told() -> None:
    assert resolve_pair_columns(INDEXED, True, None, False).notes == (
        "No mapping is given: the values of ancestor_idx and descendant_idx are taken as "
        "identifiers.",
    )
    assert resolve_pair_columns(("id1", "id2"), True, None, True).notes == (
        "Column 'id2' is taken as ancestor_taxid.",
        "Column 'id1' is taken as descendant_taxid.",
        "The pairs hold identifiers; they are joined to the mapping's idx.",
    )
    assert resolve_pair_columns(INDEXED, True, None, True).notes == ()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("taxid,idx", {"taxid": "column 1", "idx": "column 2"}),
        ("idx,taxid", {"taxid": "column 2", "idx": "column 1"}),
        ("-,idx,taxid", {"taxid": "column 3", "idx": "column 2"}),
        ("taxid=column 3,idx=1", {"taxid": "column 3", "idx": "column 1"}),
    ],
)
def test_mapping_override(override: str, expected: dict[str, str]) -> None:
    names = ("column 1", "column 2", "column 3")
    assert resolve_mapping_columns(names, False, override).roles == expected


def test_pair_override() -> None:
    names = ("x", "y", "z")
    columns = resolve_pair_columns(names, True, "child=x,parent=y,depth=z", True)
    assert columns.roles == {"ancestor": "y", "descendant": "x", "depth_diff": "z"}
    columns = resolve_pair_columns(names, False, "descendant,_,ancestor", False)
    assert columns.roles == {"ancestor_taxid": "z", "descendant_taxid": "x"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("taxid", "idx missing; write for example `mapping_columns` taxid,idx"),
        ("taxid,idx,foo", "'foo' is no role; known: taxid, idx"),
        ("taxid,taxid", "taxid is given twice"),
        ("taxid=a,idx=q", "no column 'q'; the file has 'a', 'b'"),
        ("-,-,taxid,idx", "names 4 columns, the file has 2: 'a', 'b'"),
    ],
)
def test_wrong_overrides(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_mapping_columns(("a", "b"), True, override)


def test_a_pair_override_with_one_side() -> None:
    with pytest.raises(UsageError, match="descendant missing"):
        resolve_pair_columns(("a", "b"), True, "ancestor=a", True)


@pytest.mark.parametrize("names", [("left", "right"), ("ancestor_idx", "x"), ("head",)])
def test_names_that_say_nothing(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"name them with `pair_columns` ancestor=COLUMN"):
        resolve_pair_columns(names, True, None, True)
    with pytest.raises(InputError, match=r"name them with `mapping_columns` taxid=COLUMN"):
        resolve_mapping_columns(names, True)


def test_no_alias_has_two_meanings() -> None:
    for tables in ((MAPPING_ALIASES,), (PAIR_ALIASES, PAIR_BARE)):
        words = [normalise(w) for t in tables for names in t.values() for w in names]
        assert sorted(words) == sorted(set(words))
