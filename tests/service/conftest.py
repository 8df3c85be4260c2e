"""A store of each kind: SQLite, and PostgreSQL where it is installed (slow)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxcheck.service.settings import Settings
from taxcheck.service.store.store import Store, open_store
from tests.service import cluster as postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    if why := postgres.missing():
        pytest.skip(why)
    with postgres.cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A server with nothing in it."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster").new()
    return Settings(data=tmp_path / "data", database=url)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that was started once: making its tables takes a while."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    open_store(Settings(data=folder)).close()
    return folder


@pytest.fixture
def store(settings: Settings, empty: Path) -> Iterator[Store]:
    """Its store."""
    if settings.database is None:
        shutil.copytree(empty, settings.data)
    opened = open_store(settings)
    yield opened
    opened.close()
