"""Causes in which identifiers that are numbers are written as other texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptom, Symptoms
from taxcheck.statistics.values import MappingStatistics

from .merged import merged_nodes
from .respelled import Evidence
from .spelling import Form, regex


def _where(labels: pa.Array, pattern: str, written: pa.Array) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(labels, pattern), written, labels)


def _ungrouped(labels: pa.Array) -> pa.Array:
    plain = pc.replace_substring_regex(labels, "[^0-9]", "")
    return _where(labels, "^[0-9]{1,3}([.,'’_ \u00a0\u202f][0-9]{3})+$", plain)


def _exponents(labels: pa.Array) -> pa.Array:
    pattern = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}$"
    numbers = pc.if_else(pc.match_substring_regex(labels, pattern), labels, "0")
    whole = pc.floor(numbers.cast(pa.float64()))
    exact = pc.if_else(pc.less(whole, 2.0**53), whole, 0.0).cast(pa.int64())
    return _where(labels, pattern, exact.cast(pa.string()))


_FLOATS = (
    Form("a final .0", regex(r"^([+-]?[0-9]+)\.0*$", r"\1")),
    Form("an exponent", _exponents),
)
_ZEROS = (Form("leading zeros", regex(r"(^|[^0-9.,])0+([0-9]+)$", r"\1\2")),)
_ENDS = ("ancestor", "descendant")
_SEPARATED = " is a thousand with a separator, or has three decimals"
_DECIMAL = r"^[0-9]{1,3}(\.[0-9]{1,3})?$"
_NOT_WHOLE = " is no whole number"
_NEARLY = 0.99
_THOUSANDS = (Form("separators of thousands", _ungrouped),)


@cause()
def float_identifiers(
    mapping: MappingStatistics,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    totals: PairState,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Identifiers that are whole numbers were written as floats: 9606.0, or 9.606e+03.

    Told where identifiers match once they are read as whole numbers.

    Why it matters:
    As text ``9606.0`` is another identifier than ``9606``: the pairs of that label are lost, or
    belong to a node of their own.

    How to fix:
    A column of integers becomes floats in pandas as soon as one cell is empty. Read it as a type
    that has a place for nothing:

        pairs = pd.read_csv(path, dtype={"ancestor_taxid": "Int64", "descendant_taxid": "Int64"})

    Known exceptions:
    Floats that were rounded are other numbers, and no form brings them back.

    References:
    - pandas, nullable integers: https://pandas.pydata.org/docs/user_guide/integer_na.html
    """
    evidence = Evidence(mapping, symptoms, joins, totals, strangers)
    return evidence.explained("as floats", lambda *_: _FLOATS)


