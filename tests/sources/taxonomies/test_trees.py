"""Newick and NEXUS as programs write them; nodes and edges by hand, or as DendroPy has them."""

from __future__ import annotations

import random
import time

import pytest

from taxcheck.model.errors import InputError, UsageError
from taxcheck.sources.taxonomies.newick import read_newick
from taxcheck.sources.taxonomies.opening import read_source


@pytest.fixture
def tree(tmp_path):
    """A tree of a text: its edges by labels, and what is told."""

    def read(text: str, **options):
        (path := tmp_path / "tree.txt").write_text(text, encoding="utf-8")
        read = read_source(str(path), **options)
        called = read.identifiers.to_pylist()
        ends = zip(read.parents.tolist(), read.children.tolist(), strict=True)
        return {(called[p], called[c]) for p, c in ends}, " | ".join(
            (*read.notes, *(f"guess: {one}" for one in read.guesses))
        )

    return read


TAXIDS = "((9606:1,9598:1)9604:1,(10090:1,10116:1)39107:1)314146:1;\n"
TIMETREE = (
    "((Cavia_porcellus:72,((Rattus_norvegicus:20,Mus_musculus:20)Murinae:49,"
    "Dipodomys_ordii:69)'13':0.6)'11':2)Rodentia:0;\n"
)


def test_taxids_of_inner_nodes_are_kept(tree):
    edges, told = tree(TAXIDS)
    assert edges == {
        ("314146", "9604"),
        ("314146", "39107"),
        ("9604", "9606"),
        ("9604", "9598"),
        ("39107", "10090"),
        ("39107", "10116"),
    }
    assert "guess: 3 numbers at inner nodes are read as names: some are beyond 10,000" in told


def test_numbers_beside_names_are_kept_where_they_are_quoted(tree):
    edges, _ = tree(TIMETREE)
    assert ("Rodentia", "11") in edges
    assert ("13", "Murinae") in edges


@pytest.mark.parametrize(
    ("text", "meant", "why"),
    [
        ("((a,b)95,(c,d)100);", "support", "within 0 to 100"),
        ("((a,b)95,(c,d)95)Root;", "support", "more than once"),
        ("((a,b)847,((c,d)1000,(e,f)1000)12);", "support", "more than once"),
        ("((a,b)0.98,(c,d)1);", "support", "no whole numbers"),
        ("((a,b)97.1/100,(c,d)80/99);", "support", "no whole numbers"),
        ("((a,b)1e-3,(c,d)1);", "support", "no whole numbers"),
        ("((a,b)95,(c,d)'100:g__X')r;", "support", "support:name"),
        ("((1,2)100,((3,4)100,5)90);", "support", "more than once"),
        ("((a,b)101,(c,d)102)103;", "names", "beyond 100"),
        ("(((a,b)3,c)2,d)1;", "names", "count the nodes"),
        ("((1,2)5,(3,4)6)7;", "names", "count the nodes"),
        ("((562,563)561,(620,621)543)2;", "names", "beyond 100"),
        ("((a,b)1.1,((c,d)1.2.3,e)1.2)r;", "names", "dotted codes"),
    ],
)
def test_numbers_at_inner_nodes(tree, text, meant, why):
    edges, told = tree(text)
    assert f"read as {meant}" in told
    assert why in told
    numbers = {part.split(")")[0].split(",")[0] for part in text.split(")")[1:]} - {";", ""}
    kept = {node for edge in edges for node in edge} & {one.strip(";'") for one in numbers}
    assert bool(kept - {"r", "Root"}) == (meant == "names")
    assert "read as support" in tree(text, inner_labels="support")[1]


@pytest.mark.parametrize(
    "text",
    [
        "((a,b)Murinae,(c,d)95)Root;",  # a name that is missing, or support of one branch
        "((1,2)95,(3,4)88);",
        "((a,b)847,(c,d)991);",  # of a thousand replicates, or taxids
    ],
)
def test_what_cannot_be_told_is_asked(tree, text):
    with pytest.raises(UsageError, match="could be support values or names; say which with `inn"):
        tree(text)
    asked = tree(text, inner_labels="names")[1]
    assert "as it was asked" in asked
    assert "guess" not in asked
    assert "inner nodes have no name" in tree(text, inner_labels="support")[1]


def test_numbers_of_ours_are_no_taxids(tree):
    edges, told = tree("((9606,9598),(10090,10116));")
    assert edges >= {("1000000001", "1000000002"), ("1000000002", "9606")}
    assert "numbered on to 1000000003, which is no taxid" in told


def test_labels_lengths_and_comments(tree):
    edges, told = tree(
        "[&R] ('B ''x'' y':2e-3,"
        '"say ""so""":[&rate=0.1]1E+2,(Homo sapiens[&&NHX:T=9606]:-0.1,'
        "O'Brien:.5{3},\n 'it, is (here);':1)in:1)Root"
    )
    assert edges == {
        ("Root", "B 'x' y"),
        ("Root", 'say "so"'),
        ("Root", "in"),
        ("in", "Homo sapiens"),
        ("in", "O'Brien"),
        ("in", "it, is (here);"),
    }
    assert "no ';' at the end, but every '(' is closed" in told
    assert "1 labels have blanks without quotes" in told
    assert "3 comments in [ ] are not read" in told


