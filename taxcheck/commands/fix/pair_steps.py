"""The steps that a plan takes with pairs: rows left out, columns corrected, pairs added."""

from __future__ import annotations

from taxcheck.commands.fix.pairs import KeptRows, RepairedPairs
from taxcheck.commands.fix.plan import Findings, Step, Wishes
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import percent
from taxcheck.run.gather import Gathered
from taxcheck.sources.taxonomies.taxonomy import Taxonomy

# Rows that are left out, by the count of ``KeptRows``: repair, what, why it is safe.
_DROPPED: dict[str, tuple[tuple[Repair, ...], str, str]] = {
    "invalid": (
        (Repair.PAIR_ROWS,),
        "leave out rows that cannot be read as a pair",
        "what they state is not known",
    ),
    "outside": (
        (Repair.OWNERLESS, Repair.ONE_IDX),
        "leave out pairs of idx that nobody owns",
        "the mapping skips these idx, or the taxonomy gives every mapped node all of its pairs",
    ),
    "self": (
        (Repair.SELF_PAIRS,),
        "leave out pairs of a node with itself",
        "their distance is 0 whatever the table is",
    ),
    "repeated": (
        (Repair.REPEATED,),
        "keep the first row of each pair",
        "the pair itself stays, with its true distance",
    ),
    "reversed": (
        (Repair.REVERSED, Repair.PAIR_COLUMNS, Repair.TAXONOMY),
        "leave out pairs that run upwards",
        "the pair stands the other way round, as the hierarchy has it",
    ),
    "unheld": (
        (Repair.TAXONOMY, Repair.FALSE_PAIRS, Repair.SEVERAL_PARENTS),
        "leave out pairs that the hierarchy does not hold",
        "whole chains of parents contradict them",
    ),
    "deeper": ((), "leave out pairs deeper than the policy declares", "it says they are not meant"),
}


def dropped(book: KeptRows, findings: Findings, data: Gathered, wishes: Wishes) -> list[Step]:
    """Rows that are left out, a step for each reason; of some there may be none."""
    assert data.intake is not None
    state = data.intake.training.state
    counts = {
        "invalid": state.defects["invalid_pair_row"].count,
        "outside": state.defects["index_out_of_range"].count + book.homeless,
        "self": state.defects["self_pair"].count,
        "repeated": book.repeated,
        "reversed": book.reversed,
        "unheld": book.unheld,
        "deeper": book.deeper,
    }
    steps = []
    for key, (repairs, what, safe) in _DROPPED.items():
        own = findings.among(*repairs)
        if key == "deeper" and wishes.cap_depth is not None:
            what, safe = f"leave out pairs deeper than {wishes.cap_depth}", "as asked: `cap_depth`"
        steps.append(Step(own, what, counts[key], safe))
    return steps


def derived(book: KeptRows, findings: Findings, taxonomy: Taxonomy | None) -> list[Step]:
    """Columns that are written anew from the hierarchy."""
    source = "the parent-child pairs" if taxonomy is None else "the taxonomy"
    steps = [
        Step(
            findings.among(Repair.DISTANCES, Repair.FALSE_PAIRS),
            "correct the distance of pairs",
            book.moved,
            f"it is counted along {source}",
        )
    ]
    columns = findings.among(Repair.DEPTHS, Repair.DISTANCES)
    if columns and not book.moved:
        left_out = book.reversed + book.unheld + book.repeated
        rows = max(findings.count(Repair.DEPTHS), findings.count(Repair.DISTANCES) - left_out)
        what = "correct the depth columns"
        steps.append(Step(columns, what, rows, f"one walk down {source} gives every node one"))
    if Repair.LABELS in findings:
        what = "leave out taxid columns that disagree with the mapping"
        safe = f"the idx are right by {source}; the mapping gives their taxids"
        steps.append(findings.step(Repair.LABELS, what, findings.count(Repair.LABELS), safe))
    return steps


def added(missing: int, findings: Findings, taxonomy: Taxonomy | None) -> list[Step]:
    """Pairs that are missing."""
    rules = findings.among(
        Repair.CUT_NODES,
        Repair.UNRELATED,
        Repair.LAST_NODES,
        Repair.MISSING_PAIRS,
        Repair.PARENTS,
        Repair.TAXONOMY,
    )
    if taxonomy is None:
        safe = "each follows from the parent-child pairs that are there"
        return [Step(rules, "add the ancestor pairs that are missing", missing, safe)]
    what = "build the pairs again from the taxonomy for all mapped nodes: add those missing"
    if Repair.CUT_NODES not in findings:
        what = "add the pairs that the taxonomy holds among the mapped nodes"
    safe = f"each is a walk up the parents of {taxonomy.source} ({taxonomy.version})"
    return [Step(rules, what, missing, safe)]


def balanced(wishes: Wishes, target: RepairedPairs, near: float, far: float) -> list[Step]:
    """What is written so that parent-child pairs are drawn more often."""
    if target.factor == 1:
        return []
    factor = max(round(target.factor), 1) if target.materialize else target.factor
    share = factor * near / (factor * near + far)
    result = f"{factor:.3g} for 1; they then are {percent(share)} of the draws"
    edges = len(target.graph.parents)
    if wishes.materialize:
        what = f"repeat the rows of parent-child pairs, {result}"
        safe = "as asked; the policy says that the repetition is meant"
        return [Step((), what, edges, safe)]
    what = f"weigh parent-child pairs, {result}"
    return [Step((), what, edges, "as asked; a column of weights changes no pair")]
