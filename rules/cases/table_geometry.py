"""Tables whose space nothing tells (EMB011)."""

from __future__ import annotations

from dataclasses import replace

from numpy.random import Generator

from taxcheck.commands.selftest.cases import Corrupted
from taxcheck.commands.selftest.folder import Folder, trained_carnivores
from taxcheck.commands.selftest.frame import DatasetFrame
from taxcheck.commands.selftest.table import Setting

from .library import bad, corruption, warn
from .table_rows import table_near_the_origin
from .trained import table_of, with_table


def _unsaid(settings: dict[str, Setting]) -> dict[str, Setting]:
    """The settings without the word for the space."""
    return {name: value for name, value in settings.items() if name != "manifold"}


@corruption("EMB011", "EMB005", "HIER003", base="table")
def unstated_near_the_origin(frame: DatasetFrame, generator: Generator) -> Corrupted:
    """Near the origin a ball is flat, so that it ranks as a Euclidean table does."""
    near = table_near_the_origin(frame, generator)
    settings = _unsaid(table_of(near.frame).settings)
    damaged = with_table(near.frame, settings=settings)
    return replace(near, frame=damaged, expected={**near.expected, **warn(EMB011=1)})


@bad(
    "EMB011",
    "warn",
    1,
    "the file does not say that its rows are of the ball, and 15 of them do not tell",
    ok=trained_carnivores,
)
def _(folder: Folder) -> None:
    folder.trained.settings = _unsaid(folder.trained.settings)
