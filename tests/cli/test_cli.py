"""The command as a person types it: verdicts, exit codes, one line for every mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

from taxcheck.cli import main
from taxcheck.model.schema import report_schema
from tests.typed import typed

pytestmark = pytest.mark.long

HEALTHY = Path("fixtures/healthy")
GATE = ["run", "--mapping", str(HEALTHY / "mapping.tsv"), "--pairs", str(HEALTHY / "pairs.parquet")]


def started(*arguments, env=None, **options):
    """In a process of its own, where that is part of what is tested."""
    return subprocess.run(
        [sys.executable, "-m", "taxcheck.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=900,
        check=False,
        **options,
    )


def complaint(done):
    """The one line on standard error, with no traceback and nothing else."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("taxcheck: ")
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture
def small(tmp_path):
    """A path 0 -> 1 -> 2 with its closure, as text."""
    mapping, pairs = tmp_path / "m.tsv", tmp_path / "p.tsv"
    mapping.write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    pairs.write_text("ancestor_idx\tdescendant_idx\tdepth_diff\n0\t1\t1\n1\t2\t1\n0\t2\t2\n")
    return mapping, pairs


def test_a_healthy_clade_passes_in_plain_text():
    done = started(*GATE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PASS" in done.stdout.splitlines()[0]
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) <= 25


def test_a_failing_rule_exits_with_one(small):
    mapping, pairs = small
    mapping.write_text(mapping.read_text() + "13\t3\n")
    done = typed("run", "--mapping", mapping, "--pairs", pairs)
    assert done.returncode == 1
    assert "1 of 4 nodes (25.0 %) will never be trained." in done.stdout


def test_fail_on_warn(small, tmp_path):
    mapping, pairs = small
    policy = tmp_path / "taxcheck.toml"
    policy.write_text("[dataset]\nroots = [11]\n")  # the root is 10: TREE003 warns
    command = ["run", "--mapping", mapping, "--pairs", pairs, "--policy", policy]
    assert typed(*command).returncode == 0
    assert typed(*command, "--fail-on", "warn").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], ["--mapping", "--pairs"]),
        (["run", "--pear", "x"], ["--pear", "--help"]),
        (["run", "--mapping", "-", "--pairs", "-"], ["only one", "'-'"]),
        (["run", "--mapping", "m", "--held-out", "q"], ["--held-out", "--pairs"]),
        ([*GATE, "--policy", "none.toml"], ["none.toml", "does not exist"]),
        ([*GATE, "--workers", "0"], ["--workers"]),
        ([*GATE, "--memory", "lots"], ["--memory", "'lots' is no size"]),
        (["explain", "coverage_gaps"], ["coverage_gaps", "did you mean 'coverage_gap'"]),
        (["nonsense"], ["nonsense"]),
    ],
)
def test_usage_is_one_line_and_two(arguments, words):
    done = typed(*arguments)
    assert done.returncode == 2
    line = complaint(done)
    assert all(word in line for word in words), line


def test_an_unreadable_input_is_one_line_and_three(tmp_path):
    done = typed("run", "--mapping", tmp_path / "none.tsv", "--pairs", tmp_path / "none.parquet")
    assert done.returncode == 3
    assert "none.tsv" in complaint(done)


def test_usage_comes_before_unreadable_inputs(tmp_path):
    policy = tmp_path / "taxcheck.toml"
    policy.write_text("[dataset]\npears = 'closure'\n")
    done = typed("run", "--mapping", tmp_path / "none.tsv", "--policy", policy)
    assert done.returncode == 2
    assert "did you mean 'pairs'" in complaint(done)


def test_a_report_that_cannot_be_written_leaves_nothing(small, tmp_path):
    mapping, pairs = small
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "taken.html").mkdir()
    done = typed("run", "--mapping", mapping, "--pairs", pairs, "--html", folder / "taken.html")
    assert done.returncode == 3
    assert "taken.html" in complaint(done)
    assert [path.name for path in folder.iterdir()] == ["taken.html"]
    done = typed("run", "--mapping", mapping, "--pairs", pairs, "--json", "/dev/full")
    assert done.returncode == 3
    assert "/dev/full" in done.stderr
    assert Path("/dev/full").is_char_device(), "a device is written to, never replaced"


