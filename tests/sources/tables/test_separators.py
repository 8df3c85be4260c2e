"""A dot or a comma before three digits: a thousand, decimals, or what no row may rest on."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.contract import apply_mapping
from taxcheck.sources.tables.opening import open_mapping

UP_TO = 1_234


def german(number: int, separator: str = ".") -> str:
    return f"{number:,}".replace(",", separator)


def read(folder: Path, idx: list[str]) -> tuple[list[int], dict[str, int], tuple[str, ...]]:
    """The idx that were read, the rows refused by reason, and what was told."""
    path = folder / "m.csv"
    path.write_text("taxid;idx\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(idx, 7000)))
    source = open_mapping(str(path))
    taken: list[int] = []
    refused: dict[str, int] = {}
    for raw in source.batches():
        sound, quarantined = apply_mapping(raw)
        taken += sound.idx.tolist()
        for reason in quarantined.reasons:
            refused[reason] = refused.get(reason, 0) + 1
    return taken, refused, source.reading().guesses


@pytest.mark.parametrize("separator", [".", ","])
@pytest.mark.parametrize("turned", [False, True])
def test_plain_numbers_that_end_at_999_make_thousands(
    tmp_path: Path, separator: str, turned: bool
) -> None:
    numbers = list(range(UP_TO))[:: -1 if turned else 1]
    taken, refused, told = read(tmp_path, [german(n, separator) for n in numbers])
    assert (taken, refused) == (numbers, {})
    assert told == (
        "In 'idx', a dot or comma before three digits is a separator, as plain numbers end below "
        "1,000: 1.000 is read as 1000.",
    )


@pytest.mark.parametrize("number", [1_000, 12_345, 1_234_567])
def test_one_such_cell_is_enough(tmp_path: Path, number: int) -> None:
    assert read(tmp_path, ["5", german(number), "7"])[:2] == ([5, number, 7], {})


@pytest.mark.parametrize(
    ("cells", "taken"),
    [
        (["0.000", "1.000", "2.000"], [0, 1, 2]),
        (["999.000", "1000.000", "1.000"], [999, 1000, 1]),
        (["0.0", "1.0", "1000.0"], [0, 1, 1000]),
    ],
)
def test_decimals_beside_what_cannot_be_a_thousand_are_decimals(
    tmp_path: Path, cells: list[str], taken: list[int]
) -> None:
    assert read(tmp_path, cells)[:2] == (taken, {})


@pytest.mark.parametrize(
    ("cells", "taken"),
    [
        (["0", "1234", "1.000"], [0, 1234]),  # a plain number above 999
        (["1.000", "2.000", "3.000"], []),  # nothing beside them
        (["5", "0.000", "1.000"], [5, 0]),
        (["0.000", "12.345", "1234"], [0, 1234]),
    ],
)
def test_what_tells_neither_is_read_as_neither(
    tmp_path: Path, cells: list[str], taken: list[int]
) -> None:
    reason = "idx is a thousand with a separator, or has three decimals"
    assert read(tmp_path, cells) == (taken, {reason: 3 - len(taken)}, ())


def test_identifiers_keep_their_dots(tmp_path: Path) -> None:
    """512.943 may be a class of Dewey's; what it is to mean is not for the reader to say."""
    path = tmp_path / "m.csv"
    path.write_text("label;idx\n510;0\n512.943;1\n12.000;2\n")
    (raw,) = open_mapping(str(path)).batches()
    assert raw.columns["taxid"].to_pylist() == ["510", "512.943", "12.000"]


def test_a_later_row_that_contradicts_them_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxcheck.sources.tables.text._BLOCK", 64)
    cells = [german(n) for n in range(990, 1_010)] + [str(n) for n in range(1_010, 1_100)]
    with pytest.raises(InputError, match=r"m\.csv: has cells such as 1\.000, .* without a sep"):
        read(tmp_path, cells)
