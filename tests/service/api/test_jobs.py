"""Jobs and webhooks over REST: what is taken, what is refused, and what is told of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from taxcheck.service.store import jobs
from taxcheck.service.store.store import Store
from taxcheck.service.worker.work import work
from tests.service.asking import asking, problem

JOBS, UPLOADS, WEBHOOKS = "/api/v1/jobs", "/api/v1/uploads", "/api/v1/webhooks"


def new(kind: str = "gate", **fields: Any) -> dict[str, Any]:
    return {"project": "ncbi", "dataset": "animals", "job": {"kind": kind, **fields}}


@pytest.mark.long
def test_a_build_from_an_upload_to_its_files(store: Store) -> None:
    caller = asking(store, "run", "read", project="ncbi")
    content = b"child\tparent\n" + b"".join(b"%d\t%d\n" % (k, (k - 1) // 2) for k in range(1, 40))
    begun = {"project": "ncbi", "name": "edges.tsv", "size": len(content)}
    id = caller.post(UPLOADS, json=begun).json()["id"]
    caller.patch(f"{UPLOADS}/{id}", content=content, headers={"Upload-Offset": "0"})
    digest = {"digest": blake3(content).hexdigest()}
    assert caller.post(f"{UPLOADS}/{id}/complete", json=digest).status_code == 200
    made = caller.post(JOBS, json=new("build", source=f"upload:{id}", pairs="depth<=2"))
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "queued"
    where = made.headers["Location"]
    held = jobs.claim(store, "one")
    assert held is not None
    work(store, held, threading.Event())
    told = caller.get(where).json()
    assert (told["state"], told["exit_code"], told["line"]) == ("done", 0, None)
    assert told["asked"] == {"kind": "build", "source": f"upload:{id}", "pairs": "depth<=2"}
    assert told["outcome"]["counts"]["nodes"] == 40
    assert "mapping.tsv" in told["files"]
    file = caller.get(f"{where}/files/mapping.tsv")
    assert file.headers["Content-Disposition"] == 'attachment; filename="mapping.tsv"'
    assert len(file.text.splitlines()) == 41
    run = caller.get(f"/api/v1/runs/{told['run']}").json()
    assert (run["verdict"], run["job"]) == ("pass", told["id"])


@pytest.mark.parametrize("name", ["..%2f..%2ftaxcheck.db", "%2fetc%2fpasswd", "out", "none"])
def test_no_name_of_a_file_leads_out(store: Store, name: str) -> None:
    caller = asking(store, "run", "read")
    where = caller.post(JOBS, json=new()).headers["Location"]
    folder = jobs.results_folder(store) / f"{where.rpartition('/')[2]}.0"
    folder.mkdir(parents=True)
    (folder / "out").symlink_to(store.settings.data)
    assert caller.get(f"{where}/files/{name}").status_code == 404


@pytest.mark.parametrize(("body", "said"), [
    ({}, "missing required field `project`"),
    (new("train"), "Invalid value 'train'"),
    (new(pairs=3), "Expected `str | null`, got `int` - at `$.job.pairs`"),
    (new(source="x"), "unknown field `source`"),
    (new(workers=99), "unknown field `workers`"),
    (new(mapping="/etc/passwd"), "in none of the folders"),
    (new(mapping="../m.tsv"), "neither upload: and an id nor an absolute path"),
    (new(mapping="upload:" + "0" * 32), "is not here"),
    (new("audit", curvature=-1), "`float` > 0"),
    (new("build", source="ncbi", split=1.5), "`float` < 1"),
    (new(title="x" * 501), "length <= 500"),
    (new(title="a\u0000b"), "matching regex"),
    ({**new(), "project": "no such/name"}, "name has letters"),
    ({**new(), "dataset": "../x"}, "name has letters"),
])  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(
    store: Store, body: dict[str, Any], said: str
) -> None:
    caller = asking(store, "run")
    assert said in problem(caller.post(JOBS, json=body), 422)
    assert jobs.jobs(store).jobs == ()


def test_a_body_that_is_none_or_too_large_is_refused(store: Store) -> None:
    caller = asking(store, "run")
    assert "no JSON" in problem(caller.post(JOBS, content=b"{"), 422)
    problem(caller.post(JOBS, content=b" " * 70_000), 413)
    deep = b"[" * 10_000 + b"]" * 10_000
    problem(caller.post(JOBS, content=deep), 422)


def test_jobs_are_listed_of_ones_own_projects_and_stopped(store: Store) -> None:
    caller = asking(store, "run", "read", project="ncbi")
    asking(store, "run").post(JOBS, json={**new(), "project": "other"})
    ids = [caller.post(JOBS, json=new(seed=k)).json()["id"] for k in range(3)]
    page = caller.get(JOBS, params={"limit": 2}).json()
    assert [job["id"] for job in page["jobs"]] == [ids[2], ids[1]]
    rest = caller.get(JOBS, params={"cursor": page["next"]}).json()
    assert [job["id"] for job in rest["jobs"]] == [ids[0]]
    assert rest["next"] is None
    stopped = caller.post(f"{JOBS}/{ids[0]}/cancel")
    assert (stopped.status_code, stopped.json()["state"]) == (200, "cancelled")
    assert "has ended already" in problem(caller.post(f"{JOBS}/{ids[0]}/cancel"), 409)
    found = caller.get(JOBS, params={"state": ["cancelled", "done"]}).json()["jobs"]
    assert [job["id"] for job in found] == [ids[0]]
    problem(caller.get(JOBS, params={"cursor": "x"}), 422)
    problem(caller.get(f"{JOBS}/{'0' * 32}"), 404)


def test_a_webhook_shows_its_secret_once(store: Store) -> None:
    caller = asking(store, "admin", project="ncbi")
    asked = {"project": "ncbi", "url": "https://hooks.example.org/x", "events": ["failure"]}
    made = caller.post(WEBHOOKS, json=asked)
    assert made.status_code == 201, made.text
    assert made.headers["Cache-Control"] == "no-store"
    secret, id = made.json()["secret"], made.json()["webhook"]["id"]
    assert len(secret) == 64
    listed = caller.get(WEBHOOKS)
    assert secret not in listed.text
    assert listed.json()["webhooks"][0]["events"] == ["failure"]
    assert caller.patch(f"{WEBHOOKS}/{id}", json={"paused": True}).json()["paused"]
    assert caller.get(f"{WEBHOOKS}/{id}/deliveries").json() == {"deliveries": []}
    assert caller.delete(f"{WEBHOOKS}/{id}").status_code == 204
    assert caller.get(WEBHOOKS).json() == {"webhooks": []}
    log = asking(store, "admin").get("/api/v1/log").json()["entries"]
    assert [one["action"] for one in log[1:4]] == [
        "webhook removed", "webhook paused", "webhook created"]  # fmt: skip


@pytest.mark.parametrize("url", [
    "http://hooks.example.org/", "https://127.0.0.1/", "https://[fd00:ec2::254]/", "javascript:x",
    "https://169.254.169.254/latest", "https://me:word@hooks.example.org/",
])  # fmt: skip
def test_a_webhook_to_where_nothing_may_go_is_refused(store: Store, url: str) -> None:
    caller = asking(store, "admin")
    said = problem(caller.post(WEBHOOKS, json={"project": "ncbi", "url": url}), 422)
    assert said.startswith("url: ")


def test_a_prefix_is_read_and_what_is_beside_it_is_not(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/m.tsv", "beside.tsv"):
        (tmp_path / name).write_text("taxid\tidx\n1\t0\n")
    (tmp_path / "in" / "link.tsv").symlink_to("../beside.tsv")
    caller = asking(store, "run", prefixes=(tmp_path / "in",))
    assert caller.post(JOBS, json=new(mapping=f"{tmp_path}/in/m.tsv")).status_code == 201
    for named in ("in/link.tsv", "in/../beside.tsv", "beside.tsv"):
        problem(caller.post(JOBS, json=new(mapping=f"{tmp_path}/{named}")), 422)