def test_json_on_standard_output_is_the_report_alone(small):
    mapping, pairs = small
    done = typed("run", "--mapping", mapping, "--pairs", pairs, "--json", "-")
    report = json.loads(done.stdout)
    jsonschema.validate(report, report_schema())
    assert report["verdict"] == "pass"
    assert report["statistics"]["tree"]["expected_pairs"] == 3


def test_standard_input(small):
    mapping, pairs = small
    with pairs.open() as handle:
        done = started("run", "--mapping", mapping, "--pairs", "-", stdin=handle)
    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout


def test_labels_need_no_mapping(tmp_path):
    closure = tmp_path / "closure.csv"
    closure.write_text("id1,id2,weight\ndog,canine,1\ncanine,mammal,1\ndog,mammal,1\n")
    done = typed("run", "--pairs", closure, "--json", "-")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["statistics"]["pairs"]["nodes"] == 3
    assert report["statistics"]["tree"]["edges_from"] == "transitive reduction"
    assert report["statistics"]["tree"]["max_depth"] == 2
    notes = " ".join(report["inputs"][0]["notes"])
    assert "no mapping was given" in notes
    skipped = {r["id"]: r["reason"] for r in report["results"] if r["outcome"] == "skipped"}
    assert "depth_diff" in skipped["PAIR008"]
    assert "made from the pairs" in skipped["MAP001"]


def test_failures_are_written_whole(small, tmp_path):
    mapping, pairs = small
    pairs.write_text(pairs.read_text() + "1\t1\t0\n0\t1\t1\n1\t0\t1\n7\t1\t1\nx\t1\t1\n")
    out = tmp_path / "failures"
    done = typed("run", "--mapping", mapping, "--pairs", pairs, "--failures", out)
    assert done.returncode == 1
    rows = {path.stem: pq.read_table(path).to_pylist() for path in out.glob("*.parquet")}
    assert [r["row"] for r in rows["self_pair"]] == [5]
    assert [r["row"] for r in rows["duplicate_pair"]] == [6]
    assert [r["row"] for r in rows["reversed_pair"]] == [2, 7]
    assert [r["row"] for r in rows["index_out_of_range"]] == [8]
    assert rows["invalid_pair_row"][0]["row"] == 9
    assert rows["invalid_pair_row"][0]["ancestor"] == "x"
    assert not list(out.glob(".*"))


def test_reproducible_where_the_date_is_given(small, tmp_path):
    mapping, pairs = small
    command = ["run", "--mapping", mapping, "--pairs", pairs]
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    reports = []
    for workers in ("1", "2"):
        out = tmp_path / "r.json"
        typed(*command, "--json", out, "--workers", workers, env=env)
        text = json.loads(out.read_text())
        text.pop("command")
        reports.append(text)
    assert reports[0] == reports[1]
    assert reports[0]["timings"] is None


def test_a_broken_rule_is_four(small, tmp_path):
    """A plugin that raises is an error of its own, and never a pass."""
    mapping, pairs = small
    site = tmp_path / "site"
    meta = site / "broken-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[taxcheck.rules]\nbroken = broken_rules\n")
    (site / "broken_rules.py").write_text(
        "from taxcheck.model.finding import Finding\n"
        "from taxcheck.model.rule import rule\n"
        '@rule("XXX001", "warn", about="pairs")\n'
        "def always_breaks(pairs) -> Finding:\n"
        '    """Breaks.\n\n    Why it matters:\n    a\n\n    How to fix:\n    b\n\n'
        '    Known exceptions:\n    c\n\n    References:\n    d\n    """\n'
        '    raise ZeroDivisionError("by zero")\n'
        "RULES = (always_breaks,)\n"
    )
    path = os.pathsep.join([str(site), str(Path.cwd())])
    done = started(
        "run", "--mapping", mapping, "--pairs", pairs, "--json", "-", env={"PYTHONPATH": path}
    )
    assert done.returncode == 4, done.stderr
    broken = next(r for r in json.loads(done.stdout)["results"] if r["id"] == "XXX001")
    assert broken["outcome"] == "error"


def test_rules_and_explain():
    listed = typed("rules").stdout.splitlines()
    assert [line.split()[0] for line in listed if line.startswith("MAP")] == [
        f"MAP{k:03}" for k in range(1, 11)
    ]
    text = typed("explain", "coverage_gap").stdout
    assert text.startswith("PAIR003 coverage_gap")
    for heading in ("Why it matters", "How to fix", "Known exceptions", "References"):
        assert heading in text


