"""One pass over the mapping, identifier -> idx: duplicates, holes, swapped columns."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.rule import Defect, Sample
from taxcheck.sources.batches import MappingBatch, Quarantined
from taxcheck.statistics.samples import SAMPLES, Offenders, Sink
from taxcheck.statistics.values import BoolArray, Identifiers, IntArray, MappingStatistics

# An idx beyond this many times the rows is no index; in few rows it is a bad row.
OVERSIZE_FACTOR, OVERSIZE_SLACK, OVERSIZE_SHARE = 8, 1024, 0.01
# Beyond this, no array is sized by the idx: the rows are counted and not followed further. With
# pairs, arrays take some 90 bytes an idx; taxids of NCBI, often used as idx, stay below 2**22.
_FOLLOWED_FACTOR, _FOLLOWED_SLACK = 64, 1 << 23


@dataclass(slots=True)
class MappingState:
    """The state: the sound rows themselves, O(nodes), and the quarantined ones, counted."""

    sink: Sink | None = None
    batches: list[MappingBatch] = field(default_factory=list)
    invalid: Offenders = field(init=False)

    def __post_init__(self) -> None:
        self.invalid = Offenders("mapping_invalid_row", None, self.sink, "mapping")

    def update(self, batch: tuple[MappingBatch, Quarantined]) -> None:
        """Fold one batch: the rows that passed the schema, and those that did not."""
        sound, quarantined = batch
        self.batches.append(sound)
        self.invalid.quarantine(quarantined)

    def merge(self, other: MappingState) -> MappingState:
        """Give the state of both parts."""
        merged = MappingState(self.sink, self.batches + other.batches)
        merged.invalid = self.invalid.merge(other.invalid)
        return merged

    def freeze(self, derived: bool = False) -> MappingStatistics:
        """Close the state: MappingStatistics of all rows."""
        rows, identifiers, idx = self._table()
        invalid = self.invalid.merge(Offenders("mapping_invalid_row", None, self.sink, "mapping"))
        total = len(rows) + invalid.count
        codes, keys = _codes(rows, identifiers, idx, invalid)
        kept = codes >= 0
        limit = OVERSIZE_FACTOR * total + OVERSIZE_SLACK
        over = kept & (idx > limit)
        oversized = int(np.count_nonzero(over))
        followed = limit
        if oversized and oversized < OVERSIZE_SHARE * total:
            reason = "idx is far beyond the number of rows"
            invalid.add(rows[over], {"taxid": _texts(identifiers, over), "idx": idx[over]}, reason)
            oversized, kept = 0, kept & ~over
        elif oversized:
            followed = max(_FOLLOWED_FACTOR * total, _FOLLOWED_SLACK)
        max_idx = int(idx[kept].max(initial=-1))
        kept &= idx <= followed
        return _Frozen(rows[kept], codes[kept], idx[kept], keys).statistics(
            total, invalid.freeze(total), oversized, max_idx, derived, self.sink
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


def _codes(
    rows: IntArray, identifiers: pa.Array, idx: IntArray, invalid: Offenders
) -> tuple[IntArray, IntArray | pa.Array]:
    """Codes of the identifiers, (rows,), and the identifiers by code; -1 for a bad row.

    Text is taken as integers where most of it is canonical (no leading zero): the rest are
    then bad rows. One leading zero among them makes all of them strings.
    """
    if pa.types.is_integer(identifiers.type):
        values = identifiers.to_numpy(zero_copy_only=False).astype(np.int64)
        return _encode(values)
    canonical = pc.match_substring_regex(identifiers, r"^(0|[1-9]\d{0,17})$")
    zeros = pc.any(pc.match_substring_regex(identifiers, r"^0\d+$")).as_py()
    whole = canonical.to_numpy(zero_copy_only=False)
    if zeros or 2 * np.count_nonzero(whole) <= len(whole):
        encoded = identifiers.dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary
    codes = np.full(len(rows), -1, dtype=np.int64)
    numbers = identifiers.filter(canonical).cast(pa.int64()).to_numpy()
    codes[whole], keys = _encode(numbers)
    if not whole.all():
        bad = ~whole
        shown: dict[str, npt.NDArray[np.generic]] = {
            "taxid": _texts(identifiers, bad),
            "idx": idx[bad],
        }
        invalid.add(rows[bad], shown, "taxid is no integer, where the others are")
    return codes, keys


def _encode(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """(code of each number, number of each code); ascending numbers need no sorting."""
    if (np.diff(numbers) > 0).all():
        return np.arange(len(numbers)), numbers
    keys, codes = np.unique(numbers, return_inverse=True)
    return codes.astype(np.int64), keys


def _texts(identifiers: pa.Array, chosen: BoolArray) -> npt.NDArray[np.generic]:
    taken = identifiers.filter(pa.array(chosen))
    return np.asarray(taken.to_numpy(zero_copy_only=False))


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
        row_of = np.full(n, -1, dtype=np.int64)
        row_of[self.idx[::-1]] = self.rows[::-1]  # the first row of an idx wins
        code_of = np.full(n, -1, dtype=np.int64)
        code_of[self.idx[::-1]] = self.codes[::-1]
        nodes = int(np.count_nonzero(mapped))
        integers = isinstance(self.keys, np.ndarray)
        keys = self.keys if isinstance(self.keys, np.ndarray) else np.empty(0, np.int64)
        largest = int(keys.max(initial=-1))
        ranges = _hole_ranges(mapped)
        return MappingStatistics(
            rows=total,
            nodes=nodes,
            n_nodes=n,
            derived=derived,
            identifiers=self._identifiers(code_of),
            mapped=mapped,
            row_of=row_of,
            invalid=invalid,
            duplicate_identifiers=self._repeated("duplicate_taxid", self.codes, self.idx, sink),
            duplicate_idx=self._repeated("duplicate_idx", self.idx, self.codes, sink),
            holes=n - nodes,
            hole_ranges=ranges,
            identifier_density=len(keys) / (largest + 1) if integers and largest >= 0 else 0.0,
            identifier_minimum=int(keys.min()) if integers and len(keys) else None,
            idx_density=nodes / n if n else 0.0,
            oversized=oversized,
            max_idx=max_idx,
        )

    def _identifiers(self, code_of: IntArray) -> Identifiers:
        if isinstance(self.keys, np.ndarray):
            known = self.keys[np.maximum(code_of, 0)] if len(self.keys) else code_of
            return Identifiers(np.where(code_of >= 0, known, -1), None)
        codes = pa.array(np.maximum(code_of, 0), mask=code_of < 0)
        return Identifiers(None, self.keys.take(codes).to_numpy(zero_copy_only=False))

    def _repeated(self, name: str, group: IntArray, other: IntArray, sink: Sink | None) -> Defect:
        """Groups that go with more than one other; samples are rows of such groups."""
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
            sink(name, {"row": self.rows[rows], "idx": self.idx[rows]})
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
    edges = np.diff(np.r_[False, ~mapped, False].astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return tuple((int(a), int(b)) for a, b in zip(starts[:10], ends[:10], strict=True))
