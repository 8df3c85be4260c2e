"""Sizes as they are written, and what a run may take where nobody says it."""

from __future__ import annotations

import pytest

from taxcheck.model import memory
from taxcheck.model.memory import LEAST, read_size, size_text, usual_memory


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GB", 8 * 10**9),
        (" 1.5 gb ", 15 * 10**8),
        ("500M", 5 * 10**8),
        ("2GiB", 2 << 30),
        ("1TiB", 1 << 40),
        ("100000000", 10**8),
    ],
)
def test_a_size_is_read(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("much", "'much' is no size: write one such as 8GB or 500MB"),
        ("-8GB", "'-8GB' is no size: write one such as 8GB or 500MB"),
        ("8GBit", "'8GBit' is no size: write one such as 8GB or 500MB"),
        ("5MB", "5MB: a run takes at least 100MB"),
        ("8", "8: a run takes at least 100MB"),
    ],
)
def test_what_is_no_size_is_told_in_one_line(text, told):
    with pytest.raises(ValueError, match=told) as raised:
        read_size(text)
    assert str(raised.value) == told


def test_a_size_is_written_no_smaller_than_it_is():
    sizes = [(1, "1MB"), (999_000_001, "1000MB"), (11_500_000_000, "12GB"), (10**12, "1TB")]
    assert [size_text(size) for size, _ in sizes] == [text for _, text in sizes]
    assert all(read_size(size_text(size)) >= size for size, _ in sizes if size > LEAST)


def test_a_container_has_what_it_is_given(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_LIMITS", (str(limit),))
    whole = usual_memory()
    assert whole >= LEAST
    for said, expected in (("max\n", whole), (f"{10**9}\n", 5 * 10**8), ("1000", LEAST)):
        limit.write_text(said)
        assert usual_memory() == min(expected, whole)
