"""For pytest: a marker that gates a test, and a fixture that runs taxcheck.

pytest imports this module in every project of an environment that has taxcheck, so it imports
nothing that a test has not asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from taxcheck.report import Report

_MARKER = (
    "taxcheck(mapping=None, pairs=None, **options): fail the test unless taxcheck finds this data "
    "sound; options as in taxcheck.sound.run, paths from the root of the project."
)
_FILES = ("mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial", "policy", "cache")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, so that --strict-markers accepts it."""
    config.addinivalue_line("markers", _MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold the data that a test is marked with to the gate before the test begins."""
    for marker in item.iter_markers("taxcheck"):
        from taxcheck import sound
        from taxcheck.errors import TaxcheckError

        try:
            sound.assert_dataset_sound(**_rooted(item.config, *marker.args, **marker.kwargs))
        except (sound.UnsoundError, TaxcheckError) as error:
            pytest.fail(f"taxcheck: {error}", pytrace=False)


@pytest.fixture
def taxcheck_run(pytestconfig: pytest.Config) -> Callable[..., Report]:
    """``taxcheck_run(mapping, pairs, **options)`` gives the Report; nothing fails by itself.

    Options as in ``taxcheck.sound.run``; paths that are relative lead from the project's root.
    """

    def run(*args: Any, **kwargs: Any) -> Report:
        from taxcheck import sound

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
