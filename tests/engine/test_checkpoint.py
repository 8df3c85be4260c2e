"""What is in the files, and that the audit and other programs read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taxcheck.engine.backend import backend_of, make_stepper
from taxcheck.engine.checkpoint import (
    data_fingerprint,
    read_tensors,
    write_tensors,
)
from taxcheck.engine.progress import CLOCK
from taxcheck.engine.run_folder import RunFolder
from taxcheck.engine.trainer import train
from taxcheck.model.errors import UsageError
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.engine.tiny import CONFIG, Tiny, tree

pytestmark = pytest.mark.usefixtures("no_fsync")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = RunFolder(tmp_path_factory.mktemp("run1"))
    train(tree(), CONFIG, run, inputs={"mapping": "blake3:1"}, make=Tiny)
    return run


def test_a_run_holds_what_it_should(folder: RunFolder) -> None:
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "best.pt", "best.safetensors", "checkpoint-000006.safetensors",
        "checkpoint-000009.safetensors", "checkpoint-000012.safetensors", "checkpoint.json",
        "checkpoint.safetensors", "initial.npy", "metrics.jsonl",
    ]  # fmt: skip
    assert folder.kept()[-1].read_bytes() == folder.checkpoint.read_bytes()
    assert np.load(folder.initial).shape == (32, 3)


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "best.safetensors", "best.pt"])
def test_the_audit_reads_it(folder: RunFolder, name: str) -> None:
    found = open_checkpoint(str(folder.path / name))
    facts = found.facts
    assert found.format == "taxcheck checkpoint"
    assert (found.key, found.rows, found.dim, found.notes) == ("embeddings", 32, 3, ())
    assert (found.reading.geometry, found.reading.confidence) == (Geometry.BALL, "certain")
    assert (found.reading.curvature, found.reading.clip) == (1.0, 0.98)
    assert (facts.n_nodes, facts.max_depth, facts.stopped_early) == (32, 4, False)
    expected = {
        "lambda_reg": 0.01, "max_norm": 0.98, "early_stopping": 0, "lr": 0.3, "negatives": 3,
        "dim": 3, "best_by": "map", "epochs": 12, "curvature": 1.0, "batch_size": 2,
    }  # fmt: skip
    assert expected.items() <= facts.config.items()
    init = facts.config["init_max_radius"]
    assert isinstance(init, float)
    assert 5e-4 < init < np.sqrt(3) * 1e-3, "coordinates in [-0.001, 0.001]"
    assert facts.update_counts is not None
    assert facts.update_counts[-1] == 0
    assert facts.update_counts[:-1].min() > 0
    assert [record["epoch"] for record in facts.history] == list(range(1, 13))
    lines = [json.loads(line) for line in folder.metrics.read_text().splitlines()]
    if name.startswith("best"):  # equal runs leave equal tables
        lines = [{k: v for k, v in line.items() if k not in CLOCK} for line in lines]
    assert list(facts.history) == lines


def test_other_geometries_state_their_own_limits(tmp_path: Path) -> None:
    config = replace(CONFIG, geometry="lorentz", init="cones", max_radius=4.0, epochs=1)

    class Unmoved(Tiny):
        def step(self, chunk, phase, negatives):  # type: ignore[no-untyped-def]
            before = self._table.copy()
            result = super().step(chunk, phase, negatives)
            self._table[:] = before
            return result

    train(tree(), config, RunFolder(tmp_path / "a"), make=Unmoved)
    found = open_checkpoint(str(tmp_path / "a/best.safetensors"))
    assert (found.reading.geometry, found.reading.confidence) == (Geometry.LORENTZ, "certain")
    assert (found.dim, found.reading.clip) == (3, None)
    assert found.facts.config["max_norm"] == pytest.approx(np.tanh(2.0))
    assert "init_max_radius" not in found.facts.config, "cones have their directions"
    steps = ((0, 0.3), (1, 0.0))
    config = replace(config, geometry="euclidean", init="uniform", lambda_schedule=steps)
    train(tree(), config, RunFolder(tmp_path / "b"), make=Unmoved)
    found = open_checkpoint(str(tmp_path / "b/best.safetensors"))
    assert (found.reading.geometry, found.reading.confidence) == (Geometry.EUCLIDEAN, "certain")
    assert not {"max_norm", "curvature", "init_max_radius"} & set(found.facts.config)
    assert found.facts.config["lambda_reg"] == 0.3, "the strongest of the schedule"


def test_a_start_by_depth_states_what_was_asked(tmp_path: Path) -> None:
    config = replace(CONFIG, init="depth-aware", dtype="float32", epochs=1)
    run = RunFolder(tmp_path / "run1")
    train(tree(), config, run, make=Tiny)
    found = open_checkpoint(str(run.best)).facts.config
    assert found["init_max_radius"] == 0.85, "not a float32 beside it"


def test_torch_opens_the_best_table(folder: RunFolder) -> None:
    torch = pytest.importorskip("torch")
    loaded = torch.load(folder.best_torch, weights_only=True)
    arrays, words = read_tensors(folder.best)
    np.testing.assert_array_equal(loaded["embeddings"].numpy(), arrays["embeddings"])
    np.testing.assert_array_equal(loaded["updates"].numpy(), arrays["updates"])
    np.testing.assert_array_equal(loaded["history"]["loss"].numpy(), arrays["history.loss"])
    assert {key: loaded[key] for key in words} == words


def test_safetensors_is_the_librarys_own(folder: RunFolder, tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    arrays, _ = read_tensors(folder.checkpoint)
    theirs = library.load_file(folder.checkpoint)
    assert set(theirs) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, theirs[name], strict=True)
    kinds = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?"]
    mixed = {f"a {kind}": np.arange(3).astype(kind) for kind in kinds}
    mixed |= {"empty": np.zeros((0, 4)), "turned": np.arange(6.0).reshape(2, 3).T}
    write_tensors(tmp_path / "mixed", mixed, {"name": "\u03b1 \N{SNOWMAN}"})
    theirs = library.load_file(tmp_path / "mixed")
    again, words = read_tensors(tmp_path / "mixed")
    assert words == {"name": "\u03b1 \N{SNOWMAN}"}
    for name, array in mixed.items():
        np.testing.assert_array_equal(theirs[name], array, strict=True)
        np.testing.assert_array_equal(again[name], array, strict=True)


def test_only_the_last_few_are_kept(tmp_path: Path) -> None:
    for count, expected in ((1, []), (2, [9, 12]), (9, [3, 6, 9, 12])):
        run = RunFolder(tmp_path / str(count))
        train(tree(), replace(CONFIG, keep_last=count), run, make=Tiny)
        epochs = [read_tensors(path)[1]["epoch"] for path in run.kept()]
        assert epochs == expected


def test_fingerprints_follow_the_pairs() -> None:
    data = tree()
    assert data_fingerprint(data) == data_fingerprint(tree())
    assert data_fingerprint(data) != data_fingerprint(tree(4))
    assert data_fingerprint(data) != data_fingerprint(replace(data, n_nodes=33))
    other = data.distances.copy()
    other[0] += 1
    assert data_fingerprint(data) != data_fingerprint(replace(data, distances=other))


def test_a_missing_backend_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxcheck.engine.backend.find_spec", lambda name: name == "torch" or None)
    assert backend_of(replace(CONFIG, backend="auto")) == "torch"
    with pytest.raises(UsageError, match=r"needs numba.*pip install 'taxcheck\[torch\]'"):
        make_stepper(tree(), replace(CONFIG, backend="numba"), np.zeros((32, 3)))
    monkeypatch.setattr("taxcheck.engine.backend.find_spec", lambda _: True)
    assert backend_of(replace(CONFIG, backend="auto")) == "numba"
    assert backend_of(replace(CONFIG, backend="auto", device="cuda")) == "torch"


def test_what_an_optimizer_cannot_do_is_one_line() -> None:
    config = replace(CONFIG, geometry="lorentz", optimizer="adam")
    with pytest.raises(UsageError, match="'adam' adds coordinates"):
        train(tree(), config)
