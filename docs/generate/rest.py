"""The page of REST: every address, from the description that the server itself gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from docs.generate.markdown import Page, code, prose, table
from taxcheck import __version__
from taxcheck.service.api import ROUTERS
from taxcheck.service.api.describe import description_of

PATH = "reference/rest.md"
Described = Mapping[str, Any]


def described() -> Described:
    """The OpenAPI description, of the routes alone: no server is started for it."""
    app = FastAPI(version=__version__)
    for router in ROUTERS:
        app.include_router(router)
    return description_of(app)


def pages() -> Iterator[Page]:
    """The one page."""
    said = described()
    parts = [
        "# REST",
        "What programs may ask of a [service](../how-to/set-up-the-service.md). The same is at "
        "`/api/v1/openapi.json` of each server, for programs.",
        prose(str(said["info"]["description"])),
    ]
    of_tag: dict[str, list[str]] = {}
    for path, operations in said["paths"].items():
        for method, one in operations.items():
            tag = next(iter(one.get("tags", ())), "other")
            of_tag.setdefault(tag, []).extend(_operation(method.upper(), path, one))
    for tag, operations in of_tag.items():
        parts += [f"## {tag.capitalize()} {{ #{tag} }}", *operations]
    parts += ["## What answers hold { #values }", *_values(said["components"]["schemas"])]
    yield Page(PATH, "\n\n".join(filter(None, parts)) + "\n")


def _operation(method: str, path: str, one: Described) -> Iterator[str]:
    yield f"### {code(f'{method} {path}')} {{ #{one['operationId']} }}"
    yield prose(str(one.get("description") or one.get("summary", "")))
    if parameters := one.get("parameters"):
        yield table(("parameter", "in", "is", "meaning"), map(_parameter, parameters))
    if body := one.get("requestBody"):
        kinds = ", ".join(code(kind) for kind in body["content"])
        yield f"Body: {kinds}. {prose(str(body.get('description', '')))}".strip()
    rows = [
        (code(status), prose(str(answer["description"])), _kinds(answer))
        for status, answer in sorted(one["responses"].items())
        if not status.endswith("XX")
    ]
    yield table(("status", "means", "holds"), rows)


def _values(schemas: Described) -> Iterator[str]:
    """A table of the fields of each value that an answer or a body holds."""
    for name, schema in schemas.items():
        if fields := schema.get("properties"):
            yield f"### {name}"
            yield prose(str(schema.get("description", "")))
            yield table(("field", "is"), [(code(key), _kind(one)) for key, one in fields.items()])


def _parameter(one: Described) -> tuple[str, str, str, str]:
    schema = one.get("schema", {})
    needed = "" if not one.get("required") or one["in"] == "path" else ", needed"
    return (
        code(one["name"]),
        one["in"],
        f"{_kind(schema)}{needed}",
        prose(str(one.get("description", ""))),
    )


def _kind(schema: Described) -> str:
    """What a value can be, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"]))
    if "$ref" in schema:
        return code(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        each = schema.get("prefixItems") or [schema.get("items") or {}]
        return f"several: {', '.join(map(_kind, each))}"
    default = f", {code(schema['default'])} unless given" if "default" in schema else ""
    return f"{schema.get('format') or schema.get('type', 'anything')}{default}"


def _kinds(answer: Described) -> str:
    """The names of what an answer holds."""
    found = []
    for kind, content in answer.get("content", {}).items():
        name = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
        found.append(code(name or kind))
    return ", ".join(found)
