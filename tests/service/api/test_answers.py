"""What REST answers to what cannot be done: the status, and the sentence of the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taxcheck.model.written import report_to_json
from taxcheck.service.api import runs as routes
from taxcheck.service.store import ingest
from taxcheck.service.store.errors import AwayError, NoRoomError
from taxcheck.service.store.store import Store
from tests.service.asking import asking, problem
from tests.service.pushing import sample

PUT = "/api/v1/runs/{}?project=ncbi&dataset=animals"


def report(name: str = "healthy") -> bytes:
    return report_to_json(sample(name))


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(report()), **values}).encode()


def test_a_push_makes_a_run_and_the_same_again_makes_none(store: Store) -> None:
    asked = asking(store, "push", "read")
    first, again = (asked.put(PUT.format("a"), content=report()) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["Location"] == "/api/v1/runs/a"
    assert first.json()["created"]
    assert not again.json()["created"]
    assert [row["id"] for row in asked.get("/api/v1/runs").json()["rows"]] == ["a"]


def test_what_curl_sends_of_a_file_is_taken(store: Store) -> None:
    asked = asking(store, "push")
    kinds = "x-www-form-urlencoded", "json; charset=utf-8", "octet-stream"
    for k, kind in enumerate(("", *(f"application/{kind}" for kind in kinds))):
        headers = {"Content-Type": kind} if kind else {}
        assert asked.put(PUT.format(k), content=report(), headers=headers).status_code == 201


def test_other_content_under_the_same_id_is_a_conflict(store: Store) -> None:
    asked = asking(store, "push")
    asked.put(PUT.format("a"), content=report())
    problem(asked.put(PUT.format("a"), content=report("incident")), 409)
    problem(asked.put("/api/v1/runs/a?project=ncbi&dataset=plants", content=report()), 409)
    problem(asked.put("/api/v1/runs/a?project=other&dataset=animals", content=report()), 409)


@pytest.mark.parametrize("kind", ["text/html", "multipart/form-data; boundary=x", "image/png"])
def test_what_says_that_it_is_no_report_is_not_taken(store: Store, kind: str) -> None:
    answer = asking(store, "push").put(
        PUT.format("a"), content=report(), headers={"Content-Type": kind}
    )
    assert kind.partition(";")[0] in problem(answer, 415)


@pytest.mark.parametrize("content", [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"schema_version": "2.0"}', b"[" * 10_000,
    b'{"a":' * 10_000, changed(results=7), changed(title=None), changed(title="x" * 3, seed="y"),
])  # fmt: skip
def test_what_is_no_report_is_refused_in_a_sentence(store: Store, content: bytes) -> None:
    answer = asking(store, "push", "read").put(PUT.format("a"), content=content)
    assert answer.status_code in (413, 422)
    problem(answer, answer.status_code)


def test_a_report_of_a_later_taxcheck_needs_a_later_server(store: Store) -> None:
    asked = asking(store, "push")
    answer = asked.put(PUT.format("a"), content=changed(schema_version="99.0"))
    assert "has report schema 99.0" in problem(answer, 426)
    assert answer.headers["Upgrade"] == "taxcheck"


def test_a_dataset_has_to_be_named_and_a_project_where_it_does_not_follow(store: Store) -> None:
    content = report()
    asked = asking(store, "push")
    assert "dataset" in problem(asked.put("/api/v1/runs/a?project=p", content=content), 422)
    said = problem(asked.put("/api/v1/runs/a?dataset=d", content=content), 422)
    assert said == "say which project the run belongs to: ?project=NAME"
    own = asking(store, "push", "read", project="ncbi")
    assert own.put("/api/v1/runs/b?dataset=d", content=content).status_code == 201
    assert own.get("/api/v1/runs/b").json()["project"] == "ncbi"


def test_who_pushed_is_the_person_that_is_named_or_else_the_token(store: Store) -> None:
    asked = asking(store, "push", "read")
    asked.put(PUT.format("a"), content=report())
    asked.put(PUT.format("b") + "&person=ada&branch=main&commit=abc&link=https://ci/1",
              content=report())  # fmt: skip
    one, other = (asked.get(f"/api/v1/runs/{id}").json() for id in "ab")
    assert (one["person"], one["branch"]) == ("push read", None)
    assert [other[k] for k in ("person", "branch", "commit", "link")] == [
        "ada", "main", "abc", "https://ci/1",
    ]  # fmt: skip


def test_too_many_pushes_are_put_off(store: Store) -> None:
    asked = asking(store, "push", pushes=3)
    content = report()
    assert [asked.put(PUT.format(k), content=content).status_code for k in range(3)] == [201] * 3
    answer = asked.put(PUT.format("more"), content=content)
    assert "too many pushes" in problem(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 21


def test_a_full_disk_and_a_database_that_is_away_are_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking(store, "push")
    for error, status in ((NoRoomError("the disk is full; nothing was kept"), 507),
                          (AwayError("database: does not answer"), 503)):  # fmt: skip

        def fails(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(ingest, "keep", fails)
        answer = asked.put(PUT.format("a"), content=report())
        assert problem(answer, status) == str(error)
        assert ("Retry-After" in answer.headers) == (status == 503)


def test_what_is_not_there_is_said_so(store: Store) -> None:
    asked = asking(store, "admin")
    for path in ("/api/v1/runs/none", "/api/v1/runs/none/report.html", "/api/v1/none",
                 "/api/v2/runs", "/api/v1/runs/", "/api/v1/projects/p/datasets/d",
                 "/api/v1/uploads/" + "0" * 32, "/api/v1/projects/p/datasets/d/trend?metric=map",
                 ):  # fmt: skip
        problem(asked.get(path), 404)
    answer = asked.post("/api/v1/runs/a", json={})
    assert problem(answer, 405) == "this cannot be done at this address"
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH, PUT"


@pytest.mark.parametrize(("path", "said"), [
    ("/api/v1/runs?limit=0", "limit: input should be greater than or equal to 1"),
    ("/api/v1/runs?verdict=bad", "verdict: input should be 'pass', 'warn', 'fail', 'error' or"),
    ("/api/v1/runs?since=yesterday", "since: input should be a valid datetime"),
    ("/api/v1/runs?cursor=x", "cursor 'x': is none of this server"),
    ("/api/v1/compare?before=a", "after: field required"),
    ("/api/v1/compare?before=a&after=b&tolerance=nan", "tolerance: input should be"),
    ("/api/v1/projects/p/datasets/d/trend", "metric: field required"),
    ("/api/v1/runs?limit=1&verdict=a&rule=" + "x" * 101, "verdict: input should be"),
])  # fmt: skip
def test_what_is_asked_wrongly_is_told_where(store: Store, path: str, said: str) -> None:
    assert problem(asking(store, "read").get(path), 422).startswith(said)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"pinned": "maybe"}',
                                     b'{"pinned": true, "dataset": "other"}'])  # fmt: skip
def test_a_body_of_another_form_is_told_where(store: Store, content: bytes) -> None:
    asked = asking(store, "push")
    asked.put(PUT.format("a"), content=report())
    headers = {"Content-Type": "application/json"}
    problem(asked.patch("/api/v1/runs/a", content=content, headers=headers), 422)
    said = problem(asked.patch("/api/v1/runs/a", content=b"\xff", headers=headers), 400)
    assert said == "the body cannot be read"


def test_every_format_of_a_report_is_served_and_known_by_its_tag(store: Store) -> None:
    asked = asking(store, "push", "read", "admin")
    asked.put(PUT.format("a"), content=report("incident"))
    tags = set()
    for suffix, (_, media) in routes.FORMATS.items():
        answer = asked.get(f"/api/v1/runs/a/report.{suffix}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(media.partition(";")[0])
        tag = answer.headers["ETag"]
        tags.add(tag)
        same = asked.get(
            f"/api/v1/runs/a/report.{suffix}", headers={"If-None-Match": f'"x", {tag}'}
        )
        assert (same.status_code, same.content) == (304, b"")
        other = asked.get(f"/api/v1/runs/a/report.{suffix}", headers={"If-None-Match": '"x"'})
        assert other.content == answer.content
    assert len(tags) == len(routes.FORMATS)
    assert asked.delete("/api/v1/runs/a/samples").status_code == 204
    erased = asked.get("/api/v1/runs/a/report.json", headers={"If-None-Match": ", ".join(tags)})
    assert erased.status_code == 200
    problem(asked.get("/api/v1/runs/a/report.exe"), 422)


def test_the_page_of_a_report_knows_nothing_of_the_server(store: Store) -> None:
    """Should anything in it run, then without cookies and without a way to ask."""
    asked = asking(store, "push", "read")
    asked.put(PUT.format("a"), content=report("hostile"))
    asked.put(PUT.format("b"), content=report("hostile"))
    for path in ("/api/v1/runs/a/report.html", "/api/v1/compare?before=a&after=b&format=html"):
        policy = asked.get(path).headers["Content-Security-Policy"]
        assert policy.startswith("sandbox ")
        assert "allow-same-origin" not in policy


def test_pages_of_a_list_meet_without_gap_or_double(store: Store) -> None:
    asked = asking(store, "push", "read")
    content = report()
    for k in range(7):
        asked.put(PUT.format(f"r{k}"), content=content)
    seen, cursor = [], {}
    while True:
        page = asked.get("/api/v1/runs", params={"limit": 3, **cursor}).json()
        seen += [row["id"] for row in page["rows"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == [f"r{k}" for k in range(7)]


def test_runs_since_a_moment_with_or_without_an_offset(store: Store) -> None:
    asked = asking(store, "push", "read")
    asked.put(PUT.format("a"), content=changed(created="2026-01-02T00:00:00+00:00"))
    for since, count in (("2026-01-02T00:00:00", 1), ("2026-01-02T00:00:01Z", 0), ("2026-01-02", 1),
                         ("2026-01-02T01:00:00+01:00", 1)):  # fmt: skip
        rows = asked.get("/api/v1/runs", params={"since": since}).json()["rows"]
        assert len(rows) == count, since


def test_what_changes_a_run_is_kept(store: Store) -> None:
    asked = asking(store, "admin")
    asked.put(PUT.format("a"), content=report())
    asked.put(PUT.format("b"), content=report())
    assert asked.patch("/api/v1/runs/a", json={"pinned": True}).json()["pinned"]
    assert asked.get("/api/v1/runs/a").json()["pinned"]
    said = asked.post("/api/v1/runs/a/annotations", json={"text": "new <b>data</b>"}).json()
    assert [note["text"] for note in said["annotations"]] == ["new <b>data</b>"]
    place = "/api/v1/projects/ncbi/datasets/animals/baseline"
    assert asked.put(place, json={"run": "a"}).status_code == 204
    assert asked.get(place).json()["id"] == "a"
    assert asked.get(f"{place}?which=latest").json()["id"] == "b"
    assert asked.put(place, json={"run": None}).status_code == 204
    assert asked.delete("/api/v1/runs/a").status_code == 204
    problem(asked.get("/api/v1/runs/a"), 404)
    actions = [entry["action"] for entry in asked.get("/api/v1/log").json()["entries"]]
    assert actions[0] == "run removed"


def test_a_baseline_is_a_run_of_its_dataset(store: Store) -> None:
    asked = asking(store, "admin")
    asked.put(PUT.format("a"), content=report())
    asked.put("/api/v1/runs/b?project=ncbi&dataset=plants", content=report())
    answer = asked.put("/api/v1/projects/ncbi/datasets/animals/baseline", json={"run": "b"})
    problem(answer, 404)


def test_runs_of_two_datasets_are_not_called_better(store: Store) -> None:
    asked = asking(store, "push", "read")
    asked.put(PUT.format("a"), content=report("incident"))
    asked.put(PUT.format("b"), content=report("healthy"))
    asked.put("/api/v1/runs/c?project=ncbi&dataset=plants", content=report("healthy"))
    same = asked.get("/api/v1/compare?before=a&after=b").json()
    other = asked.get("/api/v1/compare?before=a&after=c").json()
    assert not same["different"]
    assert other["different"]
    assert {rule["change"] for rule in other["rules"]} <= {"unchanged", "differs"}
    assert {rule["change"] for rule in same["rules"]} & {"fixed", "better"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/login", "GET, HEAD, POST"),
        ("/ncbi/animals", "GET, HEAD"),
        ("/rules/a/b", "GET, HEAD"),
        ("/runs/one/pin", "POST"),
    ],
)
def test_a_page_says_what_can_be_done_at_its_address(store, path, allowed):
    answer = asking(store, "read").put(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
