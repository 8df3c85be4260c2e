"""Dockerfile and compose file: what they copy exists, what they type can be typed, nobody is root.

No image is built here, which a daemon and a network would be needed for.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from taxcheck.cli import cli
from taxcheck.service.settings import PORT, Settings
from tests.integrations.service import served
from tests.packaging.packaged import ROOT, build

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.M)).splitlines()
STEPS = [tuple(line.strip().split(maxsplit=1)) for line in LINES if line.strip()]
LAST = STEPS[max(at for at, (word, _) in enumerate(STEPS) if word == "FROM") :]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "taxcheck"}
SETTINGS = {f"TAXCHECK_SERVICE_{field.name.upper()}" for field in fields(Settings)}
COPIED = [
    source
    for word, rest in STEPS
    if word == "COPY" and "--from" not in rest
    for source in rest.split()[:-1]
]


def of(word: str, steps: list[tuple[str, ...]] = LAST) -> list[str]:
    return [rest for name, rest in steps if name == word]


def test_it_is_small_and_runs_as_nobody_of_importance():
    assert [rest.split()[0] for rest in of("FROM", STEPS)] == ["python:3.12-slim"] * 2
    (user,) = of("USER")
    assert (
        f"useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin {user}"
        in (" ".join(of("RUN")))
    )
    words = [word for word, _ in LAST]
    assert words.index("USER") > words.index("RUN")
    assert of("VOLUME") == ["/data"]
    assert of("EXPOSE") == [str(PORT)]


def test_what_it_says_can_be_typed():
    named = {pair.split("=")[0] for rest in of("ENV") for pair in shlex.split(rest)}
    assert {name for name in named if name.startswith("TAXCHECK_")} <= SETTINGS
    assert json.loads(of("ENTRYPOINT")[0]) == ["taxcheck"]
    typed(json.loads(of("CMD")[0]))


def typed(words: list[str]) -> None:
    """Parsed as the command line does; a wrong word is a UsageError."""
    command = cli.commands[words[0]]
    command.make_context(words[0], words[1:])


def test_every_file_that_it_copies_reaches_it():
    assert [name for name in COPIED if not (ROOT / name).exists()] == []
    let_in = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert let_in == {name.removeprefix("./") for name in COPIED}


@pytest.mark.slow
@pytest.mark.long
def test_of_these_files_alone_a_wheel_is_made(tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        skipped = shutil.ignore_patterns("__pycache__")
        copy = shutil.copy if source.is_file() else shutil.copytree
        more = {} if source.is_file() else {"ignore": skipped}
        copy(source, tree / name, **more)
    build(tree, tmp_path / "dist", "--wheel")
    assert list((tmp_path / "dist").glob("taxcheck-*.whl"))


@pytest.mark.parametrize(("answer", "healthy"), [(200, True), (503, False), ("close", False)])
def test_its_health_is_that_of_the_server(answer: object, healthy: bool):
    (check,) = of("HEALTHCHECK")
    words = json.loads(check[check.index("CMD") + 3 :])
    assert words[:2] == ["python", "-c"]
    with served(always=answer) as service:
        script = words[2].replace(f"http://127.0.0.1:{PORT}", service.url)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True)
        assert (done.returncode == 0) == healthy
        assert service.asked[0].path == "/readyz"


def test_the_compose_file_is_one():
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(ROOT / "compose.yaml")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_services_can_be_started_and_have_no_rights():
    assert set(OURS) == {"server", "worker"}
    for one in OURS.values():
        typed(one["command"])
        assert {n for n in one["environment"] if n.startswith("TAXCHECK_")} <= SETTINGS
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["volumes"] == ["data:/data"]
    ports = [port for one in COMPOSE["services"].values() for port in one.get("ports", ())]
    assert ports == [f"127.0.0.1:{PORT}:{PORT}"]
    images = {one["image"] for one in COMPOSE["services"].values()} - {"taxcheck"}
    assert all(re.fullmatch(r"[a-z]+:\d+[a-z0-9.-]*", image) for image in images)
    secrets = re.findall(r"PASSWORD: (.*)", (ROOT / "compose.yaml").read_text())
    assert set(secrets) == {"${POSTGRES_PASSWORD:?set it in .env}"}
