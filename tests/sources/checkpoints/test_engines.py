"""Checkpoints as their engines write them: made by the real libraries, or with their layout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from taxcheck.model.errors import InputError
from taxcheck.model.geometry import Geometry
from taxcheck.sources.checkpoints.checkpoint import Checkpoint
from taxcheck.sources.checkpoints.opening import open_checkpoint

torch = pytest.importorskip("torch")

NAMES = ["root", "left", "right", "leaf"]
BALL = np.array([[0.0, 0.01], [0.5, 0.0], [-0.5, 0.1], [0.0, 0.9]])
EDGES = [("left", "root"), ("right", "root"), ("leaf", "left"), ("leaf", "root")]


def lifted(ball: np.ndarray) -> np.ndarray:
    """Points of the ball on the sheet x0^2 - |x|^2 = 1: ((1+r)/(1-r), 2x/(1-r)), r = |x|^2."""
    square = (ball**2).sum(axis=1, keepdims=True)
    return np.hstack([(1 + square) / (1 - square), 2 * ball / (1 - square)])


def opened(tree: object, path: Path, **options: object) -> Checkpoint:
    torch.save(tree, path)
    return open_checkpoint(str(path), **options)  # type: ignore[arg-type]


def facebook(manifold: str, table: np.ndarray) -> dict[str, object]:
    """What embed.py of facebookresearch/poincare-embeddings saves at the end of an epoch."""
    weight = torch.tensor(table, dtype=torch.float64)
    return {
        "conf": {
            "checkpoint": "/tmp/hype.pth", "dset": "closure.csv", "dim": 2, "manifold": manifold,
            "model": "distance", "lr": 0.3, "epochs": 300, "batchsize": 50, "negs": 50,
            "burnin": 20, "dampening": 0.75, "ndproc": 4, "eval_each": 20, "margin": 0.1,
            "sparse": True, "gpu": -1, "fresh": True, "quiet": True, "train_threads": 2,
        },
        "objects": NAMES,
        "model": OrderedDict([("lt.weight", weight)]),
        "embeddings": weight,
        "epoch": 299,
        "model_type": "distance",
    }  # fmt: skip


def test_facebookresearch_poincare(tmp_path: Path) -> None:
    checkpoint = opened(facebook("poincare", BALL), tmp_path / "a.pth")
    assert checkpoint.format == "facebookresearch checkpoint"
    assert (checkpoint.key, checkpoint.dtype) == ("embeddings", "float64")
    reading = checkpoint.reading
    assert (reading.geometry, reading.confidence) == (Geometry.BALL, "certain")
    assert reading.reasons[0] == "conf.manifold says 'poincare'."
    assert reading.clip == 1 - 1e-5
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == NAMES
    facts = checkpoint.facts
    assert facts.epoch == 299
    assert facts.stopped_early is False
    expected = {
        "dim": 2,
        "lr": 0.3,
        "batch_size": 50,
        "negatives": 50,
        "margin": 0.1,
        "burn_in": 20,
    }
    assert {name: facts.config[name] for name in expected} == expected
    np.testing.assert_array_equal(checkpoint.vectors, BALL)


def test_facebookresearch_lorentz_and_euclidean(tmp_path: Path) -> None:
    checkpoint = opened(facebook("lorentz", lifted(BALL)), tmp_path / "a.pth")
    assert checkpoint.reading.geometry is Geometry.LORENTZ
    assert checkpoint.reading.clip is None
    assert (checkpoint.rows, checkpoint.dim) == (4, 2)
    checkpoint = opened(facebook("euclidean", BALL), tmp_path / "b.pth")
    assert (checkpoint.reading.geometry, checkpoint.reading.confidence) == (
        Geometry.EUCLIDEAN,
        "certain",
    )


def test_facebookresearch_of_2017(tmp_path: Path) -> None:
    tree = {"model": {"lt.weight": torch.tensor(BALL)}, "epoch": 3, "objects": NAMES}
    checkpoint = opened(tree, tmp_path / "a.pth")
    assert (checkpoint.format, checkpoint.key) == (
        "facebookresearch checkpoint",
        "model.lt.weight",
    )
    assert checkpoint.reading.confidence == "likely"


def test_the_table_of_facebookresearch_may_be_an_array(tmp_path: Path) -> None:
    tree = facebook("poincare", BALL) | {"embeddings": BALL.copy(), "objects": np.array(NAMES)}
    checkpoint = opened(tree, tmp_path / "a.pth")
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == NAMES


def incident(**more: object) -> dict[str, object]:
    """What the incident's engine saves: numpy scalars among plain values, a Parameter."""
    embedding = torch.nn.Embedding(4, 2)
    embedding.weight.data = torch.tensor(BALL, dtype=torch.float32)
    return {
        "state_dict": OrderedDict([("lt.weight", embedding.state_dict()["weight"])]),
        "embeddings": embedding.weight,
        "epoch": 41,
        "loss": np.float64(0.25),
        "reg_loss": np.float32(0.5),
        "best_loss": np.float64(0.125),
        "epochs_without_improvement": 10,
        **more,
    }


