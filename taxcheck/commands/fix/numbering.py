"""The mapping as it should be: who is a node, and which idx everybody has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.commands.fix.plan import Findings, Lacking, Step
from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.rule import Repair
from taxcheck.model.vocabulary import said_of
from taxcheck.run.gather import Gathered
from taxcheck.sources.contract import apply_mapping
from taxcheck.sources.tables.source import TableSource
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.ancestry import nearest_mapped
from taxcheck.statistics.hierarchy.forest import Forest
from taxcheck.statistics.values import MappingStatistics


@dataclass(frozen=True, slots=True)
class Taxa:
    """A taxonomy and its depth-first walk: what closes mapped taxa upwards, and their parents."""

    taxonomy: Taxonomy
    forest: Forest

    @classmethod
    def of(cls, taxonomy: Taxonomy) -> Taxa:
        """The walk takes a second on all of NCBI."""
        return cls(taxonomy, Forest.from_parents(taxonomy.parents))

    def above(self, positions: IntArray) -> IntArray:
        """Positions of the taxa that close a set upwards, (k,) ascending.

        Closing ends at the lowest taxon above all of them: a whole clade is closed as it is.
        """
        members = self._marked(positions)
        below = members.astype(np.int64)
        for level in reversed(self.forest.levels[1:]):
            np.add.at(below, self.forest.parent[level], below[level])
        missing = (below > 0) & ~members
        shared = below == np.count_nonzero(members)  # the chain down to the lowest common taxon
        if len(positions) and shared.any():
            missing &= ~(shared & (self.forest.depth < self.forest.depth[shared].max()))
        return np.flatnonzero(missing)

    def edges(self, positions: IntArray) -> tuple[IntArray, IntArray]:
        """(parents, children), (edges,), as places in ``positions``; -1 stands for no taxon.

        The parent is the nearest ancestor that is among ``positions``.
        """
        known = np.flatnonzero(positions >= 0)
        members = self._marked(positions[known])
        nearest = nearest_mapped(self.forest, members)
        place = np.full(len(members) + 1, -1, dtype=np.int64)  # the last one is "no taxon"
        place[positions[known]] = known
        parents = place[nearest[positions[known]]]
        return parents[parents >= 0], known[parents >= 0]

    def _marked(self, positions: IntArray) -> BoolArray:
        marked = np.zeros(len(self.taxonomy.taxids), dtype=bool)
        marked[positions] = True
        return marked


@dataclass(frozen=True, slots=True)
class MappingRows:
    """Sound rows in the order of the file, and the identifiers of rows whose idx is unsound."""

    keys: pa.Array  # distinct identifiers
    codes: IntArray  # (rows,) places in keys
    idx: IntArray  # (rows,)
    lost: pa.Array

    @classmethod
    def read(cls, source: TableSource, mapping: MappingStatistics) -> MappingRows:
        """Read the file again; what the statistics count as unsound is left out here too."""
        whole = mapping.identifiers.integers is not None
        ids: list[pa.Array] = []
        idx: list[IntArray] = []
        lost: list[str | None] = []
        for raw in source.batches():
            sound, bad = apply_mapping(raw)
            followed = sound.idx < mapping.n_nodes
            ids.append(_typed(sound.identifiers.filter(pa.array(followed)), whole))
            idx.append(sound.idx[followed])
            lost += bad.cells.get("taxid", ())
        found = pa.chunked_array(ids).combine_chunks()
        valid = found.is_valid().to_numpy(zero_copy_only=False)
        coded = found.filter(pa.array(valid)).dictionary_encode()
        orphans = _typed(pa.array(lost, pa.string()), whole).drop_null()
        return cls(
            coded.dictionary,
            coded.indices.to_numpy().astype(np.int64),
            np.concatenate(idx)[valid],
            pc.unique(orphans.filter(pc.invert(pc.is_in(orphans, coded.dictionary)))),
        )


def _typed(identifiers: pa.Array, whole: bool) -> pa.Array:
    """Text, or integers where the mapping's are: null for what is none."""
    if pa.types.is_integer(identifiers.type) == whole:
        return identifiers.cast(pa.int64()) if whole else identifiers
    if not whole:
        return identifiers.cast(pa.string())
    canonical = pc.match_substring_regex(identifiers, r"^(0|[1-9]\d{0,17})$")
    return pc.if_else(canonical, identifiers, None).cast(pa.int64())


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns each idx, as far as the rows tell."""

    code: IntArray  # (n,) place in keys, -1 for nobody
    doubtful: IntArray  # idx of which several identifiers may be the owner; the first row has it
    split: IntArray  # codes that own several idx; the first that is in use is kept
    homeless: IntArray  # codes left without an idx


def owners(rows: MappingRows, n: int, used: BoolArray) -> Owners:
    """Match identifiers and idx; ``used`` (n,) marks the idx that pairs name.

    An identifier that is alone on some idx belongs there, and its rows on shared idx are wrong.
    """
    order = np.arange(len(rows.idx))
    first = np.unique(rows.idx * len(rows.keys) + rows.codes, return_index=True)[1]
    order = np.sort(order[first])  # repeated rows say nothing new
    code, idx = rows.codes[order], rows.idx[order]
    while True:
        shared = np.bincount(idx, minlength=n)[idx] > 1
        settled = np.zeros(len(rows.keys), dtype=bool)
        settled[code[~shared]] = True
        wrong = shared & settled[code]
        # an idx that every claimant would leave stays with them
        left = np.bincount(idx[~wrong], minlength=n)[idx] == 0
        wrong &= ~left
        if not wrong.any():
            break
        code, idx = code[~wrong], idx[~wrong]
    doubtful = np.flatnonzero(np.bincount(idx, minlength=n) > 1)
    owner = np.full(n, -1, dtype=np.int64)
    owner[idx[::-1]] = code[::-1]
    held = np.flatnonzero(owner >= 0)
    # of several idx of one identifier, the first that pairs use
    ranked = held[np.lexsort((held, ~used[held], owner[held]))]
    repeated = np.zeros(len(ranked), dtype=bool)
    repeated[1:] = owner[ranked[1:]] == owner[ranked[:-1]]
    split = np.flatnonzero(np.bincount(owner[held], minlength=len(rows.keys)) > 1)
    owner[ranked[repeated]] = -1
    homeless = np.setdiff1d(np.arange(len(rows.keys)), owner)
    return Owners(owner, doubtful, split, homeless)


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
        numbering.lacking.append(findings.lacking(Repair.FAR_IDX, why, give))
        return numbering
    extra = by_idx.slice(0, 0)
    if findings.among(Repair.MAPPING_ROWS, Repair.ONE_IDX, Repair.ONE_IDENTIFIER):
        extra = _settle(data, mapping, findings, taxa, numbering)
    if taxa is not None and Repair.SUCCESSORS in findings:
        _succeed(numbering, findings, taxa)
    numbering.dropped = int(np.count_nonzero(mapping.mapped & (numbering.old_to_new < 0)))
    if findings.among(Repair.HOLES) or numbering.dropped:
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
    state = data.intake.training.state
    used = (state.as_ancestor > 0) | (state.as_descendant > 0)
    found = owners(rows, mapping.n_nodes, used)
    if taxa is None and len(found.doubtful):
        have = "has" if len(found.doubtful) == 1 else "have"
        why = (
            f"{len(found.doubtful):,} idx {have} several identifiers, and nothing says whose it is"
        )
        give = "`taxonomy`, from which the pairs of each can be built again"
        numbering.lacking.append(findings.lacking(Repair.ONE_IDENTIFIER, why, give))
    if taxa is None and len(found.split):
        those = said_of(len(found.split), "identifier", "has", "have")
        why = f"{those} several idx, and nothing says at which of them the pairs are its own"
        give = "`taxonomy`, or the mapping with which the pairs were built"
        numbering.lacking.append(findings.lacking(Repair.ONE_IDX, why, give))
    numbering.identifiers = rows.keys.take(pa.array(found.code, mask=found.code < 0))
    numbering.old_to_new = np.where(found.code >= 0, numbering.old_to_new, -1)
    homeless = rows.keys.take(pa.array(found.homeless))
    lost = rows.lost
    for repair, what, safe in (
        (Repair.ONE_IDX, "keep one idx for each identifier",
         "the others are not its own" if taxa is None else "the taxonomy gives it its pairs, at "
         "the idx that pairs use, the first where there are several"),
        (Repair.ONE_IDENTIFIER, "keep one identifier for each idx",
         "the others are placed elsewhere" if taxa is None else "the others get an idx of their "
         "own where the taxonomy knows them"),
    ):  # fmt: skip
        if repair in findings:
            numbering.steps.append(findings.step(repair, what, findings.count(repair), safe))
    if Repair.MAPPING_ROWS in findings:
        what = "leave out rows of the mapping that hold no idx or no identifier"
        count = findings.count(Repair.MAPPING_ROWS)
        numbering.steps.append(findings.step(Repair.MAPPING_ROWS, what, count, _UNREADABLE))
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
    unknown = findings.count(Repair.SUCCESSORS) - int(np.count_nonzero(free))
    if free.any():
        taxids[merged[free]] = successor[free]
        numbering.identifiers = pc.if_else(numbering.identifiers.is_valid(), pa.array(taxids), None)
        what = "replace merged taxids by their successors, which keep the idx"
        safe = "the taxonomy names the successor, and no other node has it"
        numbering.steps.append(
            findings.step(Repair.SUCCESSORS, what, int(np.count_nonzero(free)), safe)
        )
    if unknown:
        its = "its" if unknown == 1 else "their"
        those = said_of(unknown, "identifier", "is", "are")
        why = f"{those} not in the taxonomy; nothing proves {its} pairs, which stay as given"
        give = "the dump of the mapping's day"
        numbering.lacking.append(findings.lacking(Repair.SUCCESSORS, why, give))


def _close_holes(numbering: Numbering, findings: Findings) -> None:
    kept = numbering.old_to_new >= 0
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    moved = int(np.count_nonzero(kept & (new != np.arange(len(new)))))
    numbering.old_to_new = new
    numbering.identifiers = numbering.identifiers.filter(pa.array(kept))
    if moved:
        what = f"number {int(kept.sum()):,} nodes 0 to {int(kept.sum()) - 1:,} without holes"
        safe = "the order stays; old_to_new.parquet says which idx became which"
        rules = findings.among(Repair.HOLES, Repair.ONE_IDX)
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
        rules = findings.among(Repair.MAPPING_ROWS, Repair.ONE_IDENTIFIER)
        numbering.steps.append(Step(rules, what, int(known.sum()), safe))
    if len(extra) and not known.all():
        what = "leave out identifiers without an idx that the taxonomy does not know"
        safe = "nothing says where they belong"
        left = int(np.count_nonzero(~known))
        rules = findings.among(Repair.MAPPING_ROWS, Repair.ONE_IDENTIFIER)
        numbering.steps.append(Step(rules, what, left, safe))
    if findings.among(Repair.ANCESTORS, Repair.MAPPING_ROWS):
        positions = numbering.positions(taxa)
        above = taxa.taxonomy.taxids[taxa.above(positions[positions >= 0])]
        if len(above):
            first = len(numbering.identifiers)
            what = f"add the ancestors that are not mapped, {_span(first, len(above))}"
            safe = "they stand at the end, so that no old idx changes"
            rules = findings.among(Repair.ANCESTORS, Repair.CUT_NODES, Repair.MAPPING_ROWS)
            numbering.steps.append(Step(rules, what, len(above), safe))
            numbering.identifiers = pa.concat_arrays([numbering.identifiers, pa.array(above)])
    numbering.added = len(numbering.identifiers) - int(np.count_nonzero(numbering.old_to_new >= 0))


def _span(first: int, count: int) -> str:
    return f"idx {first:,} to {first + count - 1:,}" if count > 1 else f"idx {first:,}"
