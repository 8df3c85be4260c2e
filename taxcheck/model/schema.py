"""The JSON Schema of what is written down, made of the classes that hold it.

What it says of a field is the comment beside that field.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as told
from msgspec import Struct

from taxcheck.model.report import SCHEMA_VERSION, Report

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FIELD = re.compile(r"    (\w+): .*  # (.+)")
_MORE = re.compile(r"    #(?: \^|   ) (.+)")  # the comment of a field goes on below it


def report_schema() -> dict[str, Any]:
    """The JSON Schema of `taxcheck run --json`."""
    return json_schema(Report, "report", SCHEMA_VERSION)


def json_schema(kind: type[Struct], name: str, version: str) -> dict[str, Any]:
    """The schema of a value's JSON, in which every key is always there."""
    _, found = described([kind], "#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        "$id": f"urn:taxcheck:{name}:{version}",
        **found.pop(kind.__name__),
        "title": f"taxcheck {name}",
        "$defs": found,
    }


def described(
    kinds: Sequence[type], template: str
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """A reference to each of these classes, and by name the schemas of all they are made of.

    Every key is always there, but for classes that leave defaults out. ``template`` is how one
    schema refers to another: "#/$defs/{name}".
    """
    classes = [*kinds, *(one for one in _classes(kinds) if one not in kinds)]
    references, found = msgspec.json.schema_components(classes, ref_template=template)
    end = len(template.partition("{name}")[0])
    for one, reference in zip(classes, references, strict=True):
        schema, said = found[reference["$ref"][end:]], _comments(one)
        if "properties" not in schema:  # it is written as a list of its fields
            continue
        schema["additionalProperties"] = False
        config = getattr(one, "__struct_config__", None)
        if config is None or not config.omit_defaults:
            schema["required"] = list(schema["properties"])
        for key, part in schema["properties"].items():
            part.pop("default", None)
            if key in said:
                part["description"] = said[key]
    for schema in found.values():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
    return list(references[: len(kinds)]), found


def _classes(kinds: Sequence[type]) -> Iterator[type]:
    """These classes and all that their fields are made of."""
    waiting, seen = [told.type_info(kind) for kind in kinds], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, told.StructType | told.DataclassType) and one.cls not in seen:
            seen.add(one.cls)
            yield one.cls
            waiting += [field.type for field in one.fields]
        inner = [getattr(one, at, None) for at in ("key_type", "value_type", "item_type")]
        waiting += [part for part in inner if part is not None]
        waiting += [*getattr(one, "types", ()), *getattr(one, "item_types", ())]


@cache
def _sources(module: str) -> dict[str, list[str]]:
    """The lines of each class of a module that stands in no other; none where there is no source.

    The module is parsed once, which for every class takes a while.
    """
    try:
        text = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    lines = text.splitlines()
    return {
        node.name: lines[node.lineno - 1 : node.end_lineno]
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    }


def _comments(kind: type) -> dict[str, str]:
    """The comments of a class's fields, by their names in JSON; none where there is no source."""
    lines = _sources(kind.__module__).get(kind.__qualname__, ())
    about = told.type_info(kind)
    assert isinstance(about, told.StructType | told.DataclassType)
    written = {field.name: field.encode_name for field in about.fields}
    said: dict[str, str] = {}
    last = ""
    for line in lines:
        if (found := _FIELD.match(line)) and found[1] in written:
            last = written[found[1]]
            said[last] = found[2]
        elif (more := _MORE.match(line)) and last:
            said[last] += f" {more[1]}"
        elif (bare := re.match(r"    (\w+): ", line)) and bare[1] in written:
            last = written[bare[1]]
            said[last] = ""
        else:
            last = ""
    return {key: comment.strip() for key, comment in said.items() if comment}