def test_the_incidents_engine(tmp_path: Path) -> None:
    more = {"n_nodes": np.int64(4), "dim": 2, "max_depth": 37, "args": {"early_stopping": 10}}
    checkpoint = opened(incident(**more), tmp_path / "a.pth")
    assert checkpoint.format == "hierarchical Poincare checkpoint"
    assert checkpoint.key == "embeddings"
    assert checkpoint.dtype == "float32"
    facts = checkpoint.facts
    assert (facts.epoch, facts.n_nodes, facts.max_depth) == (41, 4, 37)
    assert facts.stopped_early is True
    assert facts.config == {"dim": 2, "early_stopping": 10}
    assert facts.recorded["loss"] == 0.25
    assert facts.recorded["reg_loss"] == 0.5
    assert facts.recorded["best_loss"] == 0.125
    assert [tensor.key for tensor in checkpoint.tensors] == ["state_dict.lt.weight", "embeddings"]


def test_the_incidents_engine_later(tmp_path: Path) -> None:
    tree = {
        "state_dict": {"z.weight": torch.tensor(BALL * 3)},
        "z_embeddings": torch.nn.Parameter(torch.tensor(BALL * 3)),
        "depth_norm_corr": np.float64(0.99),
        "config": {"lambda_reg": 0.1, "max_norm": 0.98, "init_max_radius": 0.95},
    }
    checkpoint = opened(tree, tmp_path / "a.pth")
    assert checkpoint.notes == ()
    assert checkpoint.key == "z_embeddings"
    assert (checkpoint.reading.geometry, checkpoint.reading.confidence) == (
        Geometry.TANGENT,
        "likely",
    )
    assert checkpoint.facts.config == {"lambda_reg": 0.1, "max_norm": 0.98, "init_max_radius": 0.95}
    assert checkpoint.facts.recorded["depth_norm_corr"] == 0.99


def test_plain_modules_lists_and_tensors(tmp_path: Path) -> None:
    module = torch.nn.Embedding(5, 3)
    checkpoint = opened(module.state_dict(), tmp_path / "a.pt")
    assert (checkpoint.format, checkpoint.key) == ("torch state dict", "weight")
    assert opened(torch.rand(4, 2), tmp_path / "b.pt").key == "array"
    assert opened([torch.rand(3), torch.rand(4, 2)], tmp_path / "c.pt").key == "1"
    tree = {"entity.weight": torch.rand(9, 2), "relation.weight": torch.rand(3, 2)}
    checkpoint = opened(tree, tmp_path / "d.pt")
    assert checkpoint.key == "entity.weight"
    assert checkpoint.notes == (
        "Not taken as the table: relation.weight 3x2 float32; `key` takes another.",
    )
    tree = {"left.weight": torch.rand(9, 2), "right.weight": torch.rand(9, 1)}
    with pytest.raises(InputError, match=r"left\.weight 9x2 float32, right\.weight 9x1 float32; "):
        opened(tree, tmp_path / "e.pt")
    assert opened(tree, tmp_path / "e.pt", key="right.weight").dim == 1


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    table = torch.tensor([[0.1, -2.5], [float("nan"), 3e38]]).to(torch.bfloat16)
    checkpoint = opened({"emb": table}, tmp_path / "a.pt")
    assert (checkpoint.dtype, checkpoint.vectors.dtype) == ("bfloat16", np.float32)
    np.testing.assert_array_equal(checkpoint.vectors, table.float().numpy())


