"""How REST answers: values of the store as JSON, described in OpenAPI by their own classes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from taxcheck.model.schema import described
from taxcheck.model.written import to_json
from taxcheck.service.web.refusals import PROBLEM

_JSON = "application/json"
_KINDS: dict[str, type] = {}
_PLACE = "#/components/schemas/"
_NAMED = "x-taxcheck-kind"  # stands in a description until it is put together


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(to_json(value), status, dict(headers or {}), _JSON)


def tag_of(*parts: object) -> str:
    """The ETag of what follows from these parts alone; weak, since it may be packed on its way."""
    told = "\0".join(map(str, parts)).encode()
    return f'W/"{hashlib.sha256(told).hexdigest()[:32]}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """304 where the client has this already."""
    has = {part.strip() for part in request.headers.get("if-none-match", "").split(",")}
    if has & {tag, tag.removeprefix("W/"), "*"}:
        return Response(status_code=304, headers={"ETag": tag})
    return None


def told(kind: type, description: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that answers with a value of this class."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    _KINDS[name] = kind
    schema = {_NAMED: name}
    content = {_JSON: {"schema": schema}}
    return {status: {"description": description, "content": content}}


def _refusal(description: str) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": f"{_PLACE}Problem"}}}
    return {"description": description, "content": content}


REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": _refusal("What is refused, and why, in one sentence."),
    422: _refusal("It can be read, and is not what may be asked for or kept."),
    "5XX": _refusal("What this server cannot do at the moment, and why."),
}

DONE: dict[int | str, dict[str, Any]] = {204: {"description": "It is done."}}

_PROBLEM = {
    "type": "object",
    "description": "Why there is no other answer (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What HTTP calls the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What the command line would print."},
        "request": {"type": "string", "description": "By which the log knows the request."},
    },
}


def with_kinds(description: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI description in which the answers of all routes are described by their classes."""
    names = list(_KINDS)
    kinds = [_KINDS[name] for name in names]
    refs, found = described(kinds, f"{_PLACE}{{name}}")
    by_name = dict(zip(names, refs, strict=True))
    asked = description.get("components", {}).get("schemas", {})
    # What is asked has classes of its own, of which one may have the name of a value.
    moved = {f"{_PLACE}{name}": f"{_PLACE}Asked{name}" for name in asked.keys() & found.keys()}

    def put(part: Any) -> Any:
        if isinstance(part, dict):
            if _NAMED in part:
                return by_name[part[_NAMED]]
            if part.get("$ref") in moved:
                return {"$ref": moved[part["$ref"]]}
            return {key: put(value) for key, value in part.items()}
        return [put(value) for value in part] if isinstance(part, list) else part

    whole: dict[str, Any] = put(description)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for old, new in moved.items():
        schemas[new.removeprefix(_PLACE)] = schemas.pop(old.removeprefix(_PLACE))
    for unused in ("HTTPValidationError", "ValidationError"):  # REFUSALS stand in for them
        schemas.pop(unused, None)
    schemas |= {"Problem": _PROBLEM, **found}
    return whole
