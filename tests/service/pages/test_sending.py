"""Files that a person chooses in the form of a job: they arrive whole, or the form says why not."""

from __future__ import annotations

import re

import pytest
from blake3 import blake3

from taxcheck.service.store import jobs, uploads
from tests.service.asking import application, asking, client, token
from tests.service.pages.served import page, said

EDGE = "XbXbX"
PART = f'--{EDGE}\r\nContent-Disposition: form-data; name="{{}}"\r\n\r\n{{}}\r\n'
TEXT = {"kind": "gate", "project": "ncbi", "dataset": "animals"}


def sent(asked, files, **text):
    return asked.post("/jobs/new", data={**TEXT, **text}, files=files)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_files_that_were_chosen_are_read_by_the_job(store):
    asked = asking(store, "run", "read", project="ncbi")
    content = b"taxid\tidx\n" + bytes(range(256)) * 9000  # more than comes at once
    files = {
        "mapping-file": ("C:\\data\\Käfer.tsv", content),
        "pairs-file": ("pairs.tsv", b""),
        "taxonomy-file": ("", b""),  # none was chosen
    }
    answer = sent(asked, files)
    assert answer.status_code == 303, answer.text
    story = jobs.one(store, answer.headers["location"].rpartition("/")[2])
    assert story.asked.taxonomy is None
    found = uploads.complete_file(store, "ncbi", story.asked.mapping.removeprefix("upload:"))
    assert found.path.read_bytes() == content
    assert found.name == "Käfer.tsv"
    told = uploads.status(store, story.asked.mapping.removeprefix("upload:"))
    assert (told.size, told.digest) == (len(content), blake3(content).hexdigest())
    empty = uploads.status(store, story.asked.pairs.removeprefix("upload:"))
    assert (empty.size, empty.name) == (0, "pairs.tsv")


def test_what_was_sent_need_not_be_sent_again_where_the_form_is_refused(store):
    asked = asking(store, "run", "read")
    answer = sent(asked, {"mapping-file": ("m.tsv", b"x")}, root="Asteroidea")
    found = page(answer, 422)
    assert "this kind of job has no" in said(found.xpath("//p[@role='alert']")[0])
    kept = found.xpath("//input[@name='mapping']/@value")[0]
    assert re.fullmatch("upload:[0-9a-f]{32}", kept)
    answer = asked.post("/jobs/new", data={**TEXT, "mapping": kept})
    assert answer.status_code == 303


def test_nothing_is_taken_for_another_project_or_before_one_is_named(store):
    asked = asking(store, "run", project="ncbi")
    assert sent(asked, {"mapping-file": ("m", b"x")}, project="foreign").status_code == 403
    assert asked.post("/jobs/new", files={"mapping-file": ("m", b"x")}).status_code == 403
    assert client(application(store)).post(
        "/jobs/new", data=TEXT, files={"mapping-file": ("m", b"x")}
    ).status_code == 401  # fmt: skip
    assert asking(store, "push").post("/jobs/new", files={"m": ("m", b"x")}).status_code == 403
    assert left(store) == []


@pytest.mark.parametrize("cut", [40, 150, 230, 270, -1])
def test_a_form_that_is_cut_off_leaves_nothing(store, cut):
    body = form(("kind", None, "gate"), ("project", None, "ncbi"), ("mapping-file", "m", "x" * 99))
    asked = asking(store, "run")
    answer = asked.post("/jobs/new", content=body[:cut] if cut > 0 else body[:-5], headers=kind())
    assert answer.status_code in (400, 403)
    assert left(store) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"nothing of the kind", 400),
        (b"--" + EDGE.encode() + b"\r\n" + b"A" * 100_000, 400),
        (PART.format("", "").encode() * 200, 422),
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(store, body, status):
    answer = asking(store, "run").post("/jobs/new", content=body, headers=kind())
    assert answer.status_code == status, answer.text


def test_a_form_has_its_limits(store):
    asked = asking(store, "run", upload_bytes=5000)
    assert sent(asked, {"mapping-file": ("m", b"x" * 2_000_000)}).status_code == 413
    assert sent(asked, {"mapping-file": ("m", b"x" * 9000)}).status_code == 413
    large = asked.post("/jobs/new", data={**TEXT, "root": "x" * 70_000}, files={"a": ("", b"")})
    assert large.status_code == 413
    assert left(store) == []
    other = asking(store, "run").post("/jobs/new", content=b"x", headers={"Content-Type": KIND})
    assert other.status_code == 415


def test_the_form_sends_files_and_asks_for_the_project_first(store):
    found = page(client(application(store), token(store, "admin")).get("/jobs/new"))
    (form,) = found.xpath("//form[@action='/jobs/new']")
    assert form.get("enctype") == KIND
    names = form.xpath(".//*[@name]/@name")
    first = min(names.index(name) for name in names if name.endswith("-file"))
    assert names.index("project") < first
    for name in form.xpath(".//input[@type='file']/@name"):
        assert name.removesuffix("-file") in names


KIND = "multipart/form-data"


def kind():
    return {"Content-Type": f"{KIND}; boundary={EDGE}"}


def form(*parts):
    made = ""
    for name, file, content in parts:
        also = f'; filename="{file}"' if file else ""
        made += (
            f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{also}\r\n\r\n{content}\r\n'
        )
    return f"{made}--{EDGE}--\r\n".encode()


def left(store):
    folder = store.settings.data / "uploads"
    return list(folder.iterdir()) if folder.exists() else []
