"""The cage sees what it is there to see: else nothing that it lets through would mean anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust import cage as caged
from tests.trust.cage import Cage, Outcome

PLUGIN = """
import os, time
from taxcheck.rule import Finding, rule

@rule("XXX001", "warn")
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
    kind = os.environ["MISBEHAVE"]
    if kind == "eats":
        eaten = bytearray(1200 << 20)
        eaten[::4096] = b"x" * len(eaten[::4096])
    elif kind == "works":
        until = time.process_time() + 6
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
    return Finding.passed({}, "fine")

RULES = (misbehaves,)
"""


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("nothing", None),
        ("eats", "MiB"),
        ("works", "took 6"),
        ("waits", "ended with nothing after"),
        ("dies", "ended with the signal 6"),
        ("leaves", "left ('left.tmp',) behind"),
        ("speaks", "did not end in one printable line"),
    ],
)
def test_what_misbehaves_is_seen(
    kind: str, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    meta = site / "misbehaving-1.0.dist-info"
    meta.mkdir(parents=True)
    work.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[taxcheck.rules]\nmisbehaving = misbehaving\n")
    (site / "misbehaving.py").write_text(PLUGIN)
    (work / "p.csv").write_text("parent,child\n1,2\n2,3\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("MISBEHAVE", kind)
    if kind == "waits":
        monkeypatch.setattr(caged, "HANG", 15.0)
    with Cage() as cage:
        wrong = cage.run(["run", "--pairs", "p.csv"], work).wrong()
        assert (wrong or "nothing").count(told or "nothing") == 1, wrong
        assert list(work.iterdir()) == [work / "p.csv"]


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
