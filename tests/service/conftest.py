"""A store of each kind: SQLite, and PostgreSQL where it is installed (slow)."""

from __future__ import annotations

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


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """Its store."""
    opened = open_store(settings)
    yield opened
    opened.close()
