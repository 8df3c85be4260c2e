"""A cause is a document and a pure function: a hypothesis of what happened, tested on the data.

It asks for clues by parameter name, as a rule asks for statistics, and answers with nothing or with
an Explanation. What it explains is counted offender by offender. Its docstring has the sections of
a rule's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from taxcheck.model.arrays import BoolArray, IntArray
from taxcheck.model.finding import Scalar
from taxcheck.model.rule import Document, parse_document


@dataclass(frozen=True, slots=True)
class Mend:
    """What undoes a cause, row by row: a change of pairs that looks at nothing but the row.

    ``rows`` are the source rows that it may touch, ascending, and None means all. Of those, each
    idx becomes ``renumbered(idx)`` first (-1 for none, which takes the row out); then the ends are
    ``exchanged``, ``depth`` is added to depth_diff, or the rows are ``dropped``.
    """

    what: str  # in the plan of `taxcheck fix`: "move the idx of pairs down by one"
    why: str  # what it rests on: "then all 61,168 taxids stand beside the idx of the mapping"
    rows: IntArray | None = None
    renumbered: Callable[[IntArray], IntArray] | None = None
    exchanged: bool = False
    dropped: bool = False
    depth: int = 0
    only_tried: bool = False  # it counts what the cause explains; it is no repair
    mapping_exchanged: bool = False  # what the mapping has as idx are the identifiers
    agreeing: IntArray | None = None  # rows, ascending, whose identifiers mean the idx beside them
    # the two ends of single rows, those that could not be read among them, ascending:
    # (rows, ancestor idx, descendant idx), (k,); a row with -1 is taken out
    given: tuple[IntArray, IntArray, IntArray] | None = None
    distances: tuple[IntArray, IntArray] | None = None  # rows, ascending, and their depth_diff


@dataclass(frozen=True, slots=True)
class Explanation:
    """A hypothesis with its parameters, and what it accounts for.

    ``explains`` maps names of rules to their offenders that it accounts for, a mask (k,) in the
    order of the symptom; True stands for all that a rule without single offenders counts. With a
    ``mend`` the rest is found by trying it: an offender is explained where undoing the cause makes
    it sound. ``free`` numbers were fitted to the data; ``chance`` offenders would be explained if
    the data were random.
    """

    message: str  # what happened, with the parameters, in one sentence
    explains: Mapping[str, BoolArray | bool] = field(default_factory=dict)
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    free: int = 1
    chance: float = 0.0
    impact: str | None = None  # what it does to a training run, where that is not the finding's
    fix: str | None = None  # what to do, in place of the document's
    mend: Mend | None = None
    guess: bool = False  # nothing but how the numbers lie tells: likely at most, and no repair
    why_not: str | None = None  # why nothing here undoes it, and what would


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause as the registry holds it.

    ``found_by`` names the rule that is the same thing. A ``loss`` says that pairs are not there,
    and is not asked where rows that could not be read or joined may be those pairs.
    """

    name: str
    function: Callable[..., Explanation | None]
    needs: tuple[str, ...]
    wants: tuple[str, ...]
    document: Document
    found_by: str | None = None
    formerly: tuple[str, ...] = ()
    loss: bool = False


def cause(
    *, found_by: str | None = None, formerly: tuple[str, ...] = (), loss: bool = False
) -> Callable[[Callable[..., Explanation | None]], Cause]:
    """Make a cause of a function; its name is what happened, its docstring the document.

    ``found_by`` is the id of a rule of the same name, whose finding is this cause; ``loss`` is
    said where the cause is that pairs are not in the file.
    """

    def decorate(function: Callable[..., Explanation | None]) -> Cause:
        parameters = inspect.signature(function).parameters
        wants = tuple(n for n, p in parameters.items() if p.default is not inspect.Parameter.empty)
        return Cause(
            name=function.__name__,
            function=function,
            needs=tuple(name for name in parameters if name not in wants),
            wants=wants,
            document=parse_document(function.__doc__ or ""),
            found_by=found_by,
            formerly=formerly,
            loss=loss,
        )

    return decorate
