"""The cage sees what it is there to see: else nothing that it lets through would mean anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.trust import cage as caged
from tests.trust.cage import Cage, Outcome

PLUGIN = """
import os, time
from taxcheck.model.finding import Finding
from taxcheck.model.rule import rule

@rule("XXX001", "warn", about="pairs")
def misbehaves(pairs) -> Finding:
    '''Does what the environment asks for.

    Why it matters:
    a

    How to fix:
    b

    Known exceptions:
    c

    References:
    d
    '''
    with open("kind") as file:
        kind = file.read()
    if kind == "eats":
        eaten = bytearray(1200 << 20)
        eaten[::4096] = b"x" * len(eaten[::4096])
    elif kind == "works":
        until = 2 * time.process_time()  # as long as all before, the start among it
        while time.process_time() < until:
            pass
    elif kind == "waits":
        time.sleep(1000)
    elif kind == "dies":
        os.abort()
    elif kind == "leaves":
        open("left.tmp", "w").close()
    elif kind == "speaks":
        os.write(2, b"two\\nlines\\n")
    return Finding(False, "fine")

RULES = (misbehaves,)
"""


PATIENCE = {  # what costs no minute, and none for memory that a machine hands out slowly
    "works": ("STARTS", 0.9),
    "waits": ("HANG", 1.0),
    "eats": ("STARTS", float("inf")),
}
KINDS = {
    "nothing": "^None$",
    "leaves": r"^left \('left.tmp',\) behind$",
    "speaks": "^did not end in one printable line",
    "eats": r"^took \d+ MiB",
    "works": r"^took \d+\.\d starts",
    "dies": "^ended with the signal 6",
    "waits": "^ended with nothing after 1 s",
}


@pytest.mark.long
@pytest.mark.slow
def test_what_misbehaves_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    meta = site / "misbehaving-1.0.dist-info"
    meta.mkdir(parents=True)
    work.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[taxcheck.rules]\nmisbehaving = misbehaving\n")
    (site / "misbehaving.py").write_text(PLUGIN)
    (work / "p.csv").write_text("parent,child\n1,2\n2,3\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    with Cage() as cage:
        for kind, told in KINDS.items():
            (work / "kind").write_text(kind)
            with monkeypatch.context() as patched:
                if kind in PATIENCE:
                    patched.setattr(caged, *PATIENCE[kind])
                wrong = cage.run(["run", "--pairs", "p.csv"], work).wrong()
            assert re.search(told, str(wrong)), (kind, wrong)
            assert {path.name for path in work.iterdir()} == {"p.csv", "kind"}, kind
        assert cage.started == 2, "one for the rest, and one since a process died"


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome(3, "taxcheck: a.tsv: is empty\n"), None),
        (Outcome(3, ""), "did not end in one"),
        (Outcome(2, "taxcheck: a\nb\n"), "did not end in one"),
        (Outcome(2, "taxcheck: \x1b[31m\n"), "did not end in one"),
        (Outcome(3, "Traceback\n"), "did not end in one"),
        (Outcome(4, "taxcheck: itself broke\n"), "ended with 4"),
        (Outcome("KeyError: 1", ""), "ended with KeyError"),
        (Outcome(1, ""), None),
    ],
)
def test_what_is_wrong(outcome: Outcome, told: str | None) -> None:
    assert (outcome.wrong() or "None").startswith(str(told))
