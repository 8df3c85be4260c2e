"""Damaged files of every kind: a command passes, fails or refuses in one line, soon and in bounds.

The short test repeats the same examples; the long one draws new ones, a number of seconds for
each kind of file, and prints the file that broke the rule as hypothesis has shrunk it.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from taxcheck.engine.checkpoint import read_tensors, write_tensors
from tests.trust.cage import Cage
from tests.trust.damage import bomb, damaged
from tests.trust.seeds import Seed
from tests.trust.targets import MAPPING, PAIRS, Target, beside, every, simple

pytestmark = pytest.mark.long

SHORT, LONG = 8, 30.0  # examples; seconds for each kind of file
QUICK = simple()
SLOW = ("inspect", "embeddings", "evaluate", "why", "initial", "baseline", "compare", "run.json",
        "resume")  # fmt: skip


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trust")
    beside(path)
    return path


@pytest.fixture(scope="module")
def slow(folder: Path) -> dict[str, Target]:
    made = {name: target for name, target in every(folder).items() if name in SLOW}
    assert set(made) == set(SLOW)
    return made


def attack(seed: Seed, target: Target, cage: Cage, folder: Path) -> None:
    wrong = cage.run(target.lay(seed, folder), folder).wrong()
    assert wrong is None, f"{wrong}\nthe file{seed.suffix}: {seed.data[:2000]!r}"


def test_sound_files_are_read(cage: Cage, folder: Path) -> None:
    """Else their damaged copies would prove nothing."""
    for name, target in QUICK.items():
        for seed in target.seeds[:30] if name != "config" else ():  # the rest are odd on purpose
            outcome = cage.run(target.lay(seed, folder), folder)
            assert outcome.code in (0, 1), (name, seed.suffix, outcome)
            assert outcome.wrong() is None
    assert cage.started == 1


@pytest.mark.parametrize("name", QUICK)
def test_damaged_files_a_few(name: str, cage: Cage, folder: Path) -> None:
    @settings(max_examples=SHORT, derandomize=True, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=False))
    def run(random: Random) -> None:
        attack(damaged(random, QUICK[name].seeds), QUICK[name], cage, folder)

    run()


# Files of a run that can be continued; nothing reads checkpoint.json, which is for people.
OF_A_RUN = {"checkpoint.safetensors": SHORT, "checkpoint.json": 2, "run.json": SHORT}
RUN = ("train", *MAPPING, *PAIRS, "--out", "kept", "-q")
KEYS = ("--epochs", "2", "--dim", "3", "--workers", "1", "--refine", "0")


@pytest.fixture(scope="module")
def trained(cage: Cage, folder: Path) -> dict[str, bytes]:
    """The files of a run that is finished, which can be continued."""
    (folder / "kept").mkdir()  # what is there before a command is not cleared away behind it
    outcome = cage.run([*RUN, *KEYS], folder)
    assert outcome.code in (0, 1), outcome
    return {path.name: path.read_bytes() for path in (folder / "kept").iterdir()}


def lay(folder: Path, files: dict[str, bytes]) -> None:
    for path in (folder / "kept").iterdir():
        path.unlink()
    for name, data in files.items():
        (folder / "kept" / name).write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_damaged_run_is_continued_or_refused_and_stays_as_it_was(
    name: str, trained: dict[str, bytes], cage: Cage, folder: Path
) -> None:
    refused = 0

    @settings(max_examples=OF_A_RUN[name], derandomize=True, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=False))
    def run(random: Random) -> None:
        nonlocal refused
        victim = damaged(random, [Seed("", trained[name])]).data
        lay(folder, trained | {name: victim})
        outcome = cage.run([*RUN, "--resume"], folder)
        assert outcome.wrong() is None, f"{outcome.wrong()}\n{victim[:2000]!r}"
        if outcome.code in (2, 3):
            refused += 1
            assert outcome.error
            assert (folder / "kept" / name).read_bytes() == victim
            best = (folder / "kept" / "best.safetensors").read_bytes()
            assert best == trained["best.safetensors"]

    run()
    assert bool(refused) == (name != "checkpoint.json")


@pytest.mark.parametrize(
    ("lost", "changed", "said"),
    [
        ("updates", {}, "is no whole checkpoint, it lacks updates; or copy an older checkpoint"),
        ("embeddings", {}, "it lacks embeddings"),
        ("", {"standing": []}, "it lacks standing"),
        ("", {"config": 3, "inputs": "x"}, "it lacks config, inputs"),
        ("", {"inputs": {"data": 3}}, "was begun with other pairs or another hierarchy (3 then"),
        ("", {"standing": {"chunk_pairs": 9, "epoch": "two"}}, "Expected `int`, got `str`"),
        ("", {"standing": {"epoch": 2}}, "missing required field `chunk_pairs`"),
        ("history.loss", {}, "cannot be continued here"),
    ],
)
def test_a_checkpoint_that_was_put_together_wrongly(
    lost: str, changed: dict, said: str, trained: dict[str, bytes], cage: Cage, folder: Path
) -> None:
    """A sound file, which lacks something; of a column of the history there is a row too few."""
    name = "checkpoint.safetensors"
    lay(folder, trained)
    arrays, words = read_tensors(folder / "kept" / name)
    column = arrays.pop(lost, None)
    if column is not None and lost.startswith("history"):
        arrays[lost] = column[:-1]
    write_tensors(folder / "kept" / name, arrays, words | changed)
    data = (folder / "kept" / name).read_bytes()
    outcome = cage.run([*RUN, "--resume"], folder)
    assert outcome.wrong() is None, outcome.wrong()
    assert outcome.code in (2, 3)
    assert said in outcome.error
    assert (folder / "kept" / name).read_bytes() == data


def test_a_record_of_other_data_stays_to_the_byte(
    trained: dict[str, bytes], cage: Cage, folder: Path
) -> None:
    text = trained["run.json"].replace(b'"fingerprint": "blake3:', b'"fingerprint" :"blake3:0')
    text = text.replace(b"\n", b"\r\n")
    lay(folder, trained | {"run.json": text})
    outcome = cage.run([*RUN, "--resume"], folder)
    assert outcome.code == 2
    assert "was begun with other" in outcome.error
    assert {p.name: p.read_bytes() for p in (folder / "kept").iterdir()} == trained | {
        "run.json": text
    }


@pytest.mark.parametrize("idx", [(1 << 22) - 1, 1 << 24])
def test_one_idx_far_away_takes_no_more_memory_than_it_may(idx: int, folder: Path) -> None:
    """Arrays are sized by it up to some distance: a mapping may use taxids as idx."""
    (folder / "far.tsv").write_text(f"taxid\tidx\n7\t0\n8\t1\n9\t{idx}\n")
    (folder / "far_pairs.tsv").write_text(f"ancestor\tdescendant\n0\t1\n0\t{idx}\n")
    with Cage() as fresh:  # in another, threads that have ended leave little address space
        outcome = fresh.run(["run", "--mapping", "far.tsv", "--pairs", "far_pairs.tsv"], folder)
    assert outcome.wrong() is None, outcome.wrong()
    assert outcome.code == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_damaged_files_many(
    name: str, cage: Cage, folder: Path, request: pytest.FixtureRequest
) -> None:
    target = QUICK[name] if name in QUICK else request.getfixturevalue("slow")[name]
    for seed in target.seeds:
        wrong = cage.run(target.lay(seed, folder), folder).wrong()
        assert wrong is None, wrong
    began, done = time.monotonic(), 0

    @settings(max_examples=5_000, suppress_health_check=list(HealthCheck), database=None)
    @given(st.randoms(use_true_random=False))
    def run(random: Random) -> None:
        nonlocal done
        seed = damaged(random, target.seeds)  # always: what is drawn must not depend on the clock
        if time.monotonic() - began < LONG:  # what fails is shrunk beyond it
            attack(seed, target, cage, folder)
            done += 1

    run()
    assert done >= 10, "too few examples to say anything"
    print(f"{name}: {done:,} damaged files")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name", "suffix"),
    [
        ("gzip", "mapping", ".tsv.gz"),
        ("gzip", "pairs", ".csv.gz"),
        ("gzip", "build obo", ".obo.gz"),
        ("gzip", "build newick", ".nwk.gz"),
        ("gzip", "build lineage", ".csv.gz"),
        ("gzip", "build taxdump", ".tar.gz"),
        ("zip", "build taxdump", ".zip"),
        ("zip", "inspect", ".npz"),
        ("gzip", "inspect", ".vec.gz"),
    ],
)
def test_bombs(kind: str, name: str, suffix: str, cage: Cage, folder: Path) -> None:
    """Two GiB of zeros in two MiB."""
    target = QUICK.get(name) or Target((), ("inspect", "FILE"))
    outcome = cage.run(target.lay(Seed(suffix, bomb(kind, 2 << 30)), folder), folder)
    assert outcome.wrong() is None, outcome.wrong()
    assert outcome.code == 3


@pytest.mark.slow
def test_a_tree_of_a_million_levels(cage: Cage, folder: Path) -> None:
    levels = 1_000_000
    for text in (b"(" * levels + b"a" + b")" * levels + b";", b"(" * levels, b"[" * levels):
        target = QUICK["build newick"]
        outcome = cage.run(target.lay(Seed(".nwk", text), folder), folder)
        assert outcome.code in (1, 3), outcome
        assert outcome.error.count("\n") == 1
    outcome = cage.run(
        target.lay(Seed(".nwk.gz", gzip.compress(b"(" * (300 << 20))), folder), folder
    )
    assert outcome.code == 3
