"""The pytest plugin, in projects of their own: what fails, what it says, what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taxcheck.integrations.assert_sound import UnsoundError, assert_sound, explain

pytestmark = pytest.mark.long

pytest_plugins = ["pytester"]
HEALTHY = Path("fixtures/healthy").absolute()
GOOD = "ancestor\tdescendant\tdepth_diff\n0\t1\t1\n1\t2\t1\n0\t2\t2\n"


@pytest.fixture
def project(pytester):
    """A project with sound data, and with data that lacks a node's pairs."""
    data = pytester.mkdir("data")
    (data / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    (data / "longer.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n")
    (data / "p.tsv").write_text(GOOD)
    return pytester


def run(project, *options: str):
    return project.runpytest_subprocess(*options)  # the entry point alone brings the plugin


@pytest.mark.slow
def test_a_marker_gates_a_test(project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.taxcheck(mapping="data/m.tsv", pairs="data/p.tsv")
        def test_sound():
            pass

        @pytest.mark.taxcheck("data/longer.tsv", "data/p.tsv")
        def test_broken():
            raise SystemExit("is not reached")

        @pytest.mark.taxcheck(mapping="data/none.tsv")
        def test_unreadable():
            pass

        @pytest.mark.taxcheck(mapping="data/m.tsv", colour="red")
        def test_no_such_option():
            pass
        """
    )
    result = run(project, "--strict-markers")
    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines(
        [
            "*taxcheck: FAIL: 1 of 4 nodes (25.0 %) will never be trained.",
            "*PAIR003 coverage_gap:*",
            "*fix: *",
        ]
    )
    result.stdout.fnmatch_lines(["*data/none.tsv: no such file; check the path*"])
    result.stdout.fnmatch_lines(["*no option 'colour'*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.slow
def test_the_policy_of_the_project_names_the_files_and_the_intent(project):
    (project.path / "taxcheck.toml").write_text(
        '[inputs]\nmapping = "data/m.tsv"\npairs = "data/p.tsv"\n[dataset]\nroots = [11]\n'
    )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.taxcheck
        def test_sound(taxcheck_run):
            report = taxcheck_run()
            assert (report.verdict, report.exit_code) == ("warn", 0)

        @pytest.mark.taxcheck(fail_on="warn")
        def test_its_root_is_another_than_the_policy_says():
            pass
        """
    )
    below = project.mkdir("below")
    result = run(project, "--rootdir", str(project.path), f"--confcutdir={below}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*TREE003*"])


def test_a_fixture_gives_the_report_and_fails_nothing(project):
    project.makepyfile(
        """
        def test_it(taxcheck_run):
            report = taxcheck_run("data/longer.tsv", "data/p.tsv", cache="kept")
            assert report.exit_code == 1
            assert taxcheck_run("data/longer.tsv", "data/p.tsv", cache="kept").cached
        """
    )
    run(project).assert_outcomes(passed=1)
    assert (project.path / "kept" / "CACHEDIR.TAG").exists()


def test_starting_pytest_costs_no_import_of_what_a_test_has_not_asked_for():
    code = (
        "import pytest, sys; before = set(sys.modules)\n"
        "import taxcheck.integrations.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = "taxcheck.integrations"
    assert done.stdout.split() == ["taxcheck", package, f"{package}.pytest_plugin"]


def test_a_plain_test_may_assert(tmp_path):
    report = assert_sound(HEALTHY / "mapping.tsv", HEALTHY / "pairs.parquet")
    assert report.exit_code == 0
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n13\t3\n")
    (tmp_path / "p.tsv").write_text(GOOD)
    with pytest.raises(AssertionError) as caught:
        assert_sound(tmp_path / "m.tsv", tmp_path / "p.tsv")
    assert isinstance(caught.value, UnsoundError)
    lines = str(caught.value).splitlines()
    assert lines[0] == "FAIL: 1 of 4 nodes (25.0 %) will never be trained."
    assert lines[1].startswith("  PAIR003 coverage_gap: ")
    assert any(line.startswith("    fix: ") for line in lines)
    assert explain(caught.value.report) == str(caught.value)
