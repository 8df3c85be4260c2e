"""Trees in JSON: nodes with a list of children, as d3 has them, or names over names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.hierarchy import Growing, Hierarchy
from taxcheck.sources.taxonomies.homonyms import called_apart
from taxcheck.sources.taxonomies.json_events import Event, events
from taxcheck.sources.taxonomies.newick_text import wrong
from taxcheck.sources.taxonomies.text_file import TextFile

CHILDREN = ("children", "_children", "Children", "child_nodes", "childNodes", "subtrees", "nodes")
_IDENTIFIERS = ("id", "taxid", "tax_id", "taxon_id", "ID", "@id", "key", "identifier")
_NAMES = ("name", "label", "title", "text", "scientificName", "scientific_name", "Name", "lbl")
_RANKS = ("rank", "Rank", "taxonRank")
_WITHIN = ("data", "attributes", "attr")  # objects of a node that hold what it is called
_LONGEST = 1 << 28


@dataclass(slots=True)
class _Nodes:
    """Nodes of a tree as they come, the parent before its children."""

    parents: list[int] = field(default_factory=list)
    identifiers: list[str | None] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    ranks: list[str | None] = field(default_factory=list)
    places: list[int] = field(default_factory=list)  # in the text
    bare: set[int] = field(default_factory=set)  # nodes that are a text in a list of children

    def add(self, parent: int, place: int, name: str | None = None) -> int:
        self.parents.append(parent)
        self.identifiers.append(None)
        self.names.append(name)
        self.ranks.append(None)
        self.places.append(place)
        return len(self.parents) - 1

    def describe(self, node: int, key: str, value: str) -> None:
        """What a key of the node says, where it is one that says what it is called."""
        for keys, column in (
            (_IDENTIFIERS, self.identifiers),
            (_NAMES, self.names),
            (_RANKS, self.ranks),
        ):
            if key in keys and column[node] is None:
                column[node] = value


def read_json_tree(path: str) -> Hierarchy:
    """Nodes by their ids, where all have one of their own, or else by their names.

    A name in several places is called by its whole lineage.
    """
    source = TextFile(path)
    text = source.text(_LONGEST)
    nodes = _Nodes()
    stream = events(text, source.path)
    notes: list[str] = []
    if any(f'"{key}"' in text for key in CHILDREN):
        _objects(stream, nodes)
    else:
        _nested(stream, nodes)
        notes.append("keys are the nodes, and what a key holds is below it")
    try:
        return _hierarchy(nodes, source, text, notes)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{source.path}: an id or name holds \\u{ord(error.object[error.start]):04x}, half of "
            "a character; write the whole one"
        ) from None


def _objects(stream: Iterator[Event], nodes: _Nodes) -> None:
    """Nodes are objects, and those in a list of a key such as "children" are below them."""
    stack: list[tuple[str, int]] = [("children", -1)]  # what an opened level is of, and its node
    key = ""
    for at, kind, value in stream:
        of, node = stack[-1]
        if kind == "key":
            key = value
        elif kind in ("value", "number"):
            if of == "children" and isinstance(value, str):
                nodes.bare.add(nodes.add(node, at, value))
            elif of in ("node", "within") and isinstance(value, str) and value.strip():
                nodes.describe(node, key, value)
        elif kind == "{":
            if of == "children" or (of == "node" and key in CHILDREN):
                stack.append(("node", nodes.add(node, at)))
            else:
                stack.append(("within" if of == "node" and key in _WITHIN else "", node))
        elif kind == "[":
            below = (of == "node" and key in CHILDREN) or len(stack) == 1
            stack.append(("children" if below else "", node))
        else:
            stack.pop()


def _nested(stream: Iterator[Event], nodes: _Nodes) -> None:
    """Keys are nodes; below them are the keys of their object, or the texts of their list."""
    stack: list[int] = [-1]  # the node of every opened level
    key = -1  # the node of the key whose value comes, else -1
    for at, kind, value in stream:
        if kind == "key":
            key = nodes.add(stack[-1], at, value)
            continue
        if kind in "{[":
            stack.append(stack[-1] if key < 0 else key)
        elif kind in "}]":
            stack.pop()
        elif isinstance(value, str) and (kind == "value" or key < 0):  # else it counts something
            nodes.add(stack[-1] if key < 0 else key, at, value)
        key = -1


def _hierarchy(nodes: _Nodes, source: TextFile, text: str, notes: list[str]) -> Hierarchy:
    if not nodes.parents:
        raise InputError(f"{source.path}: holds no node")
    ids, names = nodes.identifiers, nodes.names
    for k, name in enumerate(names):
        if not (name or ids[k]):
            keys = ", ".join((*_NAMES[:4], *_IDENTIFIERS[:2]))
            what = f"a node without a name; it has none of {keys}"
            raise wrong(text, nodes.places[k], source.path, what)
    called = _by_keys(nodes, notes)
    if called is None:
        uses = [(p, names[k] or ids[k] or "") for k, p in enumerate(nodes.parents)]
        called, homonyms = called_apart(uses)
        if homonyms:
            shown = ", ".join(homonyms[:5])
            notes.append(
                f"{len(homonyms):,} names stand in several places; those nodes are called by their "
                f"whole lineage ({shown})"
            )
    growing = Growing()
    for k, parent in enumerate(nodes.parents):
        place = growing.node(called[k])
        if k not in nodes.bare:  # of a bare text, another node may say more
            growing.names[place] = growing.names[place] or names[k] or ids[k]
            growing.ranks[place] = growing.ranks[place] or nodes.ranks[k]
        if parent >= 0:
            growing.edge(growing.place[called[parent]], place)
    for place, name in enumerate(growing.place):
        growing.names[place] = growing.names[place] or name
    return growing.hierarchy(source.origin("JSON tree"), notes)


def _by_keys(nodes: _Nodes, notes: list[str]) -> list[str] | None:
    """What nodes are called where each object has an id, or where bare texts name other objects.

    What is called alike is then one node, which may have several parents. None where names alone
    tell nodes apart.
    """
    objects = [k for k in range(len(nodes.parents)) if k not in nodes.bare]
    keys = [one if one else None for one in nodes.identifiers]
    by_id = bool(objects) and all(keys[k] for k in objects)
    if not by_id:
        known = [nodes.names[k] for k in objects]
        named = {nodes.names[k] for k in nodes.bare}
        if named.isdisjoint(known) or len(set(known)) < len(known):
            return None
        keys = list(nodes.names)
    called = [keys[k] or nodes.names[k] or "" for k in range(len(keys))]
    notes.append(f"nodes are called by their {'ids' if by_id else 'names'}")
    several = len(called) - len(set(called))
    if several:
        notes.append(f"{several:,} times a node is named once more: it is one node there and here")
        notes += _differing(called, nodes)
    return called


def _differing(called: list[str], nodes: _Nodes) -> Iterator[str]:
    """How many nodes have several names."""
    names = enumerate(nodes.names)  # a bare text is the id of a node that another place names
    said = {(called[k], name) for k, name in names if name and k not in nodes.bare}
    if count := sum(times > 1 for times in Counter(one for one, _ in said).values()):
        yield f"in {count:,} of them the names differ, and the first is kept"
