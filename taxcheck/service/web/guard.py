"""Who a request comes from, and whether it may do what it asks for.

A route says what it needs: ``caller: Annotated[Caller, needs("read")]``. Where its address or its
query names a project, that is looked at here; what belongs to a project that only the store knows,
``own`` looks at. A test goes through all routes and lets none be without.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from taxcheck.service.access import ANYONE, Caller, caller_with, member
from taxcheck.service.store import tokens
from taxcheck.service.store.errors import NotThereError
from taxcheck.service.store.store import Store
from taxcheck.service.web.refusals import RefusedRequestError, unknown_caller
from taxcheck.service.web.visit import Visit

_BEARER = "bearer "
_UNKNOWN = "this token is not known here, was revoked, or has expired"


class Needs(SecurityBase):
    """A scope that a route needs; ``everywhere`` where it is about all projects at once."""

    scheme_name = "token"

    def __init__(self, scope: str, everywhere: bool = False) -> None:
        self.model = HTTPBearer(description="A token of `taxcheck token create`.")
        self.scope = scope
        self.everywhere = everywhere

    def __call__(self, request: Request) -> Caller:
        """The caller, or the refusal: 401 where nobody is known, 403 where it is not allowed."""
        shown = request.query_params.get("token") if self.scope == "watch" else None
        caller = caller_of(request) if shown is None else _in_address(request, shown)
        if caller is None:
            raise unknown_caller()
        project = request.path_params.get("project") or request.query_params.get("project")
        if self.everywhere:
            allowed = caller.may(self.scope)
        elif project:
            allowed = caller.may(self.scope, project)
        else:
            allowed = caller.has(self.scope)
        if not allowed:
            raise forbidden(caller, self.scope, project)
        return caller


def needs(scope: str, *, everywhere: bool = False) -> Any:
    """What a route declares, of "push", "read", "run" and "admin"; it is handed the caller."""
    return Security(Needs(scope, everywhere), scopes=[scope])


def caller_of(request: Request) -> Caller | None:
    """Who asks; None where nothing was shown. A token or session that is not known is refused."""
    store: Store = request.app.state.store
    settings, visit = store.settings, visit_in(request)
    shown = request.headers.get("authorization", "")
    if shown:
        text = shown[len(_BEARER) :].strip() if shown.lower().startswith(_BEARER) else ""
        token = tokens.known(store, text)
        if token is None:
            raise unknown_caller(_UNKNOWN)
        return caller_with(token)
    if visit.person:
        return member(visit.person, settings)
    if cookie := request.cookies.get(cookie_name(visit)):
        session = tokens.visitor(store, cookie)
        if session is not None:
            return caller_with(session)
    return ANYONE if settings.open else None


def _in_address(request: Request, text: str) -> Caller:
    """Whoever shows a token in the address, as pictures and feeds have to.

    Whoever sees the address may use it: one that could do anything else is refused.
    """
    token = tokens.known(request.app.state.store, text)
    if token is None:
        raise unknown_caller(_UNKNOWN)
    if token.scopes != ("watch",):
        raise RefusedRequestError(
            403, "a token in an address may have the scope watch and no other; revoke this one"
        )
    return caller_with(token)


def forbidden(caller: Caller, scope: str, project: str | None) -> RefusedRequestError:
    """The sentence for what a caller may not do."""
    where = f" in project {project}" if project else ""
    if not caller.has(scope) or caller.projects is None:
        has = ", ".join(sorted(caller.scopes)) or "nothing"
        return RefusedRequestError(
            403, f"{caller.person} may not do this{where}: it needs scope {scope}, and has {has}"
        )
    only = ", ".join(sorted(caller.projects)) or "no project"
    return RefusedRequestError(403, f"{caller.person} may not do this{where}, only in {only}")


def allow(caller: Caller, scope: str, project: str | None) -> None:
    """403 unless the caller may do this in a project that the request names; None is all."""
    if not caller.may(scope, project):
        raise forbidden(caller, scope, project)


def own(caller: Caller, scope: str, project: str | None, what: str) -> None:
    """The same of ``what`` the store has in a project: NotThereError where that may not be read.

    Whether it exists at all is then not told.
    """
    if not caller.may(scope, project):
        if caller.projects is not None and project not in caller.projects:
            raise NotThereError(f"{what}: is not here")
        raise forbidden(caller, scope, project)


def visit_in(request: Request) -> Visit:
    """What the door found out about a request."""
    visit: Visit = request.state.visit
    return visit


def cookie_name(visit: Visit) -> str:
    """The cookie of a session; behind https, one that no other host and no http can set."""
    return "__Host-taxcheck" if visit.scheme == "https" else "taxcheck"
