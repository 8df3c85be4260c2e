"""A graph of Graphviz (DOT): its nodes, labels and edges.

Grammar: https://graphviz.org/doc/info/lang.html. pydot takes minutes for as many edges as a
published ontology has, and recurses into what is nested.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.directed import Directed, hierarchy_of_graph
from taxcheck.sources.taxonomies.hierarchy import Hierarchy
from taxcheck.sources.taxonomies.newick_text import wrong
from taxcheck.sources.taxonomies.text_file import TextFile

_LONGEST = 1 << 28
_LEVELS = 1_000  # of subgraphs inside of each other
_MOST_PRODUCTS = 10_000_000  # edges between groups of nodes
_TOKEN = re.compile(
    r"\s+|//[^\n]*|(?m:^)#[^\n]*|/\*(?:[^*]|\*(?!/))*\*/|(->|--|[{}\[\];,=:])|"
    r'"((?:[^"\\]|\\.)*)"|(-?(?:\.\d+|\d+(?:\.\d*)?)(?![\w.])|[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)',
    re.S,
)
_HTML = re.compile(r"[<>]")
_TAGS = re.compile(r"<[^<>]*>")
_WORDS = {"node", "edge", "graph"}


def read_dot(path: str, columns: str | None = None) -> Hierarchy:
    """Nodes by their ids, called by their labels; ``columns`` says which end is above."""
    source = TextFile(path)
    reading = _Reading(source.text(_LONGEST), source.path)
    return hierarchy_of_graph(reading.graph(), source, "DOT", columns)


class _Reading:
    """The tokens of a text, and the graph that grows from them."""

    def __init__(self, text: str, shown: str) -> None:
        self._text, self._shown = text, shown
        self._found = Directed()
        self._groups: list[list[str]] = [[]]  # the nodes of every open '{'
        self._chains: list[tuple[list[str], bool]] = [([], False)]  # nodes before an edge, and if
        self._begun = 0  # edges before this statement

    def graph(self) -> Directed:
        """The whole graph."""
        tokens = list(_tokens(self._text, self._shown))
        at = self._header(tokens)
        while at < len(tokens):
            at = self._take(tokens, at)
        if len(self._groups) > 1:
            raise wrong(self._text, len(self._text), self._shown, "a '{' is not closed: truncated")
        return self._found

    def _header(self, tokens: list[tuple[int, str, str]]) -> int:
        for k, (at, kind, value) in enumerate(tokens[:4]):
            if kind == "{":
                return k
            if value.lower() in ("graph", "digraph"):
                self._found.directed = value.lower() == "digraph"
            elif k > 2:
                raise wrong(self._text, at, self._shown, "no 'digraph {' begins here")
        raise InputError(f"{self._shown}: is no graph of Graphviz: no 'digraph {{' begins it")

    def _take(self, tokens: list[tuple[int, str, str]], k: int) -> int:
        """One token, or an id with all that belongs to it; the place of the next."""
        at, kind, value = tokens[k]
        after = tokens[k + 1][1] if k + 1 < len(tokens) else ""
        if kind == "{":
            self._groups.append([])
            self._chains.append(([], False))
            if len(self._groups) > _LEVELS:
                raise wrong(self._text, at, self._shown, "is nested too deeply")
        elif kind == "}":
            if len(self._groups) == 1:
                raise wrong(self._text, at, self._shown, "a '}' without its '{'")
            group = self._groups.pop()
            self._chains.pop()
            self._groups[-1] += group
            self._ends(list(dict.fromkeys(group)), at)
        elif kind in ("->", "--"):
            self._chains[-1] = (self._chains[-1][0], True)
        elif kind in (";", ","):
            self._chains[-1] = ([], False)
        elif kind == "[":
            return self._attributes(tokens, k, self._chains[-1][0])
        elif kind == "id" and value == "subgraph" and after in ("id", "{"):
            return k + 1 + (after == "id")
        elif kind == "id" and value.lower() in _WORDS and after == "[":
            return self._attributes(tokens, k + 1, [])
        elif kind in ("id", "text") and after == "=":
            return k + 3
        elif kind in ("id", "text"):
            self._found.node(value)
            self._groups[-1].append(value)
            self._ends([value], at)
            while k + 2 < len(tokens) and tokens[k + 1][1] == ":":  # a port
                k += 2
        return k + 1

    def _ends(self, nodes: list[str], at: int) -> None:
        """Nodes that stand in a chain: edges lead to them where one was begun."""
        before, joined = self._chains[-1]
        if not joined:
            self._begun = len(self._found.sources)
        else:
            if len(before) * len(nodes) > _MOST_PRODUCTS:
                raise wrong(self._text, at, self._shown, "an edge between groups is too many edges")
            for source in before:
                for target in nodes:
                    self._found.edge(source, target)
        self._chains[-1] = (nodes, False)

    def _attributes(self, tokens: list[tuple[int, str, str]], k: int, nodes: list[str]) -> int:
        """A list [key=value …] from its '[' on: of one node its label is kept."""
        key = ""
        for at in range(k + 1, len(tokens)):
            _, kind, value = tokens[at]
            if kind == "]":
                return at + 1
            if kind in ("id", "text"):
                if key == "label" and tokens[at - 1][1] == "=":
                    self._labelled(nodes, value)
                key = value
        raise wrong(self._text, len(self._text), self._shown, "a '[' is not closed: truncated")

    def _labelled(self, nodes: list[str], label: str) -> None:
        """The edges of this statement have a label, or its one node has."""
        if edges := len(self._found.sources) - self._begun:
            self._found.kinds[self._begun :] = [label.strip().lower()] * edges
        elif len(nodes) == 1:
            self._found.labels[nodes[0]] = self._found.labels[nodes[0]] or _plain(label)


def _tokens(text: str, shown: str) -> Iterator[tuple[int, str, str]]:
    """(place, kind, value): marks are their own kind, else "id" or "text"."""
    at = 0
    while at < len(text):
        if text[at] == "<":
            end = _after_html(text, at, shown)
            yield at, "text", html.unescape(_TAGS.sub(" ", text[at + 1 : end - 1])).strip()
            at = end
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise wrong(text, at, shown, f"{text[at : at + 20]!r} is no DOT here")
        mark, quoted, word = found.groups()
        if mark:
            yield at, mark, mark
        elif quoted is not None:
            yield at, "text", quoted.replace('\\"', '"')
        elif word is not None:
            yield at, "id", word
        at = found.end()


def _after_html(text: str, start: int, shown: str) -> int:
    depth = 0
    for found in _HTML.finditer(text, start):
        depth += 1 if found[0] == "<" else -1
        if not depth:
            return found.end()
    raise wrong(text, start, shown, "a '<' is not closed: truncated")


def _plain(label: str) -> str | None:
    r"""A label on one line; \N is the node itself."""
    text = re.sub(r"\\[nlr]", " ", label).replace("\\\\", "\\").strip()
    return None if text in ("", "\\N") else text
