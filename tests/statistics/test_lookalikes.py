"""Labels that look alike, against plain Python on each label by itself."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxcheck.statistics.lookalikes import lookalikes, visible
from tests.statistics.pair_tables import Heard

CANIS = ["Canis", "Canis lupus", "Canis latrans", "Canis\u00a0lupus", "Caf\u00e9", "Cafe\u0301"]


def form(label: str) -> str:
    text = unicodedata.normalize("NFC", label)
    for blank in "\u00a0\u2007\u202f":
        text = text.replace(blank, " ")
    text = "".join(c for c in text if c not in "\u200b\u2060\ufeff").strip().lower()
    number, dot, zeros = text.partition(".")
    digits = number.removeprefix("+").removeprefix("-")
    return number if dot and zeros and not zeros.strip("0") and digits.isdecimal() else text


def test_a_blank_and_an_accent_that_nobody_sees() -> None:
    found = lookalikes(pa.array(CANIS))
    assert (found.later.tolist(), found.first.tolist()) == ([3, 5], [1, 4])
    assert found.detail == {"Unicode form": 1, "no-break blanks": 1}
    defect = found.defect(6, np.array([4, -1]), np.array([3, 5]), "pairs")
    assert (defect.count, defect.total) == (2, 6)
    assert [dict(s.values) for s in defect.samples] == [
        {"label": "Canis\\xa0lupus", "looks like": "Canis lupus"},
        {"label": "Cafe\\u0301", "looks like": "Caf\u00e9"},
    ]
    assert [(s.row, s.node, s.table) for s in defect.samples] == [(4, 3, "pairs"), (None, 5, None)]


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("9606", "9606.0", "a final .0"),
        ("-7", "-7.000", "a final .0"),
        ("Felis catus", "felis Catus", "letter case"),
        ("x", " x", "outer blanks"),
        ("x", "x\u2060", "no-break blanks"),
        ("\u00c5", "\u212b", "Unicode form"),
    ],
)
def test_each_kind_of_difference(one: str, other: str, kind: str) -> None:
    assert lookalikes(pa.array([one, other])).detail == {kind: 1}
    assert lookalikes(pa.array([other, one])).detail == {kind: 1}


@pytest.mark.parametrize(("one", "other"), [("H2O", "H\u2082O"), ("1.0.0", "1"), ("a.0", "a")])
def test_what_is_not_the_same_does_not_look_alike(one: str, other: str) -> None:
    assert not len(lookalikes(pa.array([one, other])).later)


def test_known_labels_are_not_judged() -> None:
    found = lookalikes(pa.array(["a", "A", "b", "B", "\u2060a"]), known=3)
    assert (found.later.tolist(), found.first.tolist()) == ([3, 4], [2, 0])
    assert found.detail == {"no-break blanks": 1, "letter case": 1}
    assert not len(lookalikes(pa.array([], pa.string())).later)


def test_a_sink_hears_of_all_as_they_stand_in_the_file() -> None:
    heard = Heard()
    found = lookalikes(pa.array(CANIS))
    found.tell(heard, "lookalike_label", found.later)
    columns = {"label": [CANIS[3], CANIS[5]], "looks like": [CANIS[1], CANIS[4]]}
    assert (heard.calls, heard.nodes) == ([("lookalike_label", columns)], [[[3, 5]]])
    lookalikes(pa.array(["a"])).tell(heard, "lookalike_label", found.later)
    assert len(heard.calls) == 1


labels = st.text(st.sampled_from("aA1.0 \u00a0\u0301\u200b\u00e9e"), min_size=1, max_size=5)


@given(st.lists(labels, unique=True, max_size=40), st.integers(0, 5))
def test_as_plain_python_has_it(some: list[str], known: int) -> None:
    found = lookalikes(pa.array(some, pa.string()), known)
    forms = [form(label) for label in some]
    expected = [k for k in range(known, len(some)) if forms.index(forms[k]) < k]
    assert found.later.tolist() == expected
    assert found.first.tolist() == [forms.index(forms[k]) for k in expected]
    assert sum(found.detail.values()) == len(expected)


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("Canis lupus") == "Canis lupus"
    assert visible("Canis   lupus ") == "Canis \\x20\\x20lupus\\x20"
    assert visible("\ufeffCaf\u00e9\u2009x") == "\\ufeffCaf\u00e9\\u2009x"
