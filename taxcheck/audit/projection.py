"""A sample of the rows in two dimensions: the disk itself, UMAP on true distances, or tangents."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from taxcheck.geometry.space import Space
from taxcheck.model.pictures import Projection
from taxcheck.model.vocabulary import percent

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

SAMPLE = 3000
GROUPS = 8  # clades with a colour and a shape of their own; all others are grey
_NEIGHBOURS = 15
_FEWEST = 50  # rows below which a neighbour graph says nothing


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of the sampled rows, each (k,); ``clade`` indexes ``clades``, -1 is none."""

    names: Sequence[str]
    lineages: Sequence[str]
    clade: Ints
    clades: Sequence[str]
    untrained: npt.NDArray[np.bool_] | None = None


def sample(space: Space, seed: int, limit: int = SAMPLE) -> Ints:
    """At most ``limit`` rows that are points, ascending, drawn without replacement."""
    sound = np.flatnonzero(space.sound)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(sound, size=min(limit, len(sound)), replace=False))


def project(
    space: Space, rows: Ints, labels: Labels, seed: int, *, umap: bool | None = None
) -> Projection | None:
    """The sampled rows of a table in two dimensions; None where fewer than two are points.

    A table of dimension 2 is shown as it is. Else UMAP is given the distances of the table's own
    geometry (``umap`` None: where it is installed, which the extra ``plots`` does; False: never);
    without it the two leading tangent directions are taken. ValueError where labels and rows differ
    in length.
    """
    if not len(rows) == len(labels.names) == len(labels.lineages) == len(labels.clade):
        raise ValueError("rows and their labels differ in length")
    if len(rows) < 2:
        return None
    chosen = space.take(rows)
    coordinates = chosen.coordinates
    if chosen.hyperbolic:
        coordinates = coordinates * chosen.radii[:, None]  # log-map, whatever the curvature
    if umap is None:
        umap = importlib.util.find_spec("umap") is not None
    shape = "disk" if chosen.hyperbolic else "plane"
    if coordinates.shape[1] <= 2:
        points = np.zeros((len(rows), 2))
        points[:, : coordinates.shape[1]] = coordinates
        method = "The Poincaré disk itself: the table has two dimensions."
        if not chosen.hyperbolic:
            method = "The table itself, which has two dimensions."
    elif umap and len(rows) >= _FEWEST:
        shape, points = "plane", _umap(_distances(chosen), seed)
        kind = "hyperbolic" if chosen.hyperbolic else "Euclidean"
        method = (
            f"UMAP of the exact {kind} distances: neighbours are kept, distances across the "
            "picture and its axes mean nothing."
        )
    else:
        points, share = _principal(coordinates, centred=not chosen.hyperbolic)
        method = _tangent_method(chosen.hyperbolic, share)
    clade, clades = _largest(np.asarray(labels.clade), labels.clades)
    return Projection(
        space=shape,
        method=method,
        points=tuple((float(x), float(y)) for x, y in points),
        idx=tuple(int(row) for row in rows),
        names=tuple(labels.names),
        lineages=tuple(labels.lineages),
        clade=tuple(int(c) for c in clade),
        clades=clades,
        untrained=()
        if labels.untrained is None
        else tuple(bool(never) for never in labels.untrained),
        total=space.n,
        seed=seed,
    )


def _tangent_method(hyperbolic: bool, share: float) -> str:
    held = f"they hold {percent(share)} of the squared lengths"
    if hyperbolic:
        return (
            "The two leading directions of the log-map at the origin (principal components, not "
            f"centred) drawn in the disk; {held}."
        )
    return f"The two principal components; {held}."


def _principal(coordinates: Floats, *, centred: bool) -> tuple[Floats, float]:
    """Coordinates along the two leading directions, (k, 2), and their share of the whole."""
    moved = coordinates - coordinates.mean(axis=0) if centred else coordinates
    values, vectors = np.linalg.eigh(moved.T @ moved)
    leading = vectors[:, ::-1][:, :2]
    # an eigenvector has no sign of its own: its largest entry is made positive
    largest = np.abs(leading).argmax(axis=0)
    leading = leading * np.where(leading[largest, [0, 1]] < 0, -1.0, 1.0)
    total = float(values.sum())
    return moved @ leading, float(values[-2:].sum() / total) if total > 0 else 1.0


def _distances(space: Space) -> Floats:
    """All distances, (k, k), with an exact zero diagonal; a block of rows at a time."""
    every = np.arange(space.n)
    found = np.empty((space.n, space.n))
    block = max(1, 2_000_000 // max(space.n * space.coordinates.shape[1], 1))
    for start in range(0, space.n, block):
        rows = every[start : start + block]
        found[rows] = space.distance(rows[:, None], every[None, :])
    np.fill_diagonal(found, 0.0)
    return found


def _umap(distances: Floats, seed: int) -> Floats:
    """The layout that UMAP finds for a matrix of distances."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a fixed seed runs on one thread, and the like
        umap = importlib.import_module("umap")
        model = umap.UMAP(
            n_neighbors=min(_NEIGHBOURS, len(distances) - 1),
            min_dist=0.1,
            metric="precomputed",
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(model.fit_transform(distances), dtype=np.float64)


def _largest(clade: Ints, clades: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Only the clades with most rows, most first; the rest becomes -1."""
    counts = np.bincount(clade[clade >= 0], minlength=len(clades))
    kept = [int(c) for c in np.argsort(-counts, kind="stable")[:GROUPS] if counts[c]]
    renamed = np.full(len(clades) + 1, -1)  # the last entry answers for -1
    renamed[kept] = np.arange(len(kept))
    return renamed[clade], tuple(clades[c] for c in kept)
