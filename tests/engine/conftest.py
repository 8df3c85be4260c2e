"""What the tests of the engine share."""

from __future__ import annotations

import pytest


@pytest.fixture
def no_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits for the disk: a process may die in these tests, the machine does not."""
    monkeypatch.setattr("os.fsync", lambda _: None)
