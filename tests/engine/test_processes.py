"""Two processes against one. This file is also what each of the processes runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.long

torch = pytest.importorskip("torch")

from taxcheck.audit.metrics import ranking  # noqa: E402
from taxcheck.engine.backend import backend_of  # noqa: E402
from taxcheck.engine.config import Phase, TrainConfig  # noqa: E402
from taxcheck.engine.dataset import training_data  # noqa: E402
from taxcheck.engine.processes import (  # noqa: E402
    Processes,
    device_of,
    join,
    leave,
    rank_and_world,
)
from taxcheck.engine.sampling import Chunk, negatives_of  # noqa: E402
from taxcheck.engine.torch_stepper import TorchStepper  # noqa: E402
from taxcheck.geometry import tangent  # noqa: E402
from taxcheck.geometry.space import Space  # noqa: E402
from taxcheck.model.errors import UsageError  # noqa: E402

ROOT = Path(__file__).parents[2]
CASES = [("lorentz", "rsgd", 0.3, 0.01), ("tangent", "adam", 0.2, 0.0)]


def tree():
    """A complete tree of 121 nodes, three children each."""
    pairs = []
    for node in range(1, 121):
        above, steps = node, 0
        while above:
            above, steps = (above - 1) // 3, steps + 1
            pairs.append((above, node, steps))
    a, d, steps = np.array(pairs).T
    return training_data(a, d, steps, 121)


def train(data, model, optimizer, lr, strength):
    torch.set_num_threads(1)
    config = TrainConfig(
        geometry=model, optimizer=optimizer, negatives=10, batch_size=150, backend="torch"
    )
    z = np.random.default_rng(0).normal(size=(data.n_nodes, 5)) * 1e-2
    own = TorchStepper(data, config, tangent.to_lorentz(z) if model == "lorentz" else z)
    drawn, rng = negatives_of(data, config), np.random.default_rng(1)
    for epoch in range(25):
        order = rng.permutation(np.arange(1, data.n_nodes))
        lengths = np.diff(data.starts)[order]
        at = np.concatenate([np.arange(*data.starts[s : s + 2]) for s in order])
        weights = np.ones(len(at), dtype=np.float32)
        starts = np.r_[0, np.cumsum(lengths)]
        work = Chunk(order.astype(np.int32), starts, data.ancestors[at], weights)
        fall = 0.1 if epoch < 5 else 1 - epoch / 25
        result = own.step(work, Phase(lr * fall, strength), drawn)
    # A single source leaves one of two ranks without work.
    last = data.ancestors[data.starts[120] : data.starts[121]]
    one = Chunk(np.array([120], np.int32), np.array([0, 4]), last, np.ones(4, np.float32))
    own.step(one, Phase(lr, strength), drawn)
    return own, result


def main(folder):
    for case in CASES:
        own, result = train(tree(), *case)
        place = join(TrainConfig())
        assert place.world == 2
        path = Path(folder) / f"{case[0]}.{place.rank}.npz"
        np.savez(path, loss=result.loss, pull=result.regularizer, **own.state())
    leave()


def quality(data, table, model):
    descendants = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    wanted = ranking.positives_of(data.ancestors, descendants, data.n_nodes)
    return ranking.rank(Space.of(table, model), wanted).map


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", __file__, str(folder)]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
@pytest.mark.slow
def test_two_processes_are_one(folder, case):
    model, data = case[0], tree()
    first, second = (dict(np.load(folder / f"{model}.{rank}.npz")) for rank in (0, 1))
    for name, values in first.items():
        assert values.tobytes() == second[name].tobytes(), name
    own, result = train(data, *case)
    np.testing.assert_array_equal(first["updates"], own.updates)
    np.testing.assert_array_equal(first["random"], own.state()["random"])
    # The order of additions differs, and 25 epochs carry that on.
    np.testing.assert_allclose(first["table"], own.table, rtol=1e-6, atol=1e-6)
    assert first["loss"] == pytest.approx(result.loss, rel=1e-6)
    assert first["pull"] == pytest.approx(result.regularizer, rel=1e-6)
    assert quality(data, first["table"], model) == pytest.approx(
        quality(data, own.table, model), abs=1e-3
    )
    assert quality(data, first["table"], model) > 0.6


def test_alone_nothing_is_exchanged():
    x = torch.ones(2, 3)
    assert Processes().gather(x)[0] is x
    assert Processes().writes


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="device = 'gpu'"):
        device_of(TrainConfig(device="gpu"))
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="device = 'cuda:1': not available here; there is cpu"):
            device_of(TrainConfig(device="cuda:1"))


def test_where_a_process_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert rank_and_world() == (0, 1)
    assert join(TrainConfig()) == Processes()
    assert Processes().share(3) == 3
    assert Processes().agree(0.5, 0.1, 2) == (0.5, 0.1, 2)
    monkeypatch.setenv("RANK", "1")
    assert rank_and_world() == (0, 1), "some clusters set one of them alone"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert rank_and_world() == (1, 2)
    assert backend_of(TrainConfig()) == "torch", "auto"
    with pytest.raises(UsageError, match="trains in one process"):
        backend_of(TrainConfig(backend="numba"))


if __name__ == "__main__":
    main(sys.argv[1])
