"""What training makes small, for autograd. Shapes: s sources, K negatives of each, p pairs.

Pair i belongs to source ``owner[i]``, whose negatives all of its pairs share. ``mask`` says which
negatives count; where it is False the distance may be anything. Losses are sums over pairs, so
that their gradient does not depend on how pairs are cut into batches.
"""

from __future__ import annotations

import torch
from torch import Tensor

_FAR = 1e30  # a logit that leaves nothing, and whose gradient is 0 where -inf would give NaN


def softmax_ranking_loss(
    d_pos: Tensor, d_neg: Tensor, mask: Tensor, weights: Tensor, owner: Tensor, temperature: float
) -> Tensor:
    """Sum over pairs of w * -log(e^(-d/T) / (e^(-d/T) + sum over negatives of e^(-d_n/T))).

    Nickel & Kiela 2017 (arXiv:1705.08039), eq. 6, with a temperature. The gradient is
    dL/dd = w (1 - p) / T for the pair, p its softmax probability, and -w p_n / T for a negative.
    A pair without negatives costs 0. Shapes (p,), (s, K), (s, K), (p,), (p,) -> ().
    """
    logits = torch.where(mask, -d_neg / temperature, -_FAR)
    against = torch.logsumexp(logits, dim=1)[owner] + d_pos / temperature
    return (weights * torch.logaddexp(against, torch.zeros_like(against))).sum()


def ranking_loss_with_margin(
    d_pos: Tensor, d_neg: Tensor, mask: Tensor, weights: Tensor, owner: Tensor, margin: float
) -> Tensor:
    """Sum over pairs of w * mean over negatives of max(0, margin + d - d_n).

    The mean is over the negatives that count; a pair without any costs 0.
    Shapes (p,), (s, K), (s, K), (p,), (p,) -> ().
    """
    count = mask.sum(dim=1).clamp(min=1)
    lacking = (margin + d_pos[:, None] - d_neg[owner]).clamp(min=0)  # (p, K)
    total = torch.where(mask[owner], lacking, 0.0).sum(dim=1)
    return (weights * total / count[owner]).sum()


def radial_regularizer(reach: Tensor, targets: Tensor) -> Tensor:
    """Sum over rows of (reach - target)^2, before its factor; (r,), (r,) -> ().

    The rows are those that are a source or a positive of the batch, each once. ``reach`` and the
    target, init_min + depth / max depth * (init_max - init_min), are norms in the ball and in flat
    space; elsewhere the hyperbolic radius is held against that share of the largest radius. See
    ``targets.radial_targets``.
    """
    return ((reach - targets) ** 2).sum()
