"""Tables behind addresses of the web, and addresses that cannot be read: one line."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.sources.shards import ROWS, refused, table, values


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, without ranges as Python's own server does, or with them."""

    ranges = True

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not (self.ranges and asked and path.is_file()):
            super().do_GET()
            return
        data = path.read_bytes()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - begin))
        self.end_headers()
        self.wfile.write(data[begin : end + 1])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    for name in ("fsspec", "aiohttp"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    folder = tmp_path / "web"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


def test_files_on_the_web(web: tuple[str, Path]) -> None:
    address, folder = web
    for at in range(2):
        pq.write_table(table(at), folder / f"part-{at}.parquet")
    given = tuple(f"{address}/part-{at}.parquet" for at in range(2))
    assert values(given) == list(range(2 * ROWS))
    assert values(given[0]) == list(range(ROWS))
    assert "no such file" in refused(f"{address}/none.parquet")


def test_a_server_without_ranges(web: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    address, folder = web
    pq.write_table(table(), folder / "pairs.parquet")
    monkeypatch.setattr(Quiet, "ranges", False)
    assert refused(f"{address}/pairs.parquet") == (
        f"{address}/pairs.parquet: its server gives no parts of files (ranges), which a table is "
        "read by; give a copy on this machine"
    )


def test_a_server_that_is_not_there() -> None:
    for name in ("fsspec", "aiohttp"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    said = refused("http://127.0.0.1:9/pairs.parquet")
    assert said.startswith("http://127.0.0.1:9/pairs.parquet: cannot be reached (")


def test_an_unknown_scheme() -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    said = refused("gopher://host/pairs.parquet")
    assert said.startswith("gopher://host/pairs.parquet: taxcheck reads no gopher:// addresses")


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert refused("s3://data/pairs.parquet") == (
        "s3://data/pairs.parquet: needs s3fs, which is not installed: pip install 'taxcheck[cloud]'"
    )
