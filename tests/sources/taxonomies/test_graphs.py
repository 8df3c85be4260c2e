"""Graphs as networkx, Cytoscape, d3 and Graphviz write them: which end is above is told."""

from __future__ import annotations

import io
import json
import random
import sys

import pytest

from taxcheck.model.errors import InputError, TaxcheckError, UsageError
from taxcheck.sources.taxonomies.opening import read_source

networkx = pytest.importorskip("networkx", reason="needs the extra graphs")


@pytest.fixture
def read(tmp_path):
    def read(text: str, **options):
        (path := tmp_path / "graph.txt").write_text(text, encoding="utf-8")
        found = read_source(str(path), **options)
        called = found.identifiers.to_pylist()
        ends = zip(found.parents.tolist(), found.children.tolist(), strict=True)
        return (
            {(called[p], called[c]) for p, c in ends},
            " | ".join((*found.notes, *found.guesses)),
            found,
        )

    return read


def written(graph, form: str) -> str:
    """A graph by the writer of another library."""
    if form == "json":
        return json.dumps(networkx.node_link_data(graph, edges="links"))
    if form == "adjacency":
        return json.dumps(networkx.adjacency_data(graph))
    if form == "cytoscape":
        return json.dumps(networkx.cytoscape_data(graph))
    if form == "dot":
        pytest.importorskip("pydot", reason="needs the package pydot")
        return networkx.nx_pydot.to_pydot(graph).to_string()
    sink = io.BytesIO()
    {"graphml": networkx.write_graphml, "gexf": networkx.write_gexf, "gml": networkx.write_gml}[
        form
    ](graph, sink)
    return sink.getvalue().decode()


FORMS = ("graphml", "gexf", "gml", "json", "adjacency", "cytoscape", "dot")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("upwards", [False, True])
def test_random_trees_as_networkx_writes_them(read, form, upwards):
    draw = random.Random(17)
    names = [f"Taxon {k} é" for k in range(60)]
    tree = networkx.DiGraph()
    for k in range(1, 60):
        tree.add_edge(names[draw.randrange(k)], names[k], weight=k / 7)
    edges, told, found = read(written(tree.reverse() if upwards else tree, form))
    assert edges == set(tree.edges)
    assert ("source is child, target parent" if upwards else "parent to child") in told
    assert len(found.guesses) == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_dag_is_asked_about(read, form):
    dag = networkx.DiGraph([("r", "a"), ("r", "b"), ("a", "x"), ("b", "x")])
    text = written(dag, form)
    with pytest.raises(
        UsageError, match=r"its edges do not tell parent and child .* `columns` chi"
    ):
        read(text)
    edges, told, _ = read(text, columns="child=target,parent=source")
    assert edges == set(dag.edges)
    assert "as it was asked" in told
    assert read(text, columns="parent=target, child=source")[0] == {(c, p) for p, c in dag.edges}
    with pytest.raises(UsageError, match="of a graph they are"):
        read(text, columns="child=a,parent=b")


def test_what_edges_are_called_tells_their_direction(read):
    text = """digraph { a -> b [label="is_a"]; a -> c [label=is_a]; d -> b [label="IS_A"] }"""
    links = [
        {"source": s, "target": t, "relation": "is_a"}
        for s, t in (("a", "b"), ("a", "c"), ("d", "b"))
    ]
    nodes = [{"id": k} for k in "abcd"]
    for form in (text, json.dumps({"nodes": nodes, "links": links})):
        edges, told, found = read(form)
        assert edges == {("b", "a"), ("c", "a"), ("b", "d")}
        assert "edges are called is_a" in told
        assert found.guesses == ()
    with pytest.raises(UsageError, match="do not tell"):
        read(text.replace("[label=is_a]", ""))


def test_edges_of_other_relations_are_left_out(read):
    text = """digraph { a -> r [label="is_a"]; b -> r [label="is a"]; r -> c [label=superclass_of]
        d -> b [label=regulates]; e -> b [label=regulates]; b -> a [label=part_of] }"""
    edges, told, found = read(text)
    assert edges == {("r", "a"), ("r", "b"), ("r", "c")}
    assert "parent to child: edges are called superclass_of" in told
    assert [one.line() for one in found.dropped] == [
        "3 edges: of other relations (part_of 1, regulates 2)"
    ]
    edges, told, _ = read(text, columns="child=source,parent=target")
    assert len(edges) == 6
    assert "edges of all kinds are read: is a 1, is_a 1, part_of 1, regulates 2" in told


@pytest.mark.parametrize("form", ["graphml", "gml", "json", "dot"])
def test_edges_without_direction_are_asked_about(read, form):
    with pytest.raises(UsageError, match="its edges have no direction"):
        read(written(networkx.Graph([("a", "b"), ("a", "c")]), form))


def test_a_single_chain_is_asked_about(read):
    with pytest.raises(UsageError, match="every end has one edge"):
        read("digraph { a -> b -> c }")


DOT = """// made by hand
/* with a comment { */
# and a line of cpp
strict digraph "g h" { rankdir=LR; node [shape=box, label="none"]; edge [color="red"]
 a [label="Animals\\n(all)", shape=box]; a -> b -> c [color=red label="x"];
 a -> {d; e:port:n} ; "f \\"g\\"" [label=<<b>F</b> &amp; G>]; a
 subgraph cluster_1 { label = "c"; b -> "f \\"g\\""; -1.5 }
 b -> subgraph s { h i }, j
}
"""


