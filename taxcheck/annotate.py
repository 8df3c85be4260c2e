"""Giving samples their names: taxid from the mapping, name and lineage from the taxonomy."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.report import RuleResult
from taxcheck.rule import Sample
from taxcheck.sources.taxonomy import Taxonomy
from taxcheck.statistics.values import Identifiers


def annotate(
    results: tuple[RuleResult, ...], identifiers: Identifiers | None, taxonomy: Taxonomy | None
) -> tuple[RuleResult, ...]:
    """Fill in taxid, name and lineage of every sample that points to a node."""

    def named(sample: Sample) -> Sample:
        taxid = sample.taxid
        if taxid is None and sample.node is not None and identifiers is not None:
            taxid = identifiers.of(sample.node)
        if taxonomy is None or not isinstance(taxid, int):
            return replace(sample, taxid=taxid)
        return replace(
            sample, taxid=taxid, name=taxonomy.name_of(taxid), lineage=taxonomy.lineage(taxid)
        )

    return tuple(
        replace(r, finding=replace(r.finding, samples=tuple(map(named, r.finding.samples))))
        if r.finding is not None and r.finding.samples
        else r
        for r in results
    )
