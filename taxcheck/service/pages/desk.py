"""What every route of a page does: who looks, the frame around the page, the page itself."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from taxcheck import __version__
from taxcheck.run.registry import load_pages
from taxcheck.service.access import Caller
from taxcheck.service.pages.values import Frame
from taxcheck.service.store.database import now
from taxcheck.service.store.tokens import SCOPES
from taxcheck.service.web.guard import cookie_name, visit_in
from taxcheck.service.web.session import form

# What a form may say that it has done: the address carries the word, never the sentence.
SAID = {
    "pinned": "The run is pinned: it stays, however old it becomes.",
    "unpinned": "The run is no longer pinned.",
    "baseline": "This run is the baseline from now on.",
    "no-baseline": "The newest run that passed is the baseline from now on.",
    "noted": "The note was added.",
    "erased": "The samples of the run were erased.",
    "removed": "It was removed.",
    "revoked": "The token was revoked, with all sessions made of it.",
    "swept": "What need not be kept was removed.",
    "paused": "The webhook was changed.",
    "cancelled": "The job is being cancelled.",
}


Fields = Annotated[dict[str, str], Depends(form)]


def frame(request: Request, caller: Caller | None) -> Frame:
    """What stands around a page."""
    scopes = frozenset(s for s in SCOPES if caller is not None and caller.has(s))
    return Frame(
        now=now(),
        version=__version__,
        person=None if caller is None else caller.person,
        scopes=scopes,
        leaves=cookie_name(visit_in(request)) in request.cookies,
        said=SAID.get(request.query_params.get("done", ""), ""),
    )


def page(name: str, value: Any, status: int = 200) -> Response:
    """The page, drawn."""
    return HTMLResponse(load_pages()[0][name](value), status)


def go(address: str, done: str = "") -> Response:
    """After a form: to the page that shows what it did."""
    where, mark, anchor = address.partition("#")
    said = f"?{urlencode({'done': done})}" if done else ""
    return RedirectResponse(f"{where}{said}{mark}{anchor}", 303)
