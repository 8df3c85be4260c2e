"""Checkpoints with objects of any class beside their tensors: read, and nothing of them is run."""

from __future__ import annotations

import argparse
import collections
import datetime
import enum
import pickle
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.sources.checkpoints.opening import open_checkpoint
from tests.sources.checkpoints.layouts import LABELS, ROWS, TABLE, assert_right, joined

torch = pytest.importorskip("torch")


class Space(enum.Enum):
    BALL = "poincare"


class Settings(dict):  # type: ignore[type-arg]
    """As EasyDict and addict have it."""


class Names(list):  # type: ignore[type-arg]
    pass


class Trap:
    """Tells when it is made, by any of the ways in which pickle makes an object."""

    made: ClassVar[list[str]] = []

    def __new__(cls) -> Trap:
        cls.made.append("new")
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        self.made.append("state")

    def __reduce__(self) -> tuple[object, ...]:
        return (Trap, (), {"a": 1})


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes above, as of a project that is not installed here."""
    module = types.ModuleType("somebodys_project")
    for kind in (Space, Settings, Names, Trap):
        monkeypatch.setattr(kind, "__module__", module.__name__)
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def beside() -> dict[str, object]:
    return {
        "hyper_parameters": argparse.Namespace(lr=0.3, space=Space.BALL, out=Path("a/b")),
        "settings": Settings(a=1, b=[2]),
        "names": Names(["x", "y"]),
        "trap": Trap(),
        "queue": collections.deque([1, 2], maxlen=3),
        "counts": collections.Counter("aab"),
        "lists": collections.defaultdict(list, {1: [2]}),
        "when": datetime.datetime.now(tz=datetime.UTC),
        "version": torch.__version__,
        "loss": torch.nn.functional.softplus,
        "scalar": np.float32(0.5),
    }


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.usefixtures("elsewhere")
def test_a_training_frameworks_checkpoint(tmp_path: Path, protocol: int) -> None:
    state = collections.OrderedDict({"model.embedding.weight": torch.tensor(TABLE)})
    tree = {"epoch": 3, "state_dict": state, **beside()}
    torch.save(tree, path := tmp_path / "a.ckpt", pickle_protocol=protocol)
    Trap.made.clear()
    checkpoint = assert_right(path).checkpoint
    assert not Trap.made
    assert checkpoint.facts.epoch == 3
    assert checkpoint.facts.config["lr"] == 0.3
    pickle.loads(pickle.dumps(Trap()))
    assert Trap.made, "the trap is a real one"


@pytest.mark.usefixtures("elsewhere")
def test_the_same_in_a_plain_pickle(tmp_path: Path) -> None:
    tree = {"embeddings": TABLE, **{k: v for k, v in beside().items() if k != "loss"}}
    (path := tmp_path / "a.pkl").write_bytes(pickle.dumps(tree))
    Trap.made.clear()
    assert_right(path)
    assert not Trap.made


def test_functions_may_be_pointed_at_and_not_called(tmp_path: Path) -> None:
    class Called:
        def __reduce__(self) -> tuple[object, ...]:
            return (collections.namedtuple, ("Called", "one"))

    torch.save({"w": torch.tensor(TABLE), "x": Called()}, path := tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"would import collections\.namedtuple; only tensors"):
        open_checkpoint(str(path))


def test_the_own_table_comes_before_its_copies(tmp_path: Path) -> None:
    copy = torch.zeros(TABLE.shape)
    for prefix in ("ema.", "best_", "swa_model.", "target_"):
        tree = {f"{prefix}embedding.weight": copy, "embedding.weight": torch.tensor(TABLE)}
        torch.save(tree, path := tmp_path / "a.pt")
        found = assert_right(path).checkpoint
        assert found.key == "embedding.weight"
        assert found.guesses == (
            f"embedding.weight was taken by its name; as many rows have {prefix}embedding.weight "
            "40x4 float32: `key` takes another.",
        )
        assert open_checkpoint(str(path), key="embedding.weight").guesses == ()
    for holder in ("module.", "_orig_mod.", "model."):
        tree = {f"{holder}embedding.weight": torch.tensor(TABLE), "ema.embedding.weight": copy}
        torch.save(tree, path)
        assert assert_right(path).checkpoint.key == f"{holder}embedding.weight"
    torch.save({"src_emb.weight": copy, "dst_emb.weight": torch.tensor(TABLE)}, path)
    with pytest.raises(InputError, match=r"several arrays could be the table: .*say which with"):
        open_checkpoint(str(path))


def test_what_names_rows_beside_them_is_read_or_asked_about(tmp_path: Path) -> None:
    pd, rows = pytest.importorskip("pandas"), torch.tensor(ROWS)
    path = tmp_path / "a.pt"
    for beside in (
        pd.DataFrame({"taxid": LABELS}),
        pd.Series(LABELS),
        [{"taxid": int(label)} for label in LABELS],
    ):
        torch.save({"emb": rows, "nodes": beside}, path)
        assert assert_right(path).by_labels
    for unordered in (set(map(int, LABELS)), frozenset(map(str, LABELS))):
        torch.save({"emb": rows, "taxids": unordered}, path)
        with pytest.raises(InputError, match="taxids is a set, which has no order"):
            joined(path)
        (plain := tmp_path / "a.pkl").write_bytes(pickle.dumps({"emb": ROWS, "taxids": unordered}))
        with pytest.raises(InputError, match="taxids is a set, which has no order"):
            joined(plain)
