"""Any table is read or refused in one line, and the order of its rows changes nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from taxcheck.commands.build.plausible import plausible
from taxcheck.commands.build.selection import Linked, related
from taxcheck.model.errors import TaxcheckError
from taxcheck.sources.taxonomies.opening import read_source

CELLS = ("a", "b", "c", "NA", "", "1", "2", "3", "0", "-1", "2.0", "x;y", "x;z", "a > b", "is_a",
         "species", "Caf\u00e9", "Cafe\u0301", "g__A", "k__B;p__C", "None", " a")  # fmt: skip
NAMES = ("name", "rank", "source", "kingdom", "lineage", "status", "depth", "foo")


def read(path: Path) -> tuple[object, ...]:
    try:
        found = plausible(related(Linked.of(read_source(str(path)))))
    except TaxcheckError as error:
        return ("refused", len(str(error).splitlines()))
    whole = found.hierarchy
    edges = sorted(zip(whole.parents.tolist(), whole.children.tolist(), strict=True))
    names = None if whole.names is None else whole.names.to_pylist()
    return whole.identifiers.to_pylist(), edges, names, whole.guesses, found.questions


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_table(tmp_path: Path, seed: int) -> None:
    random, sound = Random(seed), 0
    for _ in range(100):
        ends = random.choice([("child", "parent"), ("id", "parent_id"), ("taxon", "parent")])
        header = [*ends, *random.sample(NAMES, random.randint(0, 3))]
        random.shuffle(header)
        cells = random.sample(CELLS, random.randint(3, len(CELLS)))
        rows = [[random.choice(cells) for _ in header] for _ in range(random.randint(2, 8))]
        comma, told = random.choice("\t,;|"), []
        for _ in range(2):
            lines = [comma.join(row) for row in (header, *rows)]
            (tmp_path / "table").write_text("\n".join(lines) + "\n", encoding="utf-8")
            told.append(read(tmp_path / "table"))
            random.shuffle(rows)
        assert told[0] == told[1], (comma, header, rows)
        if told[0][0] == "refused":
            assert told[0] == ("refused", 1)
        else:
            sound += 1
    assert sound > 20
