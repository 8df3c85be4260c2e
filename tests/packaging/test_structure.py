"""The layout: few rooms, and no circle of imports in them."""

from __future__ import annotations

import ast

import grimp
import numpy as np
import pytest
from radon.complexity import cc_rank, cc_visit_ast
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tests.packaging.packaged import PACKAGES, ROOT


def test_a_dozen_rooms_can_be_remembered():
    inside = {path.name for path in (ROOT / "taxcheck").iterdir() if not path.name.startswith("_")}
    rooms = {name for name in inside if list((ROOT / "taxcheck" / name).rglob("*.py"))}
    files = {name for name in inside if name.endswith(".py")}
    assert len(rooms) <= 12, sorted(rooms)
    assert files == {"files.py"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_leads_back_to_itself(package):
    """Imports inside of functions and for type checkers count as well."""
    graph = grimp.build_graph(package)
    modules = sorted(graph.modules)
    at = {name: k for k, name in enumerate(modules)}
    edges = [
        (at[name], at[other])
        for name in modules
        for other in graph.find_modules_directly_imported_by(name)
        if other in at and name not in (package, f"{package}.__init__")
    ]
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    shape = (len(modules), len(modules))
    links = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=shape)
    _, of = connected_components(links, connection="strong")
    circles = [[modules[k] for k in np.flatnonzero(of == c)] for c in np.unique(of)]
    assert [circle for circle in circles if len(circle) > 1] == []


def test_a_function_can_be_held_in_mind():
    """The training kernel is the exception: one loop for all threads, compiled whole."""
    folders = [ROOT / "taxcheck", ROOT / "rules", ROOT / "reports"]
    measured = [
        (block.complexity, f"{path.relative_to(ROOT)}:{block.lineno} {block.name}")
        for folder in folders
        for path in folder.rglob("*.py")
        if path != ROOT / "taxcheck/engine/kernel.py"
        for block in cc_visit_ast(ast.parse(path.read_bytes()))
    ]
    assert len(measured) > 1000
    assert [one for one in sorted(measured, reverse=True) if cc_rank(one[0]) > "C"] == []
