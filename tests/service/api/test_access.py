"""Every route, asked by every scope, of one's own project and of another.

The routes are those of the application. One that asks for nothing, or of which ``TRIES`` does not
know how it is asked, fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import pytest
from blake3 import blake3
from fastapi.routing import iter_route_contexts

from taxcheck.model.written import report_to_json
from taxcheck.service.store import jobs, tokens, uploads, webhooks
from taxcheck.service.store.asked import Gate
from taxcheck.service.store.store import Store
from taxcheck.service.store.tokens import SCOPES
from taxcheck.service.web.guard import Needs
from tests.service.asking import application, client, token
from tests.service.pushing import push, sample

FOREIGN = "foreign-affairs"  # a project, of which the others see not even the name
MINE = "mine"
OPEN = {  # asked for by whoever watches the server, and by whoever reads how to ask it
    "GET /healthz", "GET /readyz", "GET /api/v1/openapi.json", "GET /docs",
    "GET /login", "POST /login", "POST /logout", "GET /static/{digest}/{name}",
}  # fmt: skip
_NUMBERS = count(1)


class Things(NamedTuple):
    """What there is of everything in one project."""

    project: str
    run: str
    other_run: str
    upload: str
    part: str  # of an upload: one byte is missing
    token: int
    job: str
    webhook: int


@dataclass(frozen=True)
class Try:
    """How a route is asked for what is in a project."""

    path: Callable[[Things], str]
    body: Callable[[Things], Any] = lambda _: None
    headers: Callable[[Things], dict[str, str]] = lambda _: {}
    form: Callable[[Things], dict[str, str]] = lambda _: {}  # as a page sends it
    alone: bool = True  # it is about one thing of one project; else it lists what one may see


def at(path: str, **more: Any) -> Try:
    return Try(lambda t: path.format(**t._asdict(), name=f"d-{t.project}"), **more)


_RUN, _SET = "/api/v1/runs/{run}", "/api/v1/projects/{project}/datasets/{name}"
_UPLOADS, _TOKENS = "/api/v1/uploads", "/api/v1/tokens"
_JOBS, _WEBHOOKS = "/api/v1/jobs", "/api/v1/webhooks"
TRIES: dict[str, Try] = {
    "PUT /api/v1/runs/{id}": at(
        "/api/v1/runs/{run}-new?project={project}&dataset={name}",
        body=lambda _: report_to_json(sample("healthy")),
    ),
    "GET /api/v1/runs": at("/api/v1/runs", alone=False),
    "GET /api/v1/runs/{id}": at(_RUN),
    "GET /api/v1/runs/{id}/report.{suffix}": at(f"{_RUN}/report.json"),
    "PATCH /api/v1/runs/{id}": at(_RUN, body=lambda _: {"pinned": True}),
    "DELETE /api/v1/runs/{id}": at(_RUN),
    "DELETE /api/v1/runs/{id}/samples": at(f"{_RUN}/samples"),
    "GET /api/v1/runs/{id}/annotations": at(f"{_RUN}/annotations"),
    "POST /api/v1/runs/{id}/annotations": at(
        f"{_RUN}/annotations", body=lambda _: {"text": "seen"}
    ),
    "GET /api/v1/compare": at("/api/v1/compare?before={run}&after={other_run}"),
    "GET /api/v1/projects": at("/api/v1/projects", alone=False),
    "GET /api/v1/datasets": at("/api/v1/datasets", alone=False),
    "GET /api/v1/projects/{project}/datasets/{dataset}": at(_SET),
    "DELETE /api/v1/projects/{project}/datasets/{dataset}": at(_SET),
    "GET /api/v1/projects/{project}/datasets/{dataset}/grid": at(f"{_SET}/grid"),
    "GET /api/v1/projects/{project}/datasets/{dataset}/metrics": at(f"{_SET}/metrics"),
    "GET /api/v1/projects/{project}/datasets/{dataset}/trend": at(f"{_SET}/trend?metric=map"),
    "GET /api/v1/projects/{project}/datasets/{dataset}/baseline": at(
        f"{_SET}/baseline?which=latest"
    ),
    "PUT /api/v1/projects/{project}/datasets/{dataset}/baseline": at(
        f"{_SET}/baseline", body=lambda t: {"run": t.run}
    ),
    "GET /api/v1/firing/{name}": at("/api/v1/firing/no_such_rule", alone=False),
    f"POST {_UPLOADS}": at(
        _UPLOADS, body=lambda t: {"project": t.project, "name": "m.tsv", "size": 1}
    ),
    f"GET {_UPLOADS}/{{id}}": at(f"{_UPLOADS}/{{upload}}"),
    f"PATCH {_UPLOADS}/{{id}}": at(
        f"{_UPLOADS}/{{part}}", body=lambda _: b"y", headers=lambda _: {"Upload-Offset": "1"}
    ),
    f"POST {_UPLOADS}/{{id}}/complete": at(
        f"{_UPLOADS}/{{upload}}/complete", body=lambda _: {"digest": blake3(b"x").hexdigest()}
    ),
    f"DELETE {_UPLOADS}/{{id}}": at(f"{_UPLOADS}/{{upload}}"),
    f"GET {_TOKENS}": at(_TOKENS, alone=False),
    f"POST {_TOKENS}": at(
        _TOKENS, body=lambda t: {"name": "new", "scopes": ["push"], "project": t.project}
    ),
    f"DELETE {_TOKENS}/{{key}}": at(f"{_TOKENS}/{{token}}"),
    f"POST {_JOBS}": at(
        _JOBS, body=lambda t: {"project": t.project, "dataset": "d", "job": {"kind": "gate"}}
    ),
    f"GET {_JOBS}": at(_JOBS, alone=False),
    f"GET {_JOBS}/{{id}}": at(f"{_JOBS}/{{job}}"),
    f"GET {_JOBS}/{{id}}/files/{{name}}": at(f"{_JOBS}/{{job}}/files/manifest.json"),
    f"POST {_JOBS}/{{id}}/cancel": at(f"{_JOBS}/{{job}}/cancel"),
    f"GET {_WEBHOOKS}": at(_WEBHOOKS, alone=False),
    f"POST {_WEBHOOKS}": at(
        _WEBHOOKS, body=lambda t: {"project": t.project, "url": "https://hooks.example.org/"}
    ),
    f"GET {_WEBHOOKS}/{{id}}/deliveries": at(f"{_WEBHOOKS}/{{webhook}}/deliveries"),
    f"PATCH {_WEBHOOKS}/{{id}}": at(f"{_WEBHOOKS}/{{webhook}}", body=lambda _: {"paused": True}),
    f"DELETE {_WEBHOOKS}/{{id}}": at(f"{_WEBHOOKS}/{{webhook}}"),
    "GET /api/v1/log": at("/api/v1/log"),
    "GET /api/v1/disk": at("/api/v1/disk"),
    "POST /api/v1/sweep": at("/api/v1/sweep"),
    "GET /metrics": at("/metrics"),
    "GET /": at("/", alone=False),
    "GET /rules/{name:path}": at("/rules/PAIR003", alone=False),
    "GET /{project}": at("/{project}"),
    "GET /{project}/{dataset}": at("/{project}/{name}"),
    "GET /{project}/{dataset}/badge.svg": at("/{project}/{name}/badge.svg"),
    "GET /{project}/{dataset}/feed.xml": at("/{project}/{name}/feed.xml"),
    "GET /runs/{id}": at("/runs/{run}"),
    "GET /runs/{id}/explorer": at("/runs/{run}/explorer"),
    "GET /compare": at("/compare?before={run}&after={other_run}"),
    "GET /jobs": at("/jobs", alone=False),
    "GET /jobs/new": at("/jobs/new", alone=False),
    "POST /jobs/new": at(
        "/jobs/new",
        form=lambda t: {
            "kind": "build",
            "project": t.project,
            "dataset": "made",
            "taxonomy": "ncbi",
        },
    ),
    "GET /jobs/{id}": at("/jobs/{job}"),
    "POST /jobs/{id}/cancel": at("/jobs/{job}/cancel"),
    "GET /admin": at("/admin", alone=False),
    "POST /admin/sweep": at("/admin/sweep"),
    "POST /admin/tokens": at(
        "/admin/tokens", form=lambda t: {"name": "new", "may-read": "yes", "project": t.project}
    ),
    "POST /admin/tokens/revoke": at("/admin/tokens/revoke", form=lambda t: {"key": str(t.token)}),
    "POST /admin/webhooks": at(
        "/admin/webhooks",
        form=lambda t: {
            "project": t.project,
            "url": "https://93.184.215.14/x",
            "on-failure": "yes",
        },
    ),
    "POST /admin/webhooks/pause": at(
        "/admin/webhooks/pause", form=lambda t: {"key": str(t.webhook), "paused": "yes"}
    ),
    "POST /admin/webhooks/remove": at(
        "/admin/webhooks/remove", form=lambda t: {"key": str(t.webhook)}
    ),
    "POST /runs/{id}/pin": at("/runs/{run}/pin", form=lambda _: {"pinned": "yes"}),
    "POST /runs/{id}/baseline": at("/runs/{run}/baseline", form=lambda _: {"set": "yes"}),
    "POST /runs/{id}/notes": at("/runs/{run}/notes", form=lambda _: {"text": "seen"}),
    "POST /runs/{id}/erase": at("/runs/{run}/erase"),
    "POST /runs/{id}/remove": at("/runs/{run}/remove"),
    "POST /{project}/{dataset}/remove": at(
        "/{project}/{name}/remove", form=lambda t: {"name": f"d-{t.project}"}
    ),
}
FINE = (200, 201, 204, 303)


def takes_away(route: str) -> bool:
    """Whether what a route was asked about is there no more."""
    return route.startswith("DELETE") or route.endswith(("/remove", "/revoke", "/cancel"))


class Route(NamedTuple):
    """A method and an address of the application, and what it says that it needs."""

    name: str
    needs: Needs | None


def routes_of(app: Any) -> Iterator[Route]:
    for found in iter_route_contexts(app.routes):
        for method in sorted(found.methods or {"MOUNT"}):
            yield Route(f"{method} {found.path}", needed(getattr(found, "dependant", None)))


def needed(dependant: Any) -> Needs | None:
    """What a route needs, wherever among its dependencies it says so."""
    if dependant is None:
        return None
    if isinstance(dependant.call, Needs):
        return dependant.call
    found = [needed(one) for one in dependant.dependencies]
    return next((one for one in found if one is not None), None)


def things(store: Store, project: str) -> Things:
    """One of everything, new."""
    dataset, number = f"d-{project}", next(_NUMBERS)
    runs = [push(store, "healthy", f"{project}-{number}-{k}", project, dataset) for k in range(2)]
    whole, part = (uploads.begin(store, project, "m.tsv", size).id for size in (1, 2))
    for id in (whole, part):
        with uploads.appending(store, id, 0) as piece:
            piece.write(b"x")
    _, made = tokens.create(store, f"of {project}", ["read"], project=project)
    job = jobs.submit(store, project=project, dataset=dataset, asked=Gate())
    built = jobs.results_folder(store) / f"{job}.0"
    built.mkdir(parents=True)
    (built / "manifest.json").write_text("{}")
    webhook, _ = webhooks.create(store, project, "https://hooks.example.org/")
    return Things(project, *runs, whole, part, made.key, job, webhook.id)


def ask(app: Any, shown: str | None, route: str, of: Things) -> Any:
    one = TRIES[route]
    body, headers = one.body(of), one.headers(of)
    sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
    sent |= {"data": one.form(of)} if one.form(of) else {}
    return client(app, shown).request(route.split()[0], one.path(of), headers=headers, **sent)


def count_rows(store: Store) -> list[tuple[str, int]]:
    from sqlalchemy import func, select

    from taxcheck.service.store.tables import metadata

    tables = sorted(metadata.tables.items())
    counts = (select(func.count()).select_from(table).scalar_subquery() for _, table in tables)
    with store.database.reading() as connection:
        row = connection.execute(select(*counts)).one()
    return [(name, count) for (name, _), count in zip(tables, row, strict=True)]


def test_every_route_says_what_it_needs(store: Store) -> None:
    found = list(routes_of(application(store)))
    assert len(found) > 25
    assert {one.name for one in found if one.needs is None} == OPEN
    assert {one.name for one in found} - OPEN == TRIES.keys()


def test_whoever_shows_nothing_or_a_token_that_is_void_gets_nothing(store: Store) -> None:
    app, of = application(store), things(store, MINE)
    text, made = tokens.create(store, "gone", ["admin"])
    tokens.revoke(store, made.key)
    before = count_rows(store)
    for route in TRIES:
        for shown in (None, text, "tck_" + "A" * 43, "", "Ünïcode".encode().hex()):
            answer = ask(app, shown, route, of)
            assert answer.status_code == 401, (route, shown)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert count_rows(store) == before


@pytest.mark.parametrize(
    "scope",
    [pytest.param(s, marks=() if s in ("push", "read") else pytest.mark.slow) for s in SCOPES],
)
def test_a_scope_does_what_it_says_in_its_own_project_alone(store: Store, scope: str) -> None:
    app = application(store)
    shown = token(store, scope, project=MINE)
    mine, theirs = things(store, MINE), things(store, FOREIGN)
    for route in routes_of(app):
        if route.needs is None:
            continue
        also = ("read",) if route.needs.scope == "watch" else ()
        allowed = scope in (route.needs.scope, "admin", *also) and not route.needs.everywhere
        answer = ask(app, shown, route.name, mine)
        if allowed:
            assert answer.status_code in FINE, (route.name, answer.text)
        else:
            assert answer.status_code == 403, (route.name, answer.text)
        if allowed and takes_away(route.name):
            mine = things(store, MINE)
        if not TRIES[route.name].alone:
            assert FOREIGN not in answer.text
            continue
        before = count_rows(store)
        refused = ask(app, shown, route.name, theirs)
        assert refused.status_code in (403, 404), (route.name, refused.text)
        assert count_rows(store) == before, route.name


@pytest.mark.slow
def test_a_token_of_all_projects_reaches_all(store: Store) -> None:
    app, shown, of = application(store), token(store, "admin"), things(store, FOREIGN)
    for route in TRIES:
        answer = ask(app, shown, route, of)
        assert answer.status_code in FINE, (route, answer.text)
        if takes_away(route):
            of = things(store, FOREIGN)


def test_a_list_narrowed_to_another_project_is_refused(store: Store) -> None:
    app = application(store)
    things(store, FOREIGN)
    reader = client(app, token(store, "admin", project=MINE))
    for route, one in TRIES.items():
        if not one.alone:
            path = one.path(Things(FOREIGN, "", "", "", "", 0, "", 0))
            answer = reader.get(path, params={"project": FOREIGN})
            assert answer.status_code == 403, route


def test_what_is_of_another_project_is_not_told_to_exist(store: Store) -> None:
    app, of = application(store), things(store, FOREIGN)
    reader = client(app, token(store, "admin", project=MINE))
    for path, missing in (
        (f"/api/v1/runs/{of.run}", "/api/v1/runs/none"),
        (f"/api/v1/uploads/{of.upload}", f"/api/v1/uploads/{'0' * 32}"),
        (f"/api/v1/compare?before={of.run}&after={of.run}", "/api/v1/compare?before=no&after=no"),
    ):
        there, gone = reader.get(path), reader.get(missing)
        assert there.status_code == gone.status_code == 404
    told = {reader.delete(f"/api/v1/tokens/{key}").status_code for key in (of.token, 999_999)}
    assert told == {404}


def test_the_sentence_says_what_is_lacking(store: Store) -> None:
    app = application(store)
    said = client(app, token(store, "read")).post("/api/v1/tokens", json={}).json()["detail"]
    assert said == "read may not do this: it needs scope admin, and has read"
    own = client(app, token(store, "push", project=MINE))
    said = own.put("/api/v1/runs/a?project=other&dataset=d").json()["detail"]
    assert said == "push may not do this in project other, only in mine"