def test_geoopt_state_dict(tmp_path: Path) -> None:
    geoopt = pytest.importorskip("geoopt")

    class Model(torch.nn.Module):
        def __init__(self, manifold: object) -> None:
            super().__init__()
            self.manifold = manifold
            self.emb = geoopt.ManifoldParameter(torch.tensor(BALL), manifold=manifold)

    checkpoint = opened(Model(geoopt.PoincareBall(c=0.5)).state_dict(), tmp_path / "a.pt")
    assert checkpoint.format == "geoopt state dict"
    assert (checkpoint.reading.geometry, checkpoint.reading.confidence) == (
        Geometry.BALL,
        "certain",
    )
    assert checkpoint.reading.curvature == pytest.approx(0.5, rel=1e-6)
    # geoopt projects float64 to (1 - 1e-5) / sqrt(c).
    assert checkpoint.reading.clip == pytest.approx((1 - 1e-5) * np.sqrt(2), rel=1e-6)

    sheet = lifted(BALL) * np.sqrt(2)  # x0^2 - |x|^2 = k = 2
    model = Model(geoopt.Lorentz(k=2.0))
    model.emb = geoopt.ManifoldParameter(torch.tensor(sheet), manifold=model.manifold)
    checkpoint = opened(model.state_dict(), tmp_path / "b.pt")
    assert checkpoint.reading.geometry is Geometry.LORENTZ
    assert checkpoint.reading.curvature == 0.5


def test_geoopt_parameters_are_read_without_geoopt(tmp_path: Path) -> None:
    geoopt = pytest.importorskip("geoopt")
    ball = geoopt.ManifoldParameter(torch.tensor(BALL), manifold=geoopt.PoincareBall(c=2.0))
    checkpoint = opened({"emb": ball}, tmp_path / "a.pt")
    assert (checkpoint.format, checkpoint.key) == ("geoopt tensors", "emb")
    assert checkpoint.reading.geometry is Geometry.BALL
    assert checkpoint.reading.curvature == pytest.approx(2.0, rel=1e-6)
    np.testing.assert_array_equal(checkpoint.vectors, BALL)
    sheet = geoopt.ManifoldParameter(torch.tensor(lifted(BALL)), manifold=geoopt.Lorentz())
    checkpoint = opened({"emb": sheet, "n": 4}, tmp_path / "b.pt")
    assert checkpoint.reading.geometry is Geometry.LORENTZ
    assert checkpoint.reading.curvature == 1


def test_gensim(tmp_path: Path) -> None:
    poincare = pytest.importorskip("gensim.models.poincare")
    model = poincare.PoincareModel(EDGES, size=3, negative=2, burn_in=1, seed=7)
    model.train(epochs=2)
    expected = np.array(model.kv.vectors)
    for name, options in (("whole", {}), ("apart", {"sep_limit": 1})):
        model.save(str(tmp_path / name), **options)
        checkpoint = open_checkpoint(str(tmp_path / name))
        assert (checkpoint.format, checkpoint.key) == ("gensim PoincareModel", "kv.vectors")
        np.testing.assert_array_equal(checkpoint.vectors, expected)
        assert checkpoint.labels is not None
        assert checkpoint.labels.to_pylist() == model.kv.index_to_key
        assert checkpoint.reading.geometry is Geometry.BALL
        assert checkpoint.reading.confidence == "certain"
        assert checkpoint.reading.clip == 1 - 1e-5
        assert checkpoint.facts.config["negatives"] == 2
        assert "lambda_reg" not in checkpoint.facts.config, "its L2 term knows no depth"
        assert checkpoint.facts.recorded["regularization_coeff"] == 1.0
    assert (tmp_path / "apart.kv.vectors.npy").exists(), "the array was a file of its own"
    assert isinstance(checkpoint.vectors.base, np.memmap)
    (tmp_path / "apart.kv.vectors.npy").unlink()
    with pytest.raises(InputError, match=r"'apart\.kv\.vectors\.npy' is missing; gensim saves"):
        open_checkpoint(str(tmp_path / "apart"))


