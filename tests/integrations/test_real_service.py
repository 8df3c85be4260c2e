"""What a client sends, taken by the real server: a process of its own, over HTTP."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from taxcheck.integrations.exchange import exchange
from taxcheck.integrations.origin import Origin
from taxcheck.integrations.outbox import Outbox
from taxcheck.integrations.push import Pusher
from taxcheck.integrations.target import Target
from tests.integrations.test_push import named
from tests.integrations.test_push_command import MAPPING, PAIRS, WHERE, code

pytest.importorskip("fastapi")
TAXCHECK = Path(sys.executable).with_name("taxcheck")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service") / "data"


def asked(data: Path, *words: str) -> str:
    done = subprocess.run(
        [TAXCHECK, *words, "--data", data], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tokens(data: Path) -> dict[str, str]:
    return {
        name: asked(
            data, "token", "create", "--project", name, "--scope", "push", "--scope", "read"
        )
        for name in ("demo", "other")
    }


@pytest.fixture(scope="module")
def url(data: Path, tokens: dict[str, str]) -> Iterator[str]:
    assert set(tokens) == {"demo", "other"}
    server = subprocess.Popen(
        [TAXCHECK, "serve", "--port", "0", "--data", data], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    said = server.stdout.readline()
    try:
        yield re.findall(r"http://127\.0\.0\.1:\d+", said)[0]
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: dict[str, str]) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TAXCHECK_TOKEN", tokens["demo"])
    Path("m.tsv").write_text(MAPPING)
    Path("longer.tsv").write_text(MAPPING + "13\t3\n")
    Path("p.tsv").write_text(PAIRS)
    return tmp_path


def kept(url: str, tokens: dict[str, str], project: str = "demo") -> list[dict[str, str]]:
    answer = exchange("GET", f"{url}/api/v1/runs?project={project}", token=tokens[project])
    assert answer.status == 200
    rows: list[dict[str, str]] = json.loads(answer.body)["rows"]
    return rows


@pytest.mark.slow
@pytest.mark.long
def test_a_run_is_pushed_found_and_a_baseline(url: str, tokens: dict[str, str], capsys):
    run = ["run", "--pairs", "p.tsv", "--mapping"]
    to = ["--to", url, *WHERE]
    assert code(*run, "m.tsv", "--json", "sound.json", *to) == 0
    assert code(*run, "longer.tsv", *to) == 1
    assert code("push", "sound.json", *to) == 0
    rows = kept(url, tokens)
    assert [(row["verdict"], row["dataset"]) for row in rows] == [
        ("fail", "animals"), ("pass", "animals")
    ]  # fmt: skip
    capsys.readouterr()
    dataset = f"{url}/demo/animals"
    assert code(*run, "longer.tsv", "--baseline", f"{dataset}#latest") == 0
    assert code(*run, "longer.tsv", "--baseline", f"{dataset}#latest-pass") == 1
    assert "findings 2 new" in " ".join(capsys.readouterr().out.split())
    assert code(*run, "longer.tsv", "--baseline", f"{url}/demo/nothing") == 1
    assert "Everything counts as new" in " ".join(capsys.readouterr().out.split())


@pytest.mark.long
def test_a_hundred_equal_pushes_at_once_are_one_run(
    url: str, tokens: dict[str, str], tmp_path: Path
):
    """From outboxes of their own, as from as many machines."""
    content = named("equal")

    def one(number: int) -> str:
        target = Target(url, "other", "equal", tokens["other"])
        box = Outbox(tmp_path / str(number))
        return Pusher(target, box, of=Origin()).push(content).state

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(one, range(100))) == {"sent"}
    assert len(kept(url, tokens, "other")) == 1


@pytest.mark.long
def test_a_token_of_another_project_sends_nothing_and_loses_nothing(
    url: str, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys
):
    before = len(kept(url, tokens, "other"))
    more = ["--to", url, "--project", "other", "--dataset", "animals"]
    assert code("run", "--mapping", "m.tsv", "--pairs", "p.tsv", *more) == 0
    assert "not pushed: " in capsys.readouterr().err
    monkeypatch.setenv("TAXCHECK_TOKEN", tokens["other"])
    assert code("push", "--to", url) == 0
    assert len(kept(url, tokens, "other")) == before + 1


@pytest.mark.slow
def test_the_demo_fills_every_page(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "fixtures.serve_demo", "--once", "--folder", tmp_path / "demo"]
    environment = {k: v for k, v in os.environ.items() if k != "TAXCHECK_TOKEN"}
    done = subprocess.run(
        [*command, "--port", port], cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "(4" not in done.stdout
    assert "(5" not in done.stdout
    import sqlite3

    with sqlite3.connect(tmp_path / "demo" / "data" / "taxcheck.db") as database:
        counted = dict(database.execute("select verdict, count(*) from run group by verdict"))
        (metrics,) = database.execute("select count(*) from metric").fetchone()
    assert sum(counted.values()) >= 60
    assert set(counted) == {"pass", "warn", "fail"}
    assert metrics > 1000
