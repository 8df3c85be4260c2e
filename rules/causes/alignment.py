"""Causes in which a table's rows do not stand where they are taken from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.arrays import BoolArray
from taxcheck.model.cause import Explanation, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import score as figure
from taxcheck.statistics.symptoms import Symptoms

if TYPE_CHECKING:
    from taxcheck.audit.alignment_scores import Alignments

# What a table shows whose rows are read under others' names, beside what its own numbers show.
_FOLLOWS = (
    "radius_ignores_depth", "child_inside_parent", "weak_reconstruction", "parent_not_found",
    "scattered_group", "weak_separation", "siblings_not_near", "misplaced_rows", "memorised",
)  # fmt: skip
_OF_LABELS = ("never_trained", "too_few_updates", "row_count_mismatch")
_OF_SHAPE = (
    *_OF_LABELS, "boundary_saturation", "norm_collapse", "dimensional_collapse", "precision_loss",
    "distance_ceiling", "outside_ball", "duplicate_row",
)  # fmt: skip


def _explained(
    alignment: Alignments,
    symptoms: Symptoms,
    found: Mapping[str, RuleResult],
    way: str,
    happened: str,
    also: tuple[str, ...] = (),
) -> Explanation | None:
    better = alignment.better
    if better is None or better.way != way:
        return None
    explains: dict[str, BoolArray | bool] = {
        "unaligned_table": np.ones(len(symptoms["unaligned_table"]), dtype=bool)
    }
    for name in (*_FOLLOWS, *also):
        if name in found:
            own = symptoms.get(name)
            explains[name] = True if own is None else np.ones(len(own), dtype=bool)
    fix = None
    if better.ask is not None:
        fix = f"``taxcheck run --labels {better.ask} ...`` joins the rows so"
    return Explanation(
        message=f"{happened}: under {better.name} MAP is {figure(better.map)}, as it was joined "
        f"{figure(alignment.used.map)}",
        explains=explains,
        parameters={"way": better.name, "MAP": better.map, "MAP as joined": alignment.used.map},
        chance=0.0,
        fix=fix,
        why_not="a table is not rewritten by a guess; write it anew in the order of idx",
    )


@cause()
def shifted_rows(
    alignment: Alignments, symptoms: Symptoms, found: Mapping[str, RuleResult]
) -> Explanation | None:
    """The rows of the table are shifted by one: a padding row stands before them, or one is lost.

    The table was held to its hierarchy with each row and with its neighbour, and the neighbour is
    the right one.

    Why it matters:
    Every node is read from the row beside its own. Where siblings stand beside each other that goes
    unnoticed in part, and the scores are only poor.

    How to fix:
    Leave the padding row out, or add the row that is lost:

        vectors = embedding.weight[1:]

    Known exceptions:
    A shift by more than one is not tried, nor one that begins in the middle of the table.

    References:
    - torch.nn.Embedding, padding_idx:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    happened = "the rows of the table are shifted by one"
    return _explained(alignment, symptoms, found, "shift", happened, _OF_LABELS)


@cause()
def other_row_order(
    alignment: Alignments, symptoms: Symptoms, found: Mapping[str, RuleResult]
) -> Explanation | None:
    """The rows of the table stand in another order than that in which they were read.

    Tried are the order of identifiers as text and as numbers, that of the mapping's file, the
    reverse, that in which rows stand, and whatever else in the file may name them.

    Why it matters:
    Every node is read from another one's row, and the table looks as if it had learnt nothing.

    How to fix:
    Write the rows in the order of idx, or the identifiers beside them:

        numpy.savez("table.npz", embeddings=vectors, taxids=taxids)

    Known exceptions:
    An order that is none of those tried is not found.

    References:
    - pandas.DataFrame.sort_index, which sorts texts as texts:
      https://pandas.pydata.org/docs/reference/api/pandas.DataFrame.sort_index.html
    """
    happened = "the rows of the table stand in another order"
    return _explained(alignment, symptoms, found, "order", happened, _OF_LABELS)


@cause()
def idx_labels(
    alignment: Alignments, symptoms: Symptoms, found: Mapping[str, RuleResult]
) -> Explanation | None:
    """The labels in the table's file are idx and were taken for identifiers.

    They are 0 to n - 1, of which a few happen to be identifiers as well.

    Why it matters:
    The few rows whose idx is an identifier are joined, to the wrong nodes, and all others to none.

    How to fix:
    Say what they are, or call the entry ``idx`` in the file:

        taxcheck run --embeddings table.npz --labels labels:idx --mapping ... --pairs ...

    Known exceptions:
    Labels of which none is an identifier are asked about before anything is judged.

    References:
    - numpy.savez, which names each array:
      https://numpy.org/doc/stable/reference/generated/numpy.savez.html
    """
    happened = "the labels of the table are idx, not identifiers"
    return _explained(alignment, symptoms, found, "idx", happened, _OF_LABELS)


@cause()
def transposed_table(
    alignment: Alignments, symptoms: Symptoms, found: Mapping[str, RuleResult]
) -> Explanation | None:
    """The table is transposed: its columns are the nodes, and its rows the dimensions.

    It has as many columns as the mapping has nodes, and under exchange it holds the hierarchy.

    Why it matters:
    Nothing that is read of such a table means anything, its norms and its geometry neither.

    How to fix:
    Write it with one row for each node:

        numpy.save("table.npy", vectors.T)

    Known exceptions:
    A square table says nothing of its direction by its shape.

    References:
    - numpy.ndarray.T: https://numpy.org/doc/stable/reference/generated/numpy.ndarray.T.html
    """
    happened = "the table is transposed"
    return _explained(alignment, symptoms, found, "transposed", happened, _OF_SHAPE)
