"""What is refused before anything looks at it, and what every answer carries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from taxcheck.service.store.store import Store
from taxcheck.service.web import door
from tests.service.asking import application, asking, client, problem, token

PROXY = "10.1.2.3"


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8740", "localhost.evil.example", "127.0.0.1.evil.example",
    "user@localhost", "localhost/", "localhost:port", "", "[::1", "localhost?x", "2130706433",
])  # fmt: skip
def test_a_name_that_is_not_ours_is_refused(store: Store, host: str) -> None:
    """Else a page of any site could ask in its own name, once its name points here."""
    answer = client(application(store, open=True)).get("/api/v1/runs", headers={"Host": host})
    assert "is not called" in problem(answer, 421)


@pytest.mark.parametrize("host", [
    "localhost", "LOCALHOST:8740", "localhost.", "127.0.0.1:1", "[::1]:8740", "192.168.7.7",
    "runs.example.org", "RUNS.example.org:443",
])  # fmt: skip
def test_our_names_and_addresses_are_answered(store: Store, host: str) -> None:
    app = application(store, open=True, names=("Runs.Example.org",))
    assert client(app).get("/api/v1/runs", headers={"Host": host}).status_code == 200


ELSEWHERE = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:3000"},  # another program of this machine
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://localhost:8740"},  # which is not what was asked for
    {"Origin": "http://[::"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_page_of_another_site_changes_nothing(store: Store, headers: dict[str, str]) -> None:
    asked = client(application(store, open=True))
    body = {"name": "x", "scopes": ["admin"]}
    said = problem(asked.post("/api/v1/tokens", json=body, headers=headers), 403)
    assert said == "a page of another site asked for a change; only pages of this server may"
    assert asked.get("/api/v1/tokens").json() == {"tokens": []}


@pytest.mark.parametrize("headers", [
    {}, {"Origin": "http://127.0.0.1:8740"}, {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
])  # fmt: skip
def test_our_own_pages_and_programs_may_ask(store: Store, headers: dict[str, str]) -> None:
    asked = client(application(store, open=True))
    body = {"name": "x", "scopes": ["admin"]}
    assert asked.post("/api/v1/tokens", json=body, headers=headers).status_code == 201


def test_an_open_server_does_not_answer_through_a_proxy(store: Store) -> None:
    app = application(store, open=True)
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        said = problem(client(app).get("/api/v1/runs", headers={name: "10.0.0.1"}), 403)
        assert "came through a proxy" in said


def behind(store: Store, peer: str = PROXY, **headers: str) -> Any:
    app = application(
        store,
        user_header="X-Forwarded-User",
        proxies=("10.1.0.0/16",),
        admins=("ada",),
        names=("runs.example.org",),
    )
    return client(app, peer=peer, Host="runs.example.org", **headers)


def test_a_person_is_believed_of_a_trusted_proxy_alone(store: Store) -> None:
    named = {"X_Forwarded_User": "grace", "X_Forwarded_Proto": "https"}
    assert behind(store, **named).get("/api/v1/runs").status_code == 200
    assert behind(store, **named).get("/api/v1/tokens").status_code == 403
    problem(behind(store, peer="10.2.0.1", **named).get("/api/v1/runs"), 401)
    problem(behind(store).get("/api/v1/runs"), 401)
    assert behind(store, X_Forwarded_User="ada").get("/api/v1/tokens").status_code == 200


def test_a_person_who_is_named_twice_is_nobody(store: Store) -> None:
    """A client's own header may stand beside the proxy's."""
    asked = behind(store)
    twice = [("X-Forwarded-User", "ada"), ("X-Forwarded-User", "grace")]
    headers = [*asked.headers.multi_items(), *twice]
    problem(asked.get("/api/v1/runs", headers=headers), 401)


def test_what_a_person_did_is_written_down_by_name(store: Store) -> None:
    ada = behind(store, X_Forwarded_User="ada")
    assert ada.post("/api/v1/tokens", json={"name": "ci", "scopes": ["push"]}).status_code == 201
    (entry,) = ada.get("/api/v1/log").json()["entries"]
    assert (entry["person"], entry["action"]) == ("ada", "token created")


def test_an_origin_behind_a_proxy_is_that_of_the_name(store: Store) -> None:
    body = {"name": "x", "scopes": ["push"]}
    ours, theirs = "https://runs.example.org", "https://evil.example"
    for origin, status in ((ours, 201), (f"{ours}:8443", 201), (theirs, 403)):
        ada = behind(store, X_Forwarded_User="ada", X_Forwarded_Proto="https", Origin=origin)
        assert ada.post("/api/v1/tokens", json=body).status_code == status, origin


def test_a_proxy_that_was_not_named_is_told_of(store: Store) -> None:
    """It speaks https for us, which we cannot know: what its pages ask looks like another site."""
    app = application(store, names=("runs.example.org",))
    headers = {"Host": "runs.example.org", "Origin": "https://runs.example.org",
               "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.9.9"}  # fmt: skip
    answer = client(app, token(store, "admin")).post("/api/v1/tokens", json={}, headers=headers)
    assert "`proxies`" in problem(answer, 403)


def test_every_answer_carries_what_keeps_a_browser_in_bounds(store: Store) -> None:
    asked = client(application(store, open=True))
    for answer in (
        asked.get("/api/v1/runs"),
        asked.get("/api/v1/none"),
        asked.get("/api/v1/runs", headers={"Host": "evil"}),
    ):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "access-control-allow-origin" not in answer.headers


def test_a_request_keeps_the_id_that_it_came_with_if_it_is_one(store: Store) -> None:
    asked = client(application(store, open=True))
    answer = asked.get("/healthz", headers={"X-Request-ID": "ci-7.a_B"})
    assert answer.headers["X-Request-ID"] == "ci-7.a_B"
    for id in ("", "a b", "x" * 65, "a/b", "a\u00e9".encode()):
        answer = asked.get("/healthz", headers={"X-Request-ID": id})
        assert len(answer.headers["X-Request-ID"]) == 32


def test_a_body_beyond_its_limit_is_refused(store: Store) -> None:
    asked = asking(store, "push", "run", "admin", report_bytes=1000, upload_bytes=2000)
    said = problem(asked.put("/api/v1/runs/a?project=p&dataset=d", content=b" " * 1001), 413)
    assert said == "the body is larger than the 1,000 bytes that are taken here"
    body = b'{"name": "' + b"x" * (1 << 20) + b'"}'
    problem(asked.post("/api/v1/tokens", content=body), 413)
    upload = asked.post("/api/v1/uploads", json={"project": "p", "name": "a", "size": 2000}).json()
    place = f"/api/v1/uploads/{upload['id']}"
    problem(asked.patch(place, content=b"x" * 2001, headers={"Upload-Offset": "0"}), 413)
    assert asked.get(place).json()["offset"] == 0


@pytest.mark.parametrize(("method", "path"), [
    ("PUT", "/api/v1/runs/a?project=p&dataset=d"), ("POST", "/api/v1/tokens"),
])  # fmt: skip
def test_no_more_is_read_of_a_body_than_its_limit(store: Store, method: str, path: str) -> None:
    """Where it comes piece by piece, and its length is not told."""
    shown = token(store, "push", "admin")
    read = 0

    async def receive() -> Any:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b" " * (1 << 19), "more_body": read < 1000}

    headers = {"authorization": f"Bearer {shown}", "content-type": "application/json"}
    app = application(store, report_bytes=1 << 20)
    status = asked_directly(app, method, path, receive, **headers)
    assert status == 413
    assert read == 3


def asked_directly(app: Any, method: str, address: str, receive: Any, **headers: str) -> int:
    """The status of an answer to a request whose body comes as ``receive`` tells."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = address.partition("?")
    told = {"host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}}
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "scheme": "http", "http_version": "1.1", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8740),
    }  # fmt: skip
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 20))
    return int(sent[0]["status"])


