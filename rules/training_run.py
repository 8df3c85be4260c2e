"""TRAIN004, TRAIN005, TRAIN007 and TRAIN008: how the run was stopped, sized and chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import plural

from .scoring import TABLE_CAUSES
from .training_config import recorded
from .wording import part

if TYPE_CHECKING:
    from taxcheck.audit.values import TrainingRecord

_RANKING = {"map", "rank", "hits", "mrr", "ndcg"}  # words in the names of ranking metrics


@rule("TRAIN004", "fail", about="training")
def early_stopping_misread(training: TrainingRecord) -> Finding:
    """The run stopped early although its patience of 0 means never.

    Why it matters:
    A test such as ``epochs_without_improvement >= patience`` is true from the first epoch where
    the patience is 0, so the run ends while the loss still falls, and says 'converged'. A counter
    compared with the best loss after it was updated does the same in the other direction: it never
    counts. The table is then that of a burn-in. In the incident `--early-stopping 0` stopped runs
    of 10,000 epochs.

    How to fix:
    Let 0 switch it off, and compare before the best value is updated:

        if patience > 0 and epochs_without_improvement >= patience:
            break

    Then train again from the last checkpoint.

    Known exceptions:
    A tool in which a patience of 0 is documented as 'stop at the first epoch without improvement'
    behaves as it says; lower the rule's severity in the policy then.

    References:
    - Prechelt 1998, early stopping, but when:
      https://doi.org/10.1007/3-540-49430-8_3
    """
    patience = recorded(training, "early_stopping")
    facts = training.facts
    if patience == 0 and facts.stopped_early is None:
        raise Skip("whether the run stopped early is not recorded")
    found = patience == 0 and bool(facts.stopped_early)
    at = "" if facts.epoch is None else f" at epoch {facts.epoch:,}"
    ran = f"stopped early{at}" if facts.stopped_early else "did not stop early"
    if facts.stopped_early is None:
        ran = "may have stopped early, which is not recorded"
    return Finding(
        found=found,
        message=f"the run {ran} with a patience of {patience:g}"
        + (", which means never" if found else ""),
        observed={
            "early_stopping": patience,
            "stopped early": facts.stopped_early,
            "epoch": facts.epoch,
        },
        samples=(Sample({"early_stopping": patience, "epoch": facts.epoch}),),
        impact=f"The run ended{at} although early stopping was switched off.",
        fix="``if patience > 0 and epochs_without_improvement >= patience: break``, then train on "
        "from the last checkpoint",
    )


@rule("TRAIN005", "fail", about="training", caused_by=TABLE_CAUSES, pictures=("untrained",))
def table_size_from_pairs(training: TrainingRecord) -> Finding:
    """The table was sized by the largest idx in the pairs, and not by the mapping.

    Found where the number of rows is max(idx in pairs) + 1 and differs from the mapping's n_nodes.

    Why it matters:
    Nodes with larger idx than any in the pairs get no row. That the two sizes differ at all says
    that the pairs lack nodes, mostly inside the range as well: of the incident's 29,063 nodes
    without training 18,813 were beyond a table of 92,290 rows and 10,250 within it.

    How to fix:
    Size the table by the mapping:

        n_nodes = int(mapping["idx"].max()) + 1

    That alone treats a symptom: the rows that are added stay untrained until PAIR003 is clean.

    Known exceptions:
    None. A table that was meant for the paired nodes only needs a mapping of those only.

    References:
    - torch.nn.Embedding, num_embeddings:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    size, nodes, rows = training.table_size_from_pairs, training.n_nodes, training.rows
    if size is None:
        raise Skip("no pairs are known that the table could have been sized by")
    if nodes is None:
        raise Skip("no mapping is known that the table should have been sized by")
    found = rows == size != nodes
    lacking = max(nodes - rows, 0)
    return Finding(
        found=found,
        message=f"the table's {rows:,} rows are max(idx in pairs) + 1; the mapping has {nodes:,} "
        f"nodes, {lacking:,} more"
        if found
        else f"the table has {rows:,} rows, the mapping {nodes:,} nodes, the pairs reach {size:,}",
        count=lacking if found else 0,
        total=nodes,
        observed={"rows": rows, "max idx in pairs + 1": size, "n_nodes": nodes},
        samples=(Sample({"rows": rows, "n_nodes": nodes}),),
        impact=f"{part(lacking, nodes, 'nodes')} got no row, since the table was sized by the "
        "pairs.",
        fix='``n_nodes = int(mapping["idx"].max()) + 1`` in place of the pairs\' maximum, once '
        "PAIR003 is clean",
    )


