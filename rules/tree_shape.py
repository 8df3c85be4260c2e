"""TREE001 to TREE003: cycles, several parents and several roots of the depth-1 graph."""

from __future__ import annotations

import numpy as np

from taxcheck.model.finding import Finding, Observed, Severity, Skip
from taxcheck.model.rule import Repair, rule
from taxcheck.model.vocabulary import plural
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import (
    HierarchyStatistics,
    Kind,
    MappingStatistics,
    PairStatistics,
)

from .pair_coverage import covered, declared_roots
from .wording import be, first, have, judged, node, part

_PRINTED = 6
_SKIPPED = 20  # nodes that have the marks of a lost parent, below which it may be chance


@rule(
    "TREE001",
    "fail",
    about="tree",
    caused_by=("PAIR015", "MAP003", "PAIR007"),
    repair=(Repair.CYCLES,),
)
def cycle(tree: HierarchyStatistics, mapping: MappingStatistics) -> Finding:
    """Parent-child pairs run in a circle, so that a node is its own ancestor.

    Counted are the nodes in strongly connected components of two or more; one cycle is printed, in
    order from parent to child.

    Why it matters:
    No embedding can satisfy a cycle: each of its nodes must be nearer the centre than the next.
    Depth is undefined on it and for all that hangs below, code that walks to the root never
    returns, and the closure makes everything on the cycle an ancestor of everything else.

    How to fix:
    Cut the edge that the taxonomy does not hold; the cycle printed shows where to look. A reversed
    edge (PAIR007) or two taxa on one idx (MAP003) is the usual source.

    Known exceptions:
    None for a taxonomy. A thesaurus with circular 'broader' links has to be made acyclic first, for
    example by keeping the edges of a breadth-first walk from its top terms.

    References:
    - Tarjan 1972, strongly connected components: https://doi.org/10.1137/0201010
    """
    bad = tree.cycles
    path = [sample.node for sample in bad.samples if sample.node is not None]
    shown = [node(mapping, k) for k in path[:_PRINTED]]
    closing = "..." if len(path) > _PRINTED else shown[0] if shown else ""
    printed = f"; one of them: {' -> '.join([*shown, closing])}" if shown else ""
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'nodes')} {be(bad.count)} their own ancestors{printed}",
        f"no cycle among {tree.edges:,} parent-child pairs",
        observed={"edges from": tree.edges_from, "edges": tree.edges},
        impact=f"{part(bad.count, bad.total, 'nodes')} {have(bad.count)} no depth and "
        "no place in a hierarchy.",
        fix="drop the edge that the taxonomy does not hold from the cycle printed here (often a "
        "reversed one, PAIR007, or two taxa on one idx, MAP003), build the pairs again, or have "
        "``taxcheck fix ... --taxonomy taxdump/ --out fixed/`` do so",
    )


@rule(
    "TREE002",
    "warn",
    about="tree",
    caused_by=("PAIR015", "MAP003", "PAIR007", "PAIR008"),
    repair=(Repair.SEVERAL_PARENTS,),
)
def several_parents(tree: HierarchyStatistics, dataset: Dataset) -> Finding:
    """Nodes have more than one parent.

    In a DAG that is its nature and only told. In a tree that the policy declares it is a failure.
    Without a declaration, under 1 % of such nodes read as a damaged tree (a warning) and more as a
    DAG: WordNet nouns have 2.7 %, ChEBI 25 %, Uberon 74 %. That share is taken without shortcuts,
    edges to a parent from which another parent descends, so that a closure without distances is
    read as the same kind. Where lost rows or cycles can have made such nodes, it cannot be told.

    Why it matters:
    A second parent doubles the chain above a node: it gains all ancestors of both, its depth
    depends on the path, and two distant branches are pulled together at that node. In NCBI each
    taxon has exactly one parent, so one that has two was joined wrongly.

    How to fix:
    In a tree drop the edge that the taxonomy does not hold, and build the pairs again:

        edges = pairs[pairs["depth_diff"] == 1]
        edges[edges.duplicated("descendant_idx", keep=False)].sort_values("descendant_idx")

    lists them. In a DAG declare it, ``[dataset] kind = "dag"``.

    Known exceptions:
    A tree without distances that lost its pairs of parent and child reads as a DAG in which nearly
    all nodes have two parents in one and the same way: that is a warning too.

    WordNet, the Gene Ontology, ChEBI and Uberon are DAGs. A DAG with less than 1 % of such nodes
    has to be declared, or it is taken for a damaged tree.

    References:
    - Schoch et al. 2020, NCBI Taxonomy: https://doi.org/10.1093/database/baaa062
    - Miller 1995, WordNet: https://doi.org/10.1145/219717.219748
    - Mungall et al. 2012, Uberon: https://doi.org/10.1186/gb-2012-13-1-r5
    """
    bad = tree.several_parents
    skipped = bad.detail.get("skipped", 0)
    seems_skipped = skipped >= _SKIPPED and skipped >= 0.95 * bad.count
    severity = Severity.INFO if tree.kind is Kind.DAG else Severity.WARN
    if seems_skipped:
        severity = Severity.WARN
    if dataset.kind == "tree":
        severity = Severity.FAIL
    observed: dict[str, Observed] = {
        "kind": str(tree.kind),
        "reason": tree.kind_reason,
        "declared": dataset.kind,
        "with the pairs beyond the edges": tree.beyond.several_parents,
    }
    read = {
        Kind.DAG: "read as a DAG",
        Kind.UNKNOWN: "whether a tree was damaged or a DAG is meant cannot be told",
    }.get(tree.kind, f"read as a {tree.kind}")
    if not bad.count and bad.total and tree.beyond.several_parents and tree.kind is Kind.DAG:
        more = part(tree.beyond.several_parents, bad.total, "nodes with a parent")
        return Finding(
            found=True,
            message="no node has more than one parent by its depth-1 pairs, but with the pairs "
            f"beyond them {more} {have(tree.beyond.several_parents)}; {read}",
            severity=severity,
            total=bad.total,
            observed=observed,
            fix="look for the step that kept one parent of each node (a join or a dict by child), "
            "and build the pairs again without it",
        )
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'nodes with a parent')} {have(bad.count)} more than one; "
        f"{read}{first(bad.samples)}"
        + ("; they look like a tree whose pairs of parent and child are missing" * seems_skipped),
        f"each of {bad.total:,} nodes with a parent has exactly one",
        severity=severity,
        observed=observed,
        fix='if several parents are meant, declare ``[dataset] kind = "dag"`` in the policy'
        if severity is Severity.INFO or tree.kind is Kind.UNKNOWN
        else '``edges = pairs[pairs["depth_diff"] == 1]`` and ``edges[edges.duplicated('
        '"descendant_idx", keep=False)]`` list them; drop the edges that the taxonomy does not '
        "hold",
    )


