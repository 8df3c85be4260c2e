"""The JSON of reports and comparisons as tables, one for each object of their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from docs.generate.markdown import Page, code, prose, table
from taxcheck.commands.compare.comparison import comparison_schema
from taxcheck.model.schema import report_schema

Schema = Mapping[str, object]
SCHEMAS = {
    "reference/report-json.md": (
        report_schema,
        "report",
        "Report as JSON",
        "taxcheck run --json",
    ),
    "reference/comparison-json.md": (
        comparison_schema,
        "comparison",
        "Comparison as JSON",
        "taxcheck compare --json",
    ),
}


def pages() -> Iterator[Page]:
    """A page for each schema."""
    for path, (schema, name, title, command) in SCHEMAS.items():
        yield Page(path, _page(schema(), name, title, command))


def _page(schema: Mapping[str, object], name: str, title: str, command: str) -> str:
    parts = [
        f"# {title}",
        f"What `{command}` writes, by the JSON Schema that `taxcheck schema {name}` prints. "
        "Within a major version keys are added, and none is removed or changed in meaning.",
        prose(str(schema.get("description", ""))),
        *_object("The document", schema),
    ]
    for name, definition in _mapping(schema, "$defs").items():
        parts += [f"## {name} {{ #{name} }}", *_object("", definition)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _mapping(schema: Mapping[str, object], key: str) -> dict[str, dict[str, object]]:
    found = schema.get(key, {})
    assert isinstance(found, dict)
    return found


def _object(title: str, schema: Mapping[str, object]) -> Iterator[str]:
    """A heading, then a row for each key, those of objects inside with their path."""
    if title:
        yield f"## {title}"
    elif "description" in schema:
        yield prose(str(schema["description"]))
    rows = list(_rows(schema, ""))
    yield table(("key", "holds", "meaning"), rows) if rows else f"Is {_kind(schema)}."


def _rows(schema: Mapping[str, object], above: str) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    assert isinstance(required, list | tuple)
    for key, value in _mapping(schema, "properties").items():
        path = f"{above}{key}"
        there = "" if key in required else " May be absent."
        yield code(path), _kind(value), prose(str(value.get("description", ""))) + there
        inner = value["items"] if value.get("type") == "array" else value
        if isinstance(inner, dict) and "properties" in inner:
            yield from _rows(inner, f"{path}[]." if inner is not value else f"{path}.")


def _kind(schema: Mapping[str, object]) -> str:
    """The type of a value in words, with links to the objects of their own."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name})"
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        assert isinstance(schema["enum"], list)
        return ", ".join(code(json.dumps(word)) for word in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            choices = schema[key]
            assert isinstance(choices, list)
            return " or ".join(map(_kind, choices))
    return _typed(schema)


def _typed(schema: Mapping[str, object]) -> str:
    named = schema.get("type", "any value")
    kinds = [str(kind) for kind in named] if isinstance(named, list) else [str(named)]
    if "array" in kinds and isinstance(items := schema.get("items"), dict):
        kinds[kinds.index("array")] = f"list of {_kind(items)}"
    if isinstance(each := schema.get("prefixItems"), list):
        kinds[kinds.index("array")] = f"list of {len(each)}: {', '.join(map(_kind, each))}"
    further = schema.get("additionalProperties")
    if "object" in kinds and isinstance(further, dict):
        kinds[kinds.index("object")] = f"object, each value {_kind(further)}"
    return " or ".join(kinds)
