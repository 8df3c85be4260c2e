"""MAP004, MAP005 and MAP007: an idx column that is no dense numbering from 0."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from taxcheck.model.finding import Finding, Sample, Skip
from taxcheck.model.rule import Repair, Threshold, rule
from taxcheck.model.vocabulary import percent
from taxcheck.statistics.values import MappingStatistics

from .mapping_rows import needs_mapping
from .wording import be, have, part

_DENSE_TAXIDS = "all of NCBI, 2024-09-07: its 2,609,295 taxids fill 78.1 % of 0..3,342,687"


@rule(
    "MAP004",
    "fail",
    about="mapping",
    caused_by=("MAP005", "MAP007", "MAP003"),
    pictures=("id_axis",),
    repair=(Repair.HOLES,),
)
def index_hole(mapping: MappingStatistics) -> Finding:
    """Some idx between 0 and the largest one belong to no identifier.

    n_nodes is the largest idx + 1: the number of rows that a table indexed by idx must have.

    Why it matters:
    Each hole is a row of the embedding table that is allocated, initialised, saved and drawn as a
    random negative, and that stands for nothing. Negatives drawn from the holes teach nothing, and
    every statistic over the whole table (norms, neighbours, projections) mixes real rows with
    random ones.

    How to fix:
    Number the rows again without gaps, and build the pairs from the new numbers:

        mapping["idx"] = range(len(mapping))

    Known exceptions:
    A table that reserves idx on purpose, for example 0 for padding, has that hole by design; lower
    the rule's severity in the policy, ``[rules.MAP004] severity = "info"``, and keep the reserved
    rows out of the negatives.

    References:
    - torch.nn.Embedding, num_embeddings and padding_idx:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    needs_mapping(mapping)
    if not mapping.n_nodes:
        raise Skip("the mapping has no valid row")
    ranges = [f"{a}" if a == b else f"{a}..{b}" for a, b in mapping.hole_ranges]
    more = " ..." if sum(b - a + 1 for a, b in mapping.hole_ranges) < mapping.holes else ""
    found = mapping.holes > 0
    message = f"idx 0..{mapping.n_nodes - 1:,} are all mapped"
    if found:
        message = (
            f"{part(mapping.holes, mapping.n_nodes, 'idx')} {be(mapping.holes)} mapped to nothing; "
            f"first holes: {', '.join(ranges[:3])}{more if len(ranges) <= 3 else ' ...'}"
        )
        if mapping.invalid.count:
            message += "; rows of the mapping that could not be read may have them (MAP001)"
    return Finding(
        found=found,
        message=message,
        count=mapping.holes,
        total=mapping.n_nodes,
        observed={"holes": mapping.holes, "n_nodes": mapping.n_nodes, "first ranges": [*ranges]},
        samples=tuple(Sample({"first": a, "last": b}) for a, b in mapping.hole_ranges),
        impact=f"{part(mapping.holes, mapping.n_nodes, 'table rows')} will stand for no taxon.",
        fix="``taxcheck fix ... --out fixed/`` numbers mapping and pairs again and carries a "
        'table along; or ``mapping["idx"] = range(len(mapping))``, then build the pairs again',
    )


