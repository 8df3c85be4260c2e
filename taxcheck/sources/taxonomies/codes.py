"""Hierarchies that are stated by codes: 1.1.1.1 is below 1.1.1, A01B below A01.

A code is taken apart at its dots, or by its characters where those behind the only dot count
one by one, as in ICD (S72.01 is below S72.0) and NACE. Numbers are codes only where counting would
not have them so, as in ISCO and NAICS (111 is below 11, 311 below 31-33), and that is a guess.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from taxcheck.sources.taxonomies.hierarchy import SHOWN, Growing, Hierarchy, Origin, Retired

CODE = re.compile(r"[A-Za-z]{0,4}\d[A-Za-z0-9]*(?:[./][A-Za-z0-9]+)*|[A-Za-z]")
ENZYME = re.compile(r"[1-7](?:\.\d+){0,2}\.(?:n?\d+|-)(?:\.-)*")
PATENT_SYMBOL = re.compile(r"[A-HY]\d\d[A-Z] *\d{1,4}/\d{2,6}")  # of IPC and CPC
TREE_NUMBER = re.compile(r"[A-Z]\d{2}(?:\.\d{3})*")  # of MeSH
_OPEN = re.compile(r"(?:\.\s*-)+$")  # of enzymes: 1.1.-.- is the class 1.1
_LEVELS = 4  # of an enzyme's code
_MOST = 1 << 12  # characters of a code
_ENOUGH, _FEWEST = 0.6, 3  # share and number of codes whose parent is there
_BY_CHARACTER = 0.9
_RANGE = re.compile(r"(\d+)-(\d+)")  # of sectors of NAICS
_WIDEST = 10  # codes of a range
_OF_NUMBERS = 0.95  # share of numbers whose beginning is there
_CHANCE = 1 / 200  # at most, that so many beginnings are there although numbers are no codes


@dataclass(slots=True)
class Coded:
    """Codes as they come, each with the key of its node and a name; a node may have several."""

    codes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # the code itself, or what has it
    names: dict[str, str] = field(default_factory=dict)  # by key
    retired: dict[str, Retired] = field(default_factory=dict)

    def add(self, code: str, name: str | None = None, key: str | None = None) -> None:
        """One code, of the node ``key``, or of one of its own."""
        self.codes.append(code)
        self.keys.append(key or code)
        if name:
            self.names.setdefault(key or code, name)


def plain(code: str) -> str:
    """A code without blanks and without the places of an enzyme's that are open."""
    return _OPEN.sub("", "".join(code.split()))


def above_by_dots(code: str, _: Mapping[str, object] | set[str]) -> str:
    """The code up to its last dot; "" where it has none."""
    return code.rpartition(".")[0]


def above_by_characters(code: str, known: Mapping[str, object] | set[str]) -> str:
    """The longest beginning of a code that is a code itself; "" where there is none."""
    for end in range(len(code) - 1, 0, -1):
        if code[:end] in known:
            return code[:end]
    return ""


Above = Callable[[str, "Mapping[str, object] | set[str]"], str]


def way_of(codes: Iterable[str]) -> Above | None:
    """How parents of codes are found, where many of them are there; None where nothing says so."""
    written = {code for one in codes if one and (code := plain(one))}
    known = {code for one in written for code in spread(one, written)}
    if len(known) <= _FEWEST or max(map(len, known)) > _MOST:
        return None
    if sum(CODE.fullmatch(code) is not None for code in known) < 0.95 * len(known):
        return None
    dotted = [code for code in known if "." in code]
    if dotted and not _positional(dotted):
        return above_by_dots if _by_dots(known, dotted) else None
    numbers = not dotted and not any(code[0].isalpha() for code in known)
    known_by = _are_levels if numbers else _by_characters
    return above_by_characters if known_by(known) else None


def _by_characters(known: set[str]) -> bool:
    """Whether beginnings of most are there."""
    shortest = min(map(len, known))
    longer = [code for code in known if len(code) > shortest]
    there = sum(bool(above_by_characters(code, known)) for code in longer)
    return there >= max(_FEWEST, _BY_CHARACTER * len(longer))


def spread(code: str, known: Mapping[str, object] | set[str]) -> list[str]:
    """The codes that a range such as 31-33 stands for, where none of them is known; else itself."""
    ends = _RANGE.fullmatch(code)
    if ends and len(ends[1]) == len(ends[2]) and 0 < int(ends[2]) - int(ends[1]) < _WIDEST:
        numbers = range(int(ends[1]), int(ends[2]) + 1)
        within = [str(number).zfill(len(ends[1])) for number in numbers]
        if not any(one in known for one in within):
            return within
    return [code]