def test_a_length_that_is_a_lie_or_no_number_is_no_way_around(store: Store) -> None:
    asked = asking(store, "push", report_bytes=1000)
    path = "/api/v1/runs/a?project=p&dataset=d"
    for length in ("9" * 400, "1001"):
        problem(asked.put(path, content=b"{}", headers={"Content-Length": length}), 413)
    for length in ("-1", "x", "\u0661"):
        headers = {"Content-Length": length.encode()}
        problem(asked.put(path, content=b" " * 1001, headers=headers), 413)


def test_a_body_that_does_not_come_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "_IDLE", 0.05)

    async def receive() -> Any:
        await asyncio.sleep(30)

    path = "/api/v1/runs/a?project=p&dataset=d"
    app = application(store, open=True)
    assert asked_directly(app, "PUT", path, receive, content_length="9") == 408


def test_a_packed_body_is_refused(store: Store) -> None:
    """A small one could unpack to any size."""
    asked = asking(store, "push")
    for packing in ("gzip", "zstd", "br", "gzip, identity"):
        headers = {"Content-Encoding": packing}
        answer = asked.put("/api/v1/runs/a?project=p&dataset=d", content=b"x", headers=headers)
        assert "is packed as" in problem(answer, 415)


def test_a_failure_of_ours_is_told_without_its_inside(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from taxcheck.service.api import runs

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(runs.runs, "find", broken)
    answer = asking(store, "read").get("/api/v1/runs")
    assert "secret" not in problem(answer, 500)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-ID"] in caplog.text
    assert "secret of the inside" in caplog.text


def test_head_is_asked_like_get(store: Store) -> None:
    asked = asking(store, "read")
    for path in ("/healthz", "/api/v1/runs"):
        assert asked.head(path).status_code == asked.get(path).status_code == 200
    assert asked.head("/api/v1/none").status_code == 404


def test_long_answers_are_packed_for_whoever_takes_that(store: Store) -> None:
    asked = client(application(store))
    packed = asked.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    plain = asked.get("/api/v1/openapi.json", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_requests_are_counted_by_route_and_never_by_path(store: Store) -> None:
    asked = asking(store, "read")
    for id in ("a1", "b2", "c3"):
        asked.get(f"/api/v1/runs/{id}")
        asked.get(f"/{id}/no/route")
    asked.request("BREW", "/healthz")
    told = asked.get("/metrics").text
    line = 'taxcheck_requests_total{method="GET",route="/api/v1/runs/{id}",status="404"} 3.0'
    assert line in told
    assert 'route="none"' in told
    assert 'method="other"' in told
    assert "b2" not in told
    assert "taxcheck_database_up 1.0" in told
    assert "taxcheck_disk_free_bytes" in told


def test_a_token_that_is_shown_badly_is_none(store: Store) -> None:
    app, text = application(store), token(store, "read")
    for shown in (
        f"Basic {text}",
        text,
        "Bearer",
        "Bearer ",
        f"Bearer {text}x",
        f"Bearer  {text} y",
    ):
        answer = client(app).get("/api/v1/runs", headers={"Authorization": shown})
        assert "this token is not known here" in problem(answer, 401)
    for shown in (f"bearer {text}", f"Bearer   {text} "):
        answer = client(app).get("/api/v1/runs", headers={"Authorization": shown})
        assert answer.status_code == 200
