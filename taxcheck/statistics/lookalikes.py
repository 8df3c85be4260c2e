"""Labels that a person takes for one another: they differ in nothing but their form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Sample
from taxcheck.statistics.offenders import SAMPLES, Offenders, Sink

_NO_BREAK, _NO_WIDTH = "[\u00a0\u2007\u202f]", "[\u200b\u2060\ufeff]"
_KINDS = ("Unicode form", "no-break blanks", "outer blanks", "letter case", "a final .0")


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Labels that differ from one before them only in form, by their places among all labels."""

    labels: pa.Array  # (n,) string, distinct
    later: IntArray  # (k,) ascending
    first: IntArray  # (k,) the first label of that look
    detail: dict[str, int]  # of the k, by the first kind in which the forms differ

    def defect(self, total: int, rows: IntArray, nodes: IntArray, table: str | None) -> Defect:
        """The count of ``total``, with the first ones; ``rows`` and ``nodes`` (k,), -1 for none."""
        shown = self.labels.take(pa.array(self.later[:SAMPLES])).to_pylist()
        others = self.labels.take(pa.array(self.first[:SAMPLES])).to_pylist()
        samples = (
            Sample(
                {"label": visible(label), "looks like": visible(other)},
                row=int(rows[k]) if rows[k] >= 0 else None,
                node=int(nodes[k]) if nodes[k] >= 0 else None,
                table=table if rows[k] >= 0 else None,
            )
            for k, (label, other) in enumerate(zip(shown, others, strict=True))
        )
        return Defect(len(self.later), total, tuple(samples), self.detail)

    def tell(
        self, sink: Sink | None, name: str, nodes: IntArray, rows: IntArray | None = None
    ) -> None:
        """Tell the sink of all of them, as the labels stand in the file."""
        if sink and len(self.later):
            columns = {
                key: np.asarray(self.labels.take(pa.array(at)).to_numpy(zero_copy_only=False))
                for key, at in (("label", self.later), ("looks like", self.first))
            }
            sink(Offenders(name, columns, (nodes,), rows, table="mapping"))


def lookalikes(labels: pa.Array, known: int = 0) -> Lookalikes:
    """Which of (n,) distinct labels look like one before them; the first ``known`` are not judged.

    Alike are labels that are equal once they are in Unicode's form NFC (Unicode Standard Annex 15),
    their no-break blanks are plain ones, and blanks at their ends, the case of letters and a final
    ".0" of a number are left out. NFKC would go too far: it makes H₂O and H2O one.
    """
    if isinstance(labels, pa.ChunkedArray):
        labels = labels.combine_chunks()
    *_, form = _forms(labels)
    coded = form.dictionary_encode()
    codes, n = coded.indices.to_numpy(), len(labels)
    if len(coded.dictionary) == n:
        nothing = np.empty(0, dtype=np.int64)
        return Lookalikes(labels, nothing, nothing, {})
    first_of = np.empty(len(coded.dictionary), dtype=np.int64)
    first_of[codes[::-1]] = np.arange(n)[::-1]  # of several writes the last one stays
    first = first_of[codes]
    later = np.flatnonzero(first != np.arange(n))
    later = later[later >= known]
    some = labels.take(pa.array(np.unique(np.r_[first[later], later])))
    left = [len(pc.unique(stage)) for stage in (some, *_forms(some))]
    merged = (before - after for before, after in pairwise(left))
    detail = {kind: count for kind, count in zip(_KINDS, merged, strict=True) if count}
    return Lookalikes(labels, later, first[later], detail)


def _forms(labels: pa.Array) -> Iterator[pa.Array]:
    """(n,) labels with one more difference left out each time, in the order of ``_KINDS``."""
    labels = pc.utf8_normalize(labels, "NFC")
    yield labels
    if not pc.all(pc.string_is_ascii(labels)).as_py():
        labels = pc.replace_substring_regex(labels, _NO_BREAK, " ")
        labels = pc.replace_substring_regex(labels, _NO_WIDTH, "")
    yield labels
    labels = pc.utf8_trim_whitespace(labels)
    yield labels
    labels = pc.utf8_lower(labels)
    yield labels
    if pc.any(pc.match_substring(labels, ".0")).as_py():
        labels = pc.replace_substring_regex(labels, r"^([+-]?[0-9]+)\.0+$", r"\1")
    yield labels


def visible(label: str) -> str:
    """The label with every character written out that a page shows as a blank or not at all.

    Of blanks in a row, at the beginning or at the end a page shows one or none.
    """
    told = "".join(
        c.encode("unicode_escape").decode() if c != " " and _unseen(c) else c for c in label
    )
    return re.sub("^ | $|(?<= ) ", r"\\x20", told)


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me")
