"""What all tests share."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from fixtures.incident.build import Paths

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


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches this process and its children, though a shell or nohup has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """The rebuilt incident, built once for all workers of a run; no test writes into its folder."""
    from fixtures.incident.build import build

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    built = folder / "incident.built"
    with (folder / "incident.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            built.write_bytes(pickle.dumps(build(folder / "incident")))
    paths: Paths = pickle.loads(built.read_bytes())
    return paths
