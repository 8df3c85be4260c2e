"""The description of REST: OpenAPI for programs, and a page for people that needs no script."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from taxcheck.service.api.answers import answer, with_kinds

router = APIRouter(prefix="/api/v1")

_ABOUT = (
    "Runs of taxcheck, kept, compared and asked for. Whatever changes something, and whatever is "
    "not meant for everybody, takes a token: `Authorization: Bearer tck_…`. What is refused is "
    "told as application/problem+json, in one sentence. Moments are milliseconds since "
    "1970-01-01 UTC."
)


def description_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of an application, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = with_kinds(
            get_openapi(
                title="taxcheck",
                version=app.version,
                description=_ABOUT,
                routes=app.routes,
            )
        )
    return app.openapi_schema


def methods_at(app: FastAPI, path: str) -> list[str]:
    """What can be done at an address, of REST and of the pages."""
    found: set[str] = set()
    for route in iter_route_contexts(app.routes):
        template = re.sub(r"\\\{\w+:path\\\}", ".+", re.escape(str(route.path)))
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", template), path):
            found |= set(route.methods or ())
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> Response:
    """The description for programs."""
    return answer(request.app.openapi(), headers={"Cache-Control": "public, max-age=300"})
