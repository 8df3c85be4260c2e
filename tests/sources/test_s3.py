"""Tables in a bucket of S3, on a local server: read piece by piece, or refused in one line."""

from __future__ import annotations

import importlib.util
import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxcheck.cli import main
from taxcheck.model.errors import InputError
from taxcheck.sources.tables.opening import open_pairs
from taxcheck.sources.tables.source import PartitionRead
from tests.sources.shards import ROWS, refused, table, values

NEEDED = ("fsspec", "s3fs", "moto", "flask")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("s3")]
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of S3 in this process."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)} (pip install s3fs 'moto[server]')")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[object]:
    """A client of the server, whose bucket ``data`` has three shards; TMPDIR stays empty."""
    import s3fs

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
    settings |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "empty")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    s3fs.S3FileSystem.clear_instance_cache()
    fs = s3fs.S3FileSystem(endpoint_url=endpoint, key="test", secret="test")
    fs.mkdir("data")
    for at in range(3):
        with fs.open(f"data/pairs/part-{at + 8}.parquet", "wb") as stream:
            pq.write_table(table(at), stream, row_group_size=300)
    yield fs
    assert list((tmp_path / "empty").iterdir()) == []
    fs.rm("data", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.parametrize("given", ["s3://data/pairs", "s3://data/pairs/", "s3://data/*/part-*"])
def test_shards_in_a_bucket(given: str) -> None:
    source = open_pairs(given)
    assert [v for b in source.batches() for v in b.columns["ancestor"].to_pylist()] == list(
        range(3 * ROWS)
    )
    assert [one.path for one in source.summary().files] == [
        f"s3://data/pairs/part-{number}.parquet" for number in (8, 9, 10)
    ]
    assert source.table.said(ROWS + 17) == "s3://data/pairs/part-9.parquet, row 17"


def test_a_bucket_has_the_fingerprint_of_the_same_folder_on_disk(
    s3: object, tmp_path: Path
) -> None:
    s3.get("data/pairs/", str(tmp_path / "pairs"), recursive=True)  # type: ignore[attr-defined]
    near, far = open_pairs(str(tmp_path / "pairs")), open_pairs("s3://data/pairs")
    assert near.table.fingerprint() == far.table.fingerprint()


def test_a_single_object_of_text(s3: object) -> None:
    text = "ancestor\tdescendant\n" + "".join(f"{k}\t{k + 7}\n" for k in range(ROWS))
    s3.pipe("data/pairs.tsv", text.encode())  # type: ignore[attr-defined]
    assert values("s3://data/pairs.tsv") == list(range(ROWS))


def test_a_partition_of_a_bucket_is_read_elsewhere() -> None:
    source = open_pairs("s3://data/pairs")
    shipped = pickle.loads(pickle.dumps(source.partitions(rows=500)))
    told: list[PartitionRead] = []
    batches = [batch for partition in shipped for batch in partition.batches(told.append)]
    read = [value for batch in batches for value in batch.columns["ancestor"].to_pylist()]
    assert read == list(range(3 * ROWS))
    source.was_read(told)
    assert source.summary().rows == 3 * ROWS


def test_what_is_not_there() -> None:
    assert refused("s3://data/none.parquet") == (
        "s3://data/none.parquet: no such file or bucket; check the address"
    )
    assert "no such file or bucket" in refused("s3://nobody/pairs.parquet")
    assert "matches no file" in refused("s3://data/pairs/*.tsv")


def test_an_object_that_changes_between_the_passes(s3: object) -> None:
    source = open_pairs("s3://data/pairs")
    list(source.batches())
    with s3.open("data/pairs/part-9.parquet", "wb") as stream:  # type: ignore[attr-defined]
        pq.write_table(table(5), stream, row_group_size=300)
    with pytest.raises(InputError, match=r"part-9\.parquet: changed while it was read"):
        list(source.batches())


def test_an_object_that_was_cut_off(s3: object) -> None:
    whole = s3.cat_file("data/pairs/part-9.parquet")  # type: ignore[attr-defined]
    s3.pipe("data/pairs/part-9.parquet", whole[:-50])  # type: ignore[attr-defined]
    said = refused("s3://data/pairs")
    assert said.startswith("s3://data/pairs/part-9.parquet: cannot be read as Parquet")


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    for name in KEYS:
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    assert "credentials" in refused("s3://data/pairs/part-8.parquet")


def test_a_bucket_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    def denied(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(s3fs.S3FileSystem, "info", denied)
    monkeypatch.setattr(s3fs.S3FileSystem, "isdir", denied)
    s3fs.S3FileSystem.clear_instance_cache()
    assert refused("s3://data/pairs") == (
        "s3://data/pairs: access is refused (Access Denied); check the credentials that this "
        "machine has for it, and what they allow"
    )


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    assert "cannot be reached" in refused("s3://data/pairs/part-8.parquet")


def test_the_command_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--pairs", "s3://nobody/pairs.parquet"])
    assert ended.value.code == 3
    assert capsys.readouterr().err.splitlines()[-1].endswith("check the address")
