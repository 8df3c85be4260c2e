"""Evidence as it stands in the user's files: a label in place of an idx that no file has.

Pairs that hold labels are followed by idx. Their rows and nodes are shown with their labels; rows
of the mapping stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa
from msgspec import structs

from taxcheck.model.arrays import IntArray
from taxcheck.model.finding import Defect, Sample, Scalar
from taxcheck.sources.tables.labels import LabelledPairs
from taxcheck.statistics.offenders import Column, Offenders
from taxcheck.statistics.values import Identifiers

_ENDS = {
    f"{end}{suffix}": f"{end}_label"
    for end in ("ancestor", "descendant")
    for suffix in ("", "_idx")
}  # of a pair: what is shown instead

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Naming:
    """What is shown of the rows and nodes of a run."""

    identifiers: Identifiers  # by idx
    derived: bool  # the idx are our own
    labelled: LabelledPairs | None = None  # the training pairs, where they hold labels

    def label(self, idx: int) -> int | str | None:
        """What the node of an idx is called in the pairs; None where nothing has the idx."""
        beyond = -1 if self.labelled is None else idx - self.labelled.n_nodes
        if self.labelled is not None and 0 <= beyond < len(self.labelled.unknown):
            return str(self.labelled.unknown[beyond].as_py())
        return self.identifiers.of(idx)

    def labels(self, idx: IntArray) -> Column:
        """The same of (k,) idx, (k,) of objects; all are texts where the pairs may hold others."""
        found = np.full(len(idx), None, dtype=object)
        names, numbers = self.identifiers.strings, self.identifiers.integers
        n = 0 if (known := numbers if names is None else names) is None else len(known)
        inside = (idx >= 0) & (idx < n)
        if names is not None:
            found[inside] = names[idx[inside]]
        elif numbers is not None:
            own = numbers[idx[inside]]
            found[inside] = own if self.derived else own.astype(str)
        if self.labelled is not None and len(self.labelled.unknown):
            beyond = idx >= self.labelled.n_nodes
            more = self.labelled.unknown.take(pa.array(idx[beyond] - self.labelled.n_nodes))
            found[beyond] = more.to_numpy(zero_copy_only=False)
        return found

    def sample(self, sample: Sample) -> Sample:
        """A sample with its labels; the node stays, by which names are looked up."""
        if self.labelled is None or sample.table == "mapping":
            return sample
        values: dict[str, Scalar] = {}
        for key, value in sample.values.items():
            shown = self._shown(key, sample.values)
            if shown == key:
                values[key] = value
            elif shown is not None:
                values[shown] = self._said(value)
        return structs.replace(sample, values=values)

    def offenders(self, offenders: Offenders) -> Offenders:
        """Offenders with their labels; the nodes stay."""
        if self.labelled is None:
            return offenders
        columns: dict[str, Column] = {}
        for key, column in offenders.columns.items():
            shown = self._shown(key, offenders.columns)
            if shown == key:
                columns[key] = column
            elif shown is not None:
                # the cells of an unsound row are texts, and its nodes stand beside them
                whole = np.issubdtype(column.dtype, np.integer)
                own = offenders.nodes[int(key.startswith("descendant"))]
                columns[shown] = self.labels(column.astype(np.int64) if whole else own)
        return replace(offenders, columns=columns)

    def shown(self, value: Value) -> Value:
        """A statistic, or several of them, whose defects show labels."""
        return value if self.labelled is None else with_samples(value, self.sample)

    def _shown(self, key: str, beside: Mapping[str, object]) -> str | None:
        """The key of what is shown in place of a cell: its own, or None where nothing is."""
        if key in _ENDS:
            return None if _ENDS[key] in beside else _ENDS[key]
        if key != "idx" and not key.endswith("_idx"):
            return key
        if "taxid" in beside:  # the label stands there already
            return None if self.derived else key
        return f"{key.removesuffix('idx')}label"

    def _said(self, value: Scalar) -> Scalar:
        """The label of an idx, or of each of several in a text."""
        if isinstance(value, str):
            return re.sub(r"\d+", lambda found: str(self.label(int(found[0]))), value)
        return self.label(value) if isinstance(value, int) else value


def with_samples(value: Value, shown: Callable[[Sample], Sample]) -> Value:
    """A statistic, or several of them, whose samples are shown so."""
    if isinstance(value, Defect):
        return cast("Value", replace(value, samples=tuple(map(shown, value.samples))))
    if not is_dataclass(value) or isinstance(value, type):
        return value
    parts = {f.name: getattr(value, f.name) for f in fields(value)}
    new = {name: with_samples(part, shown) for name, part in parts.items()}
    changed = {name: part for name, part in new.items() if part is not parts[name]}
    return replace(value, **changed) if changed else value
