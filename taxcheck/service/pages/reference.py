"""The description of REST for people: what OpenAPI says, on a page that needs no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from taxcheck.service.pages.desk import frame, page
from taxcheck.service.pages.values import Chapter, Described, Field, Frame, Operation, Reference
from taxcheck.service.web.guard import caller_of

router = APIRouter(include_in_schema=False)

Part = Mapping[str, Any]
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "object",
}
_JSON = "application/json"


@router.get("/docs")
def reference(request: Request) -> Response:
    """All that can be asked for; it holds no data, and everybody may read it."""
    return page(
        "reference", reference_of(frame(request, caller_of(request)), request.app.openapi())
    )


def reference_of(around: Frame, description: Part) -> Reference:
    """What an OpenAPI description says, in its order."""
    schemas = description["components"]["schemas"]
    chapters: dict[str, list[Operation]] = {}
    for path, operations in description["paths"].items():
        for method, told in operations.items():
            one = _operation(method, path, told, schemas)
            chapters.setdefault(told["tags"][0], []).append(one)
    return Reference(
        around,
        description["info"]["description"],
        tuple(Chapter(name, tuple(found)) for name, found in chapters.items()),
        tuple(
            Described(name, schema.get("description", ""), tuple(_fields(schema)))
            for name, schema in sorted(schemas.items())
        ),
    )


def _operation(method: str, path: str, told: Part, schemas: Part) -> Operation:
    scopes = [scope for one in told.get("security", ()) for scope in one.get("token", ())]
    content = told.get("requestBody", {}).get("content", {})
    body = _resolved(content.get(_JSON, {}).get("schema", {}), schemas)
    fields = tuple(_fields(body))
    return Operation(
        method=method.upper(),
        path=path,
        said=told.get("description", ""),
        scope=scopes[0] if scopes else None,
        parameters=tuple(_parameters(told.get("parameters", ()))),
        body=fields,
        sent="" if fields else told.get("requestBody", {}).get("description", ", ".join(content)),
        answers=tuple(
            (code, _answer(response))
            for code, response in sorted(told["responses"].items())
            if code.startswith("2")
        ),
    )


def _parameters(found: Sequence[Part]) -> Iterator[Field]:
    for one in found:
        kind = _kind(one["schema"]).removesuffix(" or null")  # it is left out instead
        where = "" if one["in"] == "query" else f", in the {one['in']}"
        yield Field(
            one["name"], f"{kind}{where}", one.get("required", False), one.get("description", "")
        )


def _fields(schema: Part) -> Iterator[Field]:
    needed = set(schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        yield Field(name, _kind(part), name in needed, part.get("description", ""))


def _answer(response: Part) -> str:
    said = str(response["description"])
    schema = response.get("content", {}).get(_JSON, {}).get("schema")
    return f"{_kind(schema)}. {said}" if schema else said


def _kind(schema: Part) -> str:
    """What a value is, in words."""
    if reference := schema.get("$ref"):
        return str(reference).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}" if schema.get("items") else "list"
    if values := schema.get("additionalProperties"):
        return f"object of {_kind(values)}" if isinstance(values, Mapping) else "object"
    return _KINDS.get(schema.get("type", ""), "anything")


def _resolved(schema: Part, schemas: Part) -> Part:
    found: Part = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found
