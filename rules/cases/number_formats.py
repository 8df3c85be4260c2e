"""Corruptions whose cause is a format that cannot hold all numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
from numpy.random import Generator

from taxcheck.commands.selftest.cases import SKIPPED, Corrupted
from taxcheck.commands.selftest.frame import DatasetFrame

from .library import corruption, fail
from .pair_rows import with_identifiers


def _renumbered(pairs: pd.DataFrame, became: Callable[[int], int]) -> pd.DataFrame:
    """The pairs of a genus, whose root is idx 0 and stays it, with other idx of the strains."""
    return pairs.assign(descendant_idx=[became(k) for k in pairs["descendant_idx"]])


def _lost(frame: DatasetFrame, pairs: pd.DataFrame) -> dict[str, int]:
    """What shows where strains of a genus have the idx of another one, or of the genus."""
    n, rows = len(frame.mapping), pairs["descendant_idx"].tolist()
    strains = [k for k in rows if 0 < k < n]
    used = {0, *strains}
    counts = {
        "PAIR001": sum(k < 0 for k in rows),
        "PAIR003": n - len(used),
        "PAIR004": n - 1 - max(used),
        "PAIR005": rows.count(0),
        "PAIR006": len(strains) - len(set(strains)),
    }
    return {rule: count for rule, count in counts.items() if count}


def _narrowed(
    frame: DatasetFrame, pairs: pd.DataFrame, cause: str, counts: dict[str, int]
) -> Corrupted:
    """All of it has one cause; too few nodes are left to ask whether a cut by taxid took them."""
    explains = {rule: (count, count) for rule, count in counts.items()}
    expected = fail(**counts) | {"PAIR014": SKIPPED}
    return Corrupted(replace(frame, pairs=pairs), expected, causes={cause: explains})


@corruption("PAIR003", "PAIR006", base="genus")
def idx_of_eight_bits(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The idx of the pairs went through uint8: 256 is 0 again."""
    pairs = _renumbered(frame.pairs, lambda k: k % 256)
    return _narrowed(frame, pairs, "wrapped_integers", _lost(frame, pairs))


@corruption("PAIR001", base="genus")
def idx_of_eight_bits_below_zero(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The idx of the pairs went through int8: 128 is -128."""
    pairs = _renumbered(frame.pairs, lambda k: (k + 128) % 256 - 128)
    return _narrowed(frame, pairs, "wrapped_integers", _lost(frame, pairs))


@corruption("PAIR003", "PAIR006", base="genus")
def idx_of_bfloat16(frame: DatasetFrame, _: Generator) -> Corrupted:
    """Above 256 two idx are one, above 512 four: a half goes to the even one."""
    pairs = _renumbered(frame.pairs, _bfloat16)
    return _narrowed(frame, pairs, "rounded_floats", _lost(frame, pairs))


@corruption("PAIR010", base="genus")
def idx_of_bfloat16_beside_identifiers(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The same, and every row has the identifiers that it had."""
    pairs = _renumbered(with_identifiers(frame), _bfloat16)
    other = pairs["descendant_idx"].to_numpy() != frame.pairs["descendant_idx"].to_numpy()
    counts = {**_lost(frame, pairs), "PAIR010": int(other.sum())}
    return _narrowed(frame, pairs, "rounded_floats", counts)


def _bfloat16(k: int) -> int:
    step = 1 if k <= 256 else 2 if k <= 512 else 4
    return round(k / step) * step  # Python rounds halves to even


@corruption("MAP003", "PAIR002", base="genus")
def mapped_idx_of_eight_bits(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The idx of the mapping went through uint8, those of the pairs did not."""
    n = len(frame.mapping)
    mapping = frame.mapping.assign(idx=frame.mapping["idx"] % 256)
    several = sum(k + 256 < n for k in range(256))
    outside = int((frame.pairs["descendant_idx"] >= 256).sum())
    counts = {"MAP003": several, "PAIR002": outside}
    return Corrupted(
        replace(frame, mapping=mapping),
        fail(**counts),
        causes={"wrapped_integers": {rule: (count, count) for rule, count in counts.items()}},
    )


@corruption("PAIR010", base="genus")
def identifiers_of_sixteen_bits(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The taxids beside the idx of the pairs, all above 65,535, went through uint16."""
    pairs = with_identifiers(frame)
    for end in ("ancestor_taxid", "descendant_taxid"):
        pairs[end] %= 2**16
    counts = {"PAIR010": (len(pairs), len(pairs))}
    return Corrupted(
        replace(frame, pairs=pairs),
        fail(PAIR010=len(pairs)),
        causes={"wrapped_integers": counts},
    )


@corruption("PAIR010", base="genus")
def identifiers_of_six_digits(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The taxids beside the idx of the pairs, of seven digits, were printed with six."""
    pairs = with_identifiers(frame)
    wrong = pd.Series(False, pairs.index)
    for end in ("ancestor_taxid", "descendant_taxid"):
        printed = pairs[end].map("{:g}".format)
        wrong |= printed.astype(float) != pairs[end]  # some numbers six digits hold
        pairs[end] = printed
    rows = int(wrong.sum())
    return Corrupted(
        replace(frame, pairs=pairs),
        fail(PAIR010=rows),
        causes={"rounded_floats": {"PAIR010": (rows, rows)}},
    )


@corruption("PAIR001", "PAIR003", base="genus")
def idx_read_as_decimals(frame: DatasetFrame, _: Generator) -> Corrupted:
    """The pairs of a genus of 1,200 strains were read with a dot for thousands as decimals."""
    n = 1_201
    mapping = pd.DataFrame({"taxid": range(3_000_000, 3_000_000 + n), "idx": range(n)})
    strains = range(1, n)
    cells = [float(k) if k < 1_000 else k / 1_000 for k in strains]
    pairs = pd.DataFrame(
        {
            "ancestor_idx": 0,
            "descendant_idx": cells,
            "depth_diff": 1,
            "ancestor_depth": 0,
            "descendant_depth": 1,
        }
    )
    counts = {
        "PAIR001": 200,
        "PAIR003": 201,
        "PAIR004": 201,
        "PAIR006": 1,
    }  # 1.0 stands there twice
    return Corrupted(
        replace(frame, mapping=mapping, pairs=pairs),
        fail(**counts) | {"PAIR014": SKIPPED},
        causes={"thousands_separators": {rule: (count, count) for rule, count in counts.items()}},
    )
