"""Trees in JSON as d3, jsTree and scripts write them; nodes by hand, or by json.loads."""

from __future__ import annotations

import json
import random

import pytest

from taxcheck.model.errors import InputError, TaxcheckError
from taxcheck.sources.taxonomies.json_events import events
from taxcheck.sources.taxonomies.opening import read_source


@pytest.fixture
def tree(tmp_path):
    def read(document, **options):
        text = document if isinstance(document, str) else json.dumps(document)
        (path := tmp_path / "tree.json").write_text(text, encoding="utf-8")
        found = read_source(str(path), **options)
        called = found.identifiers.to_pylist()
        ends = zip(found.parents.tolist(), found.children.tolist(), strict=True)
        return {(called[p], called[c]) for p, c in ends}, found

    return read


FLARE = {
    "name": "Animalia",
    "children": [
        {"name": "Chordata", "children": [{"name": "Mammalia", "value": 3}], "note": {"name": "x"}},
        {"rank": "phylum", "children": [], "name": "Mollusca"},
        {"name": "Cnidaria", "children": None},
    ],
}
HAND = {("Animalia", "Chordata"), ("Chordata", "Mammalia"), ("Animalia", "Mollusca"),
        ("Animalia", "Cnidaria")}  # fmt: skip


def test_nodes_with_children(tree):
    edges, found = tree(FLARE)
    assert edges == HAND
    assert found.ranks.to_pylist() == [None, None, None, "phylum", None]


@pytest.mark.parametrize(
    "document",
    [
        {"Animalia": {"Chordata": {"Mammalia": {}}, "Mollusca": {}, "Cnidaria": None}},
        {"Animalia": {"Chordata": {"Mammalia": 5}, "Mollusca": [], "Cnidaria": {}}},
        {"Animalia": {"Chordata": ["Mammalia"], "Mollusca": {}, "Cnidaria": []}},
        [{"text": "Animalia", "children": [
            {"data": {"text": "Chordata"}, "children": ["Mammalia"]},
            {"text": "Mollusca"}, {"children": [], "text": "Cnidaria"}]}],
    ],
)  # fmt: skip
def test_the_same_tree_in_other_forms(tree, document):
    assert tree(document)[0] == HAND


def test_ids_are_what_nodes_are_called_where_all_have_one(tree):
    edges, found = tree(
        {"id": 1, "name": "r", "children": [{"name": "a", "id": 2}, {"name": "a", "id": 3}]}
    )
    assert edges == {("1", "2"), ("1", "3")}
    assert found.names.to_pylist() == ["r", "a", "a"]


@pytest.mark.parametrize(
    "document",
    [
        [{"id": 1, "children": [2, 3]}, {"id": 2, "name": "b", "children": [4]}, {"id": 3,
         "children": [4]}],
        [{"name": "1", "children": ["2", "3"]}, {"name": "2", "children": ["4"]},
         {"name": "3", "children": ["4"]}],
        {"id": "1", "children": [{"id": "2", "children": [{"id": "4"}]},
                                 {"id": "3", "children": [{"id": "4"}]}]},
    ],
)  # fmt: skip
def test_what_is_named_again_is_the_same_node(tree, document):
    edges, found = tree(document)
    assert edges == {("1", "2"), ("1", "3"), ("2", "4"), ("3", "4")}
    assert "it is one node there and here" in " ".join(found.notes)
    if isinstance(document, list) and "id" in document[0]:
        assert found.names.to_pylist()[1] == "b"


def test_a_name_in_several_places_is_called_by_its_lineage(tree):
    edges, found = tree({"L": {"P": {"Morus": {}}, "A": {"Morus": {"x": {}}}}})
    assert edges >= {("P", "L;P;Morus"), ("A", "L;A;Morus"), ("L;A;Morus", "x")}
    assert "1 names stand in several places" in " ".join(found.notes)


