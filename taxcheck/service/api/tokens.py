"""Tokens, for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from taxcheck.service.api.answers import DONE, REFUSALS, answer, told
from taxcheck.service.api.asking import Within
from taxcheck.service.store import tokens
from taxcheck.service.store.tokens import Token
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Admin, TheStore

TokenKey = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of a token.")]

router = APIRouter(prefix="/api/v1/tokens", tags=["tokens"], responses=REFUSALS)


class NewToken(BaseModel):
    """A token that is going to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="Who is going to show it.")
    scopes: list[Literal["push", "read", "run", "admin", "watch"]] = Field(
        min_length=1, max_length=5
    )
    project: str | None = Field(None, max_length=100, description="null: for all projects.")
    days: int | None = Field(None, ge=1, le=36_500, description="null: it does not expire.")


class Made(msgspec.Struct, frozen=True):
    """A token that was made."""

    text: str  # the token itself, which is shown this once
    token: Token


class Tokens(msgspec.Struct, frozen=True):
    """All of them, the newest first."""

    tokens: tuple[Token, ...]


@router.get("", responses=told(Tokens, "All tokens that were not revoked."))
def tokens_of(store: TheStore, caller: Admin, project: Within = None) -> Response:
    """List tokens; what they are is not kept, and not shown."""
    found = tokens.tokens(store, project)
    return answer(Tokens(tuple(one for one in found if caller.may("admin", one.project))))


@router.post("", status_code=201, responses=told(Made, "The token, shown this once.", 201))
def create(new: NewToken, store: TheStore, caller: Admin) -> Response:
    """Make a token."""
    allow(caller, "admin", new.project)
    text, token = tokens.create(
        store, new.name, new.scopes, project=new.project, days=new.days, person=caller.person
    )
    return answer(Made(text, token), 201, {"Cache-Control": "no-store"})


@router.delete("/{key}", status_code=204, responses=DONE)
def revoke(key: TokenKey, store: TheStore, caller: Admin) -> Response:
    """Make a token void, and the sessions that were made from it."""
    own(caller, "admin", tokens.one(store, key).project, f"token {key}")
    tokens.revoke(store, key, caller.person)
    return Response(status_code=204)
