import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from taxcheck.audit.metrics import ranking  # noqa: E402
from taxcheck.engine.config import Phase, TrainConfig  # noqa: E402
from taxcheck.engine.dataset import training_data  # noqa: E402
from taxcheck.engine.sampling import (  # noqa: E402
    Chunk,
    Negatives,
    negatives_of,
)
from taxcheck.engine.torch_stepper import (  # noqa: E402
    Places,
    TorchStepper,
    batches,
    radial_regularizer,
    ranking_loss_with_margin,
    shard,
    softmax_ranking_loss,
)
from taxcheck.geometry import tangent  # noqa: E402
from taxcheck.geometry.space import Space  # noqa: E402

torch.set_num_threads(1)
MODELS = ("ball", "tangent", "lorentz", "euclidean")


def tree(children=3, levels=4):
    """The closure of a complete tree, idx in the order of levels."""
    n = sum(children**k for k in range(levels + 1))
    pairs = []
    for node in range(1, n):
        above, steps = node, 0
        while above:
            above, steps = (above - 1) // children, steps + 1
            pairs.append((above, node, steps))
    a, d, steps = np.array(pairs).T
    return training_data(a, d, steps, n)


def everything(data, order=None):
    sources = np.flatnonzero(np.diff(data.starts)) if order is None else order
    lengths = np.diff(data.starts)[sources]
    at = np.concatenate([np.arange(*data.starts[s : s + 2]) for s in sources])
    return Chunk(
        sources.astype(np.int32),
        np.r_[0, np.cumsum(lengths)],
        data.ancestors[at],
        np.ones(len(at), dtype=np.float32),
    )


def start(data, model, dim=5, scale=1e-2):
    z = np.random.default_rng(0).normal(size=(data.n_nodes, dim)) * scale
    if model == "ball":
        return tangent.to_ball(z)
    return tangent.to_lorentz(z) if model == "lorentz" else z


def stepper(data, **settings):
    config = TrainConfig(
        **{
            "geometry": "lorentz",
            "optimizer": "rsgd",
            "lr": 0.1,
            "negatives": 10,
            "backend": "torch",
        }
        | settings
    )
    return TorchStepper(data, config, start(data, config.geometry)), negatives_of(data, config)


def only(row, count=1):
    """Negatives that are always one row."""
    pool = np.array([row], dtype=np.int32)
    return Negatives(count, 0, 0, pool, pool, np.array([0, 1]))


def one_pair(source, positive):
    as_rows = [np.array([x], dtype=np.int32) for x in (source, positive)]
    return Chunk(as_rows[0], np.array([0, 1]), as_rows[1], np.ones(1, dtype=np.float32))


FLAT_TREE = tree(children=4, levels=1)  # a root and four leaves


def flat(rows, **settings):
    settings = {"geometry": "euclidean", "dim": 2, "negatives": 1, "backend": "torch"} | settings
    return TorchStepper(
        FLAT_TREE,
        TrainConfig(**{"optimizer": "rsgd", "lr": 0.1} | settings),
        np.array(rows, dtype=np.float64),
    )


ROWS = [[0.0, 0], [3, 4], [0, 4], [9, 9], [8, 8]]


def test_one_step_by_hand():
    # d(1, 0) = 5 and d(1, 2) = 3: p = 1 / (1 + e^2); gradients are unit vectors times 1 - p.
    own = flat(ROWS)
    result = own.step(one_pair(1, 0), Phase(0.1), only(2))
    rest = 1 / (1 + np.exp(-2))
    assert result.loss == pytest.approx(np.log1p(np.exp(2)))
    assert (result.pairs, result.finite, result.regularizer) == (1, True, 0)
    move = 0.1 * rest
    want = np.array(ROWS)
    want[0] += move * np.array([0.6, 0.8])
    want[1] += move * (np.array([1, 0]) - np.array([0.6, 0.8]))
    want[2] -= move * np.array([1, 0])
    np.testing.assert_allclose(own.table, want, rtol=1e-12)
    assert own.updates.tolist() == [1, 1, 0, 0, 0]


