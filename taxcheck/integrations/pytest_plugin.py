"""For pytest: a marker that gates a test, and a fixture that runs taxcheck.

pytest imports this module in every project of an environment that has taxcheck, so it imports
nothing that a test has not asked for.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from taxcheck.model.report import Report

_MARKER = (
    "taxcheck(mapping=None, pairs=None, **options): fail the test unless taxcheck finds this data "
    "sound; options as in assert_sound.run, paths from the root of the project."
)
_FILES = ("mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial", "policy", "cache")


class _Unsent(logging.Handler):
    """Keeps what there is to say of runs that could not be pushed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


_UNSENT = pytest.StashKey[_Unsent]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, so that --strict-markers accepts it."""
    config.addinivalue_line("markers", _MARKER)
    config.stash[_UNSENT] = _Unsent()
    logging.getLogger("taxcheck.push").addHandler(config.stash[_UNSENT])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Listen no longer."""
    logging.getLogger("taxcheck.push").removeHandler(config.stash[_UNSENT])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell of runs that could not be pushed, which fails no test."""
    for line in dict.fromkeys(config.stash[_UNSENT].lines):
        terminalreporter.write_line(f"taxcheck: {line}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the data that a test is marked with to the gate before the test begins."""
    for marker in item.iter_markers("taxcheck"):
        from taxcheck.integrations import assert_sound as sound
        from taxcheck.model.errors import TaxcheckError

        try:
            sound.assert_sound(**_rooted(item.config, *marker.args, **marker.kwargs))
        except (sound.UnsoundError, TaxcheckError) as error:
            pytest.fail(f"taxcheck: {error}", pytrace=False)


@pytest.fixture
def taxcheck_run(pytestconfig: pytest.Config) -> Callable[..., Report]:
    """``taxcheck_run(mapping, pairs, **options)`` gives the Report; nothing fails by itself.

    Options as in ``assert_sound.run``; paths that are relative lead from the project's root.
    """

    def run(*args: Any, **kwargs: Any) -> Report:
        from taxcheck.integrations import assert_sound as sound

        return sound.run(**_rooted(pytestconfig, *args, **kwargs))

    return run


def _rooted(
    config: pytest.Config, mapping: object = None, pairs: object = None, **options: Any
) -> dict[str, Any]:
    """What is asked, with the paths of files as seen from here, and the project's own policy."""
    given = {"mapping": mapping, "pairs": pairs, **options}
    policy = config.rootpath / "taxcheck.toml"
    if given.get("policy") is None and policy.is_file():
        given["policy"] = policy
    for name in _FILES:
        if given.get(name) is not None:
            given[name] = config.rootpath / str(given[name])
    return given
