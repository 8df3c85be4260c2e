"""Clues: what causes ask for by parameter name, each computed when the first of them asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from taxcheck.model.arrays import IntArray, distinct
from taxcheck.model.finding import Unavailable, known
from taxcheck.model.places import SaidRow
from taxcheck.model.result import RuleResult
from taxcheck.model.room import Room
from taxcheck.policy.model import Dataset
from taxcheck.run.evidence import Evidence
from taxcheck.run.gather import Gathered
from taxcheck.sources.taxonomies.taxonomy import Taxonomy
from taxcheck.statistics.hierarchy.edges import present_in
from taxcheck.statistics.hierarchy.graph import Graph
from taxcheck.statistics.joins import Joins, Meaning, joins_of
from taxcheck.statistics.numbering import Numbering, by_identifiers, by_shape
from taxcheck.statistics.pairs import PairState
from taxcheck.statistics.spool import KeptPairs
from taxcheck.statistics.strangers import Strangers
from taxcheck.statistics.symptoms import Symptoms
from taxcheck.statistics.taxonomy import Successors
from taxcheck.statistics.truth import Truth
from taxcheck.statistics.unread import Unread

if TYPE_CHECKING:
    from taxcheck.audit.alignment_scores import Alignments
    from taxcheck.audit.examination import Audit
    from taxcheck.audit.exchanges import Exchanges
    from taxcheck.audit.placement import Placements
    from taxcheck.audit.values import HierarchyScores

_NO_PAIRS = Unavailable("no pairs given")
_LABELS = Unavailable("the pairs hold labels, whose idx stand in no file")
_JOINED = ("taxid_disagreement", "index_out_of_range", "self_pair")


@dataclass(frozen=True)
class Clues:
    """Beside these, causes may ask for all that rules do: mapping, pairs, tree, closure ..."""

    data: Gathered
    found: Mapping[str, RuleResult]  # failures and warnings, by the names of their rules
    audit: Audit | None = None  # what was measured of a table

    @property
    def evidence(self) -> Evidence:
        """What rules ask for."""
        return self.data.evidence

    @property
    def alignment(self) -> Alignments | Unavailable:
        """What the table scores under each way of joining its rows."""
        return Unavailable("no table given") if self.audit is None else self.audit.alignment

    @property
    def placement(self) -> Placements | Unavailable:
        """Which rows of the table are in their place."""
        return Unavailable("no table given") if self.audit is None else self.audit.placement

    @property
    def exchanges(self) -> Exchanges | Unavailable:
        """Subtrees of which each has the other's rows."""
        return Unavailable("no table given") if self.audit is None else self.audit.exchanges

    @property
    def name_of(self) -> Callable[[int], str]:
        """What a node is called, by its idx: its name, else its identifier."""
        from taxcheck.audit.clades import name_of_node  # only tables' causes ask for it

        mapping, taxa = known(self.evidence.mapping), self.data.naming_taxa
        identifiers = None if mapping is None else mapping.identifiers
        return lambda idx: name_of_node(idx, identifiers, taxa)

    @property
    def scores(self) -> HierarchyScores | Unavailable:
        """How well the table holds the hierarchy."""
        return Unavailable("no table given") if self.audit is None else self.audit.scores

    @property
    def dataset(self) -> Dataset:
        """What the policy declares."""
        return self.data.request.policy.dataset

    @property
    def said_row(self) -> SaidRow:
        """Says where a row of a table, "mapping" or "pairs", stands: by file, if there are many."""
        return self.data.places.said

    @property
    def symptoms(self) -> Symptoms:
        """All offenders by the name of the rule that judges them."""
        return self.data.symptoms

    @property
    def graph(self) -> Graph | Unavailable:
        """The parent-child edges that the pairs state."""
        return self.data.graph or _NO_PAIRS

    @property
    def kept(self) -> KeptPairs | Unavailable:
        """The sound pairs, in the order of the file."""
        return _NO_PAIRS if self.data.intake is None else self.data.intake.training.spool

    @property
    def totals(self) -> PairState | Unavailable:
        """What the rows of the pairs add up to."""
        return _NO_PAIRS if self.data.intake is None else self.data.intake.training.state

    @property
    def room(self) -> Room | Unavailable:
        """What is left of the memory of the run."""
        if self.data.intake is None:
            return _NO_PAIRS
        nodes, pairs = self.data.intake.mapping.n_nodes, len(self.data.intake.training.spool)
        return Room.of(self.data.request.memory, nodes, pairs)

    @property
    def taxa(self) -> Taxonomy | Unavailable:
        """The given taxonomy itself."""
        return self.data.taxonomy or Unavailable("no taxonomy given")

    @property
    def column(self) -> Callable[[str], Iterator[tuple[int, pa.Array]]] | Unavailable:
        """Reads one column of the pairs again, by its name: batches of (first row, cells)."""
        if "pairs" not in self.data.sources:
            return _NO_PAIRS
        table = self.data.sources["pairs"].table

        def read(name: str) -> Iterator[tuple[int, pa.Array]]:
            return ((raw.first_row, raw.columns[name]) for raw in table.batches({name: name}))

        return read

    @property
    def truth(self) -> Truth | Unavailable:
        """The hierarchy of the mapped nodes by the taxonomy, where that knows most of them."""
        truth, mapping = self._truth, known(self.evidence.mapping)
        if truth is None or mapping is None:
            return Unavailable("no taxonomy of the mapped identifiers given")
        if 2 * np.count_nonzero(truth.position >= 0) < mapping.nodes:
            return Unavailable("the taxonomy lacks most of the mapped identifiers")
        return truth

    @cached_property
    def _truth(self) -> Truth | None:
        mapping, taxonomy = known(self.evidence.mapping), self.data.taxonomy
        if mapping is None or taxonomy is None or mapping.identifiers.integers is None:
            return None
        return Truth.of(taxonomy, mapping.identifiers.integers)

    @property
    def successors(self) -> Successors | Unavailable:
        """What the taxonomy has merged taxids become."""
        taxonomy = self.data.taxonomy
        return Unavailable("no taxonomy given") if taxonomy is None else Successors.in_(taxonomy)

    @cached_property
    def meaning(self) -> Meaning | Unavailable:
        """From identifiers to the idx that the mapping gives them."""
        mapping = known(self.evidence.mapping)
        return Unavailable("no mapping given") if mapping is None else Meaning(mapping.identifiers)

    @cached_property
    def joins(self) -> dict[str, Joins]:
        """Rows by the name of their rule: beside which idx which identifier stands."""
        meaning = self.meaning
        if isinstance(meaning, Unavailable):
            return {}
        found = {name: joins_of(self.symptoms, name, meaning) for name in _JOINED}
        return {name: joins for name, joins in found.items() if joins is not None}

    @cached_property
    def unread(self) -> Unread | Unavailable:
        """Rows of the pairs that were left out for a number that is no idx."""
        meaning = self.meaning
        found = Unread.of(self.symptoms, None if isinstance(meaning, Unavailable) else meaning)
        return found or Unavailable("every number in the pairs may be an idx")

    @cached_property
    def numbering(self) -> Numbering | Unavailable:
        """For each idx of the pairs the one of the mapping that it stands for, where that shows."""
        if self.data.intake is None:
            return _NO_PAIRS
        if self.data.intake.naming.labelled is not None:
            return _LABELS
        joins, unread = self.joins, known(self.unread)
        if unread is not None:
            joins = {**joins, "invalid_pair_row": unread.joins}
        found = by_identifiers(joins, self.data.intake.training.state)
        found = found or self._by_shape()
        return found or Unavailable("nothing tells what the idx of the pairs stand for")

    @cached_property
    def used(self) -> IntArray | Unavailable:
        """Distinct idx that the rows of the pairs hold, ascending; also beyond the mapping."""
        if self.data.intake is None:
            return _NO_PAIRS
        if self.data.intake.naming.labelled is not None:
            return _LABELS
        left_out = [s for n in ("index_out_of_range", "self_pair") if (s := self.symptoms.get(n))]
        outside = [column for symptom in left_out for column in symptom.nodes]
        if (unread := known(self.unread)) is not None:
            outside += [end.idx for end in unread.joins.ends]
        inside = np.flatnonzero(present_in([self.data.intake.training.state]))
        return distinct(np.concatenate([inside, *outside]))

    @property
    def kin(self) -> IntArray | Unavailable:
        """The parent that the taxonomy gives to each idx among the mapped, (n,); -1 for none."""
        return Unavailable("no taxonomy given") if self._truth is None else self._truth.parent

    def _by_shape(self) -> Numbering | None:
        graph, kin, mapping = self.data.graph, self.kin, known(self.evidence.mapping)
        if graph is None or graph.forest is None or mapping is None:
            return None
        if isinstance(kin, Unavailable) or "disagrees_with_taxonomy" not in self.symptoms:
            return None
        return by_shape(graph.forest, graph.present, kin, mapping.mapped)

    @property
    def strangers(self) -> Strangers | Unavailable:
        """Labels in the pairs that the mapping lacks."""
        labelled = None if self.data.intake is None else self.data.intake.naming.labelled
        if labelled is None or not len(labelled.unknown):
            return Unavailable("the mapping has every label of the pairs")
        return Strangers(labelled.unknown, labelled.n_nodes + np.arange(len(labelled.unknown)))

    def get(self, name: str) -> object:
        """A clue by name; Unavailable where this run has none."""
        if name in Evidence.__slots__:
            return getattr(self.evidence, name)
        clue = getattr(type(self), name, None)
        if name == "found" or isinstance(clue, property | cached_property):
            return getattr(self, name)
        return Unavailable(f"no {name.replace('_', ' ')} in this run")
