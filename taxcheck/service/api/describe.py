"""The description of REST: OpenAPI for programs, and a page for people that needs no script."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

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
    """What can be done at an address, as far as it is described."""
    found: set[str] = set()
    for template, operations in description_of(app)["paths"].items():
        if re.fullmatch(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template)), path):
            found |= {method.upper() for method in operations}
    return sorted(found)


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> Response:
    """The description for programs."""
    return answer(request.app.openapi(), headers={"Cache-Control": "public, max-age=300"})
