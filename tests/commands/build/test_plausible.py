"""What is asked before a build is called sound: on tables that were read otherwise than meant."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise

import networkx
import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import BuildRequest, build
from taxcheck.model.errors import InputError
from taxcheck.model.report import RenderOptions
from taxcheck.policy.read import load_policy
from taxcheck.run.check import check
from taxcheck.run.registry import cause_names, load_renderers, load_rules
from taxcheck.run.request import Request

TRIPLES = [("wolf", "is_a", "Canis"), ("coyote", "is_a", "Canis"), ("Canis", "is_a", "Canidae"),
           ("red_fox", "is_a", "Vulpes"), ("Vulpes", "is_a", "Canidae")]  # fmt: skip
KIN = {("Canis", "wolf"), ("Canis", "coyote"), ("Canidae", "Canis"), ("Vulpes", "red_fox"),
       ("Canidae", "Vulpes")}  # fmt: skip


def text(rows, comma="\t"):
    return "\n".join(comma.join(row) for row in (*rows, ()))


@pytest.mark.parametrize("comma", ["\t", ",", " "])
@pytest.mark.parametrize("header", [None, ("head", "relation", "tail"), ("s", "p", "o")])
@pytest.mark.parametrize(
    ("relation", "turned"),
    [("is_a", False), ("_hypernym", False), ("hyponym", True), ("R7", False)],
)
def test_triples(make, header, relation, turned, comma):
    rows = [(h, relation, t) for h, _, t in TRIPLES]
    rows = [(t, r, h) for h, r, t in rows] if turned else rows
    data = make(text([header, *rows] if header else rows, comma), "triples.tsv")
    assert data.edges == KIN
    assert data.dataset["roots"] == ["Canidae"]
    assert len(data.pairs) == 8


def test_relations_that_are_asked_for(make, tmp_path):
    rows = [*TRIPLES, ("tail", "_has_part", "wolf"), ("wolf", "_similar_to", "dog")]
    data = make(text(rows), "t.tsv")
    assert data.edges == KIN
    assert "dropped: 2 triples: of other relations (_has_part 1, _similar_to 1)" in data.lines
    assert ("dog", "wolf") in make(text(rows), "t.tsv", relations=("_similar_to", "is_a")).edges
    unknown = [("a", "r1", "b"), ("b", "r2", "c"), ("c", "r1", "d"), ("d", "r2", "e"),
               ("e", "r1", "f"), ("g", "r2", "f")]  # fmt: skip
    (path := tmp_path / "u.tsv").write_text(text(unknown))
    with pytest.raises(InputError, match=r"r1 \(3\), r2 \(3\); say which do with `relations`"):
        build(BuildRequest(source=str(path), out=tmp_path / "o"))


CHAINS = [
    "mammal carnivore canine dog",
    "mammal carnivore canine wolf",
    "mammal carnivore feline cat",
]


def closure() -> set[tuple[str, str]]:
    graph = networkx.DiGraph()
    for chain in CHAINS:
        graph.add_edges_from(pairwise(chain.split()))
    return set(networkx.transitive_closure(graph).edges)


@pytest.mark.parametrize("header", ["id1,id2,weight", "child,parent,distance"])
def test_a_closure_is_reduced_to_its_edges_and_told(make, header):
    rows = [f"{child},{parent},1" for parent, child in sorted(closure())]
    data = make("\n".join([header, *rows, ""]), "mammals_closure.csv")
    assert len(data.edges) == 6
    assert set(data.pairs) == closure()
    assert data.pairs[("mammal", "dog")] == 3
    assert data.lines[-1].startswith(
        "gate: The data is sound in itself, read as guessed: the 14 rows are 6"
    )


def test_edges_that_follow_from_others_are_told_in_a_dag_and_asked_of_a_broken_closure(make):
    data = make("child\tparent\nb\ta\nc\tb\nd\tc\nc\ta\n")
    assert (
        "note: 1 of 4 edges follow from others, and are read as parents beside them" in data.lines
    )
    chain = [f"n{k}" for k in range(7)]
    rows = [(chain[d], chain[a]) for d in range(7) for a in range(d) if (d, a) != (6, 0)]
    data = make(text([("child", "parent"), *rows]))
    assert any(
        line.startswith("question: 14 of 20 edges follow from others") for line in data.lines
    )


ASKED = {
    "one parent": ([("child", "parent"), ("a", "x"), ("b", "x"), ("c", "x")],
                   "all 3 other nodes hang on one parent, x"),
    "as many trees as rows": ([("child", "parent"), ("a", "x"), ("b", "y"), ("c", "z")],
                              "there are as many trees as edges, 3"),
    "one level": ([("child", "parent"), ("a", "x"), ("b", "x"), ("c", "z")],
                  "no parent is a child itself"),
    "lineages": ([("child", "parent"), ("a", "x;y"), ("x;y", "x;y;z"), ("b", "x;y")],
                 "if they are lineages, read them with `columns` lineage=COLUMN"),
    "ranks": ([("child", "parent"), ("a", "species"), ("b", "genus"), ("genus", "x"),
               ("species", "x")], "2 nodes are called like ranks (genus, species)"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_stands_in_the_verdict_the_manifest_and_the_policy(make, name):
    rows, expected = ASKED[name]
    data = make(text(rows))
    (question,) = (line for line in data.lines if line.startswith("question: "))
    assert expected in question
    assert "`columns`" in question
    assert data.lines[-1].startswith("gate: The data is sound in itself, if this is meant: ")
    assert data.manifest["questions"] == [question.removeprefix("question: ")]
    policy = (data.folder / "taxcheck.toml").read_text()
    assert "# Not certain, so not blessed: " in policy
    assert tomllib.loads(policy)["dataset"]["pairs"] == "closure"


def test_the_other_way_round_is_asked_with_the_setting_that_reads_it_so(tmp_path):
    rows = [("child", "parent"), ("r", "a"), ("r", "b"), ("a", "c"), ("a", "d"), ("b", "e")]
    (path := tmp_path / "e.tsv").write_text(text(rows))
    built = build(BuildRequest(source=str(path), out=tmp_path / "o"))
    (question,) = (line for line in built.lines if line.startswith("question: "))
    assert "read so with `columns` child=parent,parent=child" in question
    turned = BuildRequest(source=str(path), out=tmp_path / "p", columns="child=parent,parent=child")
    assert not any("question" in line for line in build(turned).lines)


@pytest.mark.parametrize("words", [("species", "genus"), ("is_a",), ("subClassOf", "is_a")])
def test_parents_that_are_words_for_ranks_or_relations_are_refused(tmp_path, words):
    rows = [("taxon", "parent"), *((f"t{k}", words[k % len(words)]) for k in range(6))]
    (path := tmp_path / "e.tsv").write_text(text(rows))
    with pytest.raises(InputError, match="so the column of parents is another; name it"):
        build(BuildRequest(source=str(path), out=tmp_path / "o"))


def test_a_build_by_position_says_so_in_every_report(tmp_path):
    (path := tmp_path / "e.tsv").write_text("2\t1\n3\t1\n4\t2\n")
    built = build(BuildRequest(source=str(path), out=tmp_path / "o"))
    guess = "child is column 1, parent is column 2, by position"
    assert built.lines[-1] == f"gate: The data is sound in itself, read as guessed: {guess}."
    assert built.manifest["guesses"] == [guess]
    for name in ("terminal", "json", "markdown", "html"):
        assert guess in load_renderers()[name](built.report, RenderOptions(width=1000)), name
    report = json.loads(load_renderers()["json"](built.report, RenderOptions()))
    assert report["inputs"][0]["role"] == "source"
    assert f"# Guessed in reading: {guess}" in (tmp_path / "o" / "taxcheck.toml").read_text()
    again = BuildRequest(
        source=str(path), out=tmp_path / "o", columns="child=1,parent=2", force=True
    )
    assert build(again).lines[-1] == "gate: The data is sound in itself."
    assert "Guessed" not in (tmp_path / "o" / "taxcheck.toml").read_text()


TREE = [(f"n{k}", f"n{(k - 1) // 3}") for k in range(1, 60)]


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ([("Total", "59")], "1 edge shares no node with any other (Total below 59)"),
        ([("text", "(unit)")], "1 edge shares no node with any other (text below (unit))"),
        ([("rank", "meaning"), ("genus", "a kind")], "2 edges share no node with any other"),
        ([("Total", "59"), ("all", "of it"), ("more", "than it"), ("and", "so on")], None),
        ([("n60", "n3")], None),
    ],
)
def test_rows_that_stand_apart_are_asked_about(make, more, asked):
    data = make(text([("child", "parent"), *TREE, *more], ","), "e.csv")
    found = [line for line in data.lines if line.startswith("question:")]
    assert [asked in line for line in found] == ([True] if asked else [])


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        ([("x", "r"), ("7", "r"), ("007", "r"), ("8", "007")], True),
        ([("7", "r"), ("r", ""), ("8", "007"), ("9", "x")], True),
        ([("0", ""), ("1", ""), ("01", "0"), ("011", "01"), ("11", "1"), ("x", "1")], False),
    ],
)
def test_numbers_with_zeros_before_them_and_without_are_asked_about(make, rows, asked):
    data = make(text([("child", "parent"), *rows], ","), "e.csv")
    said = "1 node differs from another only by zeros before the number, as '007' and '7'"
    assert any(said in line for line in data.lines) is asked
    assert asked or not any("by zeros before" in line for line in data.lines)


def test_cells_that_are_empty_where_they_would_repeat_are_asked_about(make):
    above, rows = None, [("parent", "child")]
    for child, parent in TREE:
        rows.append(("" if parent == above else parent, child))
        above = parent
    data = make(text(rows, ","), "e.csv")
    assert (
        "question: 27 of 60 nodes have neither parent nor child and were left out; if a cell is "
        "empty where it would repeat the one above it, fill it down"
    ) in data.lines
    ranks = [("phylum", "family", "genus"), ("A", "B", "C"), *(("", "", f"g{k}") for k in range(9)),
             ("D", "E", "F")]  # fmt: skip
    data = make(text(ranks, ","), "l.csv")
    assert any(line.startswith("question: 9 of 15 nodes have neither") for line in data.lines)


@pytest.mark.parametrize("split", [None, 0.2])
def test_what_was_guessed_goes_with_the_pairs(make, split):
    data = make(text([*TREE, ("Total", "59")], ","), "e.csv", split=split)
    request = Request(
        mapping=str(data.folder / "mapping.tsv"),
        pairs=str(data.folder / "pairs.parquet"),
        policy=load_policy(data.folder / "taxcheck.toml", load_rules(), cause_names()),
    )
    (pairs,) = (one for one in check(request).inputs if one.role == "pairs")
    assert pairs.reading.guesses == (
        "When this was built: child is column 1, parent is column 2, by position.",
        "When this was built: not certain: 1 edge shares no node with any other (Total below 59); "
        "if that is a total, a header, units or another table, take it out.",
    )
    named = make(text([("child", "parent"), *TREE], ","), "n.csv", split=split)
    stored = pq.read_schema(named.folder / "pairs.parquet").metadata
    assert not stored


@pytest.mark.parametrize(("wrong", "asked"), [(0, False), (3, True), (12, True), (40, False)])
def test_a_tree_with_wrong_rows_beside_is_asked_about(make, wrong, asked):
    more = [(f"n{k}", "n0" if (k - 1) // 3 else "n1") for k in range(59, 59 - wrong, -1)]
    data = make(text([("child", "parent"), *TREE, *more], ","), "e.csv")
    said = f"question: {wrong} of 60 nodes have several parents, the first is n"
    assert any(line.startswith(said) for line in data.lines) == asked
