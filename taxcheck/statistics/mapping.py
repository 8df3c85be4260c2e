"""One pass over the mapping, identifier -> idx: duplicates, holes, swapped columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.arrays import BoolArray, IntArray, Whole
from taxcheck.model.errors import InputError
from taxcheck.model.finding import Defect, Sample
from taxcheck.model.memory import size_text
from taxcheck.sources.tables.batches import MappingBatch
from taxcheck.sources.tables.cells import integers_of
from taxcheck.statistics.lookalikes import lookalikes
from taxcheck.statistics.offenders import SAMPLES, DefectState, Offenders, Sink, record
from taxcheck.statistics.state import refuse_unless
from taxcheck.statistics.values import Identifiers, MappingStatistics

# An idx beyond this many times the rows is no index; in few rows it is a bad row.
OVERSIZE_FACTOR, OVERSIZE_SLACK, OVERSIZE_SHARE = 8, 1024, 0.01
# Beyond this, no array is sized by the idx: the rows are counted and not followed further. With
# pairs, arrays take some 90 bytes an idx; taxids of NCBI, often used as idx, stay below 2**22.
FOLLOWED_FACTOR, FOLLOWED_SLACK = 64, 1 << 22

INVALID = "invalid_mapping_row"
MOST_TEXT = 10**9  # bytes of all identifiers together: NCBI's taxids would take 20 million


@dataclass(slots=True)
class MappingState:
    """A state: the sound rows themselves, O(nodes), and the quarantined ones, counted."""

    path: str  # of the table, as the user gave it: only states of one table merge
    batches: list[MappingBatch]
    invalid: DefectState

    @classmethod
    def empty(cls, path: str = "") -> MappingState:
        """No row yet."""
        return cls(path, [], DefectState.empty(INVALID, None, "mapping"))

    def update(self, read: tuple[MappingBatch, tuple[Offenders, ...]]) -> None:
        """Fold one batch: the rows that passed the schema, and those that did not."""
        sound, invalid = read
        self.batches.append(sound)
        self._refuse_long_texts()
        for offenders in invalid:
            self.invalid.update(offenders)

    def merge(self, other: MappingState) -> MappingState:
        """Give the state of both parts; BrokenError where they are of two tables."""
        refuse_unless(self.path == other.path, f"one is of {self.path}, the other of {other.path}")
        both = MappingState(
            self.path, self.batches + other.batches, self.invalid.merge(other.invalid)
        )
        both._refuse_long_texts()
        return both

    def _refuse_long_texts(self) -> None:
        """InputError where the identifiers are no identifiers: some, or as many, would not fit."""
        if sum(batch.identifiers.nbytes for batch in self.batches) > MOST_TEXT:
            raise InputError(
                f"{self.path}: its identifiers take more than {size_text(MOST_TEXT)} as text; are "
                "they in another column? Name it with `mapping_columns`, or give shorter ones"
            )

    def freeze(self, derived: bool = False, sink: Sink | None = None) -> MappingStatistics:
        """Close the state: MappingStatistics of all rows; the sink hears what only shows now."""
        rows, identifiers, idx = self._table()
        invalid = self.invalid.merge(DefectState.empty(INVALID, None, "mapping"))
        total = len(rows) + invalid.count

        def refuse(bad: BoolArray, reason: str) -> None:
            taken = identifiers.filter(pa.array(bad)).to_numpy(zero_copy_only=False)
            columns = {"taxid": np.asarray(taken), "idx": idx[bad]}
            found = Offenders(INVALID, columns, (idx[bad],), rows[bad], reason, "mapping")
            record(found, invalid, sink)

        codes, keys = _codes(identifiers)
        if (codes < 0).any():
            refuse(codes < 0, "taxid is no integer, where the others are")
        kept = codes >= 0
        limit = OVERSIZE_FACTOR * total + OVERSIZE_SLACK
        over = kept & (idx > limit)
        oversized = int(np.count_nonzero(over))
        followed = limit
        if oversized and oversized < OVERSIZE_SHARE * total:
            refuse(over, "idx is far beyond the number of rows")
            oversized, kept = 0, kept & ~over
        elif oversized:
            followed = max(FOLLOWED_FACTOR * total, FOLLOWED_SLACK)
        max_idx = int(idx[kept].max(initial=-1))
        kept &= idx <= followed
        if not kept.all():
            rows, codes, idx = rows[kept], codes[kept], idx[kept]
        return _Frozen(rows, codes, idx, keys).statistics(
            total, invalid.freeze(total), oversized, max_idx, derived, sink
        )

    def _table(self) -> tuple[IntArray, pa.Array, IntArray]:
        """All rows in the order of the source."""
        if not self.batches:
            return np.empty(0, np.int64), pa.array([], pa.int64()), np.empty(0, np.int64)
        ordered = sorted(self.batches, key=lambda b: int(b.rows[0]) if len(b.rows) else -1)
        kinds = {batch.identifiers.type for batch in ordered}
        parts = [
            b.identifiers if len(kinds) == 1 else b.identifiers.cast(pa.string()) for b in ordered
        ]
        return (
            np.concatenate([b.rows for b in ordered]),
            pa.concat_arrays(parts),
            np.concatenate([b.idx for b in ordered]),
        )


def _codes(identifiers: pa.Array) -> tuple[IntArray, IntArray | pa.Array]:
    """Codes of the identifiers, (rows,), and the identifiers by code; -1 for a bad row.

    Text is taken as integers where all of it is whole numbers (9606 or 9606.0), or most of it is
    canonical (no leading zero): the rest are then bad rows. One leading zero among them makes all
    of them strings.
    """
    if pa.types.is_integer(identifiers.type):
        values = identifiers.to_numpy(zero_copy_only=False).astype(np.int64)
        return _encode(values)
    integers = integers_of(identifiers)
    if not integers.null_count:
        return _encode(integers.to_numpy())
    canonical = pc.match_substring_regex(identifiers, r"^(0|[1-9]\d{0,17})$")
    zeros = pc.any(pc.match_substring_regex(identifiers, r"^0\d+$")).as_py()
    whole = canonical.to_numpy(zero_copy_only=False)
    if zeros or 2 * np.count_nonzero(whole) <= len(whole):
        encoded = identifiers.dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary
    codes = np.full(len(identifiers), -1, dtype=np.int64)
    numbers = identifiers.filter(canonical).cast(pa.int64()).to_numpy()
    codes[whole], keys = _encode(numbers)
    return codes, keys


def _encode(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """(code of each number, number of each code); ascending numbers need no sorting."""
    if (np.diff(numbers) > 0).all():
        return np.arange(len(numbers)), numbers
    keys, codes = np.unique(numbers, return_inverse=True)
    return codes.astype(np.int64), keys


@dataclass(frozen=True, slots=True)
class _Frozen:
    """The rows that count: source row, code of the identifier, idx."""

    rows: IntArray
    codes: IntArray
    idx: IntArray
    keys: IntArray | pa.Array  # identifiers by code

    def statistics(
        self,
        total: int,
        invalid: Defect,
        oversized: int,
        max_idx: int,
        derived: bool,
        sink: Sink | None,
    ) -> MappingStatistics:
        n = int(self.idx.max(initial=-1)) + 1
        mapped = np.zeros(n, dtype=bool)
        mapped[self.idx] = True
        narrow = self.rows.max(initial=0) < 2**31
        row_of: Whole = np.full(n, -1, dtype=np.int32 if narrow else np.int64)
        row_of[self.idx[::-1]] = self.rows[::-1]  # the first row of an idx wins
        nodes = int(np.count_nonzero(mapped))
        integers = isinstance(self.keys, np.ndarray)
        keys = self.keys if isinstance(self.keys, np.ndarray) else np.empty(0, np.int64)
        largest = int(keys.max(initial=-1))
        return MappingStatistics(
            rows=total,
            nodes=nodes,
            n_nodes=n,
            derived=derived,
            identifiers=self._identifiers(n),
            mapped=mapped,
            row_of=row_of,
            invalid=invalid,
            duplicate_identifiers=self._repeated("duplicate_taxid", self.codes, self.idx, sink),
            duplicate_idx=self._repeated("duplicate_idx", self.idx, self.codes, sink),
            lookalikes=self._lookalikes(derived, sink),
            holes=n - nodes,
            hole_ranges=_hole_ranges(mapped) if nodes < n else (),
            identifier_density=len(keys) / (largest + 1) if integers and largest >= 0 else 0.0,
            identifier_minimum=int(keys.min()) if integers and len(keys) else None,
            idx_density=nodes / n if n else 0.0,
            oversized=oversized,
            max_idx=max_idx,
        )

    def _identifiers(self, n: int) -> Identifiers:
        """The identifier of every idx, (n,); the first row of an idx wins."""
        idx, codes = self.idx[::-1], self.codes[::-1]
        if isinstance(self.keys, np.ndarray):
            integers = np.full(n, -1, dtype=np.int64)
            integers[idx] = self.keys[codes]
            return Identifiers(integers, None)
        strings: npt.NDArray[np.object_] = np.full(n, None, dtype=object)
        strings[idx] = self.keys.take(pa.array(codes)).to_numpy(zero_copy_only=False)
        return Identifiers(None, strings)

    def _lookalikes(self, derived: bool, sink: Sink | None) -> Defect:
        """Identifiers that look like that of an earlier row; of labels the pairs' rows tell."""
        if derived or isinstance(self.keys, np.ndarray):
            return Defect(0, int(np.count_nonzero(np.bincount(self.codes))))
        codes, at = np.unique(self.codes, return_index=True)
        codes, at = codes[np.argsort(at)], np.sort(at)
        found = lookalikes(self.keys.take(pa.array(codes)))
        rows, nodes = self.rows[at[found.later]], self.idx[at[found.later]]
        found.tell(sink, "lookalike_identifier", nodes, rows)
        return found.defect(len(codes), rows, nodes, "mapping")

    def _repeated(self, name: str, group: IntArray, other: IntArray, sink: Sink | None) -> Defect:
        """Groups that go with more than one other; samples are rows of such groups."""
        if group.max(initial=0) > OVERSIZE_FACTOR * len(group):  # no array is as long as a far idx
            group = np.unique(group, return_inverse=True)[1]
        groups = int(np.count_nonzero(np.bincount(group, minlength=1)))
        if groups == len(group):
            return Defect(0, groups)
        order = np.lexsort((self.rows, other, group))
        g, o = group[order], other[order]
        new = np.r_[True, (g[1:] != g[:-1]) | (o[1:] != o[:-1])] if len(g) else np.empty(0, bool)
        partners = np.bincount(g[new], minlength=1)
        several = partners > 1
        if not several.any():
            return Defect(0, groups)
        rows = np.flatnonzero(several[group])
        taxids = np.array(
            [self._identifier(int(c)) for c in self.codes[rows[:SAMPLES]]], dtype=object
        )
        if sink:
            idx = self.idx[rows]
            sink(Offenders(name, {"idx": idx}, (idx,), self.rows[rows], table="mapping"))
        samples = tuple(
            Sample(
                values={"taxid": taxids[k], "idx": int(self.idx[r])},
                row=int(self.rows[r]),
                node=int(self.idx[r]),
                taxid=taxids[k],
                table="mapping",
            )
            for k, r in enumerate(rows[:SAMPLES])
        )
        return Defect(int(np.count_nonzero(several)), groups, samples)

    def _identifier(self, code: int) -> int | str:
        if isinstance(self.keys, np.ndarray):
            return int(self.keys[code])
        return str(self.keys[code].as_py())


def _hole_ranges(mapped: BoolArray) -> tuple[tuple[int, int], ...]:
    """The first ten stretches of idx below the largest that no row maps."""
    used = np.flatnonzero(mapped)
    before = np.r_[-1, used[:-1]]
    gaps = np.flatnonzero(used - before > 1)[:10]
    return tuple((int(a) + 1, int(b) - 1) for a, b in zip(before[gaps], used[gaps], strict=True))
