"""Giving samples their names: taxid from the mapping, name and lineage from the taxonomy."""

from __future__ import annotations

from msgspec.structs import replace

from taxcheck.model.finding import Sample
from taxcheck.model.places import Places
from taxcheck.model.result import RuleResult
from taxcheck.run.naming import Naming
from taxcheck.sources.taxonomies.name_table import NameTable
from taxcheck.sources.taxonomies.taxonomy import Taxonomy


def annotate(
    results: tuple[RuleResult, ...],
    naming: Naming | None,
    taxonomy: Taxonomy | NameTable | None,
    places: Places,
) -> tuple[RuleResult, ...]:
    """Fill in taxid, name and lineage of every sample that points to a node, and a row's file.

    They are then shown as ``naming`` has it; where a finding is about a trained table, only if no
    mapping was given.
    """

    def named(sample: Sample) -> Sample:
        taxid = sample.taxid
        if taxid is None and sample.node is not None and naming is not None:
            taxid = naming.identifiers.of(sample.node)
        if taxonomy is None or not isinstance(taxid, int | str):
            return replace(sample, taxid=taxid)
        return replace(
            sample, taxid=taxid, name=taxonomy.name_of(taxid), lineage=taxonomy.lineage(taxid)
        )

    def shown(result: RuleResult) -> RuleResult:
        samples = tuple(places.sample(named(sample)) for sample in result.samples)
        if naming is not None and (naming.derived or "checkpoint" not in result.place):
            samples = tuple(map(naming.sample, samples))
            if naming.derived:
                samples = tuple(replace(sample, node=None) for sample in samples)
        return replace(result, samples=samples)

    return tuple(shown(result) if result.samples else result for result in results)
