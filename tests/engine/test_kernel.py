"""The fused kernel against autograd, the documented losses, and counts of what it draws."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare

pytest.importorskip("numba")

from taxcheck.engine import kernel as fused
from taxcheck.engine.config import Phase, TrainConfig
from taxcheck.engine.dataset import TrainingData
from taxcheck.engine.kernel_stepper import KernelStepper
from taxcheck.engine.sampling import Chunk, Negatives, negatives_of
from taxcheck.engine.stepper import Floats
from taxcheck.geometry import tangent
from taxcheck.geometry.models import MODELS
from tests.engine.tiny import tree

DATA = tree(4)  # 0 to 14, the parent of k is (k - 1) // 2; 15 is in no pair
SOURCES = (9, 4, 12, 9)
APART = 7  # related to none of them
WAYS = [
    (geometry, loss, optimizer)
    for geometry in ("ball", "tangent", "lorentz", "euclidean")
    for loss in ("softmax", "margin")
    for optimizer in ("rsgd", "adam", "adagrad")
    if (geometry, optimizer) != ("lorentz", "adam")
]
Doubles = npt.NDArray[np.float64]


def start(geometry: str, data: TrainingData = DATA) -> Doubles:
    z = np.random.default_rng(3).normal(size=(data.n_nodes, 3)) * 0.5
    if geometry == "ball":
        return np.asarray(tangent.to_ball(z))
    return np.asarray(tangent.to_lorentz(z) if geometry == "lorentz" else z)


def configured(geometry: str = "euclidean", **keys: object) -> TrainConfig:
    settings = {"geometry": geometry, "dim": 3, "negatives": 1, "workers": 1, "batch_size": 1}
    settings |= {"optimizer": "rsgd", "lr": 0.1, "margin": 30.0}
    return TrainConfig(**settings | keys)  # type: ignore[arg-type]


def kernel(config: TrainConfig, data: TrainingData = DATA) -> KernelStepper:
    return KernelStepper(data, config, start(config.geometry, data))


def fixed(row: int = APART, count: int = 1, data: TrainingData = DATA) -> Negatives:
    """Negatives that are always one row."""
    drawn = negatives_of(data, configured())
    return replace(drawn, uniform=count, pool=np.array([row], dtype=np.int32))


def work_of(sources: Sequence[int], positives: Sequence[Sequence[int]] | None = None) -> Chunk:
    """Every source with all its ancestors, weights 1, 1.25, 1.5 ..., or with the given ones."""
    above = positives or [DATA.ancestors[DATA.starts[s] : DATA.starts[s + 1]] for s in sources]
    lengths = [len(rows) for rows in above]
    return Chunk(
        np.array(sources, dtype=np.int32),
        np.cumsum([0, *lengths]),
        np.concatenate(above).astype(np.int32),
        np.concatenate([1 + np.arange(k) / 4 for k in lengths]).astype(np.float32),
    )


@pytest.mark.parametrize(("geometry", "loss", "optimizer"), WAYS)
def test_it_steps_as_autograd(geometry: str, loss: str, optimizer: str) -> None:
    pytest.importorskip("torch")
    from taxcheck.engine.torch_stepper import TorchStepper

    config = configured(geometry, loss=loss, optimizer=optimizer, temperature=1.5)
    own, other = kernel(config), TorchStepper(DATA, config, start(geometry))
    for _ in range(3):
        found, expected = (
            stepper.step(work_of(SOURCES), Phase(0.01, 0.02, 1.5), fixed())
            for stepper in (own, other)
        )
        loose = geometry == "lorentz"  # its exponential map is a series there
        assert found.loss == pytest.approx(expected.loss, rel=1e-5 if loose else 1e-9)
        assert found.regularizer == pytest.approx(expected.regularizer, rel=1e-5 if loose else 1e-9)
        assert (found.pairs, found.finite) == (expected.pairs, expected.finite)
        np.testing.assert_allclose(own.table, other.table, rtol=0, atol=1e-5 if loose else 1e-9)
    np.testing.assert_array_equal(own.updates, other.updates)
    assert np.abs(own.table - start(geometry)).max() > 1e-2


def distance(geometry: str, u: Doubles, v: Doubles) -> float:
    """By the textbook, from numbers that need no care: arcosh of small radii."""
    if geometry == "euclidean":
        return float(np.linalg.norm(u - v))
    if geometry == "tangent":
        u, v = tangent.to_ball(u), tangent.to_ball(v)
    if geometry == "lorentz":  # from the spatial coordinates, which are free
        times = np.sqrt(1 + u @ u), np.sqrt(1 + v @ v)
        return float(np.arccosh(times[0] * times[1] - u @ v))
    square = (u - v) @ (u - v)
    return float(np.arccosh(1 + 2 * square / ((1 - u @ u) * (1 - v @ v))))


def documented(geometry: str, loss: str, x: Doubles, work: Chunk, count: int) -> float:
    """The sum over pairs as the documentation has it; temperature 1.5, margin 30."""
    total, source = 0.0, int(work.sources[0])
    far = distance(geometry, x[source], x[APART])
    for positive, weight in zip(work.positives, work.weights.tolist(), strict=True):
        d = distance(geometry, x[source], x[positive])
        if loss == "softmax":
            near = np.exp(-d / 1.5)
            total -= weight * np.log(near / (near + count * np.exp(-far / 1.5)))
        else:
            total += weight * max(0.0, 30.0 + d - far)
    return float(total)


@pytest.mark.parametrize("geometry", ["ball", "tangent", "lorentz", "euclidean"])
@pytest.mark.parametrize("loss", ["softmax", "margin"])
def test_gradients_are_those_of_the_documented_loss(geometry: str, loss: str) -> None:
    # The first step of Adagrad is lr long and keeps the square of the gradient's length.
    config = configured(geometry, loss=loss, optimizer="adagrad", temperature=1.5)
    own, work, h, lr = kernel(config), work_of([9]), 1e-5, 1e-6
    free = slice(1, None) if geometry == "lorentz" else slice(None)
    x = start(geometry)[:, free].copy()
    result = own.step(work, Phase(lr, temperature=1.5), fixed())
    assert result.loss == pytest.approx(documented(geometry, loss, x, work, 1), rel=1e-9)
    moved = (start(geometry) - own.table)[:, free] / lr
    lengths = np.sqrt(np.asarray(own.state()["second_moment"])[:, 0])
    for row in (9, *work.positives.tolist(), APART):
        gradient = np.zeros(3)
        for i in range(3):
            for sign in (1, -1):
                moved_x = x.copy()
                moved_x[row, i] += sign * h
                gradient[i] += sign * documented(geometry, loss, moved_x, work, 1) / (2 * h)
        length = np.linalg.norm(gradient)
        if geometry == "lorentz":  # raised by the inverse metric, 1 + x x' on the sheet
            raised = gradient + x[row] * (x[row] @ gradient)
            length, gradient = np.sqrt(gradient @ raised), raised
        assert lengths[row] == pytest.approx(length, rel=1e-6)
        np.testing.assert_allclose(moved[row] * lengths[row], gradient, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reach", [1.0, 12.0, 24.0, 36.0])
def test_a_tangent_row_far_out_steps_along_the_geodesic(reach: float) -> None:
    """Positive and source part halfway out; the margin's gradient at the positive has length 1."""
    table, lr = start("tangent"), 1e-2
    angle = 2 * np.arcsin(np.exp(-reach / 2))
    table[9] = reach * np.array([1.0, 0, 0])
    table[4] = 0.9 * reach * np.array([np.cos(angle), np.sin(angle), 0])
    own = KernelStepper(DATA, configured("tangent", margin=200.0, loss="margin"), table.copy())
    own.step(work_of([9], [[4]]), Phase(lr), fixed())
    moved = own.table[4]
    assert tangent.distance(table[4], moved) == pytest.approx(lr, rel=1e-2)
    nearer = tangent.distance(table[4], table[9]) - tangent.distance(moved, table[9])
    assert nearer == pytest.approx(lr, rel=1e-2)


