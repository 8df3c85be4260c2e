"""Which engine wrote a file, and what that alone says about its table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from taxcheck.sources.checkpoints.checkpoint import Facts, Geometry
from taxcheck.sources.checkpoints.contents import Contents, Flat, Inert, Stored
from taxcheck.sources.checkpoints.geometry import Stated
from taxcheck.sources.checkpoints.manifolds import with_manifold

_FACEBOOK_CLIP = 1 - 1e-5  # PoincareManifold of that engine, eps = 1e-5
_PROJECTED = {"float32": 4e-3, "float64": 1e-5}  # how far inside geoopt and HypLL project
_ENGINE_MARKS = {"reg_loss", "best_loss", "epochs_without_improvement", "embeddings"}


@dataclass(frozen=True, slots=True)
class Layout:
    """An engine's way to write a checkpoint."""

    format: str
    keys: tuple[str, ...] = ()  # where its table is, first choice first
    geometry: Geometry | None = None  # of every file of this engine
    default_clip: float | None = None
    one_object: bool = False  # its attributes are its configuration
    projects: bool = False  # points, to a distance inside of the ball that the dtype sets


def layout_of(flat: Flat, contents: Contents) -> Layout:
    """The engine that wrote these contents; a plain layout where none is recognised."""
    tree, keys = contents.tree, contents.keys
    if "embeddings" in flat.arrays and any(
        path.rsplit(".", 1)[-1] == "writer" and str(value).startswith("taxcheck ")
        for path, value in flat.values.items()
    ):
        return Layout("taxcheck checkpoint", ("embeddings",))
    if isinstance(tree, Inert) and tree.name.startswith("gensim."):
        ball = Geometry.BALL if "Poincare" in tree.name.rsplit(".", 1)[-1] else None
        return Layout(contents.format, keys, ball, one_object=True)
    layout = _torch_layout(flat, contents) if contents.torch else Layout(contents.format, keys)
    return replace(layout, format=f"{layout.format}{', legacy' if contents.legacy else ''}")


def _torch_layout(flat: Flat, contents: Contents) -> Layout:
    """The engine behind a file that torch.save wrote."""
    arrays, keys, tree = flat.arrays, contents.keys, contents.tree
    top = {path.split(".")[0] for path in _paths(flat)}
    if "objects" in top and ("model.lt.weight" in arrays or "embeddings" in arrays):
        keys = ("embeddings", "model.lt.weight")
        return Layout("facebookresearch checkpoint", keys, default_clip=_FACEBOOK_CLIP)
    if "state_dict.lt.weight" in arrays and top & _ENGINE_MARKS:
        # Later versions keep the points in the ball as embeddings, and what is trained as z.
        return Layout("hierarchical Poincare checkpoint", ("embeddings", "state_dict.lt.weight"))
    for engine in ("geoopt", "hypll"):
        if any(inert.name.startswith(f"{engine}.") for inert in flat.classes.values()):
            name = {"hypll": "HypLL"}.get(engine, engine)
            return Layout(f"{name} tensors", keys, projects=True)
    for engine, parameter in (("geoopt", "manifold.isp_c"), ("HypLL", "manifold.c.value")):
        if any(path.endswith(parameter) for path in arrays):
            return Layout(f"{engine} state dict", keys, projects=True)
    if isinstance(tree, dict) and all(isinstance(v, Stored) for v in tree.values()):
        return Layout("torch state dict", keys)
    return Layout(contents.format, keys)


def _paths(flat: Flat) -> Iterator[str]:
    for group in (flat.arrays, flat.values, flat.lists, flat.maps, flat.records, flat.classes):
        yield from group


def stated_of(flat: Flat, layout: Layout, facts: Facts, key: str, dtype: str) -> Stated:
    """What the file says about the space of the table at ``key``, beside its numbers."""
    stated = Stated(default_clip=layout.default_clip, tangent_name=_tangent_name(key))
    if layout.geometry is not None:
        stated = replace(
            stated, geometry=layout.geometry, source=f"{layout.format}: always a Poincare ball."
        )
    stated = with_manifold(flat, key, stated)
    curvature = facts.config.get("curvature")
    if stated.curvature is None and _is_number(curvature) and curvature:
        value = abs(float(curvature))
        stated = replace(
            stated, curvature=value, curvature_source=f"The configuration says c = {value:g}."
        )
    return _with_clip(stated, facts, layout, dtype)


def _tangent_name(key: str) -> bool:
    last = key.rsplit(".", 1)[-1].lower()
    return last in ("z", "z_embeddings", "tangent", "z_weight") or "tangent" in key.lower()


def _with_clip(stated: Stated, facts: Facts, layout: Layout, dtype: str) -> Stated:
    limit = facts.config.get("max_norm")
    if _is_number(limit) and 0 < limit <= 1 / math.sqrt(stated.curvature or 1.0):
        source = f"The configuration says max_norm = {limit:g}."
        return replace(stated, clip=float(limit), clip_source=source)
    epsilon = facts.config.get("epsilon")
    if layout.one_object and _is_number(epsilon):
        source = f"The model says epsilon = {epsilon:g}: clipped at 1 - epsilon."
        return replace(stated, clip=1 - float(epsilon), clip_source=source)
    if layout.projects and dtype in _PROJECTED:
        radius = 1 / math.sqrt(stated.curvature or 1.0)
        return replace(stated, default_clip=(1 - _PROJECTED[dtype]) * radius)
    return stated


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
