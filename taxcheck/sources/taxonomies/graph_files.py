"""Graphs in GraphML, GML and GEXF, taken apart by networkx."""

from __future__ import annotations

import io
import warnings
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.files import damaged
from taxcheck.sources.taxonomies.directed import Directed, first_of, hierarchy_of_graph
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.text_file import TextFile
from taxcheck.sources.taxonomies.xml_prolog import refuse_entities

_MOST_BYTES = 1 << 28
_LABELS = ("label", "name", "Label", "Name", "NodeLabel", "title")
_KINDS = ("label", "relation", "interaction", "relationship", "kind", "type", "EdgeLabel")


def read_graphml(path: str, columns: str | None = None) -> Hierarchy:
    """Nodes by their ids, called by their labels; ``columns`` says which end is above."""
    return _read(path, "GraphML", columns)


def read_gexf(path: str, columns: str | None = None) -> Hierarchy:
    """As ``read_graphml``."""
    return _read(path, "GEXF", columns)


def read_gml(path: str, columns: str | None = None) -> Hierarchy:
    """As ``read_graphml``."""
    return _read(path, "GML", columns)


def _read(path: str, kind: str, columns: str | None) -> Hierarchy:
    source = TextFile(path)
    if source.file.bytes > _MOST_BYTES:
        raise InputError(
            f"{source.path}: is larger than {_MOST_BYTES >> 20} MiB of {kind}; write its edges as "
            "a table of child,parent"
        )
    if kind != "GML":
        refuse_entities(source)
    try:
        import networkx
    except ImportError:
        raise InputError(
            f"{source.path}: is {kind}, which needs networkx: pip install 'taxcheck[graphs]'"
        ) from None
    text = source.text(_MOST_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = _parsed(networkx, kind, text)
    except RecursionError:
        raise InputError(f"{source.path}: is nested too deeply for {kind}") from None
    except Exception as error:  # networkx raises almost anything for a damaged file
        raise damaged(source.path, kind, error) from None
    found = Directed(directed=graph.is_directed())
    for node, data in graph.nodes(data=True):
        found.node(str(node), first_of(data, _LABELS))
    for one, other, data in graph.edges(data=True):
        found.edge(str(one), str(other), first_of(data, _KINDS))
    return hierarchy_of_graph(found, source, kind, columns)


def _parsed(networkx: Any, kind: str, text: str) -> Any:
    if kind == "GML":
        return networkx.parse_gml(text, label=None)
    read = networkx.read_graphml if kind == "GraphML" else networkx.read_gexf
    return read(io.BytesIO(text.encode()))
