"""A server that a browser looks at, on a port of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from taxcheck.service.settings import Settings
from taxcheck.service.store import jobs
from taxcheck.service.store.asked import Build
from taxcheck.service.store.store import open_store
from tests.reports.conftest import browser
from tests.service.asking import application
from tests.service.pages.served import filled

__all__ = ["browser", "served"]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; everything in it is what ``filled`` makes, and a job that waits."""
    uvicorn = pytest.importorskip("uvicorn")
    folder = tmp_path_factory.mktemp("served")
    store = open_store(Settings(data=folder))
    filled(store)
    jobs.submit(store, project="ncbi", dataset="animals", asked=Build(source="ncbi"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    open_to_all = replace(store, settings=replace(store.settings, open=True, port=port))
    config = uvicorn.Config(application(open_to_all, open=True), port=port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.02)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)
    store.close()