def test_the_schemas_of_what_is_written_can_be_asked_for():
    from taxcheck.commands.compare.comparison import comparison_schema

    assert json.loads(typed("schema", "report").stdout) == report_schema()
    assert json.loads(typed("schema", "comparison").stdout) == comparison_schema()
    for schema in (report_schema(), comparison_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_schema_is_json():
    contract = json.loads(typed("schema").stdout)
    assert "mapping" in json.dumps(contract)


def test_the_gate_imports_only_what_it_uses():
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['taxcheck'] + {GATE!r} + ['--html', '/dev/null']\n"
        "try:\n    runpy.run_module('taxcheck.cli', run_name='__main__')\n"
        "except SystemExit as done:\n    assert done.code == 0\n"
        "heavy = {'torch', 'matplotlib', 'polars', 'numba', 'duckdb', 'sklearn'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert sys.modules.get('hypothesis') is None and sys.modules.get('pyspark') is None\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr


def test_help_loads_no_numbers():
    script = (
        "import sys\nfrom taxcheck.cli import main\n"
        "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'pandera', 'scipy', 'jinja2', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, ["taxcheck: interrupted; nothing was written"]),
        (signal.SIGTERM, 143, ["taxcheck: stopped"]),
        pytest.param(signal.SIGHUP, 129, ["taxcheck: stopped"], marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -9, [], marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_stopped_leaves_no_file(tmp_path, number, code, said):
    (temporary := tmp_path / "temporary").mkdir()
    out = tmp_path / "r.html"
    process = subprocess.Popen(
        [sys.executable, "-m", "taxcheck.cli", "run", "--pairs", "-", "--html", str(out)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("1\t2\n" * 3_000_000)  # more than is copied at once, and a pipe holds
    process.stdin.flush()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=900)
    assert process.returncode == code
    assert stderr.strip().splitlines() == said
    assert list(temporary.iterdir()) == []
    assert not out.exists()


@pytest.mark.slow
def test_docstrings_that_were_dropped_are_one_line():
    done = started("rules", env=os.environ | {"PYTHONOPTIMIZE": "2"})
    assert done.returncode == 2
    assert "told to drop docstrings" in complaint(done)


@pytest.mark.parametrize("large", [500_000, 2])
def test_evaluate_is_exact_whatever_the_size_of_the_table(small, tmp_path, monkeypatch, large):
    """The audit ranks the nulls of a large table on fewer sources; evaluate has none to save on."""
    from taxcheck.audit import scores

    monkeypatch.setattr(scores, "LARGE", large)
    monkeypatch.setattr(scores, "FEWER", 1)
    mapping, pairs = small
    # On one ray at radii 0, .619 and 1.099: the child of 1 is nearer to it than its parent.
    np.save(tmp_path / "table.npy", np.array([[0.0, 0.0], [0.3, 0.0], [0.5, 0.0]]))
    table, out = tmp_path / "table.npy", tmp_path / "scores.json"
    main(["evaluate", str(table), "--geometry", "ball", "--mapping", str(mapping),
          "--pairs", str(pairs), "--json", str(out)])  # fmt: skip
    found = json.loads(out.read_text())
    assert (found["sources"], found["total"], found["edges"]) == (2, 2, 3)
    assert found["map"]["value"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["mean_rank"]["value"] == pytest.approx((2 + 1 + 1) / 3)
    assert found["hits"]["1"]["value"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), 3, "out of memory; give fewer --workers, or a machine with more"),
        (RuntimeError("can't start new thread"), 3, "the system starts no more threads; raise"),
        (RuntimeError("something else"), 4, "taxcheck itself broke (RuntimeError: something"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was written"),
    ],
)
def test_what_the_machine_refuses_is_one_line(small, monkeypatch, capsys, error, code, said):
    def start(_):
        raise error

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(SystemExit) as done:
        main(["run", "--mapping", str(small[0]), "--pairs", str(small[1])])
    assert done.value.code == code
    (line,) = capsys.readouterr().err.strip().splitlines()  # click ends the line of ^C
    assert line.startswith(f"taxcheck: {said}")
