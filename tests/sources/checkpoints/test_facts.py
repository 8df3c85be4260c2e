"""What engines record beside the table: configuration, counts, optimizer state, history."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from taxcheck.sources.checkpoints.checkpoint import Facts
from taxcheck.sources.checkpoints.opening import open_checkpoint

TABLE = np.linspace(0.01, 0.5, 12).reshape(4, 3)


def facts(tmp_path: Path, **tree: object) -> Facts:
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps({"embeddings": TABLE, **tree}))
    return open_checkpoint(str(path)).facts


def test_aliases(tmp_path: Path) -> None:
    config = {
        "reg-lambda": 0.1, "patience": 5, "learning_rate": 0.3, "num_negatives": 50, "bs": 64,
        "negative_sampling": "siblings", "emb_dim": 3, "monitor": "loss", "init_max_norm": 0.95,
        "max_norm": 0.98, "unknown": 3,
    }  # fmt: skip
    found = facts(tmp_path, hparams=config)
    assert found.config == {
        "lambda_reg": 0.1, "early_stopping": 5, "lr": 0.3, "negatives": 50, "batch_size": 64,
        "sampler": "siblings", "dim": 3, "best_by": "loss", "init_max_radius": 0.95,
        "max_norm": 0.98,
    }  # fmt: skip
    assert found.recorded == {"hparams.unknown": 3}


@pytest.mark.parametrize("name", ["lambda", "reg_weight", "regularization_coeff", "weight_decay"])
def test_a_regularizer_that_is_not_said_to_be_of_the_radius_is_not_taken_for_it(tmp_path, name):
    found = facts(tmp_path, config={name: 1.0, "seed": 3})
    assert (found.config, found.recorded) == ({"seed": 3}, {f"config.{name}": 1.0})


def test_a_measured_largest_norm_is_no_clip(tmp_path: Path) -> None:
    found = facts(tmp_path, max_norm=0.51, metrics={"lr": 3})
    assert found.config == {}
    assert found.recorded == {"max_norm": 0.51, "metrics.lr": 3}


def test_labels_are_no_configuration(tmp_path: Path) -> None:
    found = facts(tmp_path, word2idx={"c": 0, "lr": 1, "epoch": 2, "dim": 3})
    assert (found.config, found.recorded, found.epoch) == ({}, {}, None)


def test_stopped_early(tmp_path: Path) -> None:
    waited = {"epochs_without_improvement": 5}
    assert facts(tmp_path, **waited).stopped_early is None
    assert facts(tmp_path, **waited, config={"patience": 5}).stopped_early is True
    assert facts(tmp_path, **waited, config={"patience": 0}).stopped_early is None
    assert facts(tmp_path, epoch=9, config={"epochs": 10}).stopped_early is False
    assert facts(tmp_path, epoch=8, config={"epochs": 10}).stopped_early is None
    assert facts(tmp_path, stopped_early=True, epoch=9, config={"epochs": 10}).stopped_early is True


def test_optimizer_state_shows_untouched_rows(tmp_path: Path) -> None:
    moments = np.zeros((4, 3))
    moments[1, 2], moments[3] = 1e-12, np.nan
    state = {"state": {0: {"step": 9, "exp_avg": moments * 0, "exp_avg_sq": moments}}}
    groups = {"param_groups": [{"lr": 0.01, "betas": (0.9, 0.999), "params": [0]}]}
    found = facts(tmp_path, optimizer=state | groups)
    assert found.untouched is not None
    assert found.untouched.tolist() == [True, False, True, False]
    assert found.config == {"lr": 0.01}
    per_row = facts(tmp_path, optimizer={"exp_avg_sq": np.array([[0.0], [1], [0], [0]])})
    assert per_row.untouched is not None
    assert per_row.untouched.tolist() == [True, False, True, True]
    assert facts(tmp_path, optimizer={"exp_avg_sq": np.zeros((5, 3))}).untouched is None
    two = {"a": {"exp_avg_sq": moments}, "b": {"exp_avg_sq": moments}}
    assert facts(tmp_path, optimizer=two).untouched is None, "nobody can tell whose it is"


def test_update_counts(tmp_path: Path) -> None:
    found = facts(tmp_path, stats={"update_counts": np.array([0, 4, 2, 1], np.int32)})
    assert found.update_counts is not None
    assert found.update_counts.tolist() == [0, 4, 2, 1]
    assert found.update_counts.dtype == np.int64
    assert facts(tmp_path, counts=np.array([1, 2])).update_counts is None


def test_history_as_rows_and_as_columns(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "train_loss": 0.5, "mAP": 0.1}, {"epoch": 2, "train_loss": 0.25}]
    expected = ({"epoch": 1.0, "loss": 0.5, "map": 0.1}, {"epoch": 2.0, "loss": 0.25})
    assert facts(tmp_path, history=rows).history == expected
    columns = {"epoch": [1, 2], "train_loss": [0.5, 0.25], "max_norm": [0.1, 0.2]}
    assert facts(tmp_path, history=columns).history == (
        {"epoch": 1.0, "loss": 0.5, "norm_max": 0.1},
        {"epoch": 2.0, "loss": 0.25, "norm_max": 0.2},
    )
    assert facts(tmp_path, losses=[0.5, 0.25]).history == (
        {"epoch": 0.0, "loss": 0.5},
        {"epoch": 1.0, "loss": 0.25},
    )


def test_history_as_arrays_with_gaps(tmp_path: Path) -> None:
    gap = float("nan")
    columns = {
        "history": {
            "epoch": np.array([1, 2, 3]),
            "train_loss": np.array([0.5, gap, 0.25], np.float32),
            "map": np.array([gap, 0.125, gap]),
            "pictures": np.zeros((3, 2, 2)),
        }
    }
    first, second, third = facts(tmp_path, **columns).history
    assert first == {"epoch": 1.0, "loss": 0.5}
    assert second.keys() == {"epoch", "loss", "map"}
    assert np.isnan(second["loss"]), "a loss that is no number is something that happened"
    assert second["map"] == 0.125
    assert third == {"epoch": 3.0, "loss": 0.25}


def test_tables_of_the_optimizer_are_no_embeddings(tmp_path: Path) -> None:
    moments = np.ones((9, 9))
    tree = {"embeddings": TABLE, "optimizer": {"moments": moments}}
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(tree))
    found = open_checkpoint(str(path))
    assert (found.key, found.notes) == ("embeddings", ())


def test_words_of_safetensors_that_are_objects(tmp_path: Path) -> None:
    save = pytest.importorskip("safetensors.numpy").save_file
    path = tmp_path / "a.safetensors"
    words = {
        "training": json.dumps({"config": {"lambda_reg": 0.5, "seed": 3}, "epoch": 4}),
        "broken": '{"a": ',
        "deep": '{"a":' * 100_000,
    }
    save({"embeddings": TABLE}, path, words)
    found = open_checkpoint(str(path)).facts
    assert found.config == {"lambda_reg": 0.5, "seed": 3}
    assert found.epoch == 4
    assert found.recorded["metadata.broken"] == '{"a":'
    assert str(found.recorded["metadata.deep"]).startswith('{"a":{"a":')


def test_hostile_values_are_shown_safely(tmp_path: Path) -> None:
    found = facts(
        tmp_path, **{"a\nb": "x\x1b[31m" * 1000, "n": 10**400, "lone": "\ud800", "epoch": 1e400}
    )
    assert found.epoch is None
    assert found.recorded["n"] == "an integer of 1,329 bits"
    for name, value in found.recorded.items():
        assert name.isprintable()
        if isinstance(value, str):
            assert value.isprintable()
            assert len(value) <= 400
            value.encode()
