"""Pushing a run to services that take it, refuse it, hang, hang up, or are not there."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import taxcheck
from taxcheck.integrations import exchange as exchanges
from taxcheck.integrations import outbox as outboxes
from taxcheck.integrations.origin import Origin
from taxcheck.integrations.outbox import Outbox
from taxcheck.integrations.push import Pushed, Pusher, run_id, send_waiting
from taxcheck.integrations.target import Target
from taxcheck.model.errors import UsageError
from taxcheck.model.written import report_to_json
from tests.integrations.service import Service, served
from tests.reports.sound import healthy as sample

TOKEN = "tck_0123456789abcdef"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "taxcheck" / "outbox"


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as one:
        yield one


def to(service: Service, dataset: str = "animals", **more: Any) -> Pusher:
    target = Target(service.url, "demo", dataset, TOKEN)
    return Pusher(target, **{"of": Origin(), "budget": 5.0, **more})


def named(title: str) -> bytes:
    """A report, another one for each title."""
    from msgspec.structs import replace

    return report_to_json(replace(sample(), title=title))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_run_arrives_with_all_that_is_said_of_it(service: Service, state: Path):
    of = Origin("c0ffee", "main", "Ada", "https://ci.example.org/1")
    done = to(service, of=of).push(sample())
    (asked,) = service.asked
    raw = report_to_json(sample())
    assert asked.body == raw
    assert asked.path == f"/api/v1/runs/{run_id('demo', 'animals', raw)}"
    assert asked.query == {
        "project": "demo", "dataset": "animals", "commit": "c0ffee", "branch": "main",
        "person": "Ada", "link": "https://ci.example.org/1",
    }  # fmt: skip
    assert asked.token == f"Bearer {TOKEN}"
    assert (done.state, done.id) == ("sent", asked.id)
    assert done.line.startswith(f"pushed: {service.url}/")
    assert Outbox(state).waiting() == []


def test_the_same_run_is_one_however_it_is_pushed(service: Service):
    """From memory, from the file that --json wrote, and in another layout."""
    report = sample()
    text = taxcheck.load_renderers()["json"](report, taxcheck.RenderOptions())
    pusher = to(service)
    raw, other = text.encode(), json.dumps(json.loads(text), indent=7).encode()
    ids = {pusher.push(form).id for form in (report, raw, b"\xef\xbb\xbf" + raw, other)}
    assert len(ids) == 1
    assert list(service.runs) == [*ids]
    assert to(service, dataset="plants").push(report).id not in ids


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422, 426])
def test_what_is_refused_for_good_is_said_and_not_sent_again(
    service: Service, state: Path, status: int
):
    service.answers = [status]
    done = to(service).push(sample())
    assert done.state == "refused"
    kept = state / "refused" / f"{done.id}.json"
    assert done.line == (
        f"not pushed: demo/animals: {service.url} says: said with {status} ({status}); it is not "
        f"sent again: {kept}"
    )
    assert kept.read_bytes() == report_to_json(sample())
    assert to(service).push(named("other")).state == "sent"
    assert len(service.asked) == 2


def test_a_service_that_refuses_before_it_has_read_all_is_heard(service: Service):
    service.answers = ["early"]
    large = json.loads(named("large"))
    large["title"] = "x" * (16 << 20)
    done = to(service).push(json.dumps(large).encode())
    assert (done.state, "it is 64 MB (413)" in done.line) == ("refused", True)


@pytest.mark.parametrize(("behaviour", "said"), [
    (503, "says: said with 503 (503)"), (500, "(500)"), (404, "(404)"), (507, "(507)"),
    ((301, {"Location": "https://elsewhere.example.org/"}), "has moved to https://elsewhere"),
    ((429, {"Retry-After": "500"}), "(429)"),
    ("hang", "does not answer: no answer"), ("drip", "does not answer: no answer"),
    ("close", "does not answer: "),
])  # fmt: skip
def test_what_cannot_be_sent_now_waits_and_goes_first_next_time(
    service: Service, state: Path, behaviour: Any, said: str
):
    service.answers = [behaviour]
    began = time.monotonic()
    done = to(service, budget=1.0).push(named("first"))
    assert time.monotonic() - began < 3
    assert (done.state, said in done.line) == ("waiting", True), done.line
    assert done.line.endswith("; 1 run waits in the outbox, and the next push sends it")
    second = to(service).push(named("second"))
    assert service.ids[-2:] == [done.id, second.id]
    assert second.line.startswith(f"pushed, after 1 run that waited: {service.url}/")
    assert files(state / "refused") == []
    assert Outbox(state).waiting() == []


def test_nobody_else_can_read_what_waits_and_the_token_is_nowhere(state: Path):
    before = os.umask(0)
    try:
        to(Service(url="http://127.0.0.1:9")).push(sample())
    finally:
        os.umask(before)
    (path,) = Outbox(state).waiting()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert b"animals" in path.read_bytes()
    assert not any(TOKEN.encode() in one.read_bytes() for one in files(state.parent))
    assert TOKEN not in repr(Target("http://127.0.0.1:9", "a", "b", TOKEN))


def test_a_name_that_nobody_knows_is_one_line():
    done = to(Service(url="http://nowhere.invalid")).push(sample())
    assert done.state == "waiting"
    assert "http://nowhere.invalid does not answer: " in done.line


def test_a_service_that_wants_patience_gets_it(service: Service):
    service.answers = [(429, {"Retry-After": "1"})]
    began = time.monotonic()
    assert to(service).push(sample()).state == "sent"
    assert time.monotonic() - began >= 1
    assert len(service.asked) == 2


def test_a_run_for_another_token_stops_no_other(service: Service, state: Path):
    service.answers = [403]
    first = to(service, dataset="theirs").push(named("first"))
    assert (first.state, "(403)" in first.line) == ("waiting", True)
    service.answers = [401]
    second = to(service).push(named("second"))
    assert (second.state, service.ids[-2:]) == ("sent", [first.id, second.id])
    assert len(Outbox(state).waiting()) == 1


def test_what_waits_for_one_service_is_not_sent_to_another(service: Service, state: Path):
    to(Service(url="http://127.0.0.1:9")).push(named("elsewhere"))
    assert to(service).push(named("here")).line.startswith("pushed: ")
    assert len(service.asked) == 1
    assert len(Outbox(state).waiting()) == 1


def test_after_one_silence_a_process_asks_no_more_for_a_while(service: Service):
    service.always = "hang"
    pusher = to(service, budget=0.5)
    for title in "abc":
        assert pusher.push(named(title)).state == "waiting"
    assert len(service.asked) == 1
    service.always, service.answers = None, []
    assert send_waiting(service.url) == (0, "3 runs that waited were pushed")
    assert send_waiting(service.url) == (0, "0 runs that waited were pushed")


def test_what_waits_is_bounded_and_the_oldest_gives_way(
    service: Service, state: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outboxes, "RUNS", 3)
    gone = to(Service(url="http://127.0.0.1:9"))
    ids = [gone.push(named(str(n))) for n in range(5)]
    assert [one.line.count("gave way") for one in ids] == [0, 0, 0, 1, 1]
    left = [outboxes.parcel_at(path) for path in Outbox(state).waiting()]
    assert [one.id for one in left if one] == [one.id for one in ids[2:]]
    monkeypatch.setattr(outboxes, "BYTES", 1)
    gone.push(named("last"))
    assert len(Outbox(state).waiting()) == 1
    del service


def test_refused_runs_are_bounded_as_well(service: Service, state: Path, monkeypatch):
    monkeypatch.setattr(outboxes, "REFUSED", 2)
    service.always = 422
    for n in range(4):
        to(service).push(named(str(n)))
    assert len(files(state / "refused")) == 2


def test_a_file_of_the_outbox_that_is_none_is_put_aside(service: Service, state: Path):
    to(Service(url=service.url), budget=0.0).push(named("first"))
    (path,) = Outbox(state).waiting()
    path.write_bytes(path.read_bytes()[:50])
    assert to(service).push(named("second")).line.startswith("pushed: ")
    assert [one.name for one in files(state / "refused")] == [path.name]


def test_where_no_outbox_can_be_a_run_is_sent_all_the_same(service: Service, tmp_path: Path):
    (tmp_path / "state").write_text("a file is in the way")
    assert to(service).push(sample()).state == "sent"
    service.always = 503
    done = to(service).push(named("other"))
    assert done.state == "lost"
    assert done.line.endswith("cannot be written: Not a directory")


def test_a_defect_of_pushing_is_told_and_nothing_is_raised(service: Service, monkeypatch):
    monkeypatch.setattr(Outbox, "put", lambda *_: 1 / 0)
    assert to(service).push(sample()) == Pushed(
        "", "lost", "not pushed: taxcheck itself broke (ZeroDivisionError: division by zero)"
    )


def test_the_token_follows_no_redirection(service: Service):
    with served() as other:
        service.answers = [(307, {"Location": f"{other.url}/api/v1/runs/x"})]
        assert to(service).push(sample()).state == "waiting"
        assert other.asked == []


def test_an_answer_without_end_is_left(service: Service):
    service.answers = [(200, {"X-Long": "x" * 60_000})]
    assert to(service).push(sample()).state == "sent"
    with pytest.raises(exchanges.AwayError, match="larger than 5 bytes"):
        exchanges.exchange("GET", service.url, most=5)


def test_in_python_it_is_one_call(service: Service, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match="nothing says where to push"):
        taxcheck.push(sample())
    monkeypatch.setenv("TAXCHECK_TO", service.url + "/")
    monkeypatch.setenv("TAXCHECK_PROJECT", "demo")
    monkeypatch.setenv("TAXCHECK_TOKEN", f"{TOKEN}\n")
    done = taxcheck.push(sample(), dataset="animals")
    assert (done.state, service.asked[0].token) == ("sent", f"Bearer {TOKEN}")


def test_a_proxy_is_taken_but_never_to_this_machine(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", service.url.replace("//", "//ada:secret@"))
    assert exchanges.exchange("GET", "http://far.invalid/x?y=1").status == 201
    assert (service.asked[0].path, service.asked[0].query) == ("/x", {"y": "1"})
    with served() as near:
        exchanges.exchange("GET", near.url)
        assert len(near.asked) == 1
    monkeypatch.setenv("no_proxy", "far.invalid")
    with pytest.raises(exchanges.AwayError):
        exchanges.exchange("GET", "http://far.invalid/")
