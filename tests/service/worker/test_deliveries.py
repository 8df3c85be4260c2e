"""Messages: what is sent, to which address, what is not, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from taxcheck.service.settings import Settings
from taxcheck.service.store import database, webhooks
from taxcheck.service.store.errors import RefusedError
from taxcheck.service.store.store import Store
from taxcheck.service.worker import deliveries, outward
from taxcheck.service.worker.deliveries import deliver
from taxcheck.service.worker.outward import UndeliveredError, post
from tests.service.pushing import dated, push

DAY, MINUTE = 86_400_000, 60_000
PUBLIC = "93.184.216.34"


class Receiver(ThreadingHTTPServer):
    """A server of this machine that keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.drip = 0.0
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://hooks.example.org:{self.server_port}/hook?a=b"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        if self.server.drip:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                time.sleep(self.server.drip)
                self.wfile.write(b"X-Slow: yes\r\n")
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


class Resolver:
    """Answers with addresses in turn, and counts how often it is asked."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers, self.asked = answers, 0

    def __call__(self, *_: object) -> tuple[str, ...]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return answer


def here(address: str) -> bool:
    """As if this machine were somewhere on the Internet."""
    return address == "127.0.0.1"


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Names lead to this machine, and it counts as public."""
    resolver, real = Resolver(("127.0.0.1",)), post

    def posted(url: str, body: bytes, headers: Any, *, http: bool) -> None:
        real(url, body, headers, http=http, resolve=resolver, public=here)

    monkeypatch.setattr(deliveries, "post", posted)
    return resolver


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, webhook_http=True, address="https://taxcheck.example.org/")


def hook(store: Store, url: str, **more: Any) -> tuple[int, str]:
    made, secret = webhooks.create(store, "ncbi", url, **more)
    return made.id, secret


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:127.0.0.1",
])  # fmt: skip
def test_a_name_that_leads_to_us_is_not_asked_for_anything(
    receiver: Receiver, address: str
) -> None:
    with pytest.raises(UndeliveredError, match="only this machine or its network"):
        post(receiver.url, b"{}", {}, http=True, resolve=Resolver((address,)))
    assert receiver.got == []


def test_one_private_address_among_others_is_enough(receiver: Receiver) -> None:
    resolver = Resolver((PUBLIC, "127.0.0.1"))
    with pytest.raises(UndeliveredError, match=r"127\.0\.0\.1"):
        post(receiver.url, b"{}", {}, http=True, resolve=resolver)
    assert receiver.got == []


def test_the_systems_own_resolver_is_not_believed_either(receiver: Receiver) -> None:
    for host in ("localhost", "127.1", "2130706433", "0x7f000001"):
        with pytest.raises(UndeliveredError):
            post(f"http://{host}:{receiver.server_port}/", b"{}", {}, http=True)
    assert receiver.got == []


