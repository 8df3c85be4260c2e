"""A rule is a document: a pure function of statistics whose docstring explains the defect.

The docstring has a first line (what the defect is), then sections headed ``Why it matters:``,
``How to fix:``, ``Known exceptions:`` and ``References:``. The same text is shown by
``taxcheck explain``, by the documentation and by the HTML report.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from taxcheck.model.errors import UsageError
from taxcheck.model.finding import Finding, Severity


class About(StrEnum):
    """What a rule is about: the runs that it belongs to, and where its findings point."""

    MAPPING = "mapping"
    PAIRS = "pairs"
    TREE = "tree"  # what the pairs say when they are taken together
    TABLE = "table"  # the numbers of a trained table, by themselves
    HIERARCHY = "hierarchy"  # whether the table holds the hierarchy
    TRAINING = "training"  # how the table came about

    @property
    def of_table(self) -> bool:
        """Whether there is nothing to judge without a trained table."""
        return self in (About.TABLE, About.HIERARCHY, About.TRAINING)

    @property
    def place(self) -> tuple[str, ...]:
        """Roles of the inputs that a finding points to, the nearest first."""
        if self.of_table:
            return ("checkpoint",)
        return ("mapping", "pairs") if self is About.MAPPING else ("pairs", "mapping")


class Repair(StrEnum):
    """What ``taxcheck fix`` can do about a finding; the values say it in words."""

    MAPPING_ROWS = "leave out unreadable rows of the mapping"
    ONE_IDX = "keep one idx for each identifier"
    ONE_IDENTIFIER = "keep one identifier for each idx"
    HOLES = "number the nodes without holes"
    FAR_IDX = "ask for idx that number the rows"
    MAPPING_COLUMNS = "exchange the mapping's columns"
    SUCCESSORS = "replace merged taxids"
    ANCESTORS = "add ancestors that are not mapped"
    PAIR_ROWS = "leave out rows that cannot be read as a pair"
    OWNERLESS = "leave out pairs of idx that nobody owns"
    SELF_PAIRS = "leave out pairs of a node with itself"
    REPEATED = "keep the first row of each pair"
    REVERSED = "leave out pairs that run upwards"
    DISTANCES = "correct the distance of pairs"
    DEPTHS = "correct the depth columns"
    LABELS = "leave out taxid columns that disagree"
    PAIR_COLUMNS = "exchange the pairs' columns"
    HELD_OUT = "take held-out pairs out of training"
    CUT_NODES = "build the pairs of nodes that were thrown away"
    UNRELATED = "relate nodes that are in no pair"
    LAST_NODES = "add pairs of the last nodes"
    CYCLES = "ask which edge of a cycle is false"
    SEVERAL_PARENTS = "ask which parent is meant"
    MISSING_PAIRS = "add the ancestor pairs that are missing"
    FALSE_PAIRS = "leave out pairs that whole chains contradict"
    PARENTS = "ask for the parent of nodes that lost it"
    TAXONOMY = "follow the taxonomy"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number the policy may change, with the real dataset that justifies its default."""

    default: float
    meaning: str
    calibrated_on: str
    bounds: str | None = None  # the observed value that it bounds, where it is one number
    at_most: bool = True  # ... and may not exceed; False: may not fall below


@dataclass(frozen=True, slots=True)
class Document:
    """A rule's docstring, taken apart into its sections."""

    summary: str
    why: str
    fix: str
    exceptions: str
    references: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the registry holds it: all that the tool knows of it.

    ``needs`` are the function's parameters without a default, ``wants`` those with one: what it
    can do without. The others are what ``rule`` was told.
    """

    id: str
    name: str
    severity: Severity
    about: About
    function: Callable[..., Finding]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    thresholds: Mapping[str, Threshold]
    caused_by: tuple[str, ...]
    document: Document
    place: tuple[str, ...]
    pictures: tuple[str, ...] = ()
    judges: str | None = None
    repair: tuple[Repair, ...] = ()
    beyond_repair: tuple[str, str] | None = None
    fatal: bool = False
    descriptive: bool = False
    formerly: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The letters of the id: MAP, PAIR, TREE ..."""
        return self.id.rstrip("0123456789")