@rule(
    "TREE003",
    "info",
    about="tree",
    caused_by=("MAP005", "PAIR014", "MAP007", "PAIR015", "PAIR008", "PAIR003", "TREE007"),
    beyond_repair=(
        "other roots are found than the policy declares, and the data cannot say which are meant",
        "the roots that are meant, in [dataset] roots",
    ),
)
def several_roots(
    tree: HierarchyStatistics, mapping: MappingStatistics, pairs: PairStatistics, dataset: Dataset
) -> Finding:
    """The pairs make several trees, or other roots than the policy declares.

    A root is a node in some pair that has no parent among the depth-1 pairs. Several are told; they
    are a warning where ``[dataset] roots`` names others than those found.

    Why it matters:
    Nothing relates two trees, so the model places them freely against each other and distances
    across them mean nothing. Where one root was meant, each further root is a node that lost its
    parent, together with everything below it. A radius by depth starts anew at every root, and
    puts them all at the centre.

    How to fix:
    Where one root is meant, restore the missing parents (TREE007) or add the common ancestor. Where
    several are meant, say so, by identifier:

        [dataset]
        roots = [7586, 6073]

    Known exceptions:
    Ontologies with several top terms, and sets of chosen clades, have several roots by design. A
    declared root that has no children is in no pair and is not missed here.

    References:
    - NCBI taxonomy dump: taxid 1 is the only root:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    if not tree.nodes:
        raise Skip("no valid pair is left, so there is no graph to judge")
    found_roots = tree.root_idx
    undeclared = missing = 0
    if dataset.roots:
        meant = declared_roots(mapping.identifiers, dataset)
        paired = meant[covered(mapping, pairs)[meant]]
        undeclared = len(np.setdiff1d(found_roots, meant))
        unmapped = max(len(set(map(str, dataset.roots))) - len(meant), 0)
        missing = len(np.setdiff1d(paired, found_roots)) + unmapped
    differs = undeclared + missing > 0
    message = (
        f"{plural(tree.roots.count, 'root')} over {tree.nodes:,} nodes, in "
        f"{plural(tree.components, 'connected part')}"
    )
    if dataset.roots:
        told = []
        if undeclared:
            them = "it" if tree.roots.count == 1 else f"{undeclared:,} of them"
            told.append(f"{them} {be(undeclared)} not declared")
        if missing:
            declared = len(dataset.roots)
            those = (
                f"{missing:,} of {declared:,} declared roots"
                if declared > 1
                else "the declared one"
            )
            told.append(f"{those} {be(missing)} no root{'' if missing == 1 else 's'}")
        message += f"; {', and '.join(told)}" if differs else ", as declared"
    several = tree.roots.count != 1 and not dataset.roots
    observed: dict[str, Observed] = {
        "roots": tree.roots.count,
        "connected parts": tree.components,
        "largest parts": [*tree.component_sizes],
        "declared roots": len(dataset.roots),
        "undeclared": undeclared,
        "declared and not found": missing,
    }
    return Finding(
        found=differs or several,
        message=message + (first(tree.roots.samples) if differs or several else ""),
        severity=Severity.WARN if differs else None,
        count=tree.roots.count,
        total=tree.nodes,
        observed=observed,
        samples=tree.roots.samples,
        fix="name the roots that are meant in the policy, for example ``[dataset] roots = "
        "[7586, 6073]``, or restore the missing parents (TREE007)",
    )