def test_the_kernel_knows_every_space() -> None:
    for name, model in MODELS.items():
        assert getattr(fused, name.upper()) == model.code
    assert fused.POLAR not in [model.code for model in MODELS.values()]


def test_all_that_is_compiled_stands_in_one_file() -> None:
    """Numba keeps a compiled kernel until the file changes, whatever else was compiled into it."""
    parsed = ast.parse(Path(fused.__file__).read_text(encoding="utf-8"))
    given = [node for node in ast.walk(parsed) if isinstance(node, ast.ImportFrom)]
    ours = {n.name for node in given if str(node.module).startswith("taxcheck") for n in node.names}
    assert ours == {"Int32Array", "IntArray"}
    bodies = [part for f in parsed.body if isinstance(f, ast.FunctionDef) for part in f.body]
    used = {n.id for part in bodies for n in ast.walk(part) if isinstance(n, ast.Name)}
    assert "half_chords" in used
    assert not ours & used, "they are there for annotations alone"


@pytest.mark.parametrize("loss", ["softmax", "margin"])
def test_several_negatives_are_summed_or_averaged(loss: str) -> None:
    own = kernel(configured(loss=loss, temperature=1.5))
    expected = documented("euclidean", loss, start("euclidean"), work_of([9]), 4)
    assert own.step(
        work_of([9]), Phase(0.0, temperature=1.5), fixed(count=4)
    ).loss == pytest.approx(expected)


def counted(drawn: Negatives, source: int, positive: int, data: TrainingData = DATA) -> Doubles:
    """How often each row is a negative of a source, in 20,000 sources of one draw each.

    Adam counts the updates of a row, and at a rate of 1e-12 the table stands still.
    """
    times = 20_000
    own = kernel(configured(optimizer="adam"), data)
    own.step(work_of([source] * times, [[positive]] * times), Phase(1e-12), drawn)
    steps = np.array(own.state()["steps"], dtype=np.float64)
    kept = steps[source]
    assert steps[positive] == kept
    steps[[source, positive]] -= kept
    assert steps.sum() == kept, "one draw for each source that was not passed over"
    return steps


