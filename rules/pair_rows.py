"""PAIR001, PAIR002, PAIR005 and PAIR006: rows that cannot be used, or are there twice."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.model.finding import Finding
from taxcheck.model.rule import Repair, rule
from taxcheck.policy.model import Dataset
from taxcheck.statistics.values import ClosureStatistics, MappingStatistics, PairStatistics

from .mapping_rows import needs_mapping
from .wording import be, first, judged, part, reasons


@rule("PAIR001", "fail", about="pairs", repair=(Repair.PAIR_ROWS,), formerly=("invalid_row",))
def invalid_pair_row(pairs: PairStatistics) -> Finding:
    """A row of the pairs holds no two valid idx.

    Counted are rows with a null, negative or fractional idx, or with one that no table of this data
    could have. They are counted here and nowhere else.

    Why it matters:
    A null in an integer column turns it into floats on the way through pandas, and a float above
    2**53 is no longer its own number. A negative idx addresses the table from its end in NumPy and
    trains a stranger's row; the other rows raise in the middle of a run, or are dropped unseen by
    a loader that coerces.

    How to fix:
    Build the pairs from integers only, and let the join raise where an identifier is unknown:

        pairs["ancestor_idx"] = [index_of[t] for t in pairs["ancestor_taxid"]]

    All rows concerned are written by ``taxcheck run ... --failures out/``.

    Known exceptions:
    None: a row without two idx is no training pair.

    References:
    - pandas, nullable integer data: https://pandas.pydata.org/docs/user_guide/integer_na.html
    """
    bad = pairs.invalid
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {be(bad.count)} invalid{reasons(bad.detail)}"
        f"{first(bad.samples)}",
        f"all {bad.total:,} rows hold two {'idx' if pairs.labels is None else 'labels'}",
        observed={"rows": pairs.rows, "valid rows": pairs.valid},
        impact=f"{part(bad.count, bad.total, 'pairs')} cannot be trained on.",
        fix="add ``--failures out/`` to this command: it writes every such row; build the idx "
        "columns with ``[index_of[t] for t in taxids]``, which raises, instead of a merge or map, "
        "which leaves nulls",
    )


@rule(
    "PAIR002",
    "fail",
    about="pairs",
    caused_by=("MAP005", "MAP007", "MAP003", "MAP001"),
    repair=(Repair.OWNERLESS,),
)
def index_out_of_range(mapping: MappingStatistics, pairs: PairStatistics) -> Finding:
    """A pair names an idx, or a label, that the mapping does not have.

    Such a row is counted here and left out of everything that follows.

    Why it matters:
    An idx beyond the table raises an index error on a CPU and ends a GPU run with an assertion that
    names no row; one that falls in a hole of the mapping trains a row that no taxon owns. Either
    way the pairs and the mapping do not belong together: one of them is of another build.

    How to fix:
    Build both files in one go, from one numbering. To see what does not fit:

        known = set(mapping["idx"])
        pairs[~(pairs["ancestor_idx"].isin(known) & pairs["descendant_idx"].isin(known))]

    Known exceptions:
    None. With pairs that bring their own labels and no mapping, the rule is skipped.

    References:
    - torch.nn.functional.embedding, range of the input:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
    """
    needs_mapping(mapping)
    bad = pairs.out_of_range
    named = "idx" if pairs.labels is None else "label"
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {'names' if bad.count == 1 else 'name'} "
        f"{'an idx' if pairs.labels is None else 'a label'} that the mapping does not have"
        f"{first(bad.samples)}",
        f"every {named} of {bad.total:,} rows is in the mapping",
        observed={"n_nodes": mapping.n_nodes, "mapped nodes": mapping.nodes},
        impact=f"{part(bad.count, bad.total, 'pairs')} point outside the mapping: training stops, "
        "or trains rows that no taxon owns.",
        fix='``pairs[~pairs[["ancestor_idx", "descendant_idx"]].isin(set(mapping["idx"]))'
        ".all(axis=1)]`` lists them; number the pairs from this mapping: "
        '``index_of = dict(zip(mapping["taxid"], mapping["idx"]))``'
        if pairs.labels is None
        else '``pairs[~pairs[["ancestor", "descendant"]].isin(set(mapping["taxid"]))'
        ".all(axis=1)]`` lists them; write in the pairs what the mapping has",
    )


@rule("PAIR005", "fail", about="pairs", repair=(Repair.SELF_PAIRS,))
def self_pair(pairs: PairStatistics) -> Finding:
    """A pair names the same node as ancestor and as descendant.

    Such a row is counted here and left out of everything that follows, so a node that occurs in
    self pairs only counts as uncovered (PAIR003).

    Why it matters:
    The distance of a point to itself is 0 whatever the embedding, so the row has no gradient of its
    own and only pushes negatives away. Self pairs have been added to make a coverage check pass for
    nodes whose parent is the root: the count of uncovered nodes fell to 0 and not one of them was
    related to anything.

    How to fix:
    Drop them, and add the pair that is meant, usually (parent, child):

        pairs = pairs[pairs["ancestor_idx"] != pairs["descendant_idx"]]

    The root of NCBI is its own parent in nodes.dmp: leave that edge out when the pairs are built.

    Known exceptions:
    A reflexive closure is a common definition of ancestry; for training and evaluation it has to be
    made irreflexive first.

    References:
    - NCBI taxonomy dump, nodes.dmp (taxid 1 is its own parent):
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    - Nickel & Kiela 2017, the loss over observed relations: https://arxiv.org/abs/1705.08039
    """
    bad = pairs.self_pairs
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {'pairs' if bad.count == 1 else 'pair'} a node with "
        f"itself{first(bad.samples)}",
        f"none of {bad.total:,} rows pairs a node with itself",
        impact=f"{part(bad.count, bad.total, 'pairs')} teach nothing: their distance is 0 by "
        "definition.",
        fix='``pairs = pairs[pairs["ancestor_idx"] != pairs["descendant_idx"]]``, or '
        "``taxcheck fix ... --out fixed/``",
    )


@rule("PAIR006", "fail", about="pairs", repair=(Repair.REPEATED,))
def duplicate_pair(pairs: PairStatistics, closure: ClosureStatistics, dataset: Dataset) -> Finding:
    """The same (ancestor, descendant) occurs in more than one row.

    Counted are the rows beyond the first of each pair, whatever their other columns say. The count
    is exact. With ``duplicates = "weights"`` in the policy repetition has to be expressed by a
    column of weights, and its absence is the defect too.

    Why it matters:
    A pair that is there k times is drawn k times as often. That weight is rarely meant: it comes
    from two builds appended to one file, or a join that multiplied its rows, and it falls on some
    clades and not on others. A split by rows then also puts the same pair in training and in the
    held-out part.

    How to fix:
    Keep one row of each pair:

        pairs = pairs.drop_duplicates(["ancestor_idx", "descendant_idx"])

    Where repetition is meant, write it as a weight instead:

        key = ["ancestor_idx", "descendant_idx"]
        pairs = pairs.groupby(key, as_index=False).agg(
            depth_diff=("depth_diff", "min"), weight=("depth_diff", "size"))

    Known exceptions:
    In a DAG one pair may be joined by paths of several lengths; it still is one pair, and its
    depth_diff is the shortest.

    References:
    - facebookresearch/poincare-embeddings, closure files with the columns id1, id2, weight:
      https://github.com/facebookresearch/poincare-embeddings
    """
    bad = closure.duplicates
    weights_lost = dataset.duplicates == "weights" and pairs.weights is None
    extra = f"{part(bad.count, bad.total, 'rows')} {'repeats' if bad.count == 1 else 'repeat'}"
    repeated = f"{extra} a pair that an earlier row holds{first(bad.samples)}"
    finding = judged(
        bad,
        repeated,
        f"each of {closure.distinct:,} pairs has one row",
        observed={"distinct pairs": closure.distinct, "weights column": pairs.weights is not None},
        impact=f"{part(bad.count, bad.total, 'training pairs')} {be(bad.count)} "
        f"{'a repetition' if bad.count == 1 else 'repetitions'}, drawn more often "
        "than the rest.",
        fix='``pairs = pairs.drop_duplicates(["ancestor_idx", "descendant_idx"])``, or '
        "``taxcheck fix ... --out fixed/``",
    )
    if not weights_lost:
        return finding
    declared = 'the policy declares duplicates = "weights", but the pairs have no weight column'
    return replace(
        finding,
        found=True,
        message=f"{declared}; {repeated}" if finding.found else declared,
        fix='``pairs = pairs.groupby(["ancestor_idx", "descendant_idx"], as_index=False)'
        '.agg(depth_diff=("depth_diff", "min"), weight=("depth_diff", "size"))``',
    )
