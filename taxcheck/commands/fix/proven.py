"""What proves a numbering, and what nothing proves: which idx, which node, which table.

Any numbering keeps a hierarchy whole. So where identifiers beside the idx name other taxa than the
mapping does, either may be right, unless one of them makes pairs unsound that the other keeps; and
where a taxonomy shows that pairs and mapping were numbered apart, it does not show which was moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from taxcheck.commands.fix.numbering import Numbering, Taxa
from taxcheck.commands.fix.plan import Findings, Lacking, RepairPlan
from taxcheck.model.arrays import distinct
from taxcheck.model.finding import known
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import plural, said_of
from taxcheck.run.gather import Gathered
from taxcheck.run.replay import PAIRWISE
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.joins import Joins
from taxcheck.statistics.values import Kind

# What no numbering of the same pairs brings about, unless it gives nodes away or merges them. Idx
# beyond the mapping are not among them: a mapping that was cut brings them about as well.
_UNSOUND = (
    Repair.PAIR_ROWS, Repair.SELF_PAIRS, Repair.REPEATED, Repair.REVERSED,
    Repair.FALSE_PAIRS, Repair.MISSING_PAIRS, Repair.PARENTS, Repair.CYCLES,
    Repair.SEVERAL_PARENTS,
)  # fmt: skip
_NO_TAXONOMY = "data that says so itself: no taxdump knows identifiers that are text"
_DENIED = 0.01  # of the pairs, from which on a taxonomy may deny the numbering itself


def judged_by_taxonomy(data: Gathered) -> bool:
    """Whether a taxonomy says what is true: it knows most of the nodes, and they are a tree."""
    view, tree = known(data.evidence.taxonomy), known(data.evidence.tree)
    if view is None or 2 * view.unknown.count > view.unknown.total:
        return False
    if tree is None or tree.kind is not Kind.DAG or tree.cycles.count:
        return True
    return not tree.several_parents.count


def proves_idx_wrong(findings: Findings, rules: Iterable[str]) -> bool:
    """Whether findings of these ids, which other idx would not have, are of idx that are wrong."""
    return not {*findings.among(*_UNSOUND)}.isdisjoint(rules)


def numbered_anew(joins: Joins, data: Gathered) -> bool:
    """Whether each idx stands beside one identifier, and each identifier beside one idx.

    Then the idx are another numbering of the same pairs. Rows that were left out for an idx beyond
    the mapping come back with it, and so they would with the rows that a mapping lost.
    """
    assert data.intake is not None
    state = data.intake.training.state
    idx, meant = (np.concatenate([getattr(e, c)[e.wrong] for e in joins.ends])
                  for c in ("idx", "meant"))  # fmt: skip
    width = int(max(idx.max(initial=0), meant.max(initial=0))) + 3
    pairs = distinct(idx * width + meant + 2)
    old, new = np.divmod(pairs, width)
    if len(distinct(old)) < len(old) or len(distinct(new)) < len(new):
        return False
    rows = np.zeros(max(width, state.origin.n), dtype=np.int64)
    for counts in (state.as_ancestor, state.as_descendant):
        rows[: len(counts)] += counts
    agreeing = rows > np.bincount(idx, minlength=len(rows))
    used = new[new >= 2] - 2
    return not (agreeing[old].any() or agreeing[used].any())


def let_go(data: Gathered, findings: Findings) -> tuple[Lacking, ...]:
    """Rows of which there are too many to be kept, so that nothing was held against them.

    A taxonomy gives every mapped node its pairs, whatever those rows say.
    """
    if judged_by_taxonomy(data) or not (names := data.symptoms.overfull.intersection(PAIRWISE)):
        return ()
    rules = [r.id for r in findings.report.results if r.name in names]
    why = f"of {', '.join(sorted(names))} there are more rows than are kept to be looked through"
    give = "`taxonomy`, or a part of the pairs, in which the cause shows as well"
    return tuple(Lacking(rule, why, give, True) for rule in rules[:1])


def ownerless(data: Gathered, findings: Findings, taxa: Taxa | None) -> tuple[Lacking, ...]:
    """Rows outside the mapping that neither a taxonomy makes superfluous nor a hole explains.

    Whoever leaves them out assumes that the others are numbered as the mapping is. An idx that the
    mapping skips shows that it was not renumbered; one beyond its end shows nothing.
    """
    assert data.mapping is not None
    outside = data.symptoms.get("index_out_of_range")
    if outside is None or taxa is not None:
        return ()
    beyond = [(column >= data.mapping.n_nodes) | (column < 0) for column in outside.nodes]
    rows = int(np.count_nonzero(np.logical_or.reduce(beyond)))
    if not rows:
        return ()
    why = (
        f"{said_of(rows, 'pair', 'names', 'name')} an idx or a label that the mapping "
        "lacks, and nothing says whose it is or whether the others are numbered as the mapping is"
    )
    give = (
        "the mapping with which the pairs were built, or identifiers beside the idx of the pairs "
        "(ancestor_taxid, descendant_taxid), or `taxonomy`"
    )
    return (findings.lacking(Repair.OWNERLESS, why, give, True),)


def misread(findings: Findings) -> tuple[Lacking, ...]:
    """Exchanged columns of a mapping that no other reading of the files puts right.

    Whatever is numbered then, its identifiers are those of nothing.
    """
    if Repair.MAPPING_COLUMNS not in findings:
        return ()
    why = (
        "the mapping's identifiers are a numbering, and exchanged its columns do not fit the pairs"
    )
    give = "the mapping with which the pairs were built"
    return (findings.lacking(Repair.MAPPING_COLUMNS, why, give, True),)


def cut_off(data: Gathered, findings: Findings, taxa: Taxa | None) -> tuple[Lacking, ...]:
    """Files that may end within their last row, where no taxonomy tells whether that row is true.

    A mapping gives a node its identifier, which no taxonomy contradicts.
    """
    give = "the whole file; or, if its last row is whole, end that line with a line break"
    return tuple(
        findings.lacking(
            Repair.PAIR_ROWS,
            f"no line end follows the last row of the {role}, so that its last cell may be cut off",
            give,
            True,
        )
        for role, source in data.sources.items()
        if source.perhaps_cut and (taxa is None or role == "mapping")
    )


def guessed(findings: Findings, taxa: Taxa | None) -> tuple[Lacking, ...]:
    """Causes that are likely and cannot be proved: what is left of the data may rest on them."""
    if taxa is not None:
        return ()
    return tuple(
        Lacking(cause.explains[0].rule, f"it is likely that {cause.message}", cause.why_not, True)
        for cause in findings.report.causes
        if cause.guess and cause.explains and cause.why_not
    )


def unproven_nodes(
    data: Gathered, findings: Findings, numbering: Numbering, taxa: Taxa | None, *, moved: bool
) -> tuple[Lacking, ...]:
    """Nodes that the taxonomy does not know, where it shows that idx are not what they were for.

    Nothing then says that the pairs beside their idx are theirs. ``moved``: idx were given anew.
    """
    view = known(data.evidence.taxonomy)
    count = unknown_nodes(numbering, taxa)
    if view is None or not count:
        return ()
    false = 0 if view.disagreement is None else view.disagreement.count
    if not (moved or false):
        return ()
    shown = (
        "pairs and mapping are numbered apart"
        if moved
        else f"{said_of(false, 'pair', 'contradicts', 'contradict')} it"
    )
    its = "its" if count == 1 else "their"
    why = (
        f"{said_of(count, 'node', 'is', 'are')} not in the taxonomy, and {shown}: nothing proves "
        f"that the pairs at {its} idx are {its} own"
    )
    it = "it" if count == 1 else "them"
    give = f"a taxonomy that knows {it}, or mapping and pairs without {it}"
    return (findings.lacking(Repair.SUCCESSORS, why, give, True),)


def unknown_nodes(numbering: Numbering, taxa: Taxa | None) -> int:
    """How many nodes a taxonomy that is trusted does not know."""
    if taxa is None:
        return 0
    return int(np.count_nonzero(numbering.nodes & (numbering.positions(taxa) < 0)))


def rows_doubtful(data: Gathered, *, moved: bool) -> bool:
    """Whether rows of a table that was trained on these idx may be of other taxa.

    They may where idx were ``moved``, and where a taxonomy denies more than some pairs.
    """
    view = known(data.evidence.taxonomy)
    false = None if view is None else view.disagreement
    denied = false is not None and false.count >= _DENIED * max(false.total, 1)
    return moved or denied


def within_reach(plan: RepairPlan, data: Gathered) -> RepairPlan:
    """The plan without what cannot be given: a taxonomy for identifiers that are text."""
    if data.mapping is None or data.mapping.identifiers.integers is not None:
        return plan
    lacking = []
    for one in plan.lacking:
        ways = re.split("[,;] or ", one.give)
        left = [way for way in ways if "`taxonomy`" not in way]
        if len(left) < len(ways):
            one = replace(one, give=", or ".join(left) if left else _NO_TAXONOMY)
        lacking.append(one)
    return replace(plan, lacking=tuple(lacking))


def of_either_numbering(plan: RepairPlan) -> Lacking:
    """A table without labels whose rows may be of the mapping's idx or of those of the pairs."""
    rule = next((rule for step in plan.steps for rule in step.rules), "")
    return Lacking(
        rule,
        "the rows of the table may be in the order of the mapping's idx or in that of the pairs' "
        "as they were, and nothing says which",
        "`embeddings` that hold labels, or none, and train anew",
        True,
    )


def rests_on(taxonomy: Taxonomy | None, unknown: int, *, moved: bool) -> tuple[str, ...]:
    """What makes the result true: a taxonomy, or no more than that nothing contradicts it."""
    earlier = (
        "nothing says whether the pairs or the mapping were numbered anew, so that a table that "
        "was trained before may have its rows in either order",
    )
    if taxonomy is None:
        return (
            "nothing contradicts these pairs: each follows from the parent-child pairs that were "
            "given; whether those are true no taxonomy was given to say",
            *(earlier if moved else ()),
        )
    but = ""
    if unknown:
        but = (
            f", but for the pairs of {plural(unknown, 'node')} that it does not know: those are "
            "as they were given, and nothing proves them"
        )
    return (
        f"the pairs are those of {taxonomy.source} ({taxonomy.version}){but}",
        *(earlier if moved else ()),
    )