def test_trees_without_a_root_are_told(tree):
    assert "guess: it says that it has no root" in tree("[&U] (a,b,(c,d));")[1]
    comb = "(a,b,(c,(d,(e,(f,(g,h))))));"
    assert "guess: its root has three branches" in tree(comb)[1]
    assert "three branches" not in tree(f"[&R] {comb}")[1]
    assert "three branches" not in tree("(a,b,c,(d,e));")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(a,b);(c,d);\n(e,f);\n", r"more after the ';' \(3 trees in all, it seems\)"),
        ("(a,(b)x#H1,(x#H1,c));", "extended Newick"),
        ("(a,b)'x' y;", "'y' is a second label"),
        ("(a:g__X,b);", "'g__X' is no branch length; a label with ':' needs quotes"),
        ("((a,b),(a,b),c);", "'a' is there more than once, and 1 other labels are"),
    ],
)
def test_what_is_no_tree_of_its_own(tree, text, said):
    with pytest.raises(InputError, match=said):
        tree(text)


NEXUS = """#NEXUS
[written; by a program, with a ' in it]
Begin taxa;
\tDimensions ntax=4;
\tTaxlabels 'Homo; sapiens' Pan_troglodytes Mus Rattus;
End;
BEGIN TREES;
\tTranslate
\t\t1 'Homo; sapiens',
\t\t2 Pan_troglodytes,
\t\t3 Mus,
\t\t4 Rattus
\t\t;
tree TREE1 = [&R] [&lnP=-3] ((1[&rate=0.1]:0.1,2:[&r=1]0.1)99:0.1,(3:1e-3,4:2E+1)3:0.1);
End;
"""


def test_nexus(tree):
    edges, told = tree(NEXUS)
    assert edges == {
        ("node_1", "node_2"),
        ("node_1", "node_3"),
        ("node_2", "Homo; sapiens"),
        ("node_2", "Pan_troglodytes"),
        ("node_3", "Mus"),
        ("node_3", "Rattus"),
    }
    assert "tree TREE1, 4 labels translated" in told
    assert "2 numbers at inner nodes are read as support" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (NEXUS.replace("End;", "tree other = (1,2);\nEnd;"), r"holds 2 trees \(TREE1, other\)"),
        (NEXUS[: NEXUS.index("BEGIN TREES")], r"without a tree \(its blocks: taxa\)"),
        (NEXUS[: NEXUS.index("4 Rattus")], "no ';' ends this; the file is truncated"),
        (NEXUS.replace("2 Pan", "2, Pan"), "TRANSLATE has pairs"),
    ],
)
def test_nexus_without_one_tree(tree, text, said):
    with pytest.raises(InputError, match=said):
        tree(text)


def test_random_trees_as_dendropy_reads_them(tree):
    dendropy = pytest.importorskip("dendropy", reason="needs the package dendropy")
    draw = random.Random(7)

    def grown(left: int) -> str:
        if left == 1:
            name = draw.choice(["t", "T x", "it''s", "a,b"]) + str(draw.randrange(10**9))
            return f"'{name}':{draw.random()}"
        cuts = sorted(draw.sample(range(1, left), min(left - 1, draw.choice([1, 1, 1, 2, 4]))))
        sizes = [b - a for a, b in zip([0, *cuts], [*cuts, left], strict=True)]
        return f"({','.join(map(grown, sizes))})in{draw.randrange(10**9)}:{draw.random():.2e}"

    for size in (2, 40, 300):
        text = f"[&R] {grown(size)};"
        read = dendropy.Tree.get(
            data=text, schema="newick", preserve_underscores=True, suppress_internal_node_taxa=True
        )
        called = {node: node.taxon.label if node.taxon else node.label for node in read}
        expected = {(called[n.parent_node], called[n]) for n in read if n.parent_node}
        assert tree(text)[0] == expected


def test_a_deep_tree_takes_no_recursion(tmp_path):
    levels = 100_000
    comb = "(" * levels + "a" + "".join(f",b{k})" for k in range(levels)) + ";"
    (tmp_path / "comb.nwk").write_text(comb)
    read = read_newick(str(tmp_path / "comb.nwk"))
    assert (read.n, len(read.parents)) == (2 * levels + 1, 2 * levels)


@pytest.mark.slow
def test_a_million_leaves_take_seconds(tmp_path):
    leaves = 1_000_000
    text = "(" + ",".join(f"L{k}:0.1" for k in range(leaves)) + ")root;"
    (tmp_path / "star.nwk").write_text(text)
    began = time.process_time()
    read = read_newick(str(tmp_path / "star.nwk"))
    assert time.process_time() - began < 60
    assert (read.n, len(read.parents), set(read.parents.tolist())) == (leaves + 1, leaves, {0})
