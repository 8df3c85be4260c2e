"""Tokens: made, shown once, kept as a hash, void; and the sessions that people make of them."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from fastapi import Request, Response

from taxcheck.service.store import tokens
from taxcheck.service.store.errors import NotThereError, RefusedError
from taxcheck.service.store.store import Store
from taxcheck.service.web import session
from tests.service.asking import application, asking, client, problem

DAY = 24 * 3_600_000


def test_a_token_is_kept_nowhere_as_it_is(store: Store) -> None:
    text, made = tokens.create(store, "ci", ["push"])
    assert re.fullmatch(r"tck_[A-Za-z0-9_-]{43}", text)
    assert tokens.known(store, text).key == made.key  # type: ignore[union-attr]
    session = tokens.begin_session(store, text)
    store.close()
    kept = b"".join(p.read_bytes() for p in store.settings.data.rglob("*") if p.is_file())
    if store.database.is_sqlite:
        assert b"ci" in kept
    for secret in (text, session, text[4:]):
        assert str(secret).encode() not in kept


def test_two_tokens_are_never_equal_and_near_ones_are_none(store: Store) -> None:
    made = {tokens.create(store, "ci", ["push"])[0] for _ in range(20)}
    assert len(made) == 20
    text = made.pop()
    for wrong in (text[:-1], text + "A", text.swapcase(), text[4:], "tcs_" + text[4:], "", "tck_",
                  text + "\x00", "tck_é"):  # fmt: skip
        assert tokens.known(store, wrong) is None


def test_a_token_ends_when_it_was_said_to(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    text, made = tokens.create(store, "ci", ["push"], days=2)
    lasting, _ = tokens.create(store, "ci", ["push"])
    assert made.expires is not None
    for moment, valid in ((made.expires - 1, True), (made.expires, False)):
        monkeypatch.setattr(tokens, "now", lambda moment=moment: moment)
        assert (tokens.known(store, text) is not None) == valid
        assert tokens.known(store, lasting) is not None


def test_a_void_token_takes_its_sessions_along(store: Store) -> None:
    text, made = tokens.create(store, "ada", ["admin"])
    other, _ = tokens.create(store, "grace", ["read"])
    cookies = [tokens.begin_session(store, text) for _ in range(3)]
    own = tokens.begin_session(store, other)
    assert all(tokens.visitor(store, str(one)) for one in cookies)
    tokens.revoke(store, made.key)
    assert not any(tokens.visitor(store, str(one)) for one in cookies)
    assert tokens.known(store, text) is None
    assert tokens.visitor(store, str(own)) is not None
    with pytest.raises(NotThereError):
        tokens.revoke(store, made.key)
    assert [one.name for one in tokens.tokens(store)] == ["grace"]


def test_a_session_is_no_token_and_a_token_no_session(store: Store) -> None:
    text, _ = tokens.create(store, "ada", ["admin"])
    cookie = str(tokens.begin_session(store, text))
    assert tokens.known(store, cookie) is None
    assert tokens.visitor(store, text) is None
    assert tokens.begin_session(store, cookie) is None
    app = application(store)
    problem(client(app, cookie).get("/api/v1/runs"), 401)
    problem(client(app).get("/api/v1/runs", headers={"Cookie": f"taxcheck={text}"}), 401)
    good = client(app).get("/api/v1/runs", headers={"Cookie": f"taxcheck={cookie}"})
    assert good.status_code == 200


def test_a_session_lives_for_hours_and_not_longer_than_its_token(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, _ = tokens.create(store, "ada", ["read"])
    cookie, start = str(tokens.begin_session(store, text)), tokens.now()
    hours = tokens.SESSION_HOURS * 3_600_000
    monkeypatch.setattr(tokens, "now", lambda: start + hours - 60_000)
    assert tokens.visitor(store, cookie) is not None
    monkeypatch.setattr(tokens, "now", lambda: start + hours + 60_000)
    assert tokens.visitor(store, cookie) is None
    short, made = tokens.create(store, "ada", ["read"], days=1)
    assert made.expires is not None
    monkeypatch.setattr(tokens, "now", lambda: made.expires - 1000)
    late = str(tokens.begin_session(store, short))
    monkeypatch.setattr(tokens, "now", lambda: made.expires)
    assert tokens.visitor(store, late) is None


def signed_in(store: Store, text: str, **visit: Any) -> tuple[bool, Any]:
    """The cookie that somebody gets who shows a token at a route as /login is one."""
    app = application(store, proxies=("10.0.0.1",), names=("runs.example.org",))

    @app.post("/try")
    def enter(request: Request) -> Response:
        response = Response()
        done = session.begin(request, response, text)
        response.headers["X-Done"] = str(done)
        return response

    answer = client(app, **visit).post("/try")
    return answer.headers["X-Done"] == "True", SimpleCookie(answer.headers.get("set-cookie", ""))


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(store: Store) -> None:
    text, _ = tokens.create(store, "ada", ["read"])
    done, cookies = signed_in(store, f" {text}\n")
    assert done
    ((name, cookie),) = cookies.items()
    assert (name, cookie["httponly"], cookie["samesite"], cookie["secure"]) == (
        "taxcheck", True, "strict", "",
    )  # fmt: skip
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    done, cookies = signed_in(
        store, text, peer="10.0.0.1", X_Forwarded_Proto="https", Host="runs.example.org"
    )
    ((name, cookie),) = cookies.items()
    assert (name, cookie["secure"]) == ("__Host-taxcheck", True)
    assert signed_in(store, "tck_wrong") == (False, {})


def test_a_session_that_ended_is_over_everywhere(store: Store) -> None:
    text, _ = tokens.create(store, "ada", ["read"])
    cookie = str(tokens.begin_session(store, text))
    tokens.end_session(store, cookie)
    assert tokens.visitor(store, cookie) is None
    tokens.end_session(store, text)
    assert tokens.known(store, text) is not None


@pytest.mark.parametrize(("address", "goes"), [
    ("/ncbi/animals?x=1#y", "/ncbi/animals?x=1#y"), ("//evil.example", "/"), ("/\\evil", "/"),
    ("https://evil.example/", "/"), ("javascript:alert(1)", "/"), ("", "/"), (None, "/"),
    ("/\r\nSet-Cookie: a=b", "/"), ("ncbi", "/"), ("/%2f/evil", "/%2f/evil"), ("///evil", "/"),
])  # fmt: skip
def test_signing_in_leads_back_to_this_server_alone(address: str | None, goes: str) -> None:
    assert session.local(address) == goes


def test_reading_goes_on_where_a_use_cannot_be_written_down(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taxcheck.service.store.errors import NoRoomError

    text, _ = tokens.create(store, "ada", ["read"])

    def full(*_: object) -> None:
        raise NoRoomError("the disk is full; nothing was kept")

    monkeypatch.setattr(tokens, "_touch", full)
    assert tokens.known(store, text) is not None


def test_a_use_is_written_down_once_an_hour(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    text, made = tokens.create(store, "ada", ["read"])
    start = tokens.now()
    for moment, used in (
        (start, start),
        (start + 60_000, start),
        (start + 4_000_000, start + 4_000_000),
    ):
        monkeypatch.setattr(tokens, "now", lambda moment=moment: moment)
        tokens.known(store, text)
        assert tokens.one(store, made.key).used == used


@pytest.mark.parametrize(("name", "scopes", "days"), [
    ("", ["push"], None), ("x" * 101, ["push"], None), ("a\nb", ["push"], None),
    ("ci", [], None), ("ci", ["root"], None), ("ci", ["push"], 0), ("ci", ["push"], 10**6),
])  # fmt: skip
def test_a_token_that_cannot_be_is_refused(
    store: Store, name: str, scopes: list[str], days: int | None
) -> None:
    with pytest.raises(RefusedError):
        tokens.create(store, name, scopes, days=days)
    assert tokens.tokens(store) == ()
    answer = asking(store, "admin").post(
        "/api/v1/tokens", json={"name": name, "scopes": scopes, "days": days}
    )
    assert answer.status_code == 422


def test_administrators_of_a_project_make_tokens_of_it_alone(store: Store) -> None:
    asked = asking(store, "admin", project="mine")
    body = {"name": "ci", "scopes": ["push"]}
    problem(asked.post("/api/v1/tokens", json=body), 403)
    problem(asked.post("/api/v1/tokens", json=body | {"project": "other"}), 403)
    made = asked.post("/api/v1/tokens", json=body | {"project": "mine", "days": 3}).json()
    assert made["token"]["expires"] - made["token"]["created"] == 3 * DAY
    listed = asked.get("/api/v1/tokens").json()["tokens"]
    assert {one["project"] for one in listed} == {"mine"}
    assert made["text"] not in str(listed)
    assert asked.delete(f"/api/v1/tokens/{made['token']['key']}").status_code == 204
    problem(client(asked.app, made["text"]).put("/api/v1/runs/a?dataset=d", content=b"{}"), 401)