@rule(
    "MAP005",
    "fail",
    about="mapping",
    thresholds={
        "identifier_density": Threshold(
            0.99, "identifiers are a numbering where they fill this part of 0..max", _DENSE_TAXIDS
        ),
        "identifier_minimum": Threshold(
            1,
            "a numbering starts at or below this",
            "idx count from 0 or from 1; all of NCBI starts at 1 as well, and is not dense",
        ),
        "idx_density": Threshold(
            0.99,
            "idx are no numbering where they fill less than this part of 0..max",
            "Echinodermata: 7,112 nodes fill 0..7,111 wholly, their taxids under 1 % of 0..max",
        ),
    },
    repair=(Repair.MAPPING_COLUMNS,),
)
def swapped_columns(mapping: MappingStatistics, threshold: Mapping[str, float]) -> Finding:
    r"""The mapping's two columns are exchanged: the one read as taxid is the numbering 0..n-1.

    A file without a header means taxid first, then idx. The identifiers being dense from 0 while
    the idx have holes says that the file, or the names given to its columns, has it the other way
    round. Nothing is exchanged silently: the data is judged as it was read.

    Why it matters:
    Everything joined by taxid is joined to the wrong taxon or to none. The table is sized by the
    largest taxid instead of the number of nodes, and filters such as 'keep pairs whose taxids are
    in the mapping' keep what happens to have a small taxid.

    How to fix:
    Name the columns in the order that the file has. For a file that holds taxid, then idx:

        mapping = pd.read_csv(path, sep="\t", names=["taxid", "idx"])

    or write the file again with its columns, and a header, in that order. Columns that
    have names are read in any order.

    Known exceptions:
    Where both columns are dense from 0 the two cannot be told apart and the rule passes.
    Identifiers that are text cannot be mistaken for a numbering.

    References:
    - pandas.read_csv, the argument names:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    needs_mapping(mapping)
    numbering = (
        mapping.identifier_minimum is not None
        and mapping.identifier_density >= threshold["identifier_density"]
        and mapping.identifier_minimum <= threshold["identifier_minimum"]
    )
    dense = mapping.idx_density >= threshold["idx_density"] and not mapping.oversized
    found = numbering and not dense
    fills = (
        f"the identifiers fill {percent(mapping.identifier_density)} of 0..max, "
        f"the idx {percent(mapping.idx_density)} of 0..{mapping.max_idx:,}"
    )
    text = mapping.identifiers.integers is None
    good = "the identifiers are text, so no numbering" if text else fills
    return Finding(
        found=found,
        message=f"the columns are swapped: {fills}" if found else good,
        count=mapping.rows if found else 0,
        total=mapping.rows,
        observed={
            "identifier density": mapping.identifier_density,
            "identifier minimum": mapping.identifier_minimum,
            "idx density": mapping.idx_density,
            "largest idx": mapping.max_idx,
        },
        impact=f"All {mapping.rows:,} identifiers are read as idx and all idx as identifiers.",
        fix='exchange the two names where the file is read: ``names=["idx", "taxid"]`` for '
        '``names=["taxid", "idx"]``, or the reverse; here with ``--mapping-columns idx,taxid``; '
        "``taxcheck fix ... --out fixed/`` writes the file the right way round",
    )


@rule(
    "MAP007",
    "fail",
    about="mapping",
    thresholds={
        "same_share": Threshold(
            0.99,
            "idx are taxids where this part of the nodes has idx = identifier",
            "Echinodermata: 0 of 7,112 nodes have their own taxid as idx",
        ),
        "idx_density": Threshold(
            0.99, "and where the idx fill less than this part of 0..max", _DENSE_TAXIDS
        ),
    },
    caused_by=("MAP005",),
    repair=(Repair.HOLES, Repair.FAR_IDX),
)
def taxid_as_index(mapping: MappingStatistics, threshold: Mapping[str, float]) -> Finding:
    """Taxids are used as idx: the idx reach far beyond the number of rows.

    Found where at least 1 % of the rows have an idx beyond 8 x rows + 1,024, or where nearly every
    idx equals its own identifier and the column has holes.

    Why it matters:
    The embedding table gets a row for every number up to the largest taxid. A run over 111,103
    nodes once allocated 3,467,244 rows, of which 97 % were never updated: the memory is spent, and
    every mean over the table describes its random initialisation.

    How to fix:
    Number the taxids from 0 and build the pairs with that number:

        mapping = pd.DataFrame({"taxid": taxids, "idx": range(len(taxids))})
        index_of = dict(zip(mapping["taxid"], mapping["idx"]))

    Known exceptions:
    Identifiers that are themselves 0..n-1 may equal their idx. A few absurd idx among many sound
    ones are damaged rows and counted by MAP001.

    References:
    - torch.nn.Embedding allocates num_embeddings rows:
      https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
    """
    needs_mapping(mapping)
    same = 0
    if mapping.identifiers.integers is not None:
        own = mapping.identifiers.integers == np.arange(mapping.n_nodes)
        same = int(np.count_nonzero(own & mapping.mapped))
    identity = (
        mapping.nodes > 0
        and same >= threshold["same_share"] * mapping.nodes
        and mapping.idx_density < threshold["idx_density"]
    )
    found = mapping.oversized > 0 or identity
    count, total = same, mapping.nodes
    seen = f"{part(count, total, 'nodes')} {have(count)} their own taxid as idx"
    if mapping.oversized:
        count, total = mapping.oversized, mapping.rows
        seen = f"{part(count, total, 'rows')} {have(count)} an idx far beyond the number of rows"
    return Finding(
        found=found,
        message=f"{seen}; the largest idx is {mapping.max_idx:,}"
        if found
        else f"the largest idx is {mapping.max_idx:,} with {mapping.rows:,} rows",
        count=count if found else 0,
        total=total,
        observed={
            "largest idx": mapping.max_idx,
            "rows": mapping.rows,
            "oversized idx": mapping.oversized,
            "idx equal to their taxid": same,
        },
        impact=f"A table of {mapping.max_idx + 1:,} rows will be allocated for "
        f"{mapping.rows:,} nodes.",
        fix="``taxcheck fix ... --out fixed/`` numbers mapping and pairs again; or "
        '``mapping["idx"] = range(len(mapping))``, then build the pairs with '
        '``index_of = dict(zip(mapping["taxid"], mapping["idx"]))``',
    )