def test_gensim_vectors(tmp_path: Path) -> None:
    models = pytest.importorskip("gensim.models")
    poincare = pytest.importorskip("gensim.models.poincare")
    plain = models.KeyedVectors(2)
    plain.add_vectors(NAMES, BALL)
    plain.save(str(tmp_path / "kv"))
    checkpoint = open_checkpoint(str(tmp_path / "kv"))
    assert checkpoint.format == "gensim KeyedVectors"
    assert checkpoint.reading.confidence != "certain"
    trained = poincare.PoincareModel(EDGES, size=2)
    trained.kv.save(str(tmp_path / "pkv"), separately=["vectors"])
    checkpoint = open_checkpoint(str(tmp_path / "pkv"))
    assert checkpoint.format == "gensim PoincareKeyedVectors"
    np.testing.assert_array_equal(checkpoint.vectors, trained.kv.vectors)
    words = models.Word2Vec([NAMES] * 3, vector_size=2, min_count=1)
    words.save(str(tmp_path / "w2v"))
    checkpoint = open_checkpoint(str(tmp_path / "w2v"))
    assert (checkpoint.format, checkpoint.key) == ("gensim Word2Vec", "wv.vectors")
    np.testing.assert_array_equal(checkpoint.vectors, words.wv.vectors)


def test_pytorch_biggraph(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "embeddings_node_0.v10.h5"
    with h5py.File(path, "w") as made:
        made.create_dataset("embeddings", data=BALL.astype(np.float32))
        made.create_dataset("optimizer/state_dict", data=np.frombuffer(b"\x80\x02N.", np.int8))
        made.attrs["format_version"] = 1
    (tmp_path / "entity_names_node_0.json").write_text(json.dumps(NAMES))
    checkpoint = open_checkpoint(str(path))
    assert checkpoint.format == "PyTorch-BigGraph HDF5"
    assert checkpoint.labels is not None
    assert checkpoint.labels.to_pylist() == NAMES
    np.testing.assert_array_equal(checkpoint.vectors, BALL.astype(np.float32))
    assert isinstance(checkpoint.vectors.base, np.memmap)


def test_hdf5_never_leads_to_another_file(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_dataset("embeddings", data=BALL)
    with h5py.File(path := tmp_path / "a.h5", "w") as made:
        made["linked"] = h5py.ExternalLink("other.h5", "embeddings")
        made["soft"] = h5py.SoftLink("/nowhere")
        made.create_dataset("raw", (4, 2), "f8", external=[(str(tmp_path / "secret"), 0, 64)])
        layout = h5py.VirtualLayout((4, 2), "f8")
        layout[:] = h5py.VirtualSource("other.h5", "embeddings", (4, 2))
        made.create_virtual_dataset("virtual", layout)
    with pytest.raises(InputError, match="a dataset whose values lie in other files"):
        open_checkpoint(str(path))


def test_hdf5_that_was_never_written(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path := tmp_path / "a.h5", "w") as made:
        made.create_dataset("embeddings", (1 << 40, 100), "f4", chunks=(1024, 100))
    with pytest.raises(InputError, match=r"has 0 bytes for 439,804,651,110,400; the file is"):
        open_checkpoint(str(path))
    with h5py.File(path, "w") as made:
        made.create_dataset("embeddings", data=BALL, compression="gzip", shuffle=True)
    np.testing.assert_array_equal(open_checkpoint(str(path)).vectors, BALL)


def test_without_h5py_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path := tmp_path / "a.h5", "w") as made:
        made.create_dataset("embeddings", data=BALL)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InputError, match=r"needs h5py: pip install 'taxcheck\[checkpoints\]'"):
        open_checkpoint(str(path))


def test_pykeen_is_refused_with_the_way_out(tmp_path: Path) -> None:
    # The head of PyKEEN's trained_model.pkl: a module of its own class, pickled whole.
    (tmp_path / "trained_model.pkl").write_bytes(
        b"\x80\x02cpykeen.models.unimodal.rotate\nRotatE\n."
    )
    with pytest.raises(InputError, match=r"entity_representations\[0\]\(indices=None\)"):
        open_checkpoint(str(tmp_path / "trained_model.pkl"))