_SECTIONS = {
    "Why it matters:": "why",
    "How to fix:": "fix",
    "Known exceptions:": "exceptions",
    "References:": "references",
}


def parse_document(docstring: str) -> Document:
    """Take a rule's docstring apart; ValueError names the section that is missing or empty."""
    texts: dict[str, list[str]] = {"summary": [], **{key: [] for key in _SECTIONS.values()}}
    current = "summary"
    for line in inspect.cleandoc(docstring).splitlines():
        if line.strip() in _SECTIONS:
            current = _SECTIONS[line.strip()]
        else:
            texts[current].append(line)
    parts = {
        key: re.sub(r"\n{3,}", "\n\n", textwrap.dedent("\n".join(lines))).strip("\n")
        for key, lines in texts.items()
    }
    for key, text in parts.items():
        if not text:
            raise ValueError(f"a rule's docstring lacks its section {key!r}")
    return Document(**parts)


def rule(
    id: str,
    severity: Severity | str,
    *,
    about: About | str,
    thresholds: Mapping[str, Threshold] | None = None,
    caused_by: tuple[str, ...] = (),
    place: tuple[str, ...] = (),
    pictures: tuple[str, ...] = (),
    judges: str | None = None,
    repair: tuple[Repair, ...] = (),
    beyond_repair: tuple[str, str] | None = None,
    fatal: bool = False,
    descriptive: bool = False,
    formerly: tuple[str, ...] = (),
) -> Callable[[Callable[..., Finding]], Rule]:
    """Make a rule of a function; its name is the defect, its docstring the document.

    ``caused_by`` lists the rules whose findings explain this one, most fundamental first.
    ``place`` lists the roles of the inputs that it points to, the nearest first; else those of
    what it is ``about``. ``pictures`` are shown beside the finding, by name; the one that it
    ``judges`` is drawn by its thresholds and with its count. ``repair`` says what ``taxcheck fix``
    can do; ``beyond_repair`` why other data would not help, and what to give instead. A ``fatal``
    finding is one that no further epoch mends. A ``descriptive`` count says how the data is, and
    moves with every row. ``formerly`` are names that it had.
    """

    def decorate(function: Callable[..., Finding]) -> Rule:
        parameters = inspect.signature(function).parameters
        wants = tuple(n for n, p in parameters.items() if p.default is not inspect.Parameter.empty)
        return Rule(
            id=id,
            name=function.__name__,
            severity=Severity(severity),
            about=About(about),
            function=function,
            needs=tuple(name for name in parameters if name not in wants),
            wants=wants,
            thresholds=dict(thresholds or {}),
            caused_by=caused_by,
            document=parse_document(function.__doc__ or ""),
            place=place or About(about).place,
            pictures=pictures,
            judges=judges,
            repair=repair,
            beyond_repair=beyond_repair,
            fatal=fatal,
            descriptive=descriptive,
            formerly=formerly,
        )

    return decorate


def find_rule(wanted: str, rules: Iterable[Rule]) -> Rule:
    """The rule of an id or a name, in capitals or not.

    UsageError suggests the nearest where there is none, says what a former name is now, and names
    all that share a name.
    """
    import difflib

    rules, key = tuple(rules), wanted.casefold()
    found = [rule for rule in rules if key in (rule.id.casefold(), rule.name.casefold())]
    if len(found) > 1:
        named = " and ".join(rule.id for rule in found)
        raise UsageError(f"{wanted!r} is the name of {named}; give the id")
    if found:
        return found[0]
    if now := [f"{rule.id} {rule.name}" for rule in rules if key in rule.formerly]:
        raise UsageError(f"{wanted!r} is no rule any more; it is now {' or '.join(now)}")
    words = {word.casefold(): word for rule in rules for word in (rule.id, rule.name)}
    near = difflib.get_close_matches(key, words, n=1, cutoff=0.5)
    hint = f"did you mean {words[near[0]]!r}?" if near else "`taxcheck rules` lists them"
    raise UsageError(f"{wanted!r} is no rule; {hint}")
