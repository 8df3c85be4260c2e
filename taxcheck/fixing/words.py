"""What the repairs of pairs are called, and why each is safe."""

from __future__ import annotations

from taxcheck.fixing.account import Account
from taxcheck.fixing.balance import Target
from taxcheck.fixing.plan import Findings, Step, Wishes
from taxcheck.sources.taxonomy import Taxonomy

# Rows that are left out, by the count of ``Account``: rules, what, why it is safe.
DROPPED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "invalid": (("PAIR001",), "leave out rows that hold no two idx", "they are no pairs"),
    "outside": (
        ("PAIR002", "MAP002"),
        "leave out pairs of idx that nobody owns",
        "they point at no taxon",
    ),
    "self": (
        ("PAIR005",),
        "leave out pairs of a node with itself",
        "their distance is 0 whatever the table is",
    ),
    "repeated": (
        ("PAIR006",),
        "keep the first row of each pair",
        "the pair itself stays, with its true distance",
    ),
    "reversed": (
        ("PAIR007", "PAIR015", "TREE009"),
        "leave out pairs that run upwards",
        "the pair stands the other way round, as the hierarchy has it",
    ),
    "unheld": (
        ("TREE009", "TREE005", "TREE002"),
        "leave out pairs that the hierarchy does not hold",
        "whole chains of parents contradict them",
    ),
    "deeper": ((), "leave out pairs deeper than the policy declares", "it says they are not meant"),
}

# Findings that are about training, or about the taxonomy: why, and what to give.
NO_DATA: dict[str, tuple[str, str]] = {
    "PAIR009": (
        "how draws are spread is the sampler's matter; no row is wrong",
        "--oversample, --target-share or --cap-depth",
    ),
    "PAIR013": (
        "the sampler takes negatives unfiltered; no row is wrong",
        'a sampler that filters them, declared by [dataset] sampler = "same-depth-filtered"',
    ),
    "TREE003": (
        "other roots are found than the policy declares, and the data cannot say which are meant",
        "the roots that are meant, in [dataset] roots",
    ),
    "TREE008": (
        "the taxonomy itself has the finer rank above",
        "another dump, if it is the dump that is wrong",
    ),
}


def derived(book: Account, findings: Findings, taxonomy: Taxonomy | None) -> list[Step]:
    """Columns that are written anew from the hierarchy."""
    source = _source(taxonomy)
    steps = [
        Step(
            findings.among("PAIR008", "TREE005"),
            "correct the distance of pairs",
            book.moved,
            f"it is counted along {source}",
        )
    ]
    columns = findings.among("TREE006", "PAIR008")
    if columns and not book.moved:
        left_out = book.reversed + book.unheld + book.repeated
        rows = max(findings.count("TREE006"), findings.count("PAIR008") - left_out)
        what = "correct the depth columns"
        steps.append(Step(columns, what, rows, f"one walk down {source} gives every node one"))
    if "PAIR010" in findings:
        what = "leave out taxid columns that disagree with the mapping"
        safe = f"the idx are right by {source}; the mapping gives their taxids"
        steps.append(Step(("PAIR010",), what, findings.count("PAIR010"), safe))
    return steps


def added(missing: int, findings: Findings, taxonomy: Taxonomy | None) -> list[Step]:
    """Pairs that are missing."""
    rules = findings.among("PAIR014", "PAIR003", "PAIR004", "TREE004", "TREE007", "TREE009")
    if taxonomy is None:
        safe = "each follows from the parent-child pairs that are there"
        return [Step(rules, "add the ancestor pairs that are missing", missing, safe)]
    what = "build the pairs again from the taxonomy for all mapped nodes: add those missing"
    if "PAIR014" not in rules:
        what = "add the pairs that the taxonomy holds among the mapped nodes"
    safe = f"each is a walk up the parents of {taxonomy.source} ({taxonomy.date})"
    return [Step(rules, what, missing, safe)]


def balanced(wishes: Wishes, target: Target, near: float, far: float) -> list[Step]:
    """What is written so that parent-child pairs are drawn more often."""
    if target.factor == 1:
        return []
    factor = max(round(target.factor), 1) if target.materialize else target.factor
    share = factor * near / (factor * near + far)
    result = f"{factor:.3g} for 1; they then are {share:.1%} of the draws"
    edges = len(target.graph.parents)
    if wishes.materialize:
        what = f"repeat the rows of parent-child pairs, {result}"
        safe = "as asked; the policy says that the repetition is meant"
        return [Step((), what, edges, safe)]
    what = f"weigh parent-child pairs, {result}"
    return [Step((), what, edges, "as asked; a column of weights changes no pair")]


def _source(taxonomy: Taxonomy | None) -> str:
    return "the parent-child pairs" if taxonomy is None else "the taxonomy"