def test_hypll_state_dict(tmp_path: Path) -> None:
    # Its Curvature is a module with one parameter, value; c is the softplus of it.
    value = torch.tensor(np.log(np.expm1(0.25)))
    tree = {"emb.weight": torch.tensor(BALL), "emb.manifold.c.value": value}
    checkpoint = opened(tree, tmp_path / "a.pt")
    assert checkpoint.format == "HypLL state dict"
    assert checkpoint.reading.geometry is Geometry.BALL
    assert checkpoint.reading.curvature == pytest.approx(0.25, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        ("Sphere()", "its tensor lies on geoopt's Sphere"),
        ("SphereProjection()", "its tensor lies on geoopt's SphereProjection"),
        ("Stereographic(k=torch.tensor(1.0))", "geoopt's Stereographic with k = 1"),
        ("ProductManifold((geoopt.Euclidean(), 2))", "geoopt's ProductManifold"),
    ],
)
def test_spaces_that_are_not_measured_are_refused_by_name(tmp_path, make: str, told: str) -> None:
    geoopt = pytest.importorskip("geoopt")
    manifold = eval(f"geoopt.{make}", {"geoopt": geoopt, "torch": torch})
    tree = {"w": geoopt.ManifoldParameter(torch.tensor(BALL), manifold=manifold)}
    with pytest.raises(InputError, match=f"{told}, a space that taxcheck does not measure"):
        opened(tree, tmp_path / "a.pt")
    assert opened(tree, tmp_path / "a.pt", geometry="ball").reading.geometry is Geometry.BALL


def test_manifolds_of_geoopt_that_are_balls(tmp_path: Path) -> None:
    geoopt = pytest.importorskip("geoopt")
    for manifold in (
        geoopt.Stereographic(k=torch.tensor(-0.25)),
        geoopt.Scaled(geoopt.PoincareBall(c=0.25), 2.0),
    ):
        tree = {"w": geoopt.ManifoldParameter(torch.tensor(BALL), manifold=manifold)}
        reading = opened(tree, tmp_path / "a.pt").reading
        assert reading.geometry is Geometry.BALL
        assert reading.curvature == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "value", "curvature"),
    [("c", 0.25, 0.25), ("curvature", -0.5, 0.5), ("kappa", -2.0, 2.0), ("log_c", 0.0, 1.0)],
)
def test_a_curvature_beside_the_table(tmp_path, name: str, value: float, curvature: float) -> None:
    tree = {"emb.weight": torch.tensor(BALL) / 2, f"emb.{name}": torch.tensor(value)}
    assert opened(tree, tmp_path / "a.pt").reading.curvature == pytest.approx(curvature)


def test_a_plain_curvature_of_a_manifold_beside_the_table(tmp_path: Path) -> None:
    tree = {"weight": torch.tensor(BALL) / 2, "manifold.c": torch.tensor(0.25)}
    assert opened(tree, tmp_path / "a.pt").reading.curvature == 0.25


def test_a_curvature_that_is_none_of_ours(tmp_path: Path) -> None:
    table = torch.tensor(BALL)
    with pytest.raises(InputError, match=r"kappa = 0\.5 beside the table is a positive curvature"):
        opened({"weight": table, "kappa": torch.tensor(0.5)}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"config\.manifold says 'spherical', a space that"):
        opened({"weight": table, "config": {"manifold": "spherical"}}, tmp_path / "b.pt")
    raw = opened({"weight": table, "raw_c": torch.tensor(0.5)}, tmp_path / "c.pt").reading
    assert raw.reasons[-1].startswith("raw_c = 0.5 is a parameter of the curvature whose form")


def test_a_tensor_on_hyplls_manifold_is_its_own_table(tmp_path: Path) -> None:
    hypll = pytest.importorskip("hypll.tensors")
    from hypll.manifolds.poincare_ball import Curvature, PoincareBall

    ball = PoincareBall(Curvature(float(np.log(np.expm1(0.25)))))
    tree = {"w": hypll.ManifoldTensor(torch.tensor(BALL), ball)}
    checkpoint = opened(tree, tmp_path / "a.pt")
    assert (checkpoint.format, checkpoint.key) == ("HypLL tensors", "w")
    assert checkpoint.reading.geometry is Geometry.BALL
    assert checkpoint.reading.curvature == pytest.approx(0.25, rel=1e-6)


def test_the_values_do_not_load_the_readers() -> None:
    code = (
        "import sys; from taxcheck.sources.checkpoints.checkpoint import Checkpoint; "
        "assert 'taxcheck.sources.checkpoints.opening' not in sys.modules; "
        "from taxcheck.sources.checkpoints.opening import open_checkpoint; "
        "assert not {'torch', 'gensim', 'geoopt', 'h5py', 'safetensors'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