def test_a_row_drawn_twice_gets_both_gradients():
    once, twice = flat(ROWS, loss="margin", margin=9.0), flat(ROWS, loss="margin", margin=9.0)
    once.step(one_pair(1, 0), Phase(0.1), only(2))
    twice.step(one_pair(1, 0), Phase(0.1), only(2, count=4))  # the mean over four equal terms
    np.testing.assert_allclose(once.table, twice.table, rtol=1e-12)


def test_the_regulariser_takes_each_row_of_the_batch_once():
    # The root is the positive of two sources. Targets .05 and .85, reaches 0, 5 and 4.
    own = flat(ROWS, init="depth-aware")
    work = Chunk(
        np.array([1, 2], dtype=np.int32),
        np.array([0, 1, 2]),
        np.zeros(2, dtype=np.int32),
        np.ones(2, dtype=np.float32),
    )
    result = own.step(work, Phase(0.1, 0.5), only(3))
    assert result.regularizer == pytest.approx(0.05**2 + 4.15**2 + 3.15**2)
    assert own.updates.tolist() == [2, 1, 1, 0, 0]


def test_adam_counts_the_steps_of_each_row():
    # The first step of Adam is lr in every coordinate, whenever a row has its own first step.
    own = flat(ROWS, optimizer="adam")
    own.step(one_pair(1, 0), Phase(0.1), only(2))
    own.step(one_pair(1, 0), Phase(0.1), only(2))
    before = own.table[[3, 4]].copy()
    own.step(one_pair(3, 0), Phase(0.1), only(2))
    assert own.state()["steps"].tolist() == [3, 2, 3, 1, 0]
    np.testing.assert_allclose(np.abs(own.table[3] - before[0]), 0.1, rtol=1e-5)
    assert (own.table[4] == before[1]).all()


