"""--root, --clean, --max-depth, --pairs: by hand on small hierarchies."""

from __future__ import annotations

import json

import pytest

from taxcheck.model.errors import InputError, UsageError
from tests.commands.build.conftest import taxdump

# 10 holds 11 'sp.', 12, and 13 'cf.' above 14; 20 'unclassified' holds 21 and 22 'uncultured'.
NOISY = [
    (1, 1, "no rank", "root"),
    (10, 1, "genus", "Asterias"),
    (11, 10, "species", "Asterias sp. 1"),
    (12, 10, "species", "Asterias rubens"),
    (13, 10, "species", "Asterias cf. rubens"),
    (14, 13, "subspecies", "Asterias rubens minor"),
    (20, 1, "no rank", "unclassified Asteroidea"),
    (21, 20, "species", "Stella sola"),
    (22, 20, "species", "uncultured Stella sp."),
]


def test_clean_drops_noise_and_hangs_the_rest_from_the_nearest_sound_parent(make, tmp_path):
    data = make(taxdump(tmp_path / "d", NOISY), clean=True)
    assert data.edges == {(1, 10), (10, 12), (10, 14), (1, 21)}
    told = {(one["what"], one["count"], one["why"]) for one in data.manifest["dropped"]}
    assert ("taxa", 1, "named as noise: unclassified") in told
    assert ("taxa", 1, "named as noise: uncultured") in told
    assert ("taxa", 1, "named as noise: cf.") in told
    assert ("taxa", 1, "named as noise: sp.") in told
    (moved,) = [one for one in data.manifest["dropped"] if one["what"] == "taxa re-parented"]
    assert moved["count"] == 2
    assert moved["examples"] == ["14 Asterias rubens minor", "21 Stella sola"]


def test_a_root_that_is_noise_stays(make, tmp_path):
    data = make(taxdump(tmp_path / "d", NOISY), root="20", clean=True)
    assert data.edges == {(20, 21)}


def test_clean_counts_what_the_rule_counts(make):
    """MAP008 on the healthy fixture: 3,814 of 7,112."""
    data = make("fixtures/healthy/taxdump", root="7586", clean=True)
    assert len(data.ids) == 7112 - 3814


def test_clean_needs_names(make):
    with pytest.raises(UsageError, match="`clean` reads names"):
        make("b\ta\nc\tb\n", clean=True)


def test_max_depth_counts_from_the_root_asked_for(make):
    data = make("b\ta\nc\tb\nd\tc\ne\td\n", root="b", max_depth=2)
    assert data.edges == {("b", "c"), ("c", "d")}
    assert "dropped: 1 nodes: more than 2 levels below a root (e)" in data.lines


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("edges", {("a", "b"): 1, ("b", "c"): 1, ("c", "d"): 1}),
        ("depth<=2", {("a", "b"): 1, ("b", "c"): 1, ("c", "d"): 1, ("a", "c"): 2, ("b", "d"): 2}),
    ],
)
def test_pairs_up_to_a_distance(make, pairs, expected):
    data = make("b\ta\nc\tb\nd\tc\n", pairs=pairs)
    assert data.pairs == expected
    assert data.dataset["pairs"] == pairs


def test_pairs_that_are_no_intent(make):
    with pytest.raises(UsageError, match=r"pairs = 'nearest' is none of"):
        make("b\ta\nc\tb\n", pairs="nearest")


def test_a_root_in_a_dag_leaves_the_other_parents(make):
    data = make("child\tparent\nb\ta\nc\tb\nc\tx\nx\ta\n", root="b")
    assert data.edges == {("b", "c")}
    assert "dropped: 1 edges: to parents outside b" in data.lines


def test_nodes_without_relatives_are_left_out_and_told(make):
    data = make("b\ta\nz\tz\n")
    assert data.ids == ["a", "b"]
    assert "dropped: 1 nodes: neither parent nor child (z)" in data.lines


def test_nothing_left_is_an_error(make):
    with pytest.raises(InputError, match="no parent and child are left"):
        make("b\ta\nc\tb\n", root="c")


def test_an_unknown_root_has_a_suggestion(make, tmp_path):
    folder = taxdump(tmp_path / "d", NOISY)
    with pytest.raises(UsageError, match="did you mean 'Asterias'"):
        make(folder, root="Asterius")
    with pytest.raises(UsageError, match="no node of that identifier or name"):
        make(folder, root="4242")


def test_a_root_whose_name_is_shared(make, tmp_path):
    nodes = [*NOISY, (30, 21, "genus", "Asterias"), (31, 30, "species", "Asterias alba")]
    with pytest.raises(
        UsageError, match="2 nodes are called so; give the identifier of one: 10, 30"
    ):
        make(taxdump(tmp_path / "d", nodes), root="Asterias")


def test_labels_with_blanks_and_quotes(make):
    data = make('"a b"\tr\n"c ""q"""\t"a b"\n')
    assert data.ids == ["a b", 'c "q"', "r"]


def test_an_identifier_that_no_line_can_hold_is_told_where_it_was_read(make, tmp_path):
    nodes = [{"id": "A\n../B"}, {"id": "C"}]
    graph = {"nodes": nodes, "edges": [{"sub": "C", "pred": "is_a", "obj": "A\n../B"}]}
    (path := tmp_path / "x.json").write_text(json.dumps({"graphs": [graph]}))
    with pytest.raises(InputError, match=r"x\.json: 1 identifier with a line break, such as 'A"):
        make(path)
