import math

import pytest

torch = pytest.importorskip("torch")

from taxcheck.engine.torch_loss import (  # noqa: E402
    radial_regularizer,
    ranking_loss_with_margin,
    softmax_ranking_loss,
)

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
