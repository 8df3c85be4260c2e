"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from taxcheck.service.pages.desk import Fields, frame, go, page
from taxcheck.service.pages.values import Login
from taxcheck.service.web import session
from taxcheck.service.web.guard import caller_of

router = APIRouter(include_in_schema=False)


@router.get("/login")
def ask(request: Request, back: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """The form that asks for a token."""
    return page("login", Login(frame(request, caller_of(request)), session.local(back)))


@router.post("/login")
def begin(request: Request, fields: Fields) -> Response:
    """Make a session of the token, and go where the person wanted to."""
    back = session.local(fields.get("back"))
    answer = go(back)
    if session.begin(request, answer, fields.get("token", "")):
        return answer
    line = "this token is not known here, was revoked, or has expired"
    return page("login", Login(frame(request, None), back, line), 401)


@router.post("/logout")
def end(request: Request) -> Response:
    """Forget the session."""
    answer = go("/login")
    session.end(request, answer)
    return answer