@pytest.mark.long
def test_adam_is_torchs_where_every_row_moves_each_time():
    own = flat(ROWS[:3] + ROWS[:2], optimizer="adam")
    x = torch.tensor(ROWS[:3], dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.Adam([x], lr=0.05)
    for _ in range(5):
        own.step(one_pair(1, 0), Phase(0.05), only(2))
        theirs.zero_grad()
        d, d_n = (x[1] - x[0]).norm(), (x[1] - x[2]).norm()
        torch.nn.functional.softplus(d - d_n).backward()
        theirs.step()
    np.testing.assert_allclose(own.table[:3], x.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_adagrad_keeps_one_sum_a_row():
    own = flat(ROWS, optimizer="adagrad", loss="margin", margin=9.0)
    own.step(one_pair(1, 0), Phase(0.1), only(2))
    moved = np.linalg.norm(own.table - np.array(ROWS), axis=1)
    np.testing.assert_allclose(moved[[0, 1, 2]], 0.1, rtol=1e-6)  # g / |g|
    np.testing.assert_allclose(own.state()["second_moment"][[0, 2, 3], 0], [1, 1, 0])


@pytest.mark.parametrize("model", MODELS)
def test_untouched_rows_keep_their_bits(model):
    data = tree()
    for optimizer in ("rsgd", "adagrad") if model == "lorentz" else ("rsgd", "adam", "adagrad"):
        own, _ = stepper(data, geometry=model, optimizer=optimizer, dim=5)
        before = own.table.copy()
        work = everything(data, np.array([100, 7]))
        own.step(work, Phase(0.1, 0.01), only(50, count=3))
        touched = np.zeros(data.n_nodes, dtype=bool)
        touched[np.r_[work.sources, work.positives, 50]] = True
        assert (own.table[~touched] == before[~touched]).all()
        assert (own.table[touched] != before[touched]).any(axis=1).all()


def test_rows_that_are_not_finite_are_not_kept():
    rows = np.array(ROWS)
    rows[4] = np.inf
    for optimizer in ("rsgd", "adam", "adagrad"):
        own = flat(rows, optimizer=optimizer)
        kept = {name: values.copy() for name, values in own.state().items()}
        result = own.step(one_pair(1, 0), Phase(0.1), only(4))
        assert not result.finite
        for name in ("table", "updates", "first_moment", "second_moment", "steps"):
            assert (own.state()[name] == kept[name]).all(), name
    own = flat(ROWS)  # the loss is sound, what it would lead to is not
    assert not own.step(one_pair(1, 0), Phase(np.inf), only(2)).finite
    assert (own.table == np.array(ROWS)).all()


@pytest.mark.parametrize("optimizer", ["rsgd", "adam", "adagrad"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_restored_run_goes_on_with_the_same_numbers(optimizer, dtype):
    data = tree(levels=3)
    settings = {"geometry": "tangent", "optimizer": optimizer, "dtype": dtype, "batch_size": 16}
    own, drawn = stepper(data, **settings)
    work = everything(data)
    own.step(work, Phase(0.1, 0.01), drawn)
    saved = {name: values.copy() for name, values in own.state().items()}
    first = own.step(work, Phase(0.1, 0.01), drawn)
    other, _ = stepper(data, **settings)
    other.restore(saved)
    assert other.step(work, Phase(0.1, 0.01), drawn) == first
    assert own.table.dtype == np.dtype(dtype)
    for name, values in own.state().items():
        assert (other.state()[name] == values).all(), name


def test_a_state_of_other_shapes_is_refused():
    own, _ = stepper(tree(levels=2))
    with pytest.raises(ValueError, match="table: the state has"):
        own.restore({**own.state(), "table": np.zeros((2, 2))})
    with pytest.raises(ValueError, match="random: the state has nothing"):
        own.restore({k: v for k, v in own.state().items() if k != "random"})


def test_what_cannot_be_is_refused():
    data = tree(levels=2)
    with pytest.raises(ValueError, match="12 rows for 13 nodes"):
        TorchStepper(data, TrainConfig(), start(data, "tangent")[1:])


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("lorentz", {"lr": 0.3}),
        ("lorentz", {"lr": 0.3, "dtype": "float32", "max_radius": 9.0}),
        ("ball", {"lr": 0.3}),
        ("tangent", {"lr": 0.05, "optimizer": "adam"}),
        ("lorentz", {"lr": 0.2, "loss": "margin", "margin": 1.0}),
    ],
)
def test_it_learns_a_tree(model, settings):
    data = tree()
    own, drawn = stepper(data, geometry=model, batch_size=64, **settings)
    rng = np.random.default_rng(0)
    sources = np.flatnonzero(np.diff(data.starts))
    lr = settings["lr"]
    for epoch in range(60):
        fall = 0.1 if epoch < 10 else 1 - epoch / 60
        work = everything(data, rng.permutation(sources))
        assert own.step(work, Phase(lr * fall), drawn).finite
    descendants = np.repeat(np.arange(data.n_nodes), np.diff(data.starts))
    wanted = ranking.positives_of(data.ancestors, descendants, data.n_nodes)
    score = ranking.rank(Space.of(own.table, model), wanted)
    assert score.map > 0.7
    assert (own.updates[sources] >= 60).all()


torch.set_num_threads(1)
LN2 = math.log(2)
yes = torch.ones(1, 2, dtype=torch.bool)


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def softmax(d_pos, d_neg, mask=None, weights=None, owner=None, temperature=1.0):
    mask = torch.ones_like(d_neg, dtype=torch.bool) if mask is None else mask
    weights = torch.ones_like(d_pos) if weights is None else weights
    owner = torch.zeros(len(d_pos), dtype=torch.int32) if owner is None else owner
    return softmax_ranking_loss(d_pos, d_neg, mask, weights, owner, temperature)


def test_softmax_by_hand():
    # e^-d = 1/2 against 1/4 + 1/4: the pair has half of the sum
    d_neg = numbers(2 * LN2, 2 * LN2)[None]
    assert softmax(numbers(LN2), d_neg).item() == pytest.approx(LN2)
    # at temperature 2 these are 2^-1/2 against 1/2 + 1/2
    want = math.log((2**-0.5 + 1) / 2**-0.5)
    assert softmax(numbers(LN2), d_neg, temperature=2.0).item() == pytest.approx(want)
    # masked: 1/2 against 1/4, two thirds
    got = softmax(numbers(LN2), d_neg, torch.tensor([[True, False]]))
    assert got.item() == pytest.approx(math.log(1.5))


def test_positives_of_a_source_share_its_negatives_and_not_each_other():
    d_pos, d_neg = numbers(LN2, 0, 0), numbers(0, LN2)[:, None]
    owner, weights = torch.tensor([0, 0, 1]), numbers(1, 10, 100)
    # (1/2 against 1), (1 against 1), (1 against 1/2)
    want = math.log(3) + 10 * LN2 + 100 * math.log(1.5)
    got = softmax(d_pos, d_neg, weights=weights, owner=owner)
    assert got.item() == pytest.approx(want)


def test_the_gradient_of_the_softmax():
    d_pos, d_neg = numbers(LN2).requires_grad_(), numbers(2 * LN2, 2 * LN2)[None].requires_grad_()
    softmax(d_pos, d_neg, weights=numbers(3)).backward()
    torch.testing.assert_close(d_pos.grad, numbers(1.5))  # 3 (1 - 1/2)
    torch.testing.assert_close(d_neg.grad, numbers(-0.75, -0.75)[None])  # -3 * 1/4


@pytest.mark.parametrize("loss", [softmax_ranking_loss, ranking_loss_with_margin])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_without_negatives_there_is_nothing_to_learn(loss, dtype):
    d_pos = torch.tensor([3.0], dtype=dtype, requires_grad=True)
    d_neg = torch.tensor([[1.0, 2.0]], dtype=dtype, requires_grad=True)
    got = loss(d_pos, d_neg, ~yes, torch.ones(1, dtype=dtype), torch.tensor([0]), 1.0)
    got.backward()
    assert got.item() == 0
    assert d_pos.grad.item() == 0
    assert (d_neg.grad == 0).all()


def test_far_pairs_do_not_overflow():
    for dtype in (torch.float32, torch.float64):
        d_pos = torch.tensor([800.0], dtype=dtype, requires_grad=True)
        got = softmax(d_pos, torch.zeros(1, 1, dtype=dtype))
        got.backward()
        assert got.item() == 800
        assert d_pos.grad.item() == 1


def test_margin_by_hand():
    d_pos, d_neg = numbers(1, 1), numbers(1.1, 3, 0.9)[None]
    mask, owner = torch.tensor([[True, True, False]]), torch.tensor([0, 0])
    # .2 + 1 - 1.1 = .1 and 0, of which the mean; the third would be .3
    got = ranking_loss_with_margin(d_pos, d_neg, mask, numbers(1, 2), owner, 0.2)
    assert got.item() == pytest.approx(3 * 0.05)
    got = ranking_loss_with_margin(d_pos, d_neg, ~mask, numbers(1, 2), owner, 0.2)
    assert got.item() == pytest.approx(3 * 0.3)


def test_the_regulariser_is_a_sum_of_squares():
    reach = numbers(0.05, 0.45).requires_grad_()
    got = radial_regularizer(reach, numbers(0.05, 0.85))
    got.backward()
    assert got.item() == pytest.approx(0.16)
    torch.testing.assert_close(reach.grad, numbers(0, -0.8))


def test_batches_are_whole_sources():
    lengths = [2, 1, 5, 1, 1, 1]
    p = np.arange(11, dtype=np.int32)
    chunk = Chunk(p[:6], np.r_[0, np.cumsum(lengths)], p, p.astype(np.float32))
    cut = list(batches(chunk, 3))
    assert [b.sources.tolist() for b in cut] == [[0, 1], [2], [3, 4, 5]]
    assert [b.starts.tolist() for b in cut] == [[0, 2, 3], [0, 5], [0, 1, 2, 3]]
    assert [b.positives.tolist() for b in cut] == [[0, 1, 2], [3, 4, 5, 6, 7], [8, 9, 10]]
    assert [s for k in range(4) for s in shard(chunk, k, 4).sources] == [0, 1, 2, 3, 4, 5]
    assert shard(chunk, 0, 4).positives.tolist() == [0, 1]


def test_places_find_distinct_rows():
    places = Places(9)
    for rows in ([4, 4, 2, 8, 2], [2], [], [1, 1]):
        rows = np.array(rows, dtype=np.int32)
        kept, place = places.of(rows)
        assert sorted(kept) == sorted(set(rows.tolist()))
        assert (kept[place] == rows).all()
