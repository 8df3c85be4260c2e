"""A training loop of one's own under guard: real torch, a real optimizer, few nodes."""

from __future__ import annotations

import logging
import subprocess
import sys
import time

import numpy as np
import pytest

from taxcheck.integrations.assert_sound import UnsoundError
from taxcheck.integrations.guard import Guard, rows_of, space_of
from taxcheck.model.errors import UsageError
from tests.case_folders import case_folder

DATA = case_folder("HIER001", "ok")
MAPPING, PAIRS = DATA / "mapping.tsv", DATA / "pairs.tsv"
NODES = 177


@pytest.fixture
def guard() -> Guard:
    return Guard(MAPPING, PAIRS, every=5, geometry="ball")


def trained(torch, guard, epochs=10, rate=0.3):
    """Poincare embeddings of the starfish by plain autograd; the guard sees every epoch."""
    from safetensors.numpy import load_file

    generator = torch.Generator().manual_seed(1)
    start = next(iter(load_file(DATA / "checkpoint.safetensors").values()))
    model = torch.nn.Embedding.from_pretrained(torch.tensor(start), freeze=False)
    rows = np.loadtxt(PAIRS, skiprows=1, dtype=np.int64)[:, :2]
    above, below = torch.tensor(rows[:, 0]), torch.tensor(rows[:, 1])
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    looked = []
    for epoch in range(1, epochs + 1):
        others = torch.randint(NODES, (len(rows), 5), generator=generator)
        u, v = model(below)[:, None], model(torch.cat([above[:, None], others], 1))
        gap = ((u - v) ** 2).sum(-1)
        inside = (1 - (u**2).sum(-1)) * (1 - (v**2).sum(-1))
        loss = torch.logsumexp(-torch.acosh(1 + 2 * gap / inside + 1e-7), 1).mean() * 1e-3
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        looked.append(guard.after_epoch(epoch, model))
    return model, looked


@pytest.mark.long
def test_a_loop_is_gated_looked_at_and_audited(guard, tmp_path):
    torch = pytest.importorskip("torch")
    assert guard.before().exit_code == 0
    model, looked = trained(torch, guard)
    assert [k + 1 for k, report in enumerate(looked) if report is not None] == [5, 10]
    assert looked[4].title == "table of epoch 5"
    assert looked[4].inputs[0].rows == NODES
    report = guard.finish(model, html=tmp_path / "audit.html")
    assert report.exit_code == 0
    assert {"HIER001", "EMB001"} <= {one.id for one in report.results}
    assert [one.path for one in report.inputs if one.role == "checkpoint"] == ["trained table"]
    assert (tmp_path / "audit.html").read_text().startswith("<!doctype html>")


def test_before_refuses_data_that_the_gate_fails(tmp_path):
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n12\t2\n")
    (tmp_path / "p.tsv").write_text("ancestor\tdescendant\tdepth_diff\n0\t1\t1\n")
    with pytest.raises(UnsoundError, match=r"1 of 3 nodes \(33.3 %\) will never be trained"):
        Guard(tmp_path / "m.tsv", tmp_path / "p.tsv").before()


def test_before_looks_at_no_table_that_the_policy_names(tmp_path):
    (tmp_path / "m.tsv").write_text("taxid\tidx\n10\t0\n11\t1\n")
    (tmp_path / "p.tsv").write_text("ancestor\tdescendant\tdepth_diff\n0\t1\t1\n")
    policy = tmp_path / "taxcheck.toml"
    policy.write_text(
        '[inputs]\nmapping = "m.tsv"\npairs = "p.tsv"\nembeddings = "not trained yet.pt"\n'
    )
    report = Guard(policy=policy, cache=tmp_path / "c").before()
    assert [one.role for one in report.inputs] == ["mapping", "pairs"]


def test_rows_that_are_no_points_end_the_training(guard):
    torch = pytest.importorskip("torch")
    table = torch.full((NODES, 4), 0.1)
    table[3, 1] = float("nan")
    assert guard.after_epoch(4, table) is None
    with pytest.raises(UnsoundError, match="EMB002 non_finite"):
        guard.after_epoch(5, table)


def drifting(torch, guard, epochs: int):
    """Descent on the sheet in single precision, whose rows nothing brings back, and its looks."""
    generator = torch.Generator().manual_seed(3)
    space = torch.randn(60, 4, generator=generator) / 2
    rows = torch.cat([(1 + (space**2).sum(1, keepdim=True)).sqrt(), space], 1)
    rows.requires_grad_()
    parent, below = (torch.arange(1, 60) - 1) // 3, torch.arange(1, 60)

    def inner(u, v):
        return (u * v)[..., 1:].sum(-1, keepdim=True) - (u * v)[..., :1]

    looks = []
    for epoch in range(1, epochs + 1):
        strangers = torch.randint(60, (59,), generator=generator)
        near, far = (-inner(rows[below], rows[one]) for one in (parent, strangers))
        loss = (torch.acosh(near.clamp(min=1.0001)) - torch.acosh(far.clamp(min=1.0001))).mean()
        (slope,) = torch.autograd.grad(loss, rows)
        with torch.no_grad():
            slope[:, 0] *= -1
            step = -0.1 * (slope + inner(rows, slope) * rows)
            size = inner(step, step).clamp(min=1e-12).sqrt()
            rows.copy_(torch.cosh(size) * rows + torch.sinh(size) / size * step)
        looks.append(guard.after_epoch(epoch, rows))
    return rows.detach(), [look for look in looks if look is not None]


