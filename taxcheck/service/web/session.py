"""Sessions of people: /login makes one of a token, /logout ends it, a cookie carries it.

The cookie holds a token of its own that lives for hours; no script can read it, and no page of
another site makes a browser send it.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from fastapi import Request, Response

from taxcheck.service.store import tokens
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import cookie_name, visit_in
from taxcheck.service.web.refusals import RefusedRequestError

_SECONDS = tokens.SESSION_HOURS * 3600
_FIELDS = 100  # of a form


def begin(request: Request, response: Response, text: str) -> bool:
    """Have the response carry a session for whoever shows this token; False where it is none."""
    store: Store = request.app.state.store
    found = tokens.begin_session(store, text.strip())
    if found is None:
        return False
    visit = visit_in(request)
    response.set_cookie(
        cookie_name(visit),
        found,
        max_age=_SECONDS,
        path="/",
        secure=visit.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return True


def end(request: Request, response: Response) -> None:
    """Forget the session that a request carries, here and in the browser."""
    visit = visit_in(request)
    name = cookie_name(visit)
    if cookie := request.cookies.get(name):
        tokens.end_session(request.app.state.store, cookie)
    response.delete_cookie(
        name, path="/", secure=visit.scheme == "https", httponly=True, samesite="strict"
    )


def local(address: str | None) -> str:
    """Where to go back to: an address of this server, and of no other; else its first page."""
    if not address or not address.startswith("/") or "\\" in address or not address.isprintable():
        return "/"
    parts = urlsplit(address)
    return address if not parts.netloc and not address.startswith("//") else "/"


async def form(request: Request) -> dict[str, str]:
    """The fields of a form as a browser sends it, the last of each name."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise RefusedRequestError(422, f"a form has at most {_FIELDS} fields") from None
