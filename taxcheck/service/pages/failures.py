"""What went wrong, as a page, for whoever asked for one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from fastapi import Request, Response

from taxcheck.model.errors import TaxcheckError
from taxcheck.service.access import Caller
from taxcheck.service.pages.desk import frame, page
from taxcheck.service.pages.values import Failure, Login
from taxcheck.service.web.guard import caller_of, visit_in
from taxcheck.service.web.session import local

_OTHERS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/")


def wants_page(request: Request) -> bool:
    """Whether a person asks, and not a program."""
    return not request.url.path.startswith(_OTHERS)


def failed(
    request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The sentence in a page; whoever has to sign in first is asked to."""
    caller: Caller | None = None
    with suppress(TaxcheckError):  # a database that is away knows nobody
        caller = caller_of(request)
    around = frame(request, caller)
    if status == 401:
        asked = local(str(request.url.path)) if request.method == "GET" else "/"
        shown = "authorization" in request.headers or around.leaves
        answer = page("login", Login(around, asked, sentence if shown else ""), status)
    else:
        answer = page("failure", Failure(around, status, sentence, visit_in(request).id), status)
    answer.headers.update(headers or {})
    return answer
