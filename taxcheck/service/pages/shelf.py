"""The files that pages load: style, scripts, icon. Their addresses name their content."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from taxcheck.run.registry import load_pages
from taxcheck.service.store.errors import NotThereError

router = APIRouter(include_in_schema=False)


@router.get("/static/{digest}/{name}")
def file(request: Request) -> Response:
    """A file, for ever: another content has another address."""
    found = load_pages()[1].get(request.url.path)
    if found is None:
        raise NotThereError("there is nothing at this address")
    kind, content = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=kind, headers=headers)
