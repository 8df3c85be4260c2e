"""The mapping as it should be: who is a node, and which idx everybody has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.fixing.plan import Findings, Lacking, Step
from taxcheck.fixing.rows import MappingRows, owners
from taxcheck.fixing.taxa import Taxa
from taxcheck.pipeline import Gathered
from taxcheck.statistics.values import BoolArray, IntArray, MappingStatistics

_UNREADABLE = "no idx can be read from them, so no pair can mean them"


@dataclass(slots=True)
class Numbering:
    """Identifiers by new idx, null at a hole that is meant; and what became of the old idx."""

    identifiers: pa.Array
    old_to_new: IntArray  # (old n_nodes,) -1 where nobody owns the idx
    steps: list[Step] = field(default_factory=list)
    lacking: list[Lacking] = field(default_factory=list)
    added: int = 0
    dropped: int = 0  # old idx that nobody owns any more

    @property
    def nodes(self) -> BoolArray:
        """Which idx are somebody's, (n,)."""
        return np.asarray(self.identifiers.is_valid())

    @property
    def renumbered(self) -> bool:
        """Whether an old idx has another number now, or none."""
        kept = np.flatnonzero(self.old_to_new >= 0)
        return self.dropped > 0 or bool((self.old_to_new[kept] != kept).any())

    def positions(self, taxa: Taxa) -> IntArray:
        """Places of the nodes in a taxonomy, (n,), -1 where it lacks them."""
        return taxa.taxonomy.positions(self.identifiers.fill_null(-1).to_numpy())


def number(
    data: Gathered, mapping: MappingStatistics, findings: Findings, taxa: Taxa | None
) -> Numbering:
    """Settle rows that contradict each other, close holes, and add what the taxonomy asks for."""
    own = mapping.identifiers
    by_idx = pa.array(own.strings if own.integers is None else own.integers)
    by_idx = pc.if_else(pa.array(mapping.mapped), by_idx, None)
    numbering = Numbering(by_idx, np.where(mapping.mapped, np.arange(mapping.n_nodes), -1))
    if mapping.max_idx >= mapping.n_nodes:
        why = f"idx reach {mapping.max_idx:,}, too far for the rows to be followed"
        give = "a mapping whose idx number its rows"
        numbering.lacking.append(findings.lacking("MAP007", why, give))
        return numbering
    extra = by_idx.slice(0, 0)
    if findings.among("MAP001", "MAP002", "MAP003"):
        extra = _settle(data, mapping, findings, taxa, numbering)
    if taxa is not None and "MAP006" in findings:
        _succeed(numbering, findings, taxa)
    numbering.dropped = int(np.count_nonzero(mapping.mapped & (numbering.old_to_new < 0)))
    if findings.among("MAP004", "MAP007") or numbering.dropped:
        _close_holes(numbering, findings)
    if taxa is not None:
        _extend(numbering, extra, findings, taxa)
    return numbering


def _settle(
    data: Gathered,
    mapping: MappingStatistics,
    findings: Findings,
    taxa: Taxa | None,
    numbering: Numbering,
) -> pa.Array:
    """One owner for each idx; gives the identifiers that are left without one."""
    assert data.intake is not None
    rows = MappingRows.read(data.sources["mapping"], mapping)
    state = data.intake.training
    used = (state.as_ancestor > 0) | (state.as_descendant > 0)
    found = owners(rows, mapping.n_nodes, used)
    if taxa is None and len(found.doubtful):
        why = f"{len(found.doubtful):,} idx have several identifiers, and nothing says whose it is"
        give = "--taxonomy, from which the pairs of each can be built again"
        numbering.lacking.append(findings.lacking("MAP003", why, give))
    if taxa is None and len(found.split):
        why = f"{len(found.split):,} identifiers have several idx, and pairs use them all"
        give = "--taxonomy, or the mapping with which the pairs were built"
        numbering.lacking.append(findings.lacking("MAP002", why, give))
    numbering.identifiers = rows.keys.take(pa.array(found.code, mask=found.code < 0))
    numbering.old_to_new = np.where(found.code >= 0, numbering.old_to_new, -1)
    homeless = rows.keys.take(pa.array(found.homeless))
    lost = rows.lost
    for rule, what, count, safe in (
        ("MAP002", "keep one idx for each identifier", findings.count("MAP002"),
         "the idx that pairs use, the first where there are several"),
        ("MAP003", "keep one identifier for each idx", findings.count("MAP003"),
         "the others are placed elsewhere" if taxa is None else "the others get an idx of their "
         "own where the taxonomy knows them"),
    ):  # fmt: skip
        if rule in findings:
            numbering.steps.append(Step((rule,), what, count, safe))
    if "MAP001" in findings:
        what = "leave out rows of the mapping that hold no idx or no identifier"
        count = findings.count("MAP001")
        numbering.steps.append(Step(("MAP001",), what, count, _UNREADABLE))
    return pa.concat_arrays([homeless, lost.cast(homeless.type)])


