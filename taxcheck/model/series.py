"""The tables of one run, one after another: what became of its scores, and where rows failed."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from taxcheck.model.finding import Outcome
from taxcheck.model.statistics import Count, Number


class Order(StrEnum):
    """What the order of the tables comes from."""

    EPOCH = "epoch"  # that each records
    STEP = "step"
    NAME = "number in its name"


class Found(Struct, frozen=True):
    """A failure or warning of one table."""

    id: str
    name: str
    outcome: Outcome
    count: Count
    first: str = ""  # the first of its rows or nodes


class TableAt(Struct, frozen=True, kw_only=True):
    """One table of the run, as its own report would have it."""

    path: str
    fingerprint: str  # "blake3:<hex>"
    at: Count  # its epoch, step or number
    verdict: Outcome
    headline: str
    map: Number = None  # null where no pairs were given
    map_ci: tuple[Number, Number] | None = None
    mean_rank: Number = None
    saturated: Number = None  # share of the rows at the clip's norm; null where no clip is known
    failing: Count = 0  # rows that are not finite, no points of the space, or never trained
    findings: tuple[Found, ...] = ()


class Began(Struct, frozen=True):
    """A finding that a table before did not have."""

    found: Found
    at: Count
    lasted: bool  # until the last table


class Series(Struct, frozen=True, kw_only=True):
    """Tables in their order; the report that holds it is that of the last one."""

    order: Order
    tables: tuple[TableAt, ...]
    left_out: tuple[str, ...] = ()  # what else was given and is no table of the run, and why
    unread: tuple[str, ...] = ()  # tables that cannot be read, and why

    @property
    def best(self) -> TableAt | None:
        """The table with the largest MAP, the earliest of equals; None where nothing was ranked."""
        ranked = [table for table in self.tables if table.map is not None]
        return max(ranked, key=lambda table: table.map or 0.0, default=None)

    @property
    def failed_from(self) -> TableAt | None:
        """The first table with rows that fail, where the one before has fewer of them."""
        pairs = zip(self.tables, self.tables[1:], strict=False)
        return next((now for before, now in pairs if now.failing > before.failing), None)

    @property
    def began(self) -> tuple[Began, ...]:
        """Findings that the first table lacks, by when they began."""
        known = {found.id for found in self.tables[0].findings} if self.tables else set()
        last = {found.id for found in self.tables[-1].findings} if self.tables else set()
        found = []
        for table in self.tables[1:]:
            for one in table.findings:
                if one.id not in known:
                    known.add(one.id)
                    found.append(Began(one, table.at, one.id in last))
        return tuple(found)
