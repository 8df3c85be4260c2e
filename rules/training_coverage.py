"""EMB006 and TRAIN006: rows that training never reached, or hardly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from taxcheck.model.finding import Finding, Observed, Sample, Skip
from taxcheck.model.rule import Threshold, rule
from taxcheck.model.vocabulary import percent

from .scoring import UNTRAINED_CAUSES
from .wording import first, have, part, reasons

if TYPE_CHECKING:
    from taxcheck.audit.values import CoverageOfTraining

_BOX = "inside the init box"
_SHOWN_CLADES = 10


@rule(
    "EMB006",
    "fail",
    about="table",
    thresholds={
        "box_share": Threshold(
            0.01,
            "rows whose only evidence is to lie inside the init box count from this share on",
            "Echinodermata, d = 10, trained in the ball to MAP 0.84: the least of 7,112 norms "
            "is 0.016, so that none is inside",
        )
    },
    caused_by=UNTRAINED_CAUSES,
    pictures=("untrained",),
    judges="untrained",
)
def never_trained(coverage: CoverageOfTraining, threshold: Mapping[str, float]) -> Finding:
    """Rows of the table were never trained.

    A row counts once, under its strongest evidence: no update was recorded for it, the optimizer's
    state of it is zero, it equals its initialisation, it is in no pair, or it lies inside the box
    that initialisations draw from. Each row is explained by what the data's own findings say of it.
    The box alone is weak evidence, since a root belongs near the origin: such rows count only where
    they are many. That a row was trained is known by updates, the optimizer's state or the table
    before training; without them a pass says only that nothing speaks against it.

    Why it matters:
    Such a row is a random vector under the name of a taxon. It has neighbours, a radius and a place
    on every map, and all of them are noise; drawn as a negative it was pushed away from everything,
    so that it stands among the deep rows. In the incident 29,063 of 111,103 nodes were never
    trained, which showed as 'some groups tight, others spread everywhere'. On Echinodermata, with
    26 % of the nodes in no pair, MAP falls from 0.84 to 0.46 and the mean rank from 9 to 989.

    How to fix:
    Repair the data first, by the finding that explains the rows (mostly PAIR003 or PAIR014), then
    train again; more epochs do not help a row that nothing draws. One row's story is told by

        taxcheck why NODE --embeddings checkpoint.pt --mapping mapping.tsv --pairs pairs.parquet

    Until then keep the rows out of what is published: ``taxcheck run ... --failures out/`` lists
    them all.

    Known exceptions:
    A row for padding, and a root without children, are in no pair by nature. Where an engine moved
    rows as negatives only, 'in no pair' still holds: such a row was never pulled towards anything.

    References:
    - Nickel & Kiela 2017, training over observed relations: https://arxiv.org/abs/1705.08039
    """
    bad = coverage.defect
    if not bad.total:
        raise Skip("there is no row to judge")
    box = coverage.by_evidence.get(_BOX, 0)
    sure = bad.count - box
    weak = box / bad.total <= threshold["box_share"]
    count = sure if weak else bad.count
    found = count > 0
    message = f"none of {bad.total:,} rows was left untrained"
    if box or not coverage.trained_known:
        message = f"none of {bad.total:,} rows is known to be untrained"
    if not coverage.trained_known:
        message += "; whether they were trained is not recorded"
    if found:
        message = (
            f"{part(count, bad.total, 'rows')} {'was' if count == 1 else 'were'} never trained; "
            f"evidence{reasons(coverage.by_evidence)}; explained by"
            f"{reasons(coverage.by_explanation)}{first(bad.samples)}"
        )
    elif box:
        message += f"; {box:,} near the origin, where roots belong"
    observed: dict[str, Observed] = {
        "never trained": bad.count,
        "evidence": dict(coverage.by_evidence),
        "explanation": dict(coverage.by_explanation),
        "explanation, by evidence": {
            f"{explanation}, by {evidence!r}": rows
            for (explanation, evidence), rows in coverage.by_both.items()
        },
        "most affected clades": {
            clade: f"{part(lost, nodes, 'nodes')}"
            for clade, lost, nodes in coverage.by_clade[:_SHOWN_CLADES]
        },
    }
    return Finding(
        found=found,
        message=message,
        count=count,
        total=bad.total,
        observed=observed,
        samples=bad.samples,
        impact=f"{part(count, bad.total, 'rows')} {have(count)} a random vector under the name of "
        "a taxon.",
        fix="repair what explains the rows and train again; "
        "``taxcheck why NODE --embeddings checkpoint.pt --mapping mapping.tsv --pairs "
        "pairs.parquet`` tells the story of one taxon",
    )


@rule(
    "TRAIN006",
    "warn",
    about="training",
    thresholds={
        "updates": Threshold(
            10,
            "a row is hardly trained where it had fewer updates than this",
            "WordNet nouns: ten epochs of burn-in alone give each synset ten as a descendant",
        ),
        "share": Threshold(
            0.05,
            "a warning where more than this share of the rows is hardly trained",
            "the incident: 26 % of the rows had no pair; on Echinodermata the shallowest taxon has "
            "one draw an epoch",
        ),
    },
    caused_by=(*UNTRAINED_CAUSES, "EMB006"),
    pictures=("updates", "untrained"),
)
def too_few_updates(coverage: CoverageOfTraining, threshold: Mapping[str, float]) -> Finding:
    """Many rows had too few updates to have left their initialisation.

    Judged on the engine's own record of updates by row; shown by depth where the hierarchy is
    known.

    Why it matters:
    Losses are means over draws, and draws follow the pairs: a node at depth k has k of them, an
    inner node one for each descendant, a shallow leaf nearly none. The loss can be at its floor
    while a tenth of the rows has been touched five times. Runs that stop early or draw by depth
    leave whole levels behind.

    How to fix:
    Train for more epochs, or give rare rows more draws, one equal share a node:

        weight = 1 / pairs.groupby("descendant_idx")["descendant_idx"].transform("size")

    Rows with no update at all are EMB006's: they lack pairs, not epochs.

    Known exceptions:
    An engine that does not record updates is skipped. Full-batch training updates every row at
    every step, so that the count says nothing there.

    References:
    - Nickel & Kiela 2017, epochs and burn-in: https://arxiv.org/abs/1705.08039
    """
    updates = coverage.updates
    if updates is None:
        raise Skip("the checkpoint records no updates by row")
    if not len(updates):
        raise Skip("there is no row to judge")
    few = updates < threshold["updates"]
    count, none = int(few.sum()), int(np.count_nonzero(updates == 0))
    found = count / len(updates) > threshold["share"]
    depths = sorted(coverage.updates_by_depth, key=lambda row: row[3])
    message = (
        f"{part(count, len(updates), 'rows')} had fewer than {threshold['updates']:g} updates, "
        f"{none:,} none; the median is {np.median(updates):,.0f}"
    )
    if depths:
        depth, nodes, idle, mean = depths[0]
        message += (
            f"; least at depth {depth}: {mean:,.1f} a node, {part(idle, nodes, 'nodes')} with none"
        )
    return Finding(
        found=found,
        message=message,
        count=count if found else 0,
        total=len(updates),
        observed={
            "rows with too few": count,
            "rows with none": none,
            "median": float(np.median(updates)),
            "mean by depth": {str(row[0]): row[3] for row in coverage.updates_by_depth},
            "rows with none by depth": {str(row[0]): row[2] for row in coverage.updates_by_depth},
        },
        samples=(
            tuple(
                Sample({"idx": int(k), "updates": int(updates[k])}, node=int(k))
                for k in np.flatnonzero(few)[:20]
            )
        ),
        impact=f"{percent(count / len(updates))} of the rows are little more than their "
        "initialisation.",
        fix='train longer, or draw with ``weight = 1 / pairs.groupby("descendant_idx")'
        '["descendant_idx"].transform("size")``, an equal share for every node',
    )
