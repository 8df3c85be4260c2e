from __future__ import annotations

from importlib import import_module

import pytest

text = import_module("taxcheck_reports.text")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (110478, "110,478"),
        (11.94, "11.94"),
        (12345.67, "12,345.7"),
        (100.0, "100"),
        (True, "yes"),
        (None, "none"),
        (float("nan"), "nan"),
    ],
)
def test_numbers(value, said):
    assert text.number(value) == said


def test_sizes_and_durations():
    assert text.size(999) == "999 bytes"
    assert text.size(416_000_000) == "416.0 MB"
    assert text.duration(1.64) == "1.6 s"
    assert text.duration(125) == "2 min 5 s"


def test_clipping_marks_what_it_cuts():
    assert text.clip("abcdef", 6) == "abcdef"
    assert text.clip("abcdefg", 6) == "abcde…"
    middle = text.clip_middle("root › a › b › c › d › species", 16)
    assert len(middle) <= 16
    assert middle.startswith("root")
    assert middle.endswith("species")


def test_escape_sequences_and_direction_overrides_lose_their_force():
    assert text.clean("a\x1b[31mb\u202ec\ud800") == "a\ufffd[31mb\ufffdc\ufffd"
    assert text.clean("a\u061cb\u2069") == "a\ufffdb\ufffd"


def test_prose_is_cut_into_paragraphs_listings_and_items():
    said = (
        "Read ``a, b``.\n\n    run this\n      now\n\n- one\n- two `c`\n\nSee https://a.example/b."
    )
    found = text.blocks(said)
    assert [block.kind for block in found] == ["p", "pre", "ul", "p"]
    assert found[0].items[0][1] == ("code", "a, b")
    assert found[1].items[0][0].text == "run this\n  now"
    assert len(found[2].items) == 2
    assert found[3].items[0] == (
        ("text", "See "),
        ("link", "https://a.example/b"),
        ("text", "."),
    )
