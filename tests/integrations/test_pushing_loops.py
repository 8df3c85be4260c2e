"""Guard, assert_sound and the pytest plugin push to where the environment says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import taxcheck
from taxcheck.model.errors import UsageError
from tests.integrations.service import Service, served

pytest_plugins = ["pytester"]
MAPPING = "taxid\tidx\n10\t0\n11\t1\n12\t2\n"
PAIRS = "ancestor\tdescendant\tdepth_diff\n0\t1\t1\n1\t2\t1\n0\t2\t2\n"


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """In a folder with sound data, whose policy says which dataset it is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    for name, text in (("m.tsv", MAPPING), ("longer.tsv", MAPPING + "13\t3\n"), ("p.tsv", PAIRS)):
        Path(name).write_text(text)
    Path("taxcheck.toml").write_text('[service]\nproject = "demo"\ndataset = "animals"\n')
    with served() as one:
        monkeypatch.setenv("TAXCHECK_TO", one.url)
        monkeypatch.setenv("TAXCHECK_TOKEN", "tck_1")
        yield one


def titles(service: Service) -> list[tuple[str, str]]:
    reports = [json.loads(one.body) for one in service.asked]
    return [(one["title"], one["verdict"]) for one in reports]


def test_a_guard_pushes_what_it_looks_at(service: Service):
    guard = taxcheck.Guard("m.tsv", "p.tsv", geometry="ball", every=2)
    table = np.array([[0.0, 0.1], [0.3, 0.4], [0.5, 0.7]])
    guard.before()
    for epoch in range(3):
        guard.after_epoch(epoch, table)
    with pytest.raises(taxcheck.UnsoundError):
        guard.after_epoch(4, table * np.nan)
    assert titles(service) == [
        ("p", "pass"), ("table of epoch 0", "warn"), ("table of epoch 2", "warn"),
        ("table of epoch 4", "fail"),
    ]  # fmt: skip
    assert {one.token for one in service.asked} == {"Bearer tck_1"}
    assert json.loads(service.asked[1].body)["inputs"][0]["path"] == "table of epoch 0"


def test_what_fails_is_pushed_before_it_raises(service: Service, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    service.answers = [503]
    with pytest.raises(taxcheck.UnsoundError):
        taxcheck.assert_sound("longer.tsv", "p.tsv")
    assert taxcheck.assert_sound("m.tsv", "p.tsv", dataset="plants").exit_code == 0
    assert [(r.levelname, r.message.split(":")[0]) for r in caplog.records] == [
        ("WARNING", "not pushed"), ("INFO", "pushed, after 1 run that waited")
    ]  # fmt: skip
    assert [one.query["dataset"] for one in service.asked] == ["animals", "animals", "plants"]


def test_what_is_wrong_is_told_before_anything_is_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    Path("taxcheck.toml").unlink()
    with pytest.raises(UsageError, match="give `project`"):
        taxcheck.assert_sound("missing.tsv", "p.tsv")
    monkeypatch.delenv("TAXCHECK_TO")
    assert taxcheck.assert_sound("m.tsv", "p.tsv").exit_code == 0
    assert service.asked == []


@pytest.mark.slow
@pytest.mark.long
def test_pytest_pushes_and_says_what_it_could_not(service: Service, pytester: pytest.Pytester):
    (pytester.path / "m.tsv").write_text(MAPPING)
    (pytester.path / "p.tsv").write_text(PAIRS)
    policy = '[service]\nproject = "demo"\ndataset = "animals"\n'
    (pytester.path / "taxcheck.toml").write_text(policy)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.taxcheck("m.tsv", "p.tsv", title="one")
        def test_one():
            pass

        @pytest.mark.taxcheck("m.tsv", "p.tsv", title="two")
        def test_two():
            pass
        """
    )
    service.answers = [422]
    result = pytester.runpytest_subprocess("-W", "error")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["taxcheck: not pushed: demo/animals: *it is not sent again*"])
    assert titles(service) == [("one", "pass"), ("two", "pass")]
