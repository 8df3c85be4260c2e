"""The cause in which a minority of a table's rows holds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.cause import Explanation, cause
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import percent
from taxcheck.statistics.symptoms import Symptoms

if TYPE_CHECKING:
    from taxcheck.audit.exchanges import Exchanges
    from taxcheck.audit.placement import Placements
    from taxcheck.audit.values import HierarchyScores

_MINORITY, _PLACED = 0.5, 0.1
_OWN = 0.01  # of the trained rows: fewer are chance, and the others were not trained
_FEWEST = 5


@cause()
def noise_rows(
    placement: Placements,
    scores: HierarchyScores,
    symptoms: Symptoms,
    found: Mapping[str, RuleResult],
    exchanges: Exchanges | None = None,
) -> Explanation | None:
    r"""A minority of the rows holds nothing, in a table whose other rows are in their place.

    Each of them has no ancestor, sibling or child nearer than a random row would, while half of
    the others have at most a tenth of the strangers as deep as their parent before it, and MAP
    exceeds its nulls. Rows that were never trained are no noise: EMB006 tells of those.

    Why it matters:
    Training goes on well without them, and every score is a mean, so nothing else says which of
    the nodes can be relied on.

    How to fix:
    No command makes these rows right, since only training knows what they ought to be. Have them
    all written, and see what they have in common: clades, depths, pairs and updates are also in
    HIER010's values:

        taxcheck run --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet \
            --failures misplaced/

    Rows that were written anew (a table resized, a new vocabulary, a merge of two checkpoints) are
    noise until they are trained: train on, or take them from a checkpoint that had them.

    Known exceptions:
    A table that is weak throughout has no such minority. Rows that were dealt anew among the nodes
    are told as noise as well: to each of these nodes its row is one of a random place.

    References:
    - torch.nn.Embedding, whose rows begin as noise:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    mixed, own = placement.mixture, symptoms.get("misplaced_rows")
    if own is None or "misplaced_rows" not in found:
        return None
    # rows of a subtree that has another one's are no noise
    alone = ~np.isin(own.nodes[0], [] if exchanges is None else exchanges.touched)
    if np.count_nonzero(alone) < _FEWEST:
        return None
    if scores.map is None or not scores.map.beats_every_null:
        return None
    if mixed.share >= _MINORITY or not placement.parent_rank <= _PLACED * placement.pool:
        return None
    if placement.trained is not None and placement.trained.low <= _OWN:
        return None
    return Explanation(
        message=f"{percent(mixed.share)} of the rows are as good as random (95 % "
        f"{percent(mixed.low)} to {percent(mixed.high)}), and the others are in their place",
        explains={"misplaced_rows": alone},
        parameters={"share": mixed.share, "at least": mixed.low, "at most": mixed.high},
        free=1,
        fix="no command makes them right: train on, or take these rows from a checkpoint that had "
        "them; ``taxcheck run --embeddings checkpoint.pt --mapping mapping.tsv --pairs "
        "pairs.parquet --failures misplaced/`` writes which they are",
        why_not="what a row ought to be is known to training alone",
    )