def _succeed(numbering: Numbering, findings: Findings, taxa: Taxa) -> None:
    """Replace merged taxids by their successors, where those are not mapped themselves."""
    taxids = numbering.identifiers.fill_null(-1).to_numpy().copy()
    merged = np.flatnonzero(taxa.taxonomy.is_merged(taxids))
    at = np.searchsorted(taxa.taxonomy.merged_from, taxids[merged])
    successor = taxa.taxonomy.merged_to[at]
    first = np.zeros(len(merged), dtype=bool)
    first[np.unique(successor, return_index=True)[1]] = True
    free = first & ~np.isin(successor, taxids)
    unknown = findings.count("MAP006") - int(np.count_nonzero(free))
    if free.any():
        taxids[merged[free]] = successor[free]
        numbering.identifiers = pc.if_else(numbering.identifiers.is_valid(), pa.array(taxids), None)
        what = "replace merged taxids by their successors, which keep the idx"
        safe = "the taxonomy names the successor, and no other node has it"
        numbering.steps.append(Step(("MAP006",), what, int(np.count_nonzero(free)), safe))
    if unknown:
        why = f"{unknown:,} identifiers are not in the taxonomy; they keep what the pairs say"
        give = "the dump of the mapping's day"
        numbering.lacking.append(findings.lacking("MAP006", why, give))


def _close_holes(numbering: Numbering, findings: Findings) -> None:
    kept = numbering.old_to_new >= 0
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    moved = int(np.count_nonzero(kept & (new != np.arange(len(new)))))
    numbering.old_to_new = new
    numbering.identifiers = numbering.identifiers.filter(pa.array(kept))
    if moved:
        what = f"number {int(kept.sum()):,} nodes 0 to {int(kept.sum()) - 1:,} without holes"
        safe = "the order stays; old_to_new.parquet says which idx became which"
        rules = findings.among("MAP004", "MAP007", "MAP002")
        numbering.steps.append(Step(rules, what, moved, safe))


def _extend(numbering: Numbering, extra: pa.Array, findings: Findings, taxa: Taxa) -> None:
    """Add identifiers that lost their idx, then the ancestors that are not mapped, at the end."""
    first = len(numbering.identifiers)
    known = taxa.taxonomy.positions(extra.to_numpy()) >= 0 if len(extra) else np.empty(0, bool)
    if known.any():
        numbering.identifiers = pa.concat_arrays(
            [numbering.identifiers, extra.filter(pa.array(known))]
        )
        what = f"give identifiers that lost their idx a new one, {_span(first, int(known.sum()))}"
        safe = "the taxonomy knows them, and no old idx changes for it"
        rules = findings.among("MAP001", "MAP003")
        numbering.steps.append(Step(rules, what, int(known.sum()), safe))
    if len(extra) and not known.all():
        what = "leave out identifiers without an idx that the taxonomy does not know"
        safe = "nothing says where they belong"
        rules, left = findings.among("MAP001", "MAP003"), int(np.count_nonzero(~known))
        numbering.steps.append(Step(rules, what, left, safe))
    if findings.among("MAP009", "MAP001"):
        positions = numbering.positions(taxa)
        above = taxa.taxonomy.taxids[taxa.above(positions[positions >= 0])]
        if len(above):
            first = len(numbering.identifiers)
            what = f"add the ancestors that are not mapped, {_span(first, len(above))}"
            safe = "they stand at the end, so that no old idx changes"
            rules = findings.among("MAP009", "PAIR014", "MAP001")
            numbering.steps.append(Step(rules, what, len(above), safe))
            numbering.identifiers = pa.concat_arrays([numbering.identifiers, pa.array(above)])
    numbering.added = len(numbering.identifiers) - int(np.count_nonzero(numbering.old_to_new >= 0))


def _span(first: int, count: int) -> str:
    return f"idx {first:,} to {first + count - 1:,}" if count > 1 else f"idx {first:,}"