def are_numbers(codes: Iterable[str]) -> bool:
    """Whether codes are plain numbers, or ranges of them."""
    return all(code.isdecimal() or _RANGE.fullmatch(code) for code in map(plain, codes))


def _are_levels(numbers: set[str]) -> bool:
    """Whether numbers are codes, one digit a level, as counting and chance would not make them.

    Nearly every number without its last digit is there too; that is unlikely where the numbers of
    that length are drawn at random; and from one such beginning to the next they do not go on by 1.
    """
    shortest = min(map(len, numbers))
    longer = [code for code in numbers if len(code) > shortest]
    there = [code for code in longer if code[:-1] in numbers]
    if not all(map(str.isdecimal, numbers)) or len(there) < max(2, _OF_NUMBERS * len(longer)):
        return False
    of_length = Counter(map(len, numbers))
    above = {code[:-1] for code in there if code[-1] != "0"}  # 10, 100 and 1000 are of one scale
    if sum(math.log(of_length[len(code)] / 10 ** len(code)) for code in above) > math.log(_CHANCE):
        return False
    pairs = itertools.pairwise(sorted(longer, key=lambda code: (len(code), code)))
    onward = [int(two) - int(one) == 1 for one, two in pairs
              if len(one) == len(two) and one[:-1] != two[:-1]]  # fmt: skip
    return 2 * sum(onward) <= len(onward)


def _by_dots(known: set[str], dotted: Sequence[str]) -> bool:
    """Whether parents of many are there.

    Fewer are enough of MeSH, whose tree numbers look like nothing else; none of enzymes, whose
    classes are in another file.
    """
    there = sum(above_by_dots(code, known) in known for code in dotted)
    enzymes = sum(ENZYME.fullmatch(code) is not None and code.count(".") == 3 for code in known)
    mesh = 2 * len(dotted) >= len(known) and all(map(TREE_NUMBER.fullmatch, known))
    if mesh and there:
        return True
    return there >= max(_FEWEST, _ENOUGH * len(dotted)) or enzymes >= 0.8 * len(known)


def _positional(dotted: Sequence[str]) -> bool:
    """Whether what is before the only dot is always as long, and two characters at least."""
    before = {len(code.partition(".")[0]) for code in dotted}
    return len(before) == 1 and min(before) > 1 and all(code.count(".") == 1 for code in dotted)


def hierarchy_of_codes(
    coded: Coded, above: Above, origin: Origin, notes: Sequence[str] = ()
) -> Hierarchy:
    """Nodes under the nodes of the codes above theirs.

    A code of dots whose parent is not there gets one, which is told; of characters, the nearest.
    """
    of: dict[str, list[str]] = {}  # keys by plain code
    growing = Growing()
    written = set(map(plain, coded.codes))
    for code, key in zip(coded.codes, coded.keys, strict=True):
        for one in spread(plain(code), written):
            of.setdefault(one, []).append(key)
        growing.node(key, coded.names.get(key, key))
    made: list[str] = []
    open_places = any(code.endswith("-") for code in coded.codes) or _enzymes(of)
    pending = list(of)
    for code in pending:
        higher = above(code, of)
        if not higher:
            continue
        if higher not in of:
            key = higher + ".-" * (_LEVELS - 1 - higher.count(".") if open_places else 0)
            of[higher] = [key]
            made.append(key)
            pending.append(higher)
            growing.node(key)
        for parent in of[higher]:
            for child in of[code]:
                growing.edge(growing.place[parent], growing.place[child])
    by = "dots" if above is above_by_dots else "characters"
    told = [*notes, f"what is above what follows from the {by} of the codes"]
    several = len(coded.codes) - len(set(coded.keys))
    if several:
        told.append(f"{several:,} further codes are of nodes that have one already")
    if made:
        shown = ", ".join(made[:SHOWN]) + ", …" * (len(made) > SHOWN)
        told.append(f"{len(made):,} codes were missing above others and were made: {shown}")
    return replace(growing.hierarchy(origin, told), retired=coded.retired.get)


def _enzymes(codes: Iterable[str]) -> bool:
    return all(ENZYME.fullmatch(code) and code.count(".") == 3 for code in codes)
