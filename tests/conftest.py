"""What all tests share."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.made_once import FOLDER, made_once

if TYPE_CHECKING:
    from fixtures.incident.build import Paths

_MADE = pytest.StashKey[str]()

for profile, examples in (("quick", 40), ("thorough", 150)):
    settings.register_profile(
        profile,
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
    )

# What a command takes from where it runs; a test that is about it sets it. Without this, what is
# printed in GitHub Actions is not what a person sees.
for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "SOURCE_DATE_EPOCH", "TAXCHECK_TRACEBACK",
             "RANK", "WORLD_SIZE", "LOCAL_RANK", "NO_COLOR", "TAXCHECK_TO", "TAXCHECK_TOKEN",
             "TAXCHECK_PROJECT", "TAXCHECK_DATASET", "TAXCHECK_INSECURE"):  # fmt: skip
    os.environ.pop(name, None)


def pytest_configure(config: pytest.Config) -> None:
    """Laws are tried on more examples where the slow tests run as well."""
    settings.load_profile("quick" if "not slow" in config.option.markexpr else "thorough")
    gc.disable()
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = config.stash[_MADE] = tempfile.mkdtemp(prefix="taxcheck-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _MADE in config.stash:
        shutil.rmtree(config.stash[_MADE], ignore_errors=True)


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so that nothing is gained by looking through it."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches this process and its children, though a shell or nohup has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def incident() -> Paths:
    """The rebuilt incident, built once for all workers of a run; no test writes into its folder."""
    return _incident()


@made_once
def _incident() -> Paths:
    from fixtures.incident.build import build

    return build(Path(os.environ[FOLDER]) / "incident")
