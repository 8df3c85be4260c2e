"""The space of a table that states none: what the ranking of a sample tells, and what it cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taxcheck.audit.alignment import align
from taxcheck.audit.geometry_scores import ToldBy, settled
from taxcheck.commands.selftest.table import laid_out
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.geometry import Stated, reading_of
from taxcheck.statistics.hierarchy.graph import Graph
from tests.audit.one_table import checkpoint
from tests.rules.audit import judge

PARENTS = np.array(
    [-1, *[0] * 5, *(1 + k // 4 for k in range(20)), *(6 + k // 4 for k in range(80))]
)
BALL = laid_out(PARENTS.tolist(), 6).astype(np.float64)
CHILDREN = np.flatnonzero(PARENTS >= 0)
GRAPH = Graph.from_edges(PARENTS[CHILDREN], CHILDREN, np.ones(len(PARENTS), dtype=bool))


def told(rows: np.ndarray, graph: Graph | None = GRAPH, stated: Stated | None = None):
    table = checkpoint(rows)
    reading = reading_of(rows, rows.dtype.name, stated or Stated())
    return settled(align(replace(table, reading=reading), None), graph, seed=0)


def tangent() -> np.ndarray:
    norm = np.linalg.norm(BALL, axis=1, keepdims=True)
    return 2 * np.arctanh(norm) * BALL / norm


@pytest.mark.parametrize(
    ("rows", "geometry"), [(BALL, Geometry.BALL), (tangent(), Geometry.TANGENT)]
)
def test_the_space_in_which_ancestors_are_near_is_told_as_a_guess(rows, geometry) -> None:
    table, found = told(rows)
    assert (found.geometry, found.told_by) == (geometry, ToldBy.RANKING)
    assert table.checkpoint.reading.geometry is geometry
    assert table.checkpoint.reading.confidence == "likely"
    assert next(iter(found.scores)) is geometry
    (guess,) = table.checkpoint.guesses
    assert guess.startswith(f"Nothing states the geometry: read as {geometry}, in which a sample")
    assert "`geometry`" in guess
    assert judge("EMB011", geometry=found).outcome == "pass"


def test_where_the_ranking_does_not_tell_no_pass_rests_on_it() -> None:
    for rows, graph, why in (
        (BALL / 100, GRAPH, "the ranking does not tell (MAP"),
        (BALL, None, "no pairs were given that would tell"),
    ):
        table, found = told(rows, graph)
        assert (found.geometry, found.told_by) == (Geometry.BALL, ToldBy.NOTHING)
        assert why in table.checkpoint.guesses[0]
        assert judge("EMB011", geometry=found).outcome == "warn"


def test_what_is_stated_or_on_a_sheet_is_no_guess() -> None:
    table, found = told(BALL, stated=Stated(geometry=Geometry.EUCLIDEAN, source="Given."))
    assert (found.told_by, table.checkpoint.guesses) == (ToldBy.STATED, ())
    radius = np.linalg.norm(tangent(), axis=1, keepdims=True)
    sheet = np.hstack([np.cosh(radius), np.sinh(radius) * tangent() / radius])
    table, found = told(sheet)
    assert (found.geometry, found.told_by) == (Geometry.LORENTZ, ToldBy.NUMBERS)
    assert found.guess == ""
