"""The manifold of a table: as its tensor's own, as parameters beside it, or as a word of a setting.

A space that taxcheck does not measure is refused by its name; the numbers alone would pass for
another's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from taxcheck.sources.checkpoints.checkpoint import Geometry
from taxcheck.sources.checkpoints.contents import Flat, Inert, flatten
from taxcheck.sources.checkpoints.geometry import Stated, named

_STATED_KEYS = ("manifold", "model_type", "geometry", "space", "distfn")
_UNMEASURED = re.compile(
    r"spher|product|mixed|klein|half.?(space|plane)|siegel|\bspd\b|torus|grassmann|stiefel"
    r"|stereographic|elliptic",
    re.I,
)
_BALLS = ("PoincareBall", "PoincareBallExact")
_STEREOGRAPHIC = ("Stereographic", "StereographicExact")
# Names of a curvature beside a table: what of a number they say.
_PLAIN = ("c", "curvature", "curv", "neg_curvature", "ball_c")
_SIGNED = ("kappa", "k")
_UNKNOWN = ("raw_c", "_c", "c_raw", "unconstrained_c", "inv_softplus_c", "log_k", "raw_kappa")
_LOGS = ("log_c", "log_curvature", "log_curv")


def with_manifold(flat: Flat, key: str, stated: Stated) -> Stated:
    """What is stated of the space of the table at ``key``, with what its manifold adds."""
    found = flat.classes.get(key)
    if found is not None and re.match(r"(geoopt|hypll)\.", found.name):
        return _of_class(found, stated)
    for path, value in flat.values.items():
        last = path.rsplit(".", 1)[-1].lower()
        if stated.geometry is None and last in _STATED_KEYS and isinstance(value, str):
            stated = _of_word(path, value, stated)
    stated = _of_parameters(flat, key, stated)
    return _of_curvature(flat, key, stated) if stated.curvature is None else stated


def _of_word(path: str, word: str, stated: Stated) -> Stated:
    geometry = named(word)
    if geometry is not None and not re.search(r"product|mixed", word, re.I):
        return replace(stated, geometry=geometry, source=f"{path} says {word!r}.")
    if _UNMEASURED.search(word):
        return replace(stated, refused=f"{path} says {word!r}")
    return stated


def _of_parameters(flat: Flat, key: str, stated: Stated) -> Stated:
    """The parameters that state dicts of geoopt and HypLL have, the nearest first."""
    numbers = dict(_numbers(flat))
    for path in sorted(numbers, key=lambda path: -_common(path, key)):
        if re.search(r"(^|\.)manifolds\.\d+\.", path):
            return replace(stated, refused=f"{path} is a parameter of a product of manifolds")
        if path.endswith(("isp_c", "manifold.c.value")):
            c = softplus(numbers[path])
            engine = "geoopt" if path.endswith("isp_c") else "HypLL"
            source = f"{path} is {engine}'s parameter of a Poincare ball with c = {c:.6g}."
            if math.isfinite(c) and c > 0:
                return _ball(stated, source, c, "the same parameter")
        elif path.endswith("manifold.k") and math.isfinite(numbers[path]) and numbers[path]:
            k = numbers[path]
            # Below zero geoopt's k is a curvature (stereographic), above it x.x = -k (Lorentz).
            source = f"{path} = {k:.6g} is geoopt's parameter."
            if k < 0:
                return _ball(stated, source, -k, "the same parameter")
            told = f"{path} = {k:.6g} is that of a sphere where rows lie on no Lorentz sheet"
            return replace(stated, curvature=1 / k, curvature_source=source, only_sheet=told)
    return stated


def _of_curvature(flat: Flat, key: str, stated: Stated) -> Stated:
    """A curvature beside the table, or above it, by the names that people give it."""
    parents = key.split(".")[:-1]
    above = [parents[:depth] for depth in range(len(parents) + 1)]
    near = {
        ".".join([*place, *inside]) for place in above for inside in ([], ["manifold"], ["ball"])
    }
    for path, value in _numbers(flat):
        parent, _, last = path.rpartition(".")
        name = last.lower()
        if parent not in near or not math.isfinite(value) or (not value and name not in _LOGS):
            continue
        source = f"{path} = {value:.6g} beside the table."
        if name in _SIGNED and value > 0:
            told = f"{path} = {value:.6g} beside the table is a positive curvature, of a sphere"
            return replace(stated, only_sheet=told)
        if name in (*_PLAIN, *_SIGNED):
            return replace(stated, curvature=abs(value), curvature_source=source)
        if name in _LOGS and abs(value) < 50:
            c = math.exp(value)
            said = f"{path} = {value:.6g} beside the table: c = {c:.6g}."
            return replace(stated, curvature=c, curvature_source=said)
        if name in _UNKNOWN:
            return replace(
                stated,
                curvature_note=f"{path} = {value:.6g} is a parameter of the curvature whose form "
                "is not known: `curvature` says c",
            )
    return stated


def _numbers(flat: Flat) -> Iterator[tuple[str, float]]:
    """All arrays of one number, and all numbers, by their places."""
    seen = set()
    for path, array in flat.arrays.items():
        if math.prod(array.shape) == 1 and array.dtype[0] in "fib":
            seen.add(path)
            yield path, float(array.array().reshape(-1)[0])
    for path, value in flat.values.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and path not in seen:
            yield path, float(value)


def _common(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("."), other.split("."), strict=False):
        if left != right:
            break
        count += 1
    return count


def _ball(stated: Stated, source: str, c: float, of: str) -> Stated:
    return replace(
        stated,
        geometry=Geometry.BALL,
        source=source,
        curvature=c,
        curvature_source=f"Curvature -{c:.6g} of {of}.",
    )


def _of_class(manifold: Inert, stated: Stated) -> Stated:
    engine = "geoopt" if manifold.name.startswith("geoopt.") else "HypLL"
    kind, numbers = manifold.name.rsplit(".", 1)[-1], manifold_numbers(manifold)
    source = f"The tensor lies on {engine}'s {kind}."
    if kind == "Scaled":
        base = next(iter(_modules(manifold)), None)
        scale = numbers.get("_log_scale") or numbers.get("scale")
        known = _of_class(base, stated) if base is not None else stated
        told = "" if scale is None else " by a factor"
        return replace(known, source=f"{known.source} Its distances are scaled{told}.")
    if kind == "Euclidean":
        return replace(stated, geometry=Geometry.EUCLIDEAN, source=source)
    if kind == "Lorentz":
        k = numbers.get("k")
        stated = replace(stated, geometry=Geometry.LORENTZ, source=source)
        return _curved(stated, "k", None if not k else 1 / k)
    if kind in _BALLS:
        stated = replace(stated, geometry=Geometry.BALL, source=source)
        if engine == "HypLL" and not _by_softplus(manifold):
            note = "HypLL's curvature has a constraint that is not softplus: `curvature` says c"
            return replace(stated, curvature_note=note)
        raw = numbers.get("isp_c", numbers.get("value"))
        return _curved(stated, "c", numbers.get("c") if raw is None else softplus(raw))
    if kind in _STEREOGRAPHIC and (k := numbers.get("k")) is not None and k <= 0:
        space = Geometry.BALL if k else Geometry.EUCLIDEAN
        return _curved(replace(stated, geometry=space, source=source), "k", -k)
    curved = f" with k = {numbers['k']:.6g}" if "k" in numbers else ""
    return replace(stated, refused=f"its tensor lies on {engine}'s {kind}{curved}")


def _curved(stated: Stated, name: str, c: float | None) -> Stated:
    if c is None or not math.isfinite(c) or c <= 0:
        return stated
    source = f"Its {name} makes the curvature -{c:.6g}."
    return replace(stated, curvature=c, curvature_source=source)


def _by_softplus(manifold: Inert) -> bool:
    for module in _modules(manifold):
        strategy = module.state.get("constraining_strategy")
        if strategy is not None:
            return getattr(strategy, "name", "").endswith("softplus")
    return True


def _modules(module: Inert) -> Iterator[Inert]:
    """Modules inside of a pickled module."""
    inside = module.state.get("_modules")
    for child in inside.values() if isinstance(inside, Mapping) else ():
        if isinstance(child, Inert):
            yield child


def manifold_numbers(manifold: Inert) -> dict[str, float]:
    """The parameters of a pickled manifold that set its curvature."""
    numbers: dict[str, float] = {}
    for path, array in flatten(manifold.state).arrays.items():
        last = path.rsplit(".", 1)[-1]
        known = last in ("isp_c", "k", "c", "value", "_log_scale", "scale")
        if known and math.prod(array.shape) == 1:
            numbers.setdefault(last, float(array.array().reshape(-1)[0]))
    return numbers


def softplus(value: float) -> float:
    """ln(1 + e^x), by which engines keep a curvature positive."""
    return value if value > 30 else math.log1p(math.exp(value))