def test_a_name_is_resolved_once_and_the_connection_goes_to_what_was_looked_at(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that says something else when it is asked again is not asked again."""
    resolver = Resolver(("127.0.0.1",), ("10.0.0.1",))
    connected: list[object] = []
    honest = socket.create_connection

    def create(address: Any, *more: Any, **named: Any) -> socket.socket:
        connected.append(address)
        return honest(address, *more, **named)

    monkeypatch.setattr(outward.socket, "create_connection", create)
    post(receiver.url, b"{}", {}, http=True, resolve=resolver, public=here)
    assert resolver.asked == 1
    assert connected == [("127.0.0.1", receiver.server_port)]
    assert receiver.got[0][1]["Host"] == f"hooks.example.org:{receiver.server_port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    other = Receiver()
    threading.Thread(target=other.serve_forever, daemon=True).start()
    receiver.status, receiver.headers = (
        status,
        {"Location": f"http://127.0.0.1:{other.server_port}"},
    )
    with pytest.raises(UndeliveredError, match=f"{status}, a redirect"):
        post(receiver.url, b"{}", {}, http=True, resolve=Resolver(("127.0.0.1",)), public=here)
    assert (len(receiver.got), other.got) == (1, [])
    other.shutdown()
    other.server_close()


def test_an_answer_that_drips_is_cut_off(receiver: Receiver) -> None:
    receiver.drip, began = 0.1, time.monotonic()
    with pytest.raises(UndeliveredError):
        post(
            receiver.url, b"{}", {}, http=True, resolve=Resolver(("127.0.0.1",)), public=here,
            seconds=1.0,
        )  # fmt: skip
    assert time.monotonic() - began < 5


def test_https_is_held_to_its_certificate(receiver: Receiver) -> None:
    url = receiver.url.replace("http:", "https:")
    with pytest.raises(UndeliveredError):
        post(url, b"{}", {}, resolve=Resolver(("127.0.0.1",)), public=here, seconds=2)
    assert receiver.got == []


def test_nobody_there_is_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UndeliveredError, match="does not answer: Connection refused"):
        post(
            f"http://hooks.example.org:{port}/", b"", {}, http=True,
            resolve=Resolver(("127.0.0.1",)), public=here,
        )  # fmt: skip


@pytest.mark.usefixtures("reachable")
def test_a_new_failure_a_recovery_and_nothing_between_are_told(
    store: Store, receiver: Receiver
) -> None:
    hook(store, receiver.url)
    for day, name in enumerate(("healthy", "broken", "broken", "healthy", "healthy")):
        push(store, dated(name, day), f"run-{day}")
        deliver(store)
    told = [json.loads(body) for _, _, body in receiver.got]
    assert [(one["event"], one["run"]["id"]) for one in told] == [
        ("failure", "run-1"), ("recovery", "run-3")]  # fmt: skip
    assert told[0]["project"] == "ncbi"
    assert told[0]["dataset"] == "animals"
    assert told[0]["run"]["verdict"] == "error"
    assert told[0]["run"]["page"] == "https://taxcheck.example.org/runs/run-1"


@pytest.mark.usefixtures("reachable")
def test_the_signature_is_what_a_receiver_computes(store: Store, receiver: Receiver) -> None:
    _, secret = hook(store, receiver.url)
    push(store, dated("broken", 1))
    assert deliver(store) == 1
    ((path, headers, body),) = receiver.got
    assert path == "/hook?a=b"
    parts = dict(part.split("=") for part in headers["X-Taxcheck-Signature"].split(","))
    signed = parts["t"].encode() + b"." + body
    assert parts["v1"] == hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert abs(int(parts["t"]) - time.time()) < 60
    assert headers["X-Taxcheck-Event"] == "failure"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.usefixtures("reachable")
def test_what_the_page_shows_of_a_receiver_believes_us_alone(
    store: Store, receiver: Receiver
) -> None:
    page = Path("docs/how-to/run-jobs.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python[^\n]*\n(.*?)^```$", page, re.M | re.S)
    known: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib, "time": time}
    exec(shown, known)
    _, secret = hook(store, receiver.url)
    push(store, dated("broken", 1))
    deliver(store)
    ((_, headers, body),) = receiver.got
    header = headers["X-Taxcheck-Signature"]
    assert known["is_ours"](secret, header, body)
    assert not known["is_ours"](secret, header, body + b" ")
    assert not known["is_ours"]("0" * 64, header, body)
    old = deliveries.signature(secret, body, int(time.time()) - 3600)
    assert not known["is_ours"](secret, old, body)


@pytest.mark.usefixtures("reachable")
def test_slack_gets_a_line_in_which_nothing_is_markup(store: Store, receiver: Receiver) -> None:
    hook(store, receiver.url, style="slack")
    push(store, dated("broken", 1), "run-1")
    (message,) = webhooks.due(store)
    message = structs.replace(message, headline="<!channel> & <https://evil.example.org|co>")
    deliveries.send(store, message)
    told = json.loads(receiver.got[0][2])
    assert told == {
        "text": "*<https://taxcheck.example.org/runs/run-1|ncbi/animals>* fails: "
        "&lt;!channel&gt; &amp; &lt;https://evil.example.org|co&gt;"
    }


@pytest.mark.usefixtures("reachable")
def test_only_the_events_that_are_asked_for_are_sent(store: Store, receiver: Receiver) -> None:
    hook(store, receiver.url, events=["recovery"])
    for day, name in enumerate(("broken", "healthy")):
        push(store, dated(name, day), f"run-{day}")
    deliver(store)
    assert [headers["X-Taxcheck-Event"] for _, headers, _ in receiver.got] == ["recovery"]


@pytest.mark.usefixtures("reachable")
def test_what_does_not_arrive_is_tried_for_a_day_and_then_no_more(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [database.now()]
    monkeypatch.setattr(webhooks, "now", lambda: moment[0])
    receiver.status = 500
    id, _ = hook(store, receiver.url)
    push(store, dated("broken", 1))
    moment[0], began, waits = database.now(), database.now(), []
    while True:
        deliver(store)
        (one,) = webhooks.deliveries(store, id)
        assert one.line is not None
        assert "answered 500" in one.line
        if one.due is None:
            break
        waits.append((one.due - moment[0]) // MINUTE)
        moment[0] = one.due
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, *[180] * 6]
    assert 0.9 * DAY < moment[0] - began < 1.1 * DAY
    assert len(receiver.got) == 15
    moment[0] += 10 * DAY
    assert (deliver(store), len(receiver.got)) == (0, 15)


@pytest.mark.usefixtures("reachable")
def test_it_arrives_once_the_receiver_is_back(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 503
    id, _ = hook(store, receiver.url)
    push(store, dated("broken", 1))
    assert deliver(store) == 0
    assert deliver(store) == 0, "it is not due yet"
    receiver.status = 200
    later = database.now() + 2 * MINUTE
    monkeypatch.setattr(webhooks, "now", lambda: later)
    assert deliver(store) == 1
    (one,) = webhooks.deliveries(store, id)
    assert (one.attempts, one.line, one.due) == (2, None, None)
    assert one.sent == later
    assert len(receiver.got) == 2


@pytest.mark.parametrize("jump", [DAY, -DAY])
@pytest.mark.usefixtures("reachable")
def test_a_clock_that_jumps_neither_loses_nor_doubles_a_message(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch,
    jump: int,
) -> None:  # fmt: skip
    moment = [database.now()]
    monkeypatch.setattr(webhooks, "now", lambda: moment[0])
    receiver.status = 500
    hook(store, receiver.url)
    push(store, dated("broken", 1))
    moment[0] = database.now()
    deliver(store)
    moment[0] += jump
    receiver.status = 200
    assert deliver(store) == 1
    moment[0] -= jump
    for _ in range(3):
        moment[0] += 200 * MINUTE
        assert deliver(store) == 0
    assert len(receiver.got) == 2


@pytest.mark.usefixtures("reachable")
def test_two_who_send_at_once_send_each_message_once(store: Store, receiver: Receiver) -> None:
    hook(store, receiver.url)
    for k in range(30):
        push(store, dated("broken", 1), f"run-{k}", dataset=f"d{k}")
    threads = [threading.Thread(target=deliver, args=(store,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = sorted(json.loads(body)["run"]["id"] for _, _, body in receiver.got)
    assert told == sorted(f"run-{k}" for k in range(30))


@pytest.mark.usefixtures("reachable")
def test_a_webhook_that_is_paused_or_removed_gets_nothing(store: Store, receiver: Receiver) -> None:
    (paused, _), (removed, _) = hook(store, receiver.url), hook(store, receiver.url)
    push(store, dated("broken", 1))
    webhooks.pause(store, paused, paused=True)
    webhooks.remove(store, removed)
    assert deliver(store) == 0
    webhooks.pause(store, paused, paused=False)
    assert deliver(store) == 1
    assert [one.id for one in webhooks.webhooks(store, ["ncbi"])] == [paused]


def test_a_private_address_is_refused_when_a_webhook_is_made(store: Store) -> None:
    for url in ("https://10.0.0.1/", "http://[::1]/", "https://169.254.169.254/latest"):
        with pytest.raises(RefusedError):
            hook(store, url)


def test_a_name_that_becomes_private_is_a_try_that_failed(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, _ = hook(store, receiver.url)
    push(store, dated("broken", 1))
    honest: Callable[..., None] = post
    monkeypatch.setattr(
        deliveries, "post",
        lambda *given, **more: honest(*given, **more, resolve=Resolver(("127.0.0.1",))),
    )  # fmt: skip
    assert deliver(store) == 0
    (one,) = webhooks.deliveries(store, id)
    said = "hooks.example.org: is 127.0.0.1, which only this machine or its network knows"
    assert one.line == said
    assert receiver.got == []
