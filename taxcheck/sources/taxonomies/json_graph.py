"""Graphs in JSON: nodes and links or adjacency as of d3 and networkx, elements as of Cytoscape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.directed import Directed, first_of, hierarchy_of_graph, text_of
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.text_file import TextFile

_LONGEST = 1 << 28
_LABELS = ("label", "name", "lbl", "title")
_KINDS = ("relation", "interaction", "pred", "label", "key", "type")
_LINKS = ("links", "edges")
_HOLD = (*_LINKS, "elements", "adjacency")
_OF_LINKS = (("source", "target"), ("from", "to"), ("sub", "obj"))


def read_json_graph(path: str, columns: str | None = None) -> Hierarchy:
    """Nodes by their ids, called by their labels; ``columns`` says which end is above."""
    source = TextFile(path)
    document = source.json(_LONGEST)
    try:
        known = any(key in document for key in ("graph", *_HOLD))
        graph = _graph(document) if known else _of_lists(document)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(
            f"{source.path}: a node or link is not as graphs in JSON have them "
            f"({type(error).__name__}: {error})"
        ) from None
    return hierarchy_of_graph(graph, source, "graph in JSON", columns)


def _graph(document: Any) -> Directed:
    found = Directed()
    held = document.get("graph") if isinstance(document.get("graph"), dict) else document
    if not any(key in held for key in _HOLD):
        held = document
    found.directed = held.get("directed", document.get("directed")) is not False
    elements = held.get("elements")
    if isinstance(elements, list):  # nodes and edges together
        datas = [one["data"] for one in elements]
        nodes = [one for one in datas if "source" not in one]
        links = [one for one in datas if "source" in one]
    else:
        inside = elements if isinstance(elements, dict) else held
        nodes = list(_records(inside.get("nodes", [])))
        links = list(_records(next((inside[key] for key in _LINKS if key in inside), [])))
    ids: list[str] = []
    for node in nodes:
        identifier = first_of(node, ("id", "key", "name", "label"))
        if identifier is None:
            raise KeyError("id")
        ids.append(identifier)
        found.node(identifier, first_of(node, _LABELS))
    links += _of_adjacency(held, ids, directed=found.directed)
    ends: list[Any] = []
    for link in links:
        keys = next((both for both in _OF_LINKS if link.keys() >= set(both)), _OF_LINKS[0])
        ends += (_end(link[key]) for key in keys)
    called = _called(ends, ids, found)
    for link, source, target in zip(links, called[::2], called[1::2], strict=True):
        found.edge(source, target, first_of(link, _KINDS))
    return found


def _of_adjacency(
    held: Mapping[str, Any], ids: Sequence[str], *, directed: bool
) -> Iterator[Mapping[str, Any]]:
    """Links to the neighbours of each node; where they have no direction, both ends state one."""
    lists = held.get("adjacency", ())
    if lists and len(lists) != len(ids):
        raise TypeError(f"adjacency has {len(lists):,} lists for {len(ids):,} nodes")
    seen: set[str] = set()
    for identifier, listed in zip(ids, lists, strict=False):
        for one in listed:
            if directed or text_of(one["id"]) not in seen:
                yield {**one, "source": identifier, "target": one["id"]}
        seen.add(identifier)


def _of_lists(document: Mapping[str, Any]) -> Directed:
    """Each key with the list of its neighbours."""
    found = Directed()
    for key, listed in document.items():
        found.node(key)
        for one in listed if isinstance(listed, list) else ():
            if (other := text_of(one)) is None:
                raise TypeError(f"the list of {key!r} holds {one!r}"[:80])
            found.edge(key, other)
    return found


def _records(listed: Any) -> Iterator[Mapping[str, Any]]:
    """Each of a list, or of an object by ids; Cytoscape puts them into "data"."""
    if isinstance(listed, dict):
        for identifier, held in listed.items():
            yield {"id": identifier, **(held if isinstance(held, dict) else {})}
        return
    for one in listed:
        if isinstance(one, dict):
            data = one.get("data")
            yield {**one, **data} if isinstance(data, dict) else one
        elif isinstance(one, list) and len(one) > 1:
            yield {"source": one[0], "target": one[1]}
        else:
            yield {"id": one}


def _end(value: Any) -> str | int | float:
    """What a link says of its end: an id, of an object its own, or a place in the list of nodes."""
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if text_of(value) is None:
        raise TypeError(f"a link ends at {value!r}"[:80])
    return value  # type: ignore[no-any-return]


def _called(ends: Sequence[str | int | float], ids: Sequence[str], found: Directed) -> list[str]:
    """The ids of all ends; TypeError where numbers are neither all ids nor all places of nodes."""
    texts = [text_of(end) or "" for end in ends]
    known = set(ids)
    lost = [end for end, text in zip(ends, texts, strict=True)
            if known and isinstance(end, int) and text not in known]  # fmt: skip
    if not lost:
        return texts
    if not all(isinstance(end, int) and 0 <= end < len(ids) for end in ends):
        raise TypeError(f"a link ends at {lost[0]!r}, which is neither an id nor a place of a node")
    if not known.isdisjoint(texts):
        found.guesses.append(
            "numbers at the ends of links are places in the list of nodes, and not ids, since "
            f"{lost[0]} is no id"
        )
    return [ids[int(end)] for end in ends]
