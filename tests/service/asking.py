"""Clients of an application over a store, without a socket."""

from __future__ import annotations

import atexit
import warnings
from dataclasses import replace
from functools import cache
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from taxcheck.service.application import create_app
from taxcheck.service.store import tokens
from taxcheck.service.store.store import Store

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the client itself is built on
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:8740"


def application(store: Store, **settings: Any) -> Any:
    return create_app(replace(store, settings=replace(store.settings, **settings)))


def client(
    app: Any, token: str | None = None, peer: str = "127.0.0.1", **headers: str
) -> TestClient:
    """Somebody who asks from an address, with a token and headers (``_`` stands for ``-``)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    made = TestClient(
        app, base_url=ADDRESS, client=(peer, 50000), headers=sent, follow_redirects=False
    )
    made.portal = _portal()
    return made


@cache
def _portal() -> BlockingPortal:
    """One loop of events for all clients; each request would begin and end one of its own."""
    whole = start_blocking_portal()
    atexit.register(whole.__exit__, None, None, None)
    return whole.__enter__()


def token(store: Store, *scopes: str, project: str | None = None, **more: Any) -> str:
    return tokens.create(store, " ".join(scopes), scopes, project=project, **more)[0]


def asking(store: Store, *scopes: str, project: str | None = None, **settings: Any) -> TestClient:
    """Somebody with a token of these scopes."""
    return client(application(store, **settings), token(store, *scopes, project=project))


def problem(response: Any, status: int) -> str:
    """The sentence of a refusal, which has the form that all have."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["request"] == response.headers["x-request-id"]
    assert told["type"] == "about:blank"
    assert "\n" not in told["detail"]
    assert told["detail"]
    return str(told["detail"])