@rule(
    "TRAIN007",
    "info",
    about="training",
    thresholds={
        "most": Threshold(
            20_000,
            "told where there are more nodes for each dimension than this",
            "WordNet nouns in 5 dimensions: 16,423 for each, MAP 0.823, against 0.851 with 8,212",
        ),
        "fewest": Threshold(
            100,
            "told where there are fewer nodes for each dimension than this",
            "WordNet nouns in 200 dimensions: 411 for each, no better than with 50; Echinodermata "
            "in 50: 142 for each, MAP 0.83 against 0.84 in 10",
        ),
    },
)
def dimension_for_size(training: TrainingRecord, threshold: Mapping[str, float]) -> Finding:
    """The dimension is small or large for the number of nodes.

    Why it matters:
    Too few dimensions leave branches no room beside each other, whatever the training: published
    values on WordNet nouns rise from MAP 0.823 in 5 dimensions to 0.851 in 10. Too many cost memory
    and time and give nothing back: in 200 dimensions it is 0.870, after 0.860 in 50.

    How to fix:
    Try the neighbouring sizes and compare MAP, not the loss:

        taxcheck evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Ten dimensions are a good start for taxonomies of a million nodes and fewer.

    Known exceptions:
    Small trial data in the dimension of the large run to come. A tree needs two dimensions in
    principle, at a precision that no float has.

    References:
    - Nickel & Kiela 2017, table 1: https://arxiv.org/abs/1705.08039
    - Sala et al. 2018, dimension against precision: https://arxiv.org/abs/1804.03329
    """
    nodes = training.n_nodes if training.n_nodes is not None else training.rows
    if not nodes or not training.dim:
        raise Skip("the table is empty")
    each = nodes / training.dim
    few, many = each > threshold["most"], each < threshold["fewest"]
    word = ": few dimensions for so many nodes" if few else ": many for so few nodes" * many
    return Finding(
        found=few or many,
        message=f"{plural(nodes, 'node')} in {plural(training.dim, 'dimension')}, "
        f"{each:,.0f} for each{word}",
        observed={"nodes": nodes, "dimensions": training.dim, "nodes for each dimension": each},
        samples=(Sample({"nodes": nodes, "dimensions": training.dim}),),
        fix="compare MAP with half and with twice as many dimensions: ``taxcheck evaluate "
        "checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet``",
    )


@rule("TRAIN008", "info", about="training")
def quality_by_proxy(training: TrainingRecord) -> Finding:
    """The best checkpoint was chosen by the loss, and no ranking metric was recorded.

    Why it matters:
    The loss is taken over the pairs that are there and the negatives that were drawn, so it falls
    while nodes without pairs stay random, and it is nearly spent long before the ranking is: on
    WordNet nouns it was 0.07 at a MAP of 0.78 that still rose. The checkpoint with the least loss
    is not the best one, and without a ranking metric nobody can tell.

    How to fix:
    Evaluate some thousand sampled sources every few epochs against all candidates, record it, and
    keep the best by it; afterwards compare what is there:

        taxcheck evaluate best.pt --mapping mapping.tsv --pairs pairs.parquet
        taxcheck evaluate last.pt --mapping mapping.tsv --pairs pairs.parquet

    Known exceptions:
    Choosing by loss among runs of one configuration is a fair first cut where MAP is recorded too.

    References:
    - Nickel & Kiela 2017, reconstruction as the measure: https://arxiv.org/abs/1705.08039
    """
    facts = training.facts
    chosen = facts.config.get("best_by")
    if chosen is None:
        raise Skip("how the best checkpoint was chosen is not recorded")
    ranked = sorted(
        {
            key
            for entry in facts.history
            for key in entry
            if not _RANKING.isdisjoint(re.split(r"[^a-z]+", key.lower()))
        }
    )
    by_loss = "loss" in str(chosen).lower()
    found = by_loss and not ranked
    metrics = f"recorded beside it: {', '.join(ranked)}" if ranked else "no ranking metric recorded"
    return Finding(
        found=found,
        message=f"the best checkpoint was chosen by {chosen}; {metrics}",
        observed={"best_by": chosen, "ranking metrics": [*ranked]},
        samples=(Sample({"best_by": chosen}),),
        fix="evaluate every few epochs on sampled sources and keep the best by MAP; ``taxcheck "
        "evaluate checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet`` "
        "measures what is there",
    )
