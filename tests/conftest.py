"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("default")

# What a command takes from where it runs; a test that is about it sets it. Without this, what is
# printed in GitHub Actions is not what a person sees.
for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "SOURCE_DATE_EPOCH", "TAXCHECK_TRACEBACK",
             "RANK", "WORLD_SIZE", "LOCAL_RANK", "NO_COLOR"):  # fmt: skip
    os.environ.pop(name, None)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches this process and its children, though a shell or nohup has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
