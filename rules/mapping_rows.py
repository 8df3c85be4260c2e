"""MAP001 to MAP003: rows of the mapping that are no mapping, and identifiers or idx used twice."""

from __future__ import annotations

from taxcheck.model.finding import Finding, Skip
from taxcheck.model.rule import Repair, rule
from taxcheck.statistics.values import MappingStatistics

from .wording import be, first, have, judged, part, reasons


def needs_mapping(mapping: MappingStatistics) -> None:
    """Skip where no mapping was given: one made from the pairs' own labels proves nothing."""
    if mapping.derived:
        raise Skip("no mapping was given: it was made from the pairs' own labels")


@rule("MAP001", "fail", about="mapping", repair=(Repair.MAPPING_ROWS,), formerly=("invalid_row",))
def invalid_mapping_row(mapping: MappingStatistics) -> Finding:
    r"""A row of the mapping holds no valid (identifier, idx).

    Counted are rows whose idx is null, negative or no integer, rows whose identifier is empty, rows
    whose identifier is no integer where the others are, and a header line that was read as data.
    Text identifiers such as ``CHEBI:18357`` are valid among their own kind. These rows are counted
    here and nowhere else.

    Why it matters:
    A loader that coerces and drops such rows hides them: the node keeps its place in the taxonomy
    and loses its place in the table. One that keeps them makes nodes of them; a header line once
    entered a training run as the organisms ``id1`` and ``id2``, and the table grew by two rows that
    no taxon owns.

    How to fix:
    Repair the writer of the file, and let the loader raise instead of coercing:

        mapping = pd.read_csv(path, sep="\t", names=["taxid", "idx"], dtype="int64")

    Where the file has a header, pass ``header=0`` beside ``names``. All rows concerned are written
    by ``taxcheck run ... --failures out/``.

    Known exceptions:
    A header line with the usual column names is recognised and is no defect. An idx that is far
    beyond the number of rows is counted here only where under 1 % of the rows have one; where more
    do, MAP007 owns it.

    References:
    - pandas.read_csv, the arguments header, names and dtype:
      https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
    """
    needs_mapping(mapping)
    bad = mapping.invalid
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'rows')} {be(bad.count)} invalid"
        f"{reasons(bad.detail)}{first(bad.samples)}",
        f"all {bad.total:,} rows hold an identifier and an idx",
        impact=f"{part(bad.count, bad.total, 'mapping rows')} give no taxon a row of the table.",
        fix="add ``--failures out/`` to this command and repair the rows that it writes; let the "
        'loader raise on the next one: ``pd.read_csv(path, sep="\\t", names=["taxid", "idx"], '
        'dtype={"idx": "int64"})``, with ``header=0`` where the file has a header',
    )


@rule("MAP002", "fail", about="mapping", repair=(Repair.ONE_IDX,))
def duplicate_taxid(mapping: MappingStatistics) -> Finding:
    """One identifier is mapped to more than one idx.

    The count is of identifiers, not of rows; the rows of all of them are in the sample.

    Why it matters:
    One taxon owns two or more rows of the embedding table. Code that turns the mapping into a
    dictionary keeps the last row and forgets the others, so pairs built before and after that step
    train different rows, and a lookup by taxid may return the one that never moved.

    How to fix:
    Find the step that numbered the taxa twice, often two files concatenated without renumbering,
    and number distinct taxids once:

        taxids = pd.unique(taxids)
        mapping = pd.DataFrame({"taxid": taxids, "idx": range(len(taxids))})

    Pairs built with the old numbers have to be built again.

    Known exceptions:
    An exact repetition of a row, the same taxid with the same idx, is no disagreement and is not
    counted. Taxids that NCBI has merged are different identifiers here; MAP006 tells of them.

    References:
    - NCBI taxonomy dump, merged.dmp and delnodes.dmp:
      https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    - Schoch et al. 2020, NCBI Taxonomy: https://doi.org/10.1093/database/baaa062
    """
    needs_mapping(mapping)
    bad = mapping.duplicate_identifiers
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'identifiers')} {have(bad.count)} more than one idx"
        f"{first(bad.samples)}",
        f"each of {bad.total:,} identifiers has one idx",
        impact=f"{part(bad.count, bad.total, 'taxa')} own several rows, of which a lookup by taxid "
        "finds one.",
        fix='``mapping[mapping.duplicated("taxid", keep=False)].sort_values("taxid")`` lists them; '
        'keep one row each, ``mapping = mapping.drop_duplicates("taxid")``, number them again, '
        '``mapping["idx"] = range(len(mapping))``, and build the pairs again',
    )


@rule("MAP003", "fail", about="mapping", repair=(Repair.ONE_IDENTIFIER,))
def duplicate_idx(mapping: MappingStatistics) -> Finding:
    """One idx belongs to more than one identifier.

    The count is of idx, not of rows.

    Why it matters:
    Two taxa share one row of the embedding table and so are one point. Their ancestors and
    descendants are merged: the hierarchy gains nodes with several parents and, where one of the two
    descends from the other, a cycle. The model cannot tell them apart however long it trains.

    How to fix:
    Number the distinct identifiers once, from 0, and build the pairs again:

        taxids = pd.unique(mapping["taxid"])
        mapping = pd.DataFrame({"taxid": taxids, "idx": range(len(taxids))})

    Known exceptions:
    Synonyms that are meant to share a point (a merged taxid kept beside its successor) are better
    resolved to one identifier before the mapping is written; the rule does not guess the intent.

    References:
    - NCBI taxonomy dump, merged.dmp: https://ftp.ncbi.nlm.nih.gov/pub/taxonomy/taxdump_readme.txt
    """
    needs_mapping(mapping)
    bad = mapping.duplicate_idx
    return judged(
        bad,
        f"{part(bad.count, bad.total, 'idx')} {have(bad.count)} more than one identifier"
        f"{first(bad.samples)}",
        f"each of {bad.total:,} idx has one identifier",
        impact=f"{part(bad.count, bad.total, 'table rows')} stand for several taxa at once.",
        fix='``mapping[mapping.duplicated("idx", keep=False)].sort_values("idx")`` lists them; '
        'keep one row a taxid, ``mapping = mapping.drop_duplicates("taxid")``, number them again, '
        '``mapping["idx"] = range(len(mapping))``, and build the pairs again',
    )