def test_dot_by_hand(read):
    edges, _, found = read(DOT)
    assert edges == {
        ("a", "b"),
        ("b", "c"),
        ("a", "d"),
        ("a", "e"),
        ("b", 'f "g"'),
        ("b", "h"),
        ("b", "i"),
    }
    names = dict(zip(found.identifiers.to_pylist(), found.names.to_pylist(), strict=True))
    assert (names["a"], names['f "g"'], names["b"]) == ("Animals (all)", "F  & G", "b")
    assert {"-1.5", "j"} <= set(names)


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"name": "r"}, {"name": "a"}, {"name": "b"}],
         "links": [{"source": 0, "target": 1}, {"source": 0, "target": 2}]},
        {"elements": [{"data": {"id": "r"}}, {"data": {"id": "e", "source": "r", "target": "a"}},
                      {"data": {"source": "r", "target": "b"}, "group": "edges"}]},
        {"graph": {"nodes": {"r": {}, "a": {"label": "A"}, "b": {}},
                   "edges": [{"source": "r", "target": "a"}, {"source": "r", "target": "b"}]}},
        {"nodes": ["r", "a", "b"], "edges": [["r", "a"], ["r", "b"]]},
        {"nodes": [{"id": "r"}, {"id": "a"}, {"id": "b"}],
         "edges": [{"from": "r", "to": "a"}, {"from": "r", "to": "b"}]},
        {"r": ["a", "b"], "a": [], "b": None},
        {"a": ["r"], "b": ["r"], "r": []},
    ],
)  # fmt: skip
def test_forms_of_json(read, document):
    assert read(json.dumps(document))[0] == {("r", "a"), ("r", "b")}


def test_labels_are_identifiers_where_ids_only_count(read):
    text = """graph [ directed 1 node [ id 0 label "Root" ] node [ id 1 label "A" ]
 node [ id 2 label "B" ] edge [ source 0 target 1 ] edge [ source 0 target 2 ] ]"""
    edges, told, _ = read(text)
    assert edges == {("Root", "A"), ("Root", "B")}
    assert "nodes are called by their labels" in told
    edges, _, found = read(text.replace('"B"', '"A"'))
    assert edges == {("0", "1"), ("0", "2")}
    assert found.names.to_pylist() == ["Root", "A", "A"]


ENTITY = '<!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
BAD = {
    "an entity": (f"{ENTITY}<graphml>&x;</graphml>", "is of another file"),
    "in GEXF": (f"{ENTITY}<gexf>&x;</gexf>", "is of another file"),
    "half of GraphML": ('<graphml><graph edgedefault="directed"><node id="a"/>', "read as GraphML"),
    "no edge": ('<graphml><graph edgedefault="directed"><node id="a"/></graph></graphml>', "no e"),
    "half of DOT": ("digraph { a -> b; ", "a '{' is not closed"),
    "half of a label": ('digraph { a -> b [label="x', "is no DOT here"),
    "an open list": ("digraph { a -> b [label=x ", r"a '\[' is not closed"),
    "too many ends": ("digraph { a -> b }}", "a '}' without its '{'"),
    "deep DOT": ("digraph " + "{" * 100_000, "nested too deeply"),
    "deep GML": ("graph [ " + "node [ " * 100_000, "GML"),
    "groups": (
        "digraph { {" + " ".join(f"a{k}" for k in range(4000)) + "} -> {"
        + " ".join(f"b{k}" for k in range(4000)) + "} }", "too many edges",
    ),
    "a link to nothing": ('{"nodes": [{"id": "a"}], "links": [{"source": "a"}]}', "is not as"),
    "a node of nothing": ('{"nodes": [{"x": 1}], "links": [{"source": 0, "target": 0}]}', "not as"),
    "half of JSON": ('{"nodes": [], "links": [', "no whole JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_damaged_graphs_are_refused_in_one_line(read, name):
    text, said = BAD[name]
    with pytest.raises(TaxcheckError, match=said) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("form", ["graphml", "gexf", "gml"])
def test_without_networkx_it_is_named_with_the_command_that_installs_it(read, monkeypatch, form):
    text = written(networkx.DiGraph([("a", "b"), ("a", "c")]), form)
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(InputError, match=r"needs networkx: pip install 'taxcheck\[graphs\]'"):
        read(text)


def test_lists_of_neighbours_that_are_cut_off_are_refused(read):
    document = json.loads(written(networkx.DiGraph([("a", "b"), ("a", "c")]), "adjacency"))
    document["adjacency"].pop()
    with pytest.raises(InputError, match="adjacency has 2 lists for 3 nodes"):
        read(json.dumps(document))


def test_ends_of_links_are_ids_or_places(read):
    def text(ids, *links):
        return json.dumps({"nodes": [{"id": k, "name": f"N{k}"} for k in ids],
                           "links": [{"source": s, "target": t} for s, t in links]})  # fmt: skip

    edges, _, found = read(text([1, 2, 3], (0, 1), (0, 2)))
    assert edges == {("N1", "N2"), ("N1", "N3")}
    assert "places in the list of nodes" in found.guesses[0]
    edges, _, found = read(text([1, 2, 3], (1, 2), (1, 3)))
    assert edges == {("N1", "N2"), ("N1", "N3")}
    assert len(found.guesses) == 1
    assert read(text("abc", (0, 1), (0, 2)))[0] == {("a", "b"), ("a", "c")}
    for links in ([(0, -1), (0, 1)], [(1, 4), (1, 2)], [("a", 0), ("a", 1)]):
        with pytest.raises(InputError, match="neither an id nor a place"):
            read(text([1, 2, 3] if links[0][0] == 1 else "abc", *links))
