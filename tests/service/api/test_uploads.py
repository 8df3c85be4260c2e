"""Files that are sent piece by piece, cut off, gone on with, and closed."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest
from blake3 import blake3

from taxcheck.service.store import uploads
from taxcheck.service.store.errors import NoRoomError, NotThereError, RefusedError
from taxcheck.service.store.store import Store
from tests.service.asking import application, asking, problem, token

PLACE = "/api/v1/uploads"


def begun(asked: Any, size: int, name: str = "m.tsv") -> str:
    answer = asked.post(PLACE, json={"project": "p", "name": name, "size": size})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{PLACE}/{answer.json()['id']}"
    return str(answer.json()["id"])


def send(asked: Any, id: str, offset: int, data: bytes) -> Any:
    return asked.patch(f"{PLACE}/{id}", content=data, headers={"Upload-Offset": str(offset)})


def close(asked: Any, id: str, data: bytes) -> Any:
    return asked.post(f"{PLACE}/{id}/complete", json={"digest": blake3(data).hexdigest()})


def test_a_file_arrives_in_pieces_and_is_whole(store: Store) -> None:
    asked, data = asking(store, "run"), os.urandom(5_000_000)
    id, at = begun(asked, len(data)), 0
    for size in (1, 999_999, 3_000_001, len(data)):
        answer = send(asked, id, at, data[at : at + size])
        at = min(at + size, len(data))
        assert answer.status_code == 200
        assert answer.headers["Upload-Offset"] == str(at)
    assert close(asked, id, data).json()["digest"] == blake3(data).hexdigest()
    found = uploads.complete_file(store, "p", id)
    assert found.path.read_bytes() == data
    assert found.name == "m.tsv"
    assert close(asked, id, data).status_code == 200
    problem(close(asked, id, b"other"), 409)
    assert "is complete already" in problem(send(asked, id, at, b""), 409)


def test_an_empty_file_is_a_file(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 0)
    assert close(asked, id, b"").status_code == 200
    assert uploads.complete_file(store, "p", id).path.read_bytes() == b""


def test_a_piece_goes_where_the_last_one_ended_and_nowhere_else(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 10)
    send(asked, id, 0, b"abc")
    for offset in (0, 2, 4, 10, 10**15):
        assert "goes on at byte 3" in problem(send(asked, id, offset, b"x"), 409)
    problem(asked.patch(f"{PLACE}/{id}", content=b"x"), 422)
    problem(send(asked, id, -1, b"x"), 422)
    assert asked.get(f"{PLACE}/{id}").headers["Upload-Offset"] == "3"
    assert asked.head(f"{PLACE}/{id}").headers["Upload-Offset"] == "3"


def test_more_than_was_told_is_refused_and_what_fits_stays(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 5)
    send(asked, id, 0, b"abc")
    problem(send(asked, id, 3, b"def"), 413)
    assert asked.get(f"{PLACE}/{id}").json()["offset"] == 3
    assert send(asked, id, 3, b"de").status_code == 200


def test_another_file_than_was_sent_is_refused_and_removed(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 3)
    assert "0 of its 3 bytes" in problem(close(asked, id, b"abc"), 409)
    send(asked, id, 0, b"abX")
    assert "send it again" in problem(close(asked, id, b"abc"), 422)
    problem(asked.get(f"{PLACE}/{id}"), 404)
    assert list((store.settings.data / "uploads").iterdir()) == []


def test_what_arrived_before_a_client_left_stays(store: Store) -> None:
    app, shown = application(store), token(store, "run")
    asked = asking(store, "run")
    id = begun(asked, 10 << 20)
    pieces = [b"x" * (1 << 20), b"y" * (1 << 20), b"z" * 1000]

    async def receive() -> Any:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": True}
        return {"type": "http.disconnect"}

    async def send_(_: Any) -> None:
        pass

    headers = {"host": "localhost", "authorization": f"Bearer {shown}", "upload-offset": "0"}
    scope = {
        "type": "http", "method": "PATCH", "path": f"{PLACE}/{id}", "query_string": b"",
        "raw_path": f"{PLACE}/{id}".encode(), "scheme": "http", "http_version": "1.1",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()], "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8740),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send_))
    assert asked.get(f"{PLACE}/{id}").json()["offset"] == 2 << 20
    assert send(asked, id, 2 << 20, b"z").status_code == 200


def test_two_do_not_write_at_once(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 10)
    with uploads.appending(store, id, 0) as piece:
        assert "another piece is being written" in problem(send(asked, id, 0, b"x"), 409)
        assert "another piece is being written" in problem(close(asked, id, b""), 409)
        piece.write(b"abc")
    assert send(asked, id, 3, b"x").status_code == 200


def test_a_file_that_is_too_large_or_has_no_place_is_refused_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking(store, "run", upload_bytes=1000)
    body = {"project": "p", "name": "m.tsv", "size": 1001}
    assert "1,001 bytes are more" in problem(asked.post(PLACE, json=body), 413)
    problem(asked.post(PLACE, json={**body, "size": -1}), 422)
    problem(asked.post(PLACE, json={**body, "size": 10**30}), 413)

    class Usage:
        free = 100 << 20

    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: Usage)
    asked = asking(store, "run")
    assert "has no place" in problem(asked.post(PLACE, json={**body, "size": 50 << 20}), 507)
    assert list((store.settings.data / "uploads").iterdir()) == []


def test_a_disk_that_fills_meanwhile_is_told_and_the_piece_can_be_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking(store, "run")
    id = begun(asked, 3)

    def full(*_: object) -> None:
        raise NoRoomError("m.tsv: the disk is full; send the rest later")

    with monkeypatch.context() as patched:
        patched.setattr(uploads.Piece, "write", full)
        assert "send the rest later" in problem(send(asked, id, 0, b"abc"), 507)
    assert send(asked, id, 0, b"abc").status_code == 200


def test_a_job_reads_complete_files_of_its_own_project_alone(store: Store) -> None:
    asked = asking(store, "run")
    id = begun(asked, 1)
    with pytest.raises(RefusedError, match="has 0 of its 1 bytes"):
        uploads.complete_file(store, "p", id)
    send(asked, id, 0, b"x")
    close(asked, id, b"x")
    for project, named in (("other", id), ("p", "0" * 32), ("p", "../" + id), ("p", id[:-1])):
        with pytest.raises(RefusedError, match="is not here"):
            uploads.complete_file(store, project, named)


def test_what_nobody_goes_on_with_is_swept_and_what_a_job_asked_for_stays(store: Store) -> None:
    asked = asking(store, "run")
    old, asked_for, young = (begun(asked, 1, f"{k}.tsv") for k in range(3))
    for id in (old, asked_for, young):
        send(asked, id, 0, b"x")
        close(asked, id, b"x")
    folder = store.settings.data / "uploads"
    long_ago = time.time() - store.settings.upload_hours * 3600 - 60
    for id in (old, asked_for):
        os.utime(folder / id, (long_ago, long_ago))
    (folder / ("f" * 32)).write_bytes(b"of no upload")
    os.utime(folder / ("f" * 32), (long_ago, long_ago))
    (folder / "somebody else's").write_bytes(b"")
    os.utime(folder / "somebody else's", (long_ago, long_ago))
    uploads.complete_file(store, "p", asked_for)
    assert uploads.sweep(store) == 2
    assert {path.name for path in folder.iterdir()} == {asked_for, young, "somebody else's"}
    with pytest.raises(NotThereError):
        uploads.status(store, old)
