"""The cause in which labels were cut at a number of characters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.cause import Explanation, Mend, cause
from taxcheck.model.vocabulary import plural
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.values import MappingStatistics

from .merged import merged_nodes
from .respelled import replaced
from .spelling import texts

_FEWEST = 5  # labels that a mapping lacks
_NEARLY = 0.99
_SHORTEST = 4  # characters
_BLANKS = 2  # at which a label may have been cut
_MANY, _SHARE = 20, 0.05  # labels that are as long as the longest, where no mapping tells
_TIMES = 3  # as many as of any of the lengths before it
_LENGTHS = 5


@cause()
def cut_labels(
    mapping: MappingStatistics,
    symptoms: Symptoms,
    graph: Graph,
    strangers: Strangers | None = None,
) -> Explanation | None:
    """Labels were cut at a number of characters.

    Labels that the mapping lacks all have one length, none is longer, and each is the beginning of
    an identifier that it has. Without a mapping it is likely where many labels have one and the
    same length, and none is longer, while shorter ones are of all lengths, or they are words.

    Why it matters:
    A label that was cut is found nowhere. Where two labels begin alike they become one node, with
    the ancestors and descendants of both.

    How to fix:
    Give the column of text all the room that it needs: a field of fixed width, ``VARCHAR(20)``, a
    NumPy array of ``U20`` or a file format with short names cut silently. Better join by
    identifier. ``taxcheck fix`` reads the labels as those that they begin, where each begins one.

    Known exceptions:
    Identifiers that all have one length show nothing. What was cut in mapping and pairs alike, and
    is still of one node each, is sound.

    References:
    - NumPy, strings of fixed width: https://numpy.org/doc/stable/user/basics.strings.html
    """
    if strangers is not None:
        return _begin_others(mapping, symptoms, strangers)
    if mapping.derived:
        return _as_long_as_others(mapping, symptoms, graph)
    return None


def _begin_others(
    mapping: MappingStatistics, symptoms: Symptoms, strangers: Strangers
) -> Explanation | None:
    labels, outside = strangers.labels, symptoms.get("index_out_of_range")
    known, idx = texts(mapping.identifiers)
    known, lengths = pc.utf8_rtrim_whitespace(known), _lengths(labels)
    width = int(lengths.max(initial=0))
    if len(labels) < _FEWEST or width < _SHORTEST or outside is None:
        return None
    longer = _lengths(known) > width
    begun = pc.utf8_slice_codeunits(known.filter(pa.array(longer)), 0, width)
    begun = pc.utf8_rtrim_whitespace(begun)  # a blank at which a label was cut is read as none
    of, labels = idx[longer], pc.utf8_rtrim_whitespace(labels)
    cut = _in(labels, begun)
    if np.count_nonzero(cut) < _NEARLY * len(labels) or (lengths[cut] < width - _BLANKS).any():
        return None
    coded = begun.dictionary_encode()
    codes = coded.indices.to_numpy()
    whole = _in(coded.dictionary, known)  # an identifier that ends there may be meant as well
    alone = (np.bincount(codes, minlength=len(whole)) == 1) & ~whole
    place = pc.index_in(labels, coded.dictionary).fill_null(-1).to_numpy()
    owner = np.zeros(len(whole), dtype=np.int64)
    owner[codes] = of
    sure = cut & alone[place]
    mend = None
    if sure.any():
        mend = Mend(
            what=f"take {plural(int(sure.sum()), 'label')} for the identifiers that they begin",
            why="each begins one of the mapping, and one alone",
            renumbered=replaced(strangers.idx[sure], owner[place[sure]]),
            only_tried=not sure.all(),
        )
    first = int(np.flatnonzero(cut)[0])
    doubtful = int(np.count_nonzero(cut & ~sure))
    return Explanation(
        message=f"labels were cut at {width} characters: {plural(int(cut.sum()), 'label')} of the "
        f"pairs begin identifiers of the mapping, such as {labels[first].as_py()!r}"
        + f", {doubtful:,} of them several"
        * bool(doubtful),
        explains={**_rows_of(symptoms, strangers.idx[cut]), **_lacking(symptoms, of)},
        parameters={"characters": width, "labels": int(cut.sum())},
        free=1,
        mend=mend,
        why_not=f"{plural(doubtful, 'label')} begin several identifiers, and nothing says which is "
        "meant; write the labels whole"
        if doubtful
        else None,
    )


def _rows_of(symptoms: Symptoms, cut: IntArray) -> dict[str, BoolArray | bool]:
    """Rows outside the mapping, and ends among the labels that were cut, ascending."""
    outside = symptoms["index_out_of_range"]
    touched = np.logical_or.reduce([np.isin(end, cut) for end in outside.nodes])
    return {"index_out_of_range": touched, "table_too_small": True}


def _lacking(symptoms: Symptoms, whole: IntArray) -> dict[str, BoolArray | bool]:
    """Nodes that are in no pair since their identifiers, with these idx, are longer."""
    gap = symptoms.get("coverage_gap")
    return {} if gap is None else {gap.defect: np.isin(gap.nodes[0], whole)}


def _as_long_as_others(
    mapping: MappingStatistics, symptoms: Symptoms, graph: Graph
) -> Explanation | None:
    if mapping.identifiers.integers is not None:
        return None
    labels, idx = texts(mapping.identifiers)
    lengths = _lengths(labels)
    counts = np.bincount(lengths)
    width = len(counts) - 1
    if width < _SHORTEST or counts[width] < max(_MANY, _SHARE * len(labels)):
        return None
    before = counts[:width]
    varied = np.count_nonzero(before) >= _LENGTHS
    words = np.count_nonzero(pc.match_substring(labels, " ").to_numpy(zero_copy_only=False))
    if not varied and min(2 * words, 2 * counts[width]) < len(labels):
        return None  # codes, which all are as long
    if counts[width] < _TIMES * before[-_LENGTHS:].max(initial=0):
        return None
    merged, nobody = np.zeros((2, graph.n), dtype=bool)
    merged[idx[lengths == width]] = True
    return Explanation(
        message=f"labels were cut at {width} characters: {counts[width]:,} of "
        f"{plural(len(labels), 'label')} are as long, and none is longer",
        explains=merged_nodes(symptoms, graph, merged, nobody),
        parameters={"characters": width, "labels": int(counts[width])},
        free=1,
        guess=True,
        why_not="the labels as they were, since nothing says which of those that begin alike is "
        "meant",
    )


def _lengths(labels: pa.Array) -> IntArray:
    return np.asarray(pc.utf8_length(labels).to_numpy(zero_copy_only=False), dtype=np.int64)


def _in(labels: pa.Array, others: pa.Array) -> BoolArray:
    return np.asarray(pc.is_in(labels, others).to_numpy(zero_copy_only=False))
