"""The cause in which one column stands some rows lower or higher than the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from taxcheck.model.arrays import BoolArray, IntArray, grouped, ranges
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.room import Room
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.joins import UNSAID, Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.symptoms import Symptoms

_MOST, _ROW_BYTES = 5_000_000, 200  # rows, and what each takes meanwhile
_FEWEST = 100
_ASKED = 1_000  # rows of which what is above them is looked at
_GLANCE, _SEEN, _HOPELESS = 100, 50, 0.7  # of the first of them; such a share is never _WHOLE
_LOOKUPS = 1_000_000
_APART = (1, -1, 2, -2, 3, -3)  # rows that are tried
_WHOLE, _BETTER = 0.98, 0.03
_SEEN_BY = frozenset((
    "taxid_disagreement",
    "false_ancestor_pair",
    "reversed_pair",
    "disagrees_with_taxonomy",
    "several_parents",
    "missing_ancestor_pair",
    "missing_parent",
    "cycle",
    "self_pair",
))  # fmt: skip
_STATED = ("inconsistent_depth", "depth_mismatch")


@cause()
def shifted_column(
    kept: KeptPairs,
    totals: PairState,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    room: Room,
) -> Explanation | None:
    """One column of the pairs stands one row, or a few, lower or higher than the others.

    The ancestor of each pair is in the row after it, or before it, or the distance is, or the
    identifier. Put back, the pairs are closed: all that is above an ancestor is above its
    descendants, as far as the distances say.

    Why it matters:
    Where the rows of one node follow each other nearly every pair seems true, and is a step off:
    parents pass for grandparents, and the first or last ancestor of each node is another one's.

    How to fix:
    Look for ``shift()``, for an index that begins at another number, or for a header that one of
    two files has, where columns are put side by side. ``taxcheck fix`` puts the column back.

    Known exceptions:
    Where whole columns move against each other the first or last rows have no partner, and are
    left out. Rows that were shuffled before show it as well; where all rows are one node's, nothing
    does.

    References:
    - pandas.DataFrame.shift: https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.shift.html
    - pandas.concat, which joins columns by index:
      https://pandas.pydata.org/docs/reference/api/pandas.concat.html
    """
    if not _SEEN_BY & {*symptoms} or len(kept) < _FEWEST:
        return None
    room.look(len(kept), _ROW_BYTES, _MOST)
    table = _Table.of(kept, symptoms, joins, totals.origin.n)
    if table is None:
        return None
    return _of_identifiers(table, symptoms, joins) or _of_pairs(table, symptoms)


class _Score(NamedTuple):
    """Of what is above an ancestor: how much is above its descendants too, and as far as it says.

    ``near`` is the share that is no farther than the two steps, ``exact`` as far as they are.
    """

    closed: float
    near: float
    exact: float
    looked: int  # at so many


@dataclass(frozen=True)
class _Table:
    """All rows with two idx, one after the other, (k,) each."""

    rows: IntArray
    ancestor: IntArray
    descendant: IntArray
    distance: IntArray | None
    meant: tuple[IntArray, IntArray]  # UNSAID without an identifier
    n: int

    @classmethod
    def of(
        cls, kept: KeptPairs, symptoms: Symptoms, joins: Mapping[str, Joins], n: int
    ) -> _Table | None:
        """None where rows between others could not be read."""
        parts: list[tuple[IntArray, IntArray, IntArray, IntArray | None]] = [
            (b.rows, b.ancestor, b.descendant, b.depth_diff) for b in kept.batches()
        ]
        for name in ("index_out_of_range", "self_pair"):
            symptom = symptoms.get(name)
            if symptom is not None and symptom.rows is not None:
                stated = symptom.column("depth_diff")
                depth = None if stated is None else stated.astype(np.int64)
                ancestor, descendant = symptom.nodes
                parts.append((symptom.rows, ancestor, descendant, depth))
        rows = np.concatenate([part[0] for part in parts])
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        if rows[-1] - rows[0] + 1 != len(rows):
            return None
        a = np.concatenate([part[1] for part in parts])[order]
        d = np.concatenate([part[2] for part in parts])[order]
        told = [part[3] for part in parts if part[3] is not None]
        distance = np.concatenate(told)[order] if len(told) == len(parts) else None
        meant = np.full((2, len(rows)), UNSAID)
        for name, join in joins.items():
            own = symptoms[name].rows
            if own is not None:
                for column, end in zip(meant, join.ends, strict=True):
                    column[own - rows[0]] = end.meant
        last = max(n, int(a.max()) + 1, int(d.max()) + 1)
        if min(int(a.min()), int(d.min())) < 0 or last > 16 * len(rows) + n:
            return None
        return cls(rows, a, d, distance, (meant[0], meant[1]), last)

    @cached_property
    def below(self) -> tuple[IntArray, IntArray, IntArray]:
        """Positions of rows by their descendant, with the first and number of each, (n,) both."""
        counts = np.bincount(self.descendant, minlength=self.n)
        return grouped(self.descendant), np.cumsum(counts) - counts, counts

    def hopeless(self, apart: int, with_ancestor: bool, distances: int) -> bool:
        """Whether a glance tells that the score of a move is nowhere near that of sound rows."""
        glance = self.score(apart, with_ancestor, distances, rows=_GLANCE)
        share = glance.closed if self.distance is None else glance.near
        return glance.looked >= _SEEN and share < _HOPELESS

    def score(
        self, apart: int, with_ancestor: bool = False, distances: int = 0, *, rows: int = _ASKED
    ) -> _Score:
        """How sound rows are with the ancestor of the row ``apart`` after each, by some of them.

        The distance is that of the descendant's row, or goes ``with_ancestor``, or is that of so
        many rows after it. ``rows`` are so many of those that are asked.
        """
        order, first, counts = self.below
        k = len(self.rows)
        asked = np.random.default_rng(0).integers(0, k, _ASKED)[:rows]
        asked = asked[(asked + apart >= 0) & (asked + apart < k)]
        upper = self.ancestor[asked + apart]
        size = counts[upper] + counts[self.descendant[asked]]
        asked = asked[np.cumsum(size) <= _LOOKUPS]
        upper = self.ancestor[asked + apart]

        def above(node: IntArray) -> tuple[IntArray, IntArray, IntArray]:
            """Which of the asked, what is above its node, and how far."""
            of = np.repeat(np.arange(len(node)), counts[node])
            at = order[ranges(first[node], counts[node])]
            inside = (at + apart >= 0) & (at + apart < k)
            of, at = of[inside], at[inside]
            return of, self.ancestor[at + apart], self._far(at, apart, with_ancestor, distances)

        of, node, far = above(self.descendant[asked])
        keys = of * self.n + node
        by_key = np.lexsort((far, keys))
        keys, far = keys[by_key], far[by_key]
        of, node, step = above(upper)
        if not len(of) or not len(keys):
            return _Score(0.0, 0.0, 0.0, 0)
        wanted = of * self.n + node
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        closed = keys[place] == wanted
        whole = step + self._far(asked, apart, with_ancestor, distances)[of]
        near, exact = closed & (far[place] <= whole), closed & (far[place] == whole)
        return _Score(float(closed.mean()), float(near.mean()), float(exact.mean()), len(closed))

    def _far(self, at: IntArray, apart: int, with_ancestor: bool, distances: int) -> IntArray:
        if self.distance is None:
            return np.zeros(len(at), dtype=np.int64)
        moved = at + (apart if with_ancestor else distances)
        return self.distance[np.clip(moved, 0, len(self.rows) - 1)]


def _of_identifiers(
    table: _Table, symptoms: Symptoms, joins: Mapping[str, Joins]
) -> Explanation | None:
    """Identifiers of one end that are those of another row, where the pairs are sound."""
    if "taxid_disagreement" not in joins or table.score(0).near < _WHOLE:
        return None
    for end, idx, meant in (
        ("ancestor", table.ancestor, table.meant[0]),
        ("descendant", table.descendant, table.meant[1]),
    ):
        for apart in _APART:
            there, beside = _beside(meant, idx, apart)
            said = there != UNSAID
            same = np.count_nonzero(there[said] == beside[said])
            if np.count_nonzero(said) < _FEWEST or same < _WHOLE * np.count_nonzero(said):
                continue
            rows = symptoms["taxid_disagreement"].rows
            assert rows is not None
            return Explanation(
                message=f"the identifiers of the {end}s stand {_rows(apart)} than their rows",
                explains={"taxid_disagreement": np.ones(len(rows), dtype=bool)},
                parameters={"column": f"{end}_taxid", "rows": apart},
                free=1,
                mend=Mend(
                    what=f"take the identifiers of the {end}s for those of the row that they are "
                    "of",
                    why="moved back, each stands beside its own idx",
                    agreeing=rows,
                ),
            )
    return None


def _beside(lower: IntArray, upper: IntArray, apart: int) -> tuple[IntArray, IntArray]:
    """Values of one column beside those of another so many rows before it."""
    if apart > 0:
        return lower[apart:], upper[:-apart]
    return lower[:apart], upper[-apart:]


def _rows(apart: int) -> str:
    return f"{plural(abs(apart), 'row')} {'lower' if apart > 0 else 'higher'}"


def _back(apart: int) -> str:
    return f"{plural(abs(apart), 'row')} {'up' if apart > 0 else 'down'}"


def _of_pairs(table: _Table, symptoms: Symptoms) -> Explanation | None:
    now, stated = table.score(0), table.distance is not None
    ways: tuple[tuple[bool, bool], ...] = ((False, False),)  # (with its ancestor, distances alone)
    if stated:
        ways += ((True, False), *(((False, True),) if now.closed >= _WHOLE else ()))
    tried: list[tuple[float, int, bool, int]] = []
    for apart, (with_ancestor, alone) in product(_APART, ways):
        move = (0, False, apart) if alone else (apart, with_ancestor, 0)
        if not table.hopeless(*move):
            new = table.score(*move)
            if _mends(now, new, stated):
                tried.append((new.closed + new.exact, *move))
    if not tried:
        return None
    _, apart, with_ancestor, distances = max(tried, key=lambda one: one[0])
    explains: dict[str, BoolArray | bool] = {
        name: np.ones(len(symptoms[name]), dtype=bool) for name in _STATED if name in symptoms
    }
    if distances:
        said, column, by = "the distances stand", "depth_diff", distances
        mend = _distances_back(table, distances)
    else:
        # of two columns that are apart, the other ones of the row say which has moved
        moved = "descendant" if with_ancestor or _tells(table, apart) else "ancestor"
        by = apart if moved == "ancestor" else -apart
        said, column = f"the {moved}s stand", f"{moved}_idx"
        mend = _ends_back(table, apart, moved)
    return Explanation(
        message=f"{said} {_rows(by)} than the rest of their rows",
        explains=explains,
        parameters={"column": column, "rows": by},
        free=1,
        mend=mend,
    )


def _mends(now: _Score, new: _Score, stated: bool) -> bool:
    """Whether rows are sound that were not before."""
    if new.closed < _WHOLE or (stated and new.near < _WHOLE):
        return False
    before = min(now.closed, now.near) if stated else now.closed
    after = min(new.closed, new.near) if stated else new.closed
    return after > before + _BETTER or (stated and new.exact > now.exact + 10 * _BETTER)


def _tells(table: _Table, apart: int) -> bool:
    """Whether the identifiers beside the idx are the ancestor's, so that descendants moved."""
    meant = table.meant[1]
    there, beside = _beside(table.descendant, meant, -apart)
    said = beside != UNSAID
    return bool(said.any() and 2 * np.count_nonzero(there[said] == beside[said]) > said.sum())


def _ends_back(table: _Table, apart: int, moved: str) -> Mend:
    """Each row with its own ancestor, or descendant; -1 where it has none."""
    column = table.ancestor if moved == "ancestor" else table.descendant
    by = apart if moved == "ancestor" else -apart
    back = np.full(len(column), -1)
    if by > 0:
        back[:-by] = column[by:]
    else:
        back[-by:] = column[:by]
    ends = (back, table.descendant) if moved == "ancestor" else (table.ancestor, back)
    return Mend(
        what=f"move the {moved}s of the pairs {_back(by)}",
        why="then all that is above an ancestor is above its descendants",
        given=(table.rows, *ends),
    )


def _distances_back(table: _Table, by: int) -> Mend:
    assert table.distance is not None
    k = len(table.rows)
    at = np.arange(k) + by
    inside = (at >= 0) & (at < k)
    ends = tuple(np.where(inside, end, -1) for end in (table.ancestor, table.descendant))
    return Mend(
        what=f"move the distances of the pairs {_back(by)}",
        why="then distances add up along all chains of parents",
        given=(table.rows, ends[0], ends[1]),
        distances=(table.rows, table.distance[np.clip(at, 0, k - 1)]),
    )
