"""Causes in which identifiers are written in another form than those of the mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import BoolArray, IntArray, within
from taxcheck.model.cause import Explanation, Mend
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.lookalikes import visible
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics

from .spelling import Form, fewest, same, texts, united

# Of labels and others, those to try on both of them.
Forms = Callable[[pa.Array, pa.Array], Sequence[Form]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a cause of other forms looks at."""

    mapping: MappingStatistics
    symptoms: Symptoms
    joins: Mapping[str, Joins]
    totals: PairState
    strangers: Strangers | None

    def explained(self, what: str, forms: Forms) -> Explanation | None:
        """Labels, or identifiers beside idx, that are those of the mapping in some forms.

        ``what`` completes "labels are identifiers of the mapping", "{}" being the forms that it
        takes; ``forms`` are those to try on labels and others.
        """
        if self.strangers is not None:
            return self._labels(self.strangers, what, forms)
        if self.mapping.derived:
            return self._united(what, forms)
        return self._beside(what, forms)

    def _labels(
        self,
        strangers: Strangers,
        what: str,
        forms: Forms,
    ) -> Explanation | None:
        """Labels that the mapping lacks are identifiers that it has."""
        known, idx = texts(self.mapping.identifiers)
        found = same(strangers.labels, known, forms(strangers.labels, known))
        if found is None:
            return None
        old, new, told = strangers.idx[found.label], idx[found.other], ", ".join(found.forms)
        label, other = (
            visible(column[int(place[0])].as_py())
            for column, place in ((strangers.labels, found.label), (known, found.other))
        )
        return Explanation(
            message=f"{_subject(len(old), 'an identifier', 'identifiers')} of the mapping "
            f"{what.format(told)}: {label!r} is {other!r}",
            explains=self._alike(old),
            parameters={"form": told, "labels": len(old)},
            mend=Mend(
                what=f"take {plural(len(old), 'label')} for the identifiers that they are",
                why=f"each is one of the mapping, and of one alone, but for {told}",
                renumbered=replaced(old, new),
            ),
        )

    def _alike(self, nodes: IntArray) -> dict[str, BoolArray | bool]:
        if "lookalike_label" not in self.symptoms:
            return {}
        return {"lookalike_label": within(nodes, self.symptoms["lookalike_label"].nodes[0])}

    def _united(self, what: str, forms: Forms) -> Explanation | None:
        """Labels of the pairs that are one label in some forms: that with most rows stays."""
        labels, idx = texts(self.mapping.identifiers)
        if self.mapping.identifiers.integers is not None:
            return None
        rows = (self.totals.as_ancestor + self.totals.as_descendant)[idx]
        needed = fewest(forms(labels, labels), lambda some: len(united(labels, some, rows)[0]))
        whole = united(labels, needed, rows)
        if not len(whole[0]):
            return None
        old, new = idx[whole[0]], idx[whole[1]]
        names = ", ".join(form.name for form in needed)
        label, other = (visible(labels[int(place[0])].as_py()) for place in whole)
        return Explanation(
            message=f"{_subject(len(old), 'another one', 'others')} {what.format(names)}: "
            f"{label!r} is {other!r}",
            explains=self._alike(np.unique(np.r_[old, new])),
            parameters={"form": names, "labels": len(old)},
            mend=Mend(
                what=f"take {plural(len(old), 'label')} for those that stand in more rows",
                why=f"they differ in nothing but {names}",
                renumbered=replaced(old, new),
            ),
        )

    def _beside(self, what: str, forms: Forms) -> Explanation | None:
        """Identifiers that stand beside their own idx in another form."""
        part, symptom = (
            self.joins.get("taxid_disagreement"),
            self.symptoms.get("taxid_disagreement"),
        )
        if part is None or symptom is None:
            return None
        known, idx = texts(self.mapping.identifiers)
        place = np.full(self.mapping.n_nodes, -1)
        place[idx] = np.arange(len(idx))
        names: set[str] = set()
        holds: list[BoolArray] = []
        example: tuple[str, str] | None = None
        for end, role in zip(part.ends, ("ancestor_taxid", "descendant_taxid"), strict=True):
            cells = symptom.column(role)
            right = ~end.wrong
            if cells is not None and not right.all():
                coded = pa.array(cells, from_pandas=True).cast(pa.string()).dictionary_encode()
                found = same(coded.dictionary, known, forms(coded.dictionary, known))
                if found is not None:
                    other = np.full(len(coded.dictionary), -1)
                    other[found.label] = found.other
                    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
                    stands = (codes >= 0) & (other[codes] == place[end.idx]) & (other[codes] >= 0)
                    names |= set(found.forms)
                    right |= stands
                    if stands.any() and example is None:
                        row = int(np.flatnonzero(stands)[0])
                        cell = coded.dictionary[int(codes[row])].as_py()
                        example = visible(cell), visible(known[int(place[end.idx[row]])].as_py())
            holds.append(right)
        rows = holds[0] & holds[1]
        if example is None or not rows.any():
            return None
        told = ", ".join(sorted(names))
        return Explanation(
            message=f"identifiers in {plural(int(rows.sum()), 'row')} of the pairs are those of "
            f"the mapping {what.format(told)}: {example[0]!r} is {example[1]!r}",
            explains={"taxid_disagreement": rows},
            parameters={"form": told, "rows": int(rows.sum())},
            mend=Mend(
                what="take the identifiers beside the idx for those of the mapping",
                why=f"each stands beside its own idx but for {told}",
                agreeing=None if symptom.rows is None else symptom.rows[rows],
            ),
        )


def replaced(old: IntArray, new: IntArray) -> Callable[[IntArray], IntArray]:
    """Other idx for some, (k,) each."""
    order = np.argsort(old)
    keys, values = old[order], new[order]

    def renumbered(idx: IntArray) -> IntArray:
        at = np.minimum(np.searchsorted(keys, idx), len(keys) - 1)
        return np.where(keys[at] == idx, values[at], idx)

    return renumbered


def _subject(count: int, one: str, many: str) -> str:
    return f"{plural(count, 'label')} of the pairs {f'is {one}' if count == 1 else f'are {many}'}"
