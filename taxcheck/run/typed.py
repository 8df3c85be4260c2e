"""The commands that rules and causes advise, as they can be typed about what a run has read.

A rule knows no paths. It writes ``taxcheck fix ... --out fixed/`` and ``taxcheck evaluate
checkpoint.pt --pairs pairs.parquet``: dots stand for the inputs, and the names of the documentation
for each of them.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from taxcheck.model.paths import each
from taxcheck.model.result import FoundCause, RuleResult
from taxcheck.model.rule import Document
from taxcheck.policy.model import FILES
from taxcheck.run.request import Request

_DATA = ("mapping", "pairs", "held_out", "mapping_columns", "pair_columns")
_TABLE = ("key", "geometry", "curvature", "labels")
_ALL = (*_DATA, "taxonomy", "embeddings", "initial", *_TABLE)
TAKES: Mapping[str, tuple[str, ...]] = {  # command -> the inputs that it is told by options
    "fix": (*_DATA, "taxonomy"),
    "run": _ALL,
    "why": _ALL,
    "evaluate": (*_DATA, *_TABLE),
    "inspect": _TABLE,
}
_ANY_TABLE, _NODE, _DOTS = "checkpoint.pt", "NODE", "..."
_STAND_INS = {"mapping.tsv", "pairs.parquet", _ANY_TABLE, "table.npz", _DOTS}
_CODE = re.compile(r"``taxcheck [^`]+``|^    taxcheck (?:\\\n|[^\n])*", re.MULTILINE)


def typed_results(
    results: Iterable[RuleResult], causes: Iterable[FoundCause], request: Request
) -> tuple[tuple[RuleResult, ...], tuple[FoundCause, ...]]:
    """Findings and causes whose fixes, and whose documents', can be typed as they stand."""
    return (
        tuple(_result(result, request) for result in results),
        tuple(_cause(cause, request) for cause in causes),
    )


def _result(result: RuleResult, request: Request) -> RuleResult:
    if not result.found:
        return result
    first = next((s for s in result.samples if s.taxid is not None or s.node is not None), None)
    node = "" if first is None else str(first.node if first.taxid is None else first.taxid)
    return replace(
        result,
        fix=result.fix and typed(result.fix, request, node),
        document=_document(result.document, request, node),
    )


def _cause(cause: FoundCause, request: Request) -> FoundCause:
    return replace(
        cause,
        fix=cause.fix and typed(cause.fix, request),
        document=_document(cause.document, request, ""),
    )


def _document(document: Document, request: Request, node: str) -> Document:
    return dataclasses.replace(document, fix=typed(document.fix, request, node))


def typed(text: str, request: Request, node: str = "") -> str:
    """A text whose commands name the inputs of the ``request``, and the ``node`` if there is one.

    What the run does not have, such as a taxonomy, keeps the name that the text gives it.
    """

    def filled(match: re.Match[str]) -> str:
        code = match[0]
        open_, close = ("``", "``") if code.startswith("`") else ("    ", "")
        try:
            words = shlex.split(code.strip("` ").replace("\\\n", " "))
        except ValueError:
            return code
        return open_ + _join(_filled(words, request, node)) + close

    return _CODE.sub(filled, text)


def _join(words: list[str]) -> str:
    """As ``shlex.join``; what only stands for something is not quoted."""
    return " ".join(word if word in _STAND_INS else shlex.quote(word) for word in words)


def _filled(words: list[str], request: Request, node: str) -> list[str]:
    words = [node if node and word == _NODE else word for word in words]
    if len(words) < 2 or words[1] not in TAKES or not _generic(words):
        return words
    known = dict(_known(TAKES[words[1]], request))
    said = {_field(word) for word in words}
    own = [word for field, value in known.items() if field not in said for word in value]
    made, rest = words[:2], iter(words[2:])
    for word in rest:
        if (field := _field(word)) in FILES:
            made += _option(word, next(rest, ""), known.get(field))
        elif word == _DOTS:
            made, own = made + own, []
        else:
            made.append(request.embeddings or word if word == _ANY_TABLE else word)
    return made + own


def _option_of(field: str) -> str:
    return "--" + field.replace("_", "-")


def _field(word: str) -> str:
    """The input that an option names; empty where it is none."""
    return word[2:].replace("-", "_") if word.startswith("--") else ""


def _option(option: str, value: str, known: list[str] | None) -> list[str]:
    """An option for an input: with the run's, else as it is, unless it only stands for one."""
    if known:
        return known
    return [] if value in _STAND_INS else [option, value]


def _generic(words: list[str]) -> bool:
    """Whether a command names something only by what stands for it."""
    return any(word in _STAND_INS for word in words)


def _known(takes: tuple[str, ...], request: Request) -> Iterator[tuple[str, list[str]]]:
    """The options that tell a command what the run has read, but what the folder's policy tells."""
    policy = request.policy
    here = policy.source is not None and Path(os.path.abspath(policy.source)).parent == Path.cwd()  # noqa: PTH100
    for field in takes:
        value: Any = getattr(request, field)
        if value is None or (here and value == getattr(policy.inputs, field)):
            continue
        option = _option_of(field)
        values = each(value) if isinstance(value, str | tuple) else (str(value),)
        yield field, [word for one in values for word in (option, one)]
    if policy.source is not None and not here and takes:
        yield "policy", [_option_of("policy"), policy.source]
