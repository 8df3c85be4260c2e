"""A report taken apart for keeping, and put together again.

Samples hold names of nodes and must be erasable by themselves. The texts of the rules are the same
in all reports of one version, and more than half of each.
"""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from taxcheck.model.finding import Sample
from taxcheck.model.report import Report
from taxcheck.model.written import decoder, report_from_json, to_json

_PARTS = ("results", "rules")  # of schema 2, and of schema 1


class Parts(NamedTuple):
    """What is kept of a report: its content, the texts of its rules, and its samples by rule."""

    content: bytes
    documents: bytes
    samples: dict[str, str]  # JSON


def taken_apart(raw: bytes, report: Report) -> Parts:
    """``raw`` is what ``report`` was read from; whatever in it is not known stays as it is."""
    whole = msgspec.json.decode(raw.removeprefix(codecs.BOM_UTF8), type=dict[str, Raw])
    documents: dict[str, Raw] = {}
    for part in _PARTS:
        if part in whole:
            results = msgspec.json.decode(whole[part], type=list[dict[str, Raw]])
            whole[part] = Raw(msgspec.json.encode([_bare(one, documents) for one in results]))
    samples = {r.id: to_json(r.samples).decode() for r in report.results if r.samples}
    return Parts(msgspec.json.encode(whole), msgspec.json.encode(documents), samples)


def put_together(content: bytes, documents: bytes, samples: dict[str, str]) -> Report:
    """The report as it was, but for samples that were erased."""
    whole = msgspec.json.decode(content, type=dict[str, Raw])
    texts = msgspec.json.decode(documents, type=dict[str, Raw])
    for part in _PARTS:
        if part in whole and texts:
            results = msgspec.json.decode(whole[part], type=list[dict[str, Raw]])
            whole[part] = Raw(msgspec.json.encode([_told(one, texts) for one in results]))
    report = report_from_json(msgspec.json.encode(whole))
    shown: dict[str, tuple[Sample, ...]] = {
        rule: decoder(tuple[Sample, ...]).decode(rows) for rule, rows in samples.items()
    }
    told = tuple(replace(r, samples=shown.get(r.id, ())) for r in report.results)
    return replace(report, results=told)


def _bare(result: dict[str, Raw], documents: dict[str, Raw]) -> dict[str, Raw]:
    if "samples" in result:
        result["samples"] = Raw(b"[]")
    if "document" in result and "id" in result:
        documents[_id(result)] = result.pop("document")
    return result


def _told(result: dict[str, Raw], documents: dict[str, Raw]) -> dict[str, Any]:
    text = documents.get(_id(result))
    return result if text is None else {**result, "document": text}


def _id(result: dict[str, Raw]) -> str:
    id: str = msgspec.json.decode(result["id"], type=str)
    return id
