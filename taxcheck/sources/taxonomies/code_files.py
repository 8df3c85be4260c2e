"""Published lists of codes: MeSH's mtrees.bin and descriptors, enzyme.dat and enzclass.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import Candidate
from taxcheck.sources.taxonomies.codes import (
    TREE_NUMBER,
    Coded,
    above_by_dots,
    hierarchy_of_codes,
)
from taxcheck.sources.taxonomies.hierarchy import Hierarchy, Retired
from taxcheck.sources.taxonomies.text_file import TextFile

CodeFile = Literal["mtrees", "mesh", "enzyme", "enzclass", ""]
_MTREE = re.compile(rf"(.+);({TREE_NUMBER.pattern})")
_CLASS = re.compile(r"([1-7]\.[ \d-]{2}\.[ \d-]{2}\.-)\s+(\S.*)")
_TRANSFERRED = re.compile(r"Transferred entry: *(.*)")
_NUMBER = re.compile(r"\d+\.\d+\.\d+\.n?\d+")
_LINES = 50


def code_file(candidate: Candidate) -> CodeFile:
    """Which list it is; "" where it is none of them."""
    if not candidate.is_text:
        return ""
    head = candidate.unpacked.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line.rstrip("\r") for line in head.split("\n")[:-1] if line.strip()][:_LINES]
    if not lines:
        return ""
    if all(map(_MTREE.fullmatch, lines)):
        return "mtrees"
    if lines[0] == "*NEWRECORD":
        return "mesh"
    if any(re.match(r"ID   \d+\.\d+\.", line) for line in lines) and "//" in lines:
        return "enzyme"
    return "enzclass" if sum(bool(_CLASS.fullmatch(one.strip())) for one in lines) > 2 else ""


def read_code_file(path: str) -> Hierarchy:
    """Descriptors by their names or ids, enzymes and classes of them by their codes."""
    source = TextFile(path)
    kind = code_file(Candidate(path))
    coded, notes = Coded(), []
    if kind == "mtrees":
        _mtrees(source, coded)
    elif kind == "mesh":
        _mesh(source, coded)
    elif kind == "enzyme":
        _enzyme(source, coded)
    else:
        for _, line in source.lines():
            if found := _CLASS.fullmatch(line.strip()):
                code = found[1].replace(" ", "")
                coded.add(code, found[2].rstrip("."))
    if kind in ("mtrees", "mesh"):
        notes.append("a descriptor with several tree numbers has several parents")
    if not coded.codes:
        raise InputError(f"{source.path}: holds no code")
    named = "MeSH" if kind in ("mtrees", "mesh") else "enzyme codes"
    return hierarchy_of_codes(coded, above_by_dots, source.origin(named), notes)


def _mtrees(source: TextFile, coded: Coded) -> None:
    for number, line in source.lines():
        if not line.strip():
            continue
        found = _MTREE.fullmatch(line.strip())
        if found is None:
            raise InputError(
                f"{source.path}: line {number:,} is no 'name;A01.236'; the file may be truncated"
            )
        coded.add(found[2], found[1], found[1])


def _mesh(source: TextFile, coded: Coded) -> None:
    for fields in _records(source, "*NEWRECORD", " = "):
        identifiers, names = fields.get("UI", []), fields.get("MH", [])
        for code in fields.get("MN", []):
            if not identifiers or TREE_NUMBER.fullmatch(code) is None:
                raise InputError(
                    f"{source.path}: a record with the tree number {code[:40]!r} has no UI"
                )
            coded.add(code, names[0] if names else None, identifiers[0])


def _enzyme(source: TextFile, coded: Coded) -> None:
    for fields in _records(source, "//", "   "):
        code = (fields.get("ID") or [""])[0].strip()
        name = " ".join(one.strip() for one in fields.get("DE", [])).rstrip(".")
        if not code:
            continue
        if moved := _TRANSFERRED.match(name):
            to = _NUMBER.findall(moved[1])
            one = to[0] if len(to) == 1 else None
            coded.retired[code] = Retired(one, "was transferred to" if one else "was transferred")
        elif name.startswith("Deleted entry"):
            coded.retired[code] = Retired(None, "was deleted")
        else:
            coded.add(code, name)


def _records(source: TextFile, mark: str, between: str) -> Iterator[dict[str, list[str]]]:
    """Fields of the records that a mark begins or ends."""
    fields: dict[str, list[str]] = {}
    for _, line in source.lines():
        text = line.rstrip("\n")
        if text.strip() == mark:
            yield fields
            fields = {}
            continue
        key, found, value = text.partition(between)
        if found:
            fields.setdefault(key.strip(), []).append(value.strip())
    yield fields
