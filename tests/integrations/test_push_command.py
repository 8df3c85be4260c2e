"""`run --to`, `train --to`, `--baseline URL` and `taxcheck push`: what is said, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxcheck.cli import main
from taxcheck.integrations.outbox import Outbox
from tests.integrations.service import Service, served

MAPPING = "taxid\tidx\n10\t0\n11\t1\n12\t2\n"
PAIRS = "ancestor\tdescendant\tdepth_diff\n0\t1\t1\n1\t2\t1\n0\t2\t2\n"
WHERE = ["--project", "demo", "--dataset", "animals"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sound data, and data of which a node is in no pair."""
    (tmp_path / "m.tsv").write_text(MAPPING)
    (tmp_path / "longer.tsv").write_text(MAPPING + "13\t3\n")
    (tmp_path / "p.tsv").write_text(PAIRS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795305600")
    return tmp_path


@pytest.fixture
def service() -> Iterator[Service]:
    with served() as one:
        yield one


def code(*arguments: str) -> int:
    try:
        main([*arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def run(mapping: str, *more: str) -> int:
    return code("run", "--mapping", mapping, "--pairs", "p.tsv", *more)


def outbox(folder: Path) -> Outbox:
    return Outbox(folder / "state" / "taxcheck" / "outbox")


FAULTS = {
    "nobody is there": None, "hangs": "hang", "drips": "drip", "hangs up": "close", "busy": 429,
    "away": 503, "full": 507, "refuses": 422, "has another": 409, "too large": "early",
    "older": 426, "no right": 403, "elsewhere": 404, "moved": (308, {"Location": "https://example.org"}),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_the_report_and_the_exit_code_stand(
    fault: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("taxcheck.integrations.push.PATIENCE", 0.3)
    expected = {}
    for mapping in ("m.tsv", "longer.tsv"):
        ended = run(mapping, "--json", f"{mapping}.json", "--fail-on", "warn")
        expected[mapping] = ended, capsys.readouterr().out
    assert [ended for ended, _ in expected.values()] == [0, 1]
    with served(always=FAULTS[fault]) as service:
        url = "http://127.0.0.1:9" if FAULTS[fault] is None else service.url
        for mapping in ("m.tsv", "longer.tsv"):
            pushed = ["--json", f"{mapping}.json", "--fail-on", "warn", "--to", url, *WHERE]
            ended = run(mapping, *pushed)
            said = capsys.readouterr()
            assert (ended, said.out) == expected[mapping]
            (line,) = said.err.splitlines()
            assert line.startswith("not pushed: ")
            assert (folder / f"{mapping}.json").is_file()
    kept = outbox(folder)
    refused = [*kept.folder.glob("refused/*")]
    assert len(kept.waiting()) + len(refused) == 2
    assert bool(refused) == (fault in ("refuses", "has another", "too large", "older"))


def test_what_is_wrong_with_the_options_is_told_before_anything_is_read(capsys):
    for more, said in (
        (["--to", "nowhere"], "is no address"),
        (["--to", "https://example.org"], "give --project, set TAXCHECK_PROJECT"),
        (["--to", "https://example.org", "--project", "a/b"], "--project 'a/b': a name has"),
    ):
        assert run("missing.tsv", *more) == 2
        assert said in capsys.readouterr().err


def test_the_environment_and_the_policy_say_the_rest(
    folder: Path, service: Service, monkeypatch: pytest.MonkeyPatch
):
    (folder / "taxcheck.toml").write_text('[service]\nproject = "demo"\ndataset = "animals"\n')
    monkeypatch.setenv("TAXCHECK_TO", service.url)
    monkeypatch.setenv("TAXCHECK_TOKEN", "tck_1")
    assert run("m.tsv") == 0
    (asked,) = service.asked
    assert (asked.query["project"], asked.query["dataset"]) == ("demo", "animals")
    assert asked.token == "Bearer tck_1"
    assert "tck_1" not in asked.body.decode()


def test_a_report_that_nobody_reads_is_pushed_all_the_same(service: Service):
    command = f"{Path(sys.executable).with_name('taxcheck')} run --mapping m.tsv --pairs p.tsv"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} --to {service.url} {' '.join(WHERE)} | true"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 141
    assert len(service.runs) == 1
    assert run("m.tsv", "--json", "missing/x.json", "--to", service.url, *WHERE) == 3
    assert len(service.asked) == 2


def test_push_sends_files_and_what_waits(folder: Path, service: Service, capsys):
    assert run("m.tsv", "--json", "sound.json", "--to", "http://127.0.0.1:9", *WHERE) == 0
    assert run("longer.tsv", "--json", "broken.json") == 1
    capsys.readouterr()
    assert code("push", "sound.json", "broken.json", "--to", service.url, *WHERE) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["sound.json:", "pushed:"], ["broken.json:", "pushed:"]
    ]  # fmt: skip
    assert [json.loads(run)["verdict"] for run in service.runs.values()] == ["pass", "fail"]
    assert code("push", "--to", service.url) == 0
    assert capsys.readouterr().out == "0 runs that waited were pushed\n"
    assert len(outbox(folder).waiting()) == 1  # for the service that was not there
    assert code("push", "--to", "http://127.0.0.1:9") == 3
    assert "1 run still waits; http://127.0.0.1:9 does not answer: " in capsys.readouterr().err


def test_push_sends_again_what_the_run_could_not(service: Service):
    service.answers = [503]
    assert run("m.tsv", "--json", "sound.json", "--to", service.url, *WHERE) == 0
    assert code("push", "sound.json", "--to", service.url, *WHERE) == 0
    assert len(service.runs) == 1
    assert len(set(service.ids)) == 1


def test_push_says_what_it_cannot_do(folder: Path, service: Service, capsys):
    (folder / "none.json").write_text("{}")
    for arguments, ended, said in (
        ([], 2, "give --to, or set TAXCHECK_TO"),
        (["none.json", "--to", service.url, *WHERE], 3, "none.json: is no report"),
        (["missing.json", "--to", service.url, *WHERE], 3, "missing.json: cannot be read"),
        (["none.json", "--to", service.url], 2, "give --project"),
    ):
        assert code("push", *arguments) == ended
        assert said in capsys.readouterr().err
    assert service.asked == []
    service.always = 409
    run("m.tsv", "--json", "sound.json")
    assert code("push", "sound.json", "--to", service.url, *WHERE) == 3


def test_a_run_that_is_not_pushed_loads_nothing_for_it():
    script = (
        "import sys, taxcheck.cli\n"
        "try: taxcheck.cli.main(['run', '--mapping', 'm.tsv', '--pairs', 'p.tsv', '--json', 'r'])\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    loaded = set(done.stderr.split())
    assert "taxcheck.run.check" in loaded
    assert not loaded & {"taxcheck.integrations", "http.client", "fastapi", "sqlalchemy"}
    service = {name for name in loaded if name.startswith("taxcheck.service")}
    assert service <= {"taxcheck.service", "taxcheck.service.settings"}  # names of its options


class Baselines:
    """Answers as a service does: which run it is, then its report."""

    def __init__(self, service: Service, report: bytes | None) -> None:
        self.service, self.report = service, report

    def __enter__(self) -> None:
        import tests.integrations.service as module

        self.honest = module._answer

        def answer(handler: Any, service: Service, body: bytes | None) -> None:
            if handler.command != "GET" or service is not self.service:
                self.honest(handler, service, body)
                return
            service.answers = [200 if self.report else 404]
            if handler.path.endswith("report.json"):
                service.answers = []
                content = self.report or b""
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(content)))
                handler.end_headers()
                handler.wfile.write(content)
                return
            self.honest(handler, service, body)

        module._answer = answer

    def __exit__(self, *_: object) -> None:
        import tests.integrations.service as module

        module._answer = self.honest


def test_a_baseline_comes_from_a_service(folder: Path, service: Service, capsys):
    assert run("longer.tsv", "--json", "known.json") == 1
    url = f"{service.url}/demo/animals#latest"
    with Baselines(service, (folder / "known.json").read_bytes()):
        assert run("longer.tsv", "--baseline", url) == 0
    said = capsys.readouterr().out
    assert f"Against the baseline {url} (2026-11-22)" in " ".join(said.split())
    (asked,) = service.asked
    assert (asked.path, asked.query) == (
        "/api/v1/projects/demo/datasets/animals/baseline", {"which": "latest"}
    )  # fmt: skip


def test_where_there_is_no_such_run_yet_everything_is_new(service: Service, capsys):
    with Baselines(service, None):
        assert run("longer.tsv", "--baseline", f"{service.url}/demo/animals#latest-pass") == 1
    assert "Everything counts as new" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("always", ["close", 503, 401, 200, (404, {"Content-Type": "text/html"})])
def test_a_service_that_cannot_tell_the_baseline_ends_the_run(service: Service, always, capsys):
    """A verdict that depends on the network's weather would be none."""
    service.always = always
    url = f"{service.url}/demo/animals"
    assert run("m.tsv", "--baseline", url) == 3
    assert f"{url}: " in capsys.readouterr().err


@pytest.mark.parametrize("end", ["", "/demo", "/demo/animals#newest", "/demo/animals?x=1"])
def test_an_address_that_is_no_dataset_is_two(service: Service, end: str, capsys):
    assert run("m.tsv", "--baseline", service.url + end) == 2
    assert "HOST/PROJECT/DATASET#WHICH" in capsys.readouterr().err
    assert service.asked == []


def test_the_token_is_for_the_service_that_is_named(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TAXCHECK_TOKEN", "tck_1")
    with Baselines(service, None):
        run("m.tsv", "--baseline", f"{service.url}/demo/animals")
        monkeypatch.setenv("TAXCHECK_TO", "http://127.0.0.1:9")
        run("m.tsv", "--baseline", f"{service.url}/demo/animals", *WHERE)
    assert [one.token for one in service.asked] == ["Bearer tck_1", None]


@pytest.mark.slow
def test_a_training_is_pushed_as_it_goes(folder: Path, service: Service):
    healthy = Path(__file__).parents[2] / "fixtures" / "healthy"
    build = ["build", str(healthy / "taxdump"), "--root", "Forcipulatida", "--quiet"]
    assert code(*build, "--out", "data") == 0
    command = ["train", "--mapping", "data/mapping.tsv", "--pairs", "data/pairs.parquet"]
    command += ["--epochs", "20", "--evaluate-every", "10", "--workers", "1", "-q"]
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    assert code(*command, "--out", "first", "--to", service.url, *WHERE) == 0
    reports = [json.loads(one.body) for one in service.asked]
    assert [one["title"] for one in reports] == [
        "first", "first, epoch 10", "first, epoch 20", "first"
    ]  # fmt: skip
    found = [one["statistics"]["embeddings"]["quality"]["map"]["value"] for one in reports[1:]]
    logged = [json.loads(line) for line in (folder / "first/metrics.jsonl").open()]
    assert found[:2] == [one["map"] for one in logged if "map" in one]
    service.always = "hang"
    assert code(*command, "--out", "second", "--to", service.url, *WHERE) == 0
    assert len(outbox(folder).waiting()) == 4
