"""Tables by engines that are not ours, trained to their end on the same pairs.

gensim's own PoincareModel; a loop with geoopt's RiemannianAdam; and a loop as
facebookresearch/poincare-embeddings has it: rows in a box of 1e-3, a softmax over the pair and its
negatives, Riemannian SGD in the ball, epochs of burn-in at a hundredth of the rate. Each is written
as its engine writes it, and read as anybody's file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

DIM, NEGATIVES, BURN_IN = 10, 50, 10
_CLIP = 1 - 1e-5


def gensim(descendants: np.ndarray, ancestors: np.ndarray, names: list[str], file: Path) -> None:
    """gensim.models.poincare, 50 epochs, rows in the order in which it met the names."""
    from gensim.models.poincare import PoincareModel

    order = np.random.default_rng(0).permutation(len(descendants))
    edges = [(names[descendants[k]], names[ancestors[k]]) for k in order]
    model = PoincareModel(edges, size=DIM, negative=20, burn_in=BURN_IN, alpha=0.1, seed=0)
    model.train(epochs=50, batch_size=10)
    model.save(str(file))


def geoopt(descendants: np.ndarray, ancestors: np.ndarray, names: list[str], file: Path) -> None:
    """RiemannianAdam on a PoincareBall's parameter, 150 epochs in batches of 256 pairs."""
    import geoopt as library

    ball, rng = library.PoincareBall(), np.random.default_rng(0)
    start = torch.tensor(rng.uniform(-1e-3, 1e-3, (len(names), DIM)))
    rows = library.ManifoldParameter(start, manifold=ball)
    steps = library.optim.RiemannianAdam([rows], lr=0.02, stabilize=10)
    for epoch in range(150):
        steps.param_groups[0]["lr"] = 0.02 * (1 - epoch / 150)
        for source, targets in _batches(descendants, ancestors, len(names), 256, rng):
            steps.zero_grad()
            loss = _softmax(ball.dist(rows[source][:, None], rows[targets]))
            loss.backward()  # type: ignore[no-untyped-call]
            steps.step()
    torch.save({"state_dict": {"embeddings": rows.detach()}, "objects": names}, file)


def facebook(descendants: np.ndarray, ancestors: np.ndarray, names: list[str], file: Path) -> None:
    """The loop of poincare-embeddings, 150 epochs in batches of 10 pairs at a rate of 0.3."""
    rng = np.random.default_rng(0)
    rows = torch.tensor(rng.uniform(-1e-3, 1e-3, (len(names), DIM)))
    for epoch in range(150):
        lr = 0.3 * (0.01 if epoch < BURN_IN else 1.0)
        for source, targets in _batches(descendants, ancestors, len(names), 10, rng):
            _descend(rows, source, targets, lr)
    torch.save(
        {
            "conf": {"manifold": "poincare", "dim": DIM, "lr": 0.3, "burnin": BURN_IN},
            "objects": names,
            "model": {"lt.weight": rows},
            "embeddings": rows,
            "epoch": 149,
            "model_type": "distance",
        },
        file,
    )


ENGINES: dict[str, tuple[Callable[..., None], str]] = {
    "gensim PoincareModel": (gensim, "gensim.model"),
    "geoopt RiemannianAdam": (geoopt, "geoopt.pt"),
    "a loop as poincare-embeddings": (facebook, "facebook.pth"),
}


def _batches(
    descendants: np.ndarray, ancestors: np.ndarray, n: int, size: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Sources (b,), and their positive before negatives that are no ancestors (b, 1 + K)."""
    above = np.zeros((n, n), dtype=bool)
    above[descendants, ancestors] = above[np.arange(n), np.arange(n)] = True
    order = rng.permutation(len(descendants))
    for first in range(0, len(order), size):
        batch = order[first : first + size]
        source = descendants[batch]
        drawn = rng.integers(0, n, (len(batch), NEGATIVES))
        for _ in range(5):
            wrong = above[source[:, None], drawn]
            drawn[wrong] = rng.integers(0, n, int(wrong.sum()))
        targets = np.concatenate([ancestors[batch][:, None], drawn], axis=1)
        yield torch.from_numpy(source), torch.from_numpy(targets)


def _softmax(distances: Tensor) -> Tensor:
    return cross_entropy(-distances, torch.zeros(len(distances), dtype=torch.int64))


def _descend(rows: Tensor, source: Tensor, targets: Tensor, lr: float) -> None:
    """One step of Riemannian SGD (Nickel & Kiela 2017, eq. 5), of the rows that were met."""
    met = torch.cat([source[:, None], targets], dim=1)
    points = rows[met].requires_grad_()
    u, v = points[:, :1], points[:, 1:]
    apart = ((u - v) ** 2).sum(-1)
    room = (1 - (u**2).sum(-1)) * (1 - (v**2).sum(-1))
    x = 2 * apart / room
    distances = torch.log1p(x + torch.sqrt(x * (x + 2) + 1e-15))
    (gradient,) = torch.autograd.grad(_softmax(distances), points)
    with torch.no_grad():
        scale = (1 - (points**2).sum(-1, keepdim=True)) ** 2 / 4
        rows.index_put_((met.ravel(),), (-lr * scale * gradient).flatten(0, 1), accumulate=True)
        touched = rows[met.ravel()]
        length = touched.norm(dim=1, keepdim=True)
        rows[met.ravel()] = torch.where(length > _CLIP, touched / length * _CLIP, touched)