def test_uniform_draws() -> None:
    found = counted(negatives_of(DATA, configured()), 9, 4)
    out = [0, 1, 4, 9, 15]  # its ancestors, trained on or not, itself, and the node in no pair
    assert (found[out] == 0).all()
    assert found.sum() == pytest.approx(20_000 * 11 / 15, rel=0.02), "the others are passed over"
    assert chisquare(np.delete(found, out)).pvalue > 1e-3


def test_draws_by_degree() -> None:
    found = counted(negatives_of(DATA, configured(degree_share=1.0)), 9, 4)
    often = np.bincount(DATA.ancestors, minlength=16).astype(float)
    often[[0, 1, 4, 9]] = 0
    assert (found[often == 0] == 0).all()
    expected = often[often > 0] / often.sum() * found.sum()
    assert chisquare(found[often > 0], expected).pvalue > 1e-3


def test_hard_draws_share_the_depth() -> None:
    found = counted(negatives_of(DATA, configured(hard_share=1.0)), 4, 1)
    others = [3, 5, 6]
    assert found[others].sum() == found.sum()
    assert chisquare(found[others]).pvalue > 1e-3


@pytest.mark.parametrize("hard_share", [0.0, 1.0])
def test_draws_for_an_ancestor_are_never_below_it(hard_share: float) -> None:
    config = configured(grouping="pairs", anchor="ancestor", hard_share=hard_share)
    found = counted(negatives_of(DATA, config), 1, 9)  # below 1 are 3, 4 and 7 to 10
    expected = [11, 12, 13, 14] if hard_share else [2, 5, 6, 11, 12, 13, 14]
    assert np.flatnonzero(found).tolist() == expected
    assert chisquare(found[expected]).pvalue > 1e-3


def test_in_a_dag_no_ancestor_is_drawn_either() -> None:
    from taxcheck.engine.dataset import training_data

    # 3 has the parents 1 and 2, both below 0; 4 hangs below 2 alone.
    a, d = np.array([(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (2, 4), (0, 4)]).T
    data = training_data(a, d, np.array([1, 1, 1, 1, 2, 1, 2]), 5)
    assert not len(data.ancestry.entry)
    found = counted(negatives_of(data, configured()), 3, 1, data)
    assert found[:4].tolist() == [0, 0, 0, 0]
    assert found[4] == pytest.approx(20_000 / 5, rel=0.05)


def test_one_worker_repeats_its_bits() -> None:
    def run() -> list[bytes]:
        own = kernel(configured("lorentz", negatives=20))
        drawn = negatives_of(DATA, configured(negatives=20, hard_share=0.3, degree_share=0.2))
        for _ in range(3):
            own.step(work_of(range(1, 15)), Phase(0.1, 0.01), drawn)
        return [np.asarray(values).tobytes() for values in own.state().values()]

    assert run() == run()


@pytest.mark.parametrize("geometry", ["ball", "tangent", "lorentz", "euclidean"])
def test_a_nan_is_seen(geometry: str) -> None:
    table: Floats = start(geometry)
    table[1] = np.nan
    own = KernelStepper(DATA, configured(geometry), table)
    assert own.step(work_of([12]), Phase(0.1), fixed()).finite, "1 is not an ancestor of 12"
    assert not own.step(work_of([9]), Phase(0.1), fixed()).finite


_FRESH = """
import sys
from taxcheck.engine.config import TrainConfig
from taxcheck.engine.trainer import train
from tests.engine.tiny import from_tables

done = train(from_tables(*sys.argv[1:]), TrainConfig(epochs=2, workers=1, refine=0.0))
print([record["loss"].hex() for record in done.history], done.table.tobytes().hex())
"""


@pytest.mark.slow
def test_a_kernel_fresh_from_the_compiler_steps_as_one_that_was_kept(tmp_path: Path) -> None:
    healthy = Path(__file__).parents[2] / "fixtures/healthy"
    files = [str(healthy / "mapping.tsv"), str(healthy / "pairs.parquet")]

    def run() -> str:
        ended = subprocess.run(
            [sys.executable, "-c", _FRESH, *files],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout

    assert not list(tmp_path.rglob("*.nbc"))
    fresh = run()
    assert list(tmp_path.rglob("*.nbc"))
    assert run() == fresh


def test_threads_share_the_sources_of_a_step() -> None:
    """With so small a rate that the table stands still, they are counted as one would."""
    one, three = (kernel(configured(workers=workers, optimizer="adam")) for workers in (1, 3))
    for own in (one, three):
        own.step(work_of(range(1, 15)), Phase(1e-12), fixed())
    np.testing.assert_array_equal(one.state()["steps"], three.state()["steps"])
    np.testing.assert_array_equal(one.updates, three.updates)
    assert three.state()["random"].shape == (3,)