@pytest.mark.parametrize("form", ["children", "keys"])
def test_a_deep_tree_takes_no_recursion(tree, form):
    levels = 15_000  # json.loads ends at a thousand
    if form == "children":
        text = "".join(f'{{"name": "n{k}", "children": [' for k in range(levels)) + "]}" * levels
    else:
        text = "".join(f'{{"n{k}": ' for k in range(levels)) + "null" + "}" * levels
    edges, found = tree(text)
    assert found.n == levels
    assert edges == {(f"n{k}", f"n{k + 1}") for k in range(levels - 1)}


def test_one_name_at_every_level_takes_no_more_than_it_is_long(tree):
    levels = 20_000
    _, found = tree('{"a": ' * levels + "{}" + "}" * levels)
    assert found.n == levels
    assert found.identifiers.nbytes < 100 * levels


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "a", "children": [{"name": "b"}', "ends too early"),
        ('{"name": "a", "children": [{"name": "b"}]}}', "more after the end"),
        ('{"name": "a", "children": [{"name": "b"} {"name": "c"}]}', "does not belong here"),
        ('{"name": "a", "children": [{"size": 3}]}', "character 28: a node without a name"),
        ('{"name": "a", "children": [{"name": "\\ud800"}]}', "half of a character"),
        ('{"name": "a", "children": [{"name": "b"}],}', "does not belong here"),
        ('{"name": "a", "children": [{"name": \'b\'}]}', "is no JSON here"),
        ('{"name": "a", "kinder": [{"name": "b"}]}', "JSON"),
        ('{"a": [1, 2], "b": [3, 4]}', "JSON"),
    ],
)
def test_what_is_no_tree(tree, text, said):
    with pytest.raises(TaxcheckError, match=said):
        tree(text)


def _listed(value):
    """What the events of a document should be, by what json.loads makes of it."""
    if isinstance(value, dict):
        yield "{", None
        for key, held in value.items():
            yield "key", key
            yield from _listed(held)
        yield "}", None
    elif isinstance(value, list):
        yield "[", None
        for held in value:
            yield from _listed(held)
        yield "]", None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        yield "value", value
    else:
        yield "number", value


def test_events_are_those_of_json():
    draw = random.Random(5)

    def grown(deep: int):
        kind = draw.randrange(8 if deep < 5 else 5)
        if kind < 5:
            return [None, True, 'a"\\\n\u00e9\U0001f600/', -1.5e-7, 0][kind]
        many = draw.randrange(4)
        if kind == 5:
            return [grown(deep + 1) for _ in range(many)]
        return {f"k{k}\t": grown(deep + 1) for k in range(many)}

    for ascii_only in (True, False):
        for _ in range(100):
            text = json.dumps([grown(0)], ensure_ascii=ascii_only, indent=draw.choice([None, 1]))
            found = [(k, float(v) if k == "number" else v) for _, k, v in events(text, "x")]
            assert found == list(_listed(json.loads(text)))


def test_damaged_json_is_refused_as_json_refuses_it():
    draw = random.Random(6)
    sound = json.dumps(FLARE)
    refused = 0
    for _ in range(600):
        at = draw.randrange(len(sound))
        text = (
            sound[:at]
            + draw.choice(["", "{", "]", ",", '"', "1", ":", "x", "\\"])
            + sound[at + 1 :]
        )
        try:
            json.loads(text)
        except ValueError:
            refused += 1
            with pytest.raises(InputError):
                list(events(text, "x"))
        else:
            list(events(text, "x"))
    assert refused > 300


def test_names_of_one_id_that_differ_are_told(tree):
    document = {"id": 1, "name": "r", "children": [{"id": 2, "name": "b"}, {"id": 2, "name": "c"}]}
    edges, found = tree(document)
    assert edges == {("1", "2")}
    assert "in 1 of them the names differ, and the first is kept" in found.notes
    document["children"][1]["name"] = "b"
    assert not any("differ" in note for note in tree(document)[1].notes)
    document["children"][1] = "2"
    assert not any("differ" in note for note in tree(document)[1].notes)
