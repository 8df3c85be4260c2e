"""Ids, names, paths and addresses as a client may send them: none leads anywhere else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from taxcheck.model.written import report_to_json
from taxcheck.service.store.store import Store
from tests.service.asking import application, asking, client, problem
from tests.service.pushing import push, sample

NAMES = [
    "../../etc/passwd", "..", ".", "...", "/etc/passwd", "a/b", "a\\b", "C:\\x", "\\\\host\\share",
    "a\x00b", "a\nb", "a\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "'; DROP TABLE run; --",
    '" OR 1=1', "%2e%2e%2f", "%00", "a%0d%0ab", "${HOME}", "$(id)", "`id`", "{{7*7}}", "-rf", "_a",
    "~", "é", "ａ", "\u202egnp.exe", "a\u200bb", "a b", " ", "", "x" * 101, "x" * 5000, "nul\ud7ff",
    "http://169.254.169.254/", "file:///etc/passwd", "admin", "API", "static", "metrics",
]  # fmt: skip
# A name that is one elsewhere: fine as a dataset, no address of a project.
RESERVED = {"admin", "API", "static", "metrics"}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_no_hostile_name_becomes_a_project_a_dataset_or_a_run(store: Store) -> None:
    asked, content = asking(store, "push", "read"), report_to_json(sample("healthy"))
    before = files(store.settings.data.parent)
    for name in NAMES:
        paths = [f"a?project={quote(name)}&dataset=d"]
        if name not in RESERVED:
            paths += [f"a?project=p&dataset={quote(name)}"]
            paths += [f"{quote(name, safe='')}?project=p&dataset=d"]
        for path in paths:
            answer = asked.put(f"/api/v1/runs/{path}", content=content)
            assert answer.status_code in (404, 405, 422), path
            problem(answer, answer.status_code)
    assert asked.get("/api/v1/runs").json()["rows"] == []
    assert files(store.settings.data.parent) <= before | {
        "data/taxcheck.db-wal",
        "data/taxcheck.db-shm",
    }


@pytest.mark.parametrize("place", [
    "/api/v1/runs/{}", "/api/v1/runs/{}/report.json", "/api/v1/runs/x/report.{}",
    "/api/v1/uploads/{}", "/api/v1/projects/{}/datasets/d", "/api/v1/projects/p/datasets/{}",
    "/api/v1/firing/{}", "/api/v1/runs?project={}", "/api/v1/runs?dataset={}",
    "/api/v1/runs?rule={}", "/api/v1/runs?branch={}", "/api/v1/runs?cursor={}",
    "/api/v1/runs?since={}", "/api/v1/compare?before={}&after={}", "/api/v1/log?cursor={}",
    "/api/v1/projects/p/datasets/d/trend?metric={}", "/{}", "/static/{}", "/api/v1/{}",
    "/api/v1/projects/p/datasets/d/baseline?which={}",
])  # fmt: skip
def test_asking_with_hostile_words_finds_nothing_and_breaks_nothing(
    store: Store, place: str
) -> None:
    asked = asking(store, "admin")
    for name in (*NAMES, "9" * 30, "-1", "1-" + "9" * 30, "9" * 18 + "-" + "9" * 18):
        answer = asked.get(place.format(*[quote(name, safe="")] * 2))
        assert answer.status_code in (200, 303, 404, 405, 422), (name, answer.text[:200])
        if answer.status_code == 200 and place.startswith("/api/"):
            assert answer.json() in ({"rows": [], "next": None}, {"fires": []},
                                     {"entries": [], "next": None}) or name == "", name  # fmt: skip
        assert "passwd:" not in answer.text
        assert "root:" not in answer.text


def test_an_upload_lies_where_the_server_says_whatever_it_is_called(store: Store) -> None:
    asked = asking(store, "run")
    for name in NAMES:
        body = {"project": "p", "name": name, "size": 1}
        answer = asked.post("/api/v1/uploads", json=body)
        if answer.status_code == 201:
            id = answer.json()["id"]
            assert (store.settings.data / "uploads" / id).is_file()
        else:
            problem(answer, 422)
    made = list((store.settings.data / "uploads").iterdir())
    assert len(made) > 10
    assert all(len(path.name) == 32 and path.is_file() for path in made)
    for project in ("../p", "", "x" * 101, "admin"):
        body = {"project": project, "name": "m.tsv", "size": 1}
        assert asked.post("/api/v1/uploads", json=body).status_code == 422


@pytest.mark.parametrize("link", [
    "javascript:alert(1)", "data:text/html,x", "//evil.example", "ftp://x/y", "http://a b/",
    "https://x/\"onmouseover=alert(1)", "https://x/<script>", "/relative", "https://",
])  # fmt: skip
def test_a_link_that_is_no_address_is_refused(store: Store, link: str) -> None:
    path = f"/api/v1/runs/a?project=p&dataset=d&link={quote(link, safe='')}"
    problem(asking(store, "push").put(path, content=report_to_json(sample("healthy"))), 422)


def test_what_a_client_sent_is_quoted_on_one_line_and_bounded(store: Store) -> None:
    asked = asking(store, "push", "read")
    said = problem(asked.get("/api/v1/runs", params={"cursor": "x\r\ny\x1b[31m"}), 422)
    assert "\x1b" not in said
    answer = asked.patch("/api/v1/runs/a", json={"x" * 100_000: 1})
    assert len(problem(answer, 422)) <= 1200


def test_no_address_is_fetched_that_a_client_names(store: Store) -> None:
    """What could be one is a text here, and is given back as a text."""
    asked = asking(store, "admin")
    push(store, "healthy", "a")
    text = "http://169.254.169.254/latest/meta-data"
    said = asked.post("/api/v1/runs/a/annotations", json={"text": text}).json()
    assert said["annotations"][0]["text"] == text


def test_headers_cannot_be_split_and_paths_do_not_climb(store: Store) -> None:
    asked = client(application(store, open=True))
    for path in ("/api/v1/runs/..%2f..%2ftokens", "/api/v1/uploads/%2e%2e/%2e%2e/tokens",
                 "/static/..%2f..%2fpyproject.toml", "/%2fevil.example/", "/%5cevil.example",
                 ):  # fmt: skip
        answer = asked.get(path)
        assert answer.status_code in (404, 422), path
        assert "location" not in answer.headers


@pytest.mark.parametrize("place", [
    "/rules/{}", "/p/{}/badge.svg", "/p/d/badge.svg?branch={}", "/compare?before={}&after=a",
    "/p/d?metric={}", "/jobs/{}",
])  # fmt: skip
def test_no_address_with_a_character_that_a_database_cannot_hold_is_asked_for(
    store: Store, place: str
) -> None:
    answer = asking(store, "admin").get(place.format("a%00b"))
    assert problem(answer, 404) == "there is nothing at this address"
