"""Which files a job may read: what lies in the folders that were allowed, and uploads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3

from taxcheck.service.settings import Settings
from taxcheck.service.store import uploads
from taxcheck.service.store.errors import RefusedError
from taxcheck.service.store.places import place
from taxcheck.service.store.store import Store, open_store

OUT = "in none of the folders"


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A folder that may be read, beside one that may not."""
    for name in ("allowed", "allowed-not", "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pairs.tsv").write_text("0\t1\n")
    return tmp_path / "allowed"


@pytest.fixture
def store(tmp_path: Path, allowed: Path) -> Store:
    return open_store(Settings(data=tmp_path / "data", prefixes=(allowed,)))


def upload(store: Store, content: bytes = b"0\t1\n", name: str = "pairs.tsv") -> str:
    made = uploads.begin(store, "ncbi", name, len(content))
    with uploads.appending(store, made.id, 0) as piece:
        piece.write(content)
    uploads.complete(store, made.id, blake3(content).hexdigest())
    return made.id


def test_a_file_of_an_allowed_folder_is_opened_where_it_is(store: Store, allowed: Path) -> None:
    (allowed / "newest.tsv").symlink_to("pairs.tsv")
    found = place(store, "ncbi", f"{allowed}/./x/../newest.tsv")
    assert (found.path, found.upload) == (allowed / "pairs.tsv", None)
    assert place(store, "ncbi", str(allowed)).path == allowed


@pytest.mark.parametrize("named", [
    "{allowed}/../secret/pairs.tsv",
    "{allowed}-not/pairs.tsv",
    "{allowed}/out/pairs.tsv",
    "{allowed}/link.tsv",
    "{allowed}/chain.tsv",
    "{allowed}/..",
    "/",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/stdin",
    "{allowed}/fd",
])  # fmt: skip
def test_nothing_leads_out(store: Store, allowed: Path, named: str) -> None:
    secret = allowed.parent / "secret"
    (allowed / "out").symlink_to(secret)
    (allowed / "link.tsv").symlink_to("../secret/pairs.tsv")
    (allowed / "chain.tsv").symlink_to("out/pairs.tsv")
    (allowed / "fd").symlink_to("/proc/self/environ")
    with pytest.raises(RefusedError, match=OUT):
        place(store, "ncbi", named.format(allowed=allowed))


def test_whether_there_is_something_outside_is_not_told(store: Store, allowed: Path) -> None:
    said = set()
    for name in ("pairs.tsv", "nothing.tsv"):
        with pytest.raises(RefusedError) as refused:
            place(store, "ncbi", str(allowed.parent / "secret" / name))
        said.add(str(refused.value).replace(name, ""))
    assert len(said) == 1


def test_a_folder_that_leads_out_is_refused_as_a_whole(store: Store, allowed: Path) -> None:
    dump = allowed / "dump"
    (dump / "deep").mkdir(parents=True)
    (dump / "nodes.dmp").symlink_to(allowed / "pairs.tsv")
    assert place(store, "ncbi", str(dump)).path == dump
    (dump / "deep" / "names.dmp").symlink_to("../../../secret/pairs.tsv")
    with pytest.raises(RefusedError, match=r"names\.dmp in it leads out"):
        place(store, "ncbi", str(dump))


def test_a_pipe_or_a_device_is_no_file(store: Store, allowed: Path) -> None:
    os.mkfifo(allowed / "pipe")
    with pytest.raises(RefusedError, match="neither a file nor a folder"):
        place(store, "ncbi", str(allowed / "pipe"))


@pytest.mark.parametrize("named", ["pairs.tsv", "", "~/x", "-", "file:///etc/passwd", "s3://b/x"])
def test_a_path_that_is_not_absolute_is_none(store: Store, named: str) -> None:
    with pytest.raises(RefusedError, match="absolute"):
        place(store, "ncbi", named)


@pytest.mark.parametrize("named", ["/a\x00b", "/" + "x" * 5000, "/a/" * 2000, "/\ud800"])
def test_a_path_that_no_file_can_have_is_refused(store: Store, named: str) -> None:
    with pytest.raises(RefusedError):
        place(store, "ncbi", named)


def test_without_allowed_folders_there_are_uploads_alone(tmp_path: Path, allowed: Path) -> None:
    store = open_store(Settings(data=tmp_path / "data"))
    with pytest.raises(RefusedError, match=OUT):
        place(store, "ncbi", str(allowed / "pairs.tsv"))
    found = place(store, "ncbi", f"upload:{upload(store)}")
    assert (found.path.read_bytes(), found.upload) == (b"0\t1\n", "pairs.tsv")
    assert found.path.is_absolute()


def test_an_upload_is_of_its_project_and_complete(store: Store) -> None:
    with pytest.raises(RefusedError):
        place(store, "other", f"upload:{upload(store)}")
    begun = uploads.begin(store, "ncbi", "pairs.tsv", 10)
    with pytest.raises(RefusedError, match="0 of its 10 bytes"):
        place(store, "ncbi", f"upload:{begun.id}")
    for none in ("upload:", "upload:" + "0" * 32, "upload:../../etc/passwd"):
        with pytest.raises(RefusedError):
            place(store, "ncbi", none)


def test_what_is_the_servers_own_is_not_read_where_an_allowed_folder_lies_around_it(
    tmp_path: Path,
) -> None:
    store = open_store(Settings(data=tmp_path / "all" / "data", prefixes=(tmp_path / "all",)))
    id = upload(store).removeprefix("upload:")
    for named in ("data/taxcheck.db", f"data/uploads/{id}", "data", "", "data/reports"):
        with pytest.raises(RefusedError, match=OUT):
            place(store, "ncbi", str(tmp_path / "all" / named))
    (tmp_path / "all" / "beside.tsv").write_text("0\t1\n")
    assert place(store, "ncbi", str(tmp_path / "all" / "beside.tsv")).upload is None
    assert (store.settings.data.stat().st_mode & 0o077) == 0


def test_a_part_is_of_a_file_that_may_be_read(store: Store, allowed: Path) -> None:
    """The file before it is held to the folders; what is behind it names nothing on the disk."""
    found = place(store, "ncbi", f"{allowed}/x/../pairs.tsv::sheet::a")
    assert found.typed(str(found.path)) == f"{allowed}/pairs.tsv::sheet::a"
    held = place(store, "ncbi", f"upload:{upload(store)}::pairs")
    assert (held.upload, held.typed("pairs.tsv")) == ("pairs.tsv", "pairs.tsv::pairs")
    up = f"{allowed}/pairs.tsv::/../../secret/pairs.tsv"
    assert place(store, "ncbi", up).path == allowed / "pairs.tsv"
    (allowed / "a::b").write_text("0\t1\n")
    assert place(store, "ncbi", f"{allowed}/a::b").typed("f") == "f"
    for named in (f"{allowed}/../secret/pairs.tsv::{allowed}", f"{allowed}-not/pairs.tsv::pairs"):
        with pytest.raises(RefusedError, match=OUT):
            place(store, "ncbi", named)


def test_a_part_is_of_no_file_that_is_called_like_one(store: Store, allowed: Path) -> None:
    """The command would take the name apart at its own ``::``, where a link may lead out."""
    (allowed / "a").symlink_to(allowed.parent / "secret" / "pairs.tsv")
    (allowed / "a::b").write_text("0\t1\n")
    (allowed / "link").symlink_to("a::b")
    with pytest.raises(RefusedError, match="with :: in its name"):
        place(store, "ncbi", f"{allowed}/link::c")