def outcome(report, rule: str) -> str:
    return next(one.outcome.value for one in report.results if one.id == rule)


def test_a_rounding_ends_no_training_and_what_is_none_does():
    torch = pytest.importorskip("torch")
    guard = Guard(every=150, geometry="lorentz")
    rows, looks = drifting(torch, guard, 300)
    assert [outcome(look, "EMB003") for look in looks] == ["warn", "warn"]
    there = (1 + (rows[:, 1:].double() ** 2).sum(1)).sqrt()
    on = torch.cat([there[:, None], rows[:, 1:].double()], 1)
    for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        look = guard.after_epoch(450, on.to(kind))
        assert outcome(look, "EMB003") == "pass", kind
    off = on.clone()
    off[7, 0] *= 1.1
    with pytest.raises(UnsoundError, match=r"EMB003 outside_ball: 1 of 60 rows"):
        guard.after_epoch(450, off.float())
    off[7, 0] = float("nan")
    with pytest.raises(UnsoundError, match="EMB002 non_finite"):
        guard.after_epoch(450, off.float())


def test_what_training_may_mend_is_logged(guard, caplog):
    with caplog.at_level(logging.INFO, "taxcheck"):
        report = guard.after_epoch(0, np.full((NODES, 4), 0.1))  # all rows are one point
    assert report is not None
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("table of epoch 0: ")
    assert "EMB007" in record.getMessage()


def test_a_table_that_learned_nothing_fails_the_audit(guard):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(NODES, 10)) * 0.1
    with pytest.raises(UnsoundError) as caught:
        guard.finish(table)
    assert caught.value.report.exit_code == 1


def test_of_a_large_table_some_rows_are_looked_at():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(300_000, 8)).astype(np.float32) * 0.1
    guard = Guard(MAPPING, PAIRS, every=1, rows=1000, geometry="ball")

    def look(epoch: int, rows: np.ndarray) -> float:
        start = time.process_time()
        report = guard.after_epoch(epoch, rows)
        assert report is not None
        assert report.inputs[0].rows == 1000
        return time.process_time() - start

    look(1, table)  # imports what it needs
    alone = min(look(epoch, table[:1000].copy()) for epoch in (2, 3, 4))
    assert min(look(epoch, table) for epoch in (5, 6, 7)) < 5 * alone


def test_tensors_of_every_kind_and_modules_with_one_table():
    torch = pytest.importorskip("torch")
    from taxcheck.integrations.guard import rows_of

    values = torch.arange(12, dtype=torch.float32).reshape(6, 2)
    assert rows_of(values.requires_grad_(), None).tolist() == values.tolist()
    assert rows_of(values.to(torch.bfloat16), None).dtype == np.float32
    assert rows_of(torch.nn.Embedding(6, 2), 4).shape == (4, 2)
    assert rows_of(torch.nn.Sequential(torch.nn.Embedding(6, 2)), None).shape == (6, 2)
    chosen = rows_of(values, 3)
    assert all(row.tolist() in values.tolist() for row in chosen)
    assert len({tuple(row) for row in chosen.tolist()}) == 3


@pytest.mark.parametrize("table", [np.zeros(3), np.zeros((2, 2, 2)), "table.pt", None])
def test_what_is_no_table_is_one_line(guard, table):
    with pytest.raises(UsageError, match="a table has rows and columns"):
        guard.after_epoch(0, table)


def test_a_module_with_two_tables_is_asked_for_one():
    torch = pytest.importorskip("torch")
    from taxcheck.integrations.guard import rows_of

    two = torch.nn.ModuleList([torch.nn.Embedding(3, 2), torch.nn.Embedding(3, 2)])
    with pytest.raises(UsageError, match="2 tables: give the one"):
        rows_of(two, None)


def test_it_imports_no_torch():
    code = "import sys, taxcheck.integrations.guard; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class Curved:
    """As HypLL's Curvature: a call gives c."""

    def __call__(self) -> float:
        return 0.25


class PoincareBall:
    """Of HypLL or geoopt, by its name."""

    def __init__(self, c: object) -> None:
        self.c = c


class OnManifold:
    """As HypLL's ManifoldParameter: a tensor and the manifold that it lies on."""

    def __init__(self, rows: np.ndarray, manifold: object) -> None:
        self.tensor, self.manifold, self.shape = rows, manifold, rows.shape


def test_a_tensor_on_a_manifold_says_its_space() -> None:
    rows = np.full((3, 2), 0.5)
    table = OnManifold(rows, PoincareBall(Curved()))
    np.testing.assert_array_equal(rows_of(table, None), rows)
    assert space_of(table) == {"geometry": "ball", "curvature": 0.25}
    assert space_of(rows) == {}
    table.manifold = object()
    with pytest.raises(UsageError, match="the manifold object, which taxcheck does not measure"):
        space_of(table)


def test_parameters_of_geoopt_say_their_space() -> None:
    geoopt, torch = pytest.importorskip("geoopt"), pytest.importorskip("torch")

    def on(manifold: object) -> object:
        return geoopt.ManifoldParameter(torch.zeros(4, 3), manifold=manifold)

    ball = {"geometry": "ball", "curvature": pytest.approx(0.5)}
    assert space_of(on(geoopt.PoincareBall(c=0.5))) == ball
    assert space_of(on(geoopt.Lorentz(k=4.0))) == {"geometry": "lorentz", "curvature": 0.25}
    assert space_of(on(geoopt.Euclidean())) == {"geometry": "euclidean"}
    with pytest.raises(UsageError, match="the manifold Sphere"):
        space_of(on(geoopt.Sphere()))
