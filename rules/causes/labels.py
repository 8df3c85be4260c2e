"""Causes in which labels are written otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.cause import Explanation, cause
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics

from .respelled import Evidence
from .spelling import Form, lost_prefixes, prefixes, regex, without

_WIDE, _UNSEEN = (
    "[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]",
    "[\u00ad\u200b-\u200f\u2060\ufeff]",
)


def _composed(labels: pa.Array) -> pa.Array:
    return pc.utf8_normalize(labels, "NFC")


def _unaccented(labels: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_normalize(labels, "NFD"), r"\p{Mn}", "")


def _blanks(labels: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.replace_substring_regex(labels, _WIDE, " "), _UNSEEN, "")


def _trimmed(labels: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(labels), "  +", " ")


_MILD = (
    Form("Unicode form", _composed),
    Form("no-break blanks", _blanks),
    Form("blanks too many", _trimmed),
    Form("letter case", pc.utf8_lower),
)
_STRONG = (
    Form("quotes", regex("^[\"'](.*)[\"']$", r"\1")),
    Form("signs in place of blanks", regex("[_:+ -]|%20", " ")),
    Form("accents", _unaccented),
)


def _forms(labels: pa.Array, others: pa.Array) -> list[Form]:
    """Those that may differ, with the prefixes that only one side has."""
    forms = [*_MILD, *_STRONG]
    if found := _prefixed(labels, others):
        return [found, *forms]
    for form in forms:
        labels, others = form.apply(labels), form.apply(others)
    found = _prefixed(labels, others)
    return [*forms, found] if found else forms


def _prefixed(labels: pa.Array, others: pa.Array) -> Form | None:
    found = prefixes(labels, others) or lost_prefixes(labels, others)
    if not found:
        return None
    shown = ", ".join(repr(prefix) for prefix in found[:3]) + (" ..." if len(found) > 3 else "")
    return Form(f"the prefix {shown}", without(found))


@cause()
def label_variants(
    mapping: MappingStatistics,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    totals: PairState,
    strangers: Strangers | None = None,
) -> Explanation | None:
    r"""Labels are spelled otherwise in the pairs than in the mapping, or in two ways in the pairs.

    Compared are labels that the mapping lacks with those that it has, once both are in one Unicode
    form, without blanks too many and no-break blanks, in small letters, without quotes and accents,
    with blanks in place of ``_``, ``:`` and ``-``, and without a prefix that only one side has
    (``CHEBI:``, ``obo:``, ``d__``). Told are those of these that it takes. Without a mapping the
    labels of the pairs are compared with each other.

    Why it matters:
    A label that is found nowhere loses all of its pairs; without a mapping each spelling is a node
    of its own, with a part of the pairs.

    How to fix:
    Write both sides in one form before they are joined:

        clean = lambda column: column.str.normalize("NFC").str.replace("\u00a0", " ").str.strip()
        pairs["ancestor"], mapping["name"] = clean(pairs["ancestor"]), clean(mapping["name"])

    ``taxcheck fix`` reads the labels as those of the mapping.

    Known exceptions:
    Where two identifiers of the mapping are one in such a form, nothing says which is meant, and
    they are left as they are.

    References:
    - Unicode Standard Annex 15, normalization forms: https://www.unicode.org/reports/tr15/
    """
    evidence = Evidence(mapping, symptoms, joins, totals, strangers)
    return evidence.explained("in another spelling ({})", _forms)