@cause()
def lost_zeros(
    mapping: MappingStatistics,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    totals: PairState,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Identifiers lost the zeros that they begin with, on one side alone.

    Told where identifiers match once no side has leading zeros: ``00123`` and ``123``,
    ``GO:0008150`` and ``GO:8150``.

    Why it matters:
    Whatever reads a code of digits as a number drops its zeros. The code is then found nowhere on
    the other side, and its pairs are lost.

    How to fix:
    Read codes as text, on both sides:

        mapping = pd.read_csv(path, dtype={"identifier": str})

    Known exceptions:
    Codes that differ in nothing but their zeros, such as 0123 and 123 in one mapping, are left as
    they are.

    References:
    - pandas.read_csv, the argument dtype:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    evidence = Evidence(mapping, symptoms, joins, totals, strangers)
    return evidence.explained("but for zeros at their beginning", lambda *_: _ZEROS)


@cause()
def thousands_separators(
    mapping: MappingStatistics,
    graph: Graph,
    symptoms: Symptoms,
    joins: Mapping[str, Joins],
    totals: PairState,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Identifiers are written with separators of thousands: 9.606 or 9,606 for 9606.

    Told where identifiers match once they are read without the separators.

    Why it matters:
    Only numbers from 1,000 on have them, so that small ones match and large ones are found
    nowhere, or are read as the number before the point.

    How to fix:
    Write numbers plainly, or say what the separator is when they are read:

        pairs = pd.read_csv(path, sep=";", thousands=".")

    Known exceptions:
    In a column of idx a lone ``1.000`` is refused where nothing tells whether it is one or a
    thousand.

    References:
    - pandas.read_csv, the argument thousands:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    found = _grouped_idx(symptoms) or _read_as_decimals(symptoms, mapping, totals, graph)
    found = found or _mapped_as_decimals(symptoms, mapping)
    if found is not None:
        return found
    evidence = Evidence(mapping, symptoms, joins, totals, strangers)
    return evidence.explained("with separators of thousands", lambda *_: _THOUSANDS)


def _grouped_idx(symptoms: Symptoms) -> Explanation | None:
    """Rows that were left out because an idx may be a thousand, or one with three decimals."""
    for name, roles in (("invalid_pair_row", _ENDS), ("invalid_mapping_row", ("idx",))):
        symptom = symptoms.get(name)
        if symptom is None or symptom.rows is None:
            continue
        because = [symptom.because(r) for r in symptom.reasons if r and r.endswith(_SEPARATED)]
        cells = [c for role in roles if (c := symptom.column(role)) is not None]
        if not because or len(cells) < len(roles):
            continue
        chosen: BoolArray = np.logical_or.reduce(because)
        texts = [pa.array(column[chosen], pa.string()) for column in cells]
        numbers = [_whole(_ungrouped(column)) for column in texts]
        read = np.logical_and.reduce([column >= 0 for column in numbers])
        chosen[np.flatnonzero(chosen)[~read]] = False
        if not read.any():
            continue
        grouped = next(column for column in texts if pc.any(_differs(column)).as_py())
        cell = grouped.filter(_differs(grouped))[0].as_py()
        whose = "pairs" if name == "invalid_pair_row" else "mapping"
        mend = None
        if whose == "pairs":
            mend = Mend(
                what=f"read {plural(int(read.sum()), 'row')} without separators of thousands",
                why="then they are idx of the mapping, and contradict no other row",
                given=(symptom.rows[chosen], numbers[0][read], numbers[1][read]),
            )
        return Explanation(
            message=f"{plural(int(read.sum()), 'row')} of the {whose} hold idx with separators of "
            f"thousands: {cell!r} is {_ungrouped(pa.array([cell]))[0].as_py()}",
            explains={name: chosen},
            parameters={"rows": int(read.sum())},
            free=0,
            mend=mend,
            why_not=None if mend else "the mapping is given; write its idx plainly",
        )
    return None


def _differs(column: pa.Array) -> pa.Array:
    return pc.not_equal(column, _ungrouped(column))


def _whole(texts: pa.Array) -> IntArray:
    """Texts of digits as numbers, (k,), -1 for others."""
    digits = pc.match_substring_regex(texts, "^[0-9]{1,18}$")
    numbers = pc.if_else(digits, texts, "-1").cast(pa.int64()).fill_null(-1)
    return np.asarray(numbers.to_numpy(zero_copy_only=False))


def _read_as_decimals(
    symptoms: Symptoms, mapping: MappingStatistics, totals: PairState, graph: Graph
) -> Explanation | None:
    """Idx that were read as decimals before they were written: 1.234 for 1,234, and 1.0 for 1,000.

    No plain idx is above 999 then, and a thousandth of an idx is what no idx is.
    """
    n = mapping.n_nodes
    used = np.flatnonzero((totals.as_ancestor > 0) | (totals.as_descendant > 0))
    if mapping.derived or n <= 1_000 or used.max(initial=0) > 999:
        return None
    found = _decimals(symptoms.get("invalid_pair_row"), _ENDS, n)
    if found is None:
        return None
    chosen, told = found
    lost = np.zeros(n, dtype=bool)
    lost[1_000:] = mapping.mapped[1_000:]
    merged = np.zeros(n, dtype=bool)
    merged[1 : (n - 1) // 1_000 + 1] = True
    explains = merged_nodes(symptoms, graph, merged, lost)
    explains["invalid_pair_row"] = chosen
    for name in ("missing_parent", "missing_ancestor_pair", "false_ancestor_pair.unproven"):
        if name in symptoms:  # the rows that are left out say whose children they are
            explains[name] = np.ones(len(symptoms[name]), dtype=bool)
    return Explanation(
        message=f"idx with separators of thousands were read as decimals: {told}, and 1.0 may be "
        "1,000",
        explains=explains,
        parameters={"rows": int(np.count_nonzero(chosen))},
        why_not="nothing tells 1 from 1,000; read the first file again, and say what its separator "
        "is",
    )


def _mapped_as_decimals(symptoms: Symptoms, mapping: MappingStatistics) -> Explanation | None:
    """The same of the idx of the mapping."""
    if mapping.n_nodes > 1_000:
        return None
    found = _decimals(symptoms.get("invalid_mapping_row"), ("idx",), mapping.rows)
    if found is None:
        return None
    chosen, told = found
    names = ("coverage_gap", "missing_parent", "missing_ancestor_pair", "not_ancestor_closed")
    explains: dict[str, BoolArray | bool] = {
        name: np.ones(len(symptoms[name]), dtype=bool)
        for name in (*names, "false_ancestor_pair.unproven")
        if name in symptoms
    }
    explains["invalid_mapping_row"] = chosen
    if (twice := symptoms.get("duplicate_idx")) is not None:
        explains["duplicate_idx"] = twice.nodes[0] <= mapping.rows // 1_000
    if (outside := symptoms.get("index_out_of_range")) is not None:
        explains["index_out_of_range"] = np.logical_and.reduce(
            [end < mapping.rows for end in outside.nodes]
        )
    return Explanation(
        message=f"idx of the mapping with separators of thousands were read as decimals: {told}",
        explains=explains,
        parameters={"rows": int(np.count_nonzero(chosen))},
        why_not="the mapping is given; write its idx plainly",
    )


def _decimals(
    symptom: Symptom | None, roles: Sequence[str], n: int
) -> tuple[BoolArray, str] | None:
    """Invalid rows whose idx times 1,000 are idx below n, (k,), and one of them; None for none.

    Nearly all rows that hold no whole number have to be such, and they go up to n.
    """
    if symptom is None or any(symptom.column(role) is None for role in roles):
        return None
    chosen = np.zeros(len(symptom), dtype=bool)
    for reason in symptom.reasons:
        if reason and reason.endswith(_NOT_WHOLE):
            chosen |= symptom.because(reason)
    if not chosen.any():
        return None
    whole, values = np.ones(np.count_nonzero(chosen), dtype=bool), []
    for role in roles:
        cells = symptom.column(role)
        texts = pa.array([] if cells is None else cells[chosen], pa.string())
        decimal = pc.fill_null(pc.match_substring_regex(texts, _DECIMAL), False)
        whole &= decimal.to_numpy(zero_copy_only=False)
        values.append(pc.if_else(decimal, texts, "0").cast(pa.float64()).to_numpy())
    if not whole.any() or np.count_nonzero(whole) < _NEARLY * len(whole):
        return None
    value = np.concatenate(values)
    idx = np.rint(1_000 * value).astype(np.int64)
    broken = idx % 1_000 > 0
    if not broken.any() or not _NEARLY * (n - 1) <= idx[broken].max() < n:
        return None
    chosen[np.flatnonzero(chosen)[~whole]] = False
    first = int(np.flatnonzero(broken)[0])
    return chosen, f"{value[first]:g} is {int(idx[first]):,}"
