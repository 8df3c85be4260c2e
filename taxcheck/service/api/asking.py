"""What routes of REST are handed beside what all routes are: a pusher, a body, parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from taxcheck.service.access import Caller
from taxcheck.service.web.handed import Writer
from taxcheck.service.web.limiter import Limiter
from taxcheck.service.web.refusals import RefusedRequestError

# curl sends the third of a file unless it is told otherwise; no header at all is as good
_JSON = ("", "application/json", "application/x-www-form-urlencoded", "application/octet-stream")


def _limited(request: Request, caller: Writer) -> Caller:
    """A caller who has not pushed too often in this minute; 429 says when to come again."""
    limiter: Limiter = request.app.state.pushes
    wait = limiter.wait((caller.person, caller.projects, request.state.visit.client))
    if wait:
        seconds = str(int(wait) + 1)
        raise RefusedRequestError(
            429, f"too many pushes; come again in {seconds} s", {"Retry-After": seconds}
        )
    return caller


async def _raw(request: Request, caller: Annotated[Caller, Depends(_limited)]) -> bytes:  # noqa: ARG001 - no body is read of whoever may not push
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        raise RefusedRequestError(415, f"a report is application/json, not {kind[:60]!r}")
    return await request.body()


Pusher = Annotated[Caller, Depends(_limited)]
Raw = Annotated[bytes, Depends(_raw)]

RUN_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
RunId = Annotated[str, Path(pattern=RUN_ID, description="Id of a run.")]
ProjectName = Annotated[str, Path(max_length=100)]
DatasetName = Annotated[str, Path(max_length=100)]
Within = Annotated[str | None, Query(max_length=100, description="Only of this project.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; it goes on there.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="Entries of a page.")]
