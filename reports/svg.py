"""Shapes of a picture: geometry is computed here, text is escaped by the template."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

WIDE = 1072  # the measure of the page less its margins
NARROW = 350  # a phone of 390 px less its margins


@dataclass(frozen=True, slots=True)
class Shape:
    """A path or a text; ``kind`` is its class in the style sheet, ``tip`` its tooltip."""

    tag: str  # "path" | "text"
    kind: str
    d: str = ""
    x: float = 0
    y: float = 0
    text: str = ""
    anchor: str = "start"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture at one width."""

    width: int
    height: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture at both widths, the finding it shows, and its text alternative."""

    key: str
    title: str
    description: str
    wide: Drawing
    narrow: Drawing
    notes: tuple[str, ...] = field(default=())


def round1(value: float) -> str:
    """A coordinate with one decimal, without a useless one."""
    return f"{value:.1f}".removesuffix(".0")


def box(x: float, y: float, width: float, height: float) -> str:
    """Path of a rectangle."""
    x, y, width, height = (round1(v) for v in (x, y, width, height))  # type: ignore[assignment]
    return f"M{x} {y}h{width}v{height}h-{width}z"


def rect(x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> Shape:
    """A filled rectangle."""
    return Shape("path", kind, d=box(x, y, width, height), tip=tip)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Shape:
    """A straight line."""
    return Shape("path", kind, d=f"M{round1(x1)} {round1(y1)}L{round1(x2)} {round1(y2)}")


def text(x: float, y: float, said: str, kind: str = "label", anchor: str = "start") -> Shape:
    """A label."""
    return Shape("text", kind, x=round(x, 1), y=round(y, 1), text=said, anchor=anchor)


def dot(x: float, y: float, radius: float, kind: str, tip: str = "") -> Shape:
    """A disk, or a ring where its class has no fill."""
    r = round1(radius)
    path = f"M{round1(x - radius)} {round1(y)}a{r} {r} 0 1 0 {round1(2 * radius)} 0"
    return Shape("path", kind, d=f"{path}a{r} {r} 0 1 0 -{round1(2 * radius)} 0z", tip=tip)


def diamond(x: float, y: float, reach: float, kind: str, tip: str = "") -> Shape:
    """A square on its corner."""
    r = round1(reach)
    d = f"M{round1(x)} {round1(y - reach)}l{r} {r}l-{r} {r}l-{r} -{r}z"
    return Shape("path", kind, d=d, tip=tip)


def columns(shares: Sequence[float], x: float, base: float, width: float, height: float) -> str:
    """The outline of a row of columns of 0 to 1; what is not none is at least 1 px tall."""
    step = width / len(shares)
    path = [f"M{round1(x)} {round1(base)}"]
    last = base
    for position, share in enumerate(shares):
        tall = max(min(share, 1.0) * height, 1.0) if share > 0 else 0.0
        if base - tall != last:
            path.append(f"H{round1(x + position * step)}V{round1(base - tall)}")
            last = base - tall
    return "".join([*path, f"H{round1(x + width)}V{round1(base)}z"])


def within(x: float, said: str, width: float) -> tuple[float, str]:
    """Where a label centred on x stands, and its anchor, so that it stays in the picture."""
    half = text_width(said, 7.0) / 2
    if x + half > width:
        return width, "end"
    return (0.0, "start") if x < half else (x, "middle")


def text_width(said: str, character: float = 7.6) -> float:
    """About how wide a label will be; system fonts differ, so it errs on the wide side."""
    return len(said) * character


def ticks(maximum: float, about: int) -> Iterator[int]:
    """Round numbers from 0 up to a maximum, about so many steps."""
    rough = max(maximum / about, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(int(m * power) for m in (1, 2, 5, 10) if m * power >= rough)
    return iter(range(0, int(maximum) + 1, step))


def rebin(values: Sequence[float], limit: int) -> tuple[float, ...]:
    """At most ``limit`` bins: neighbours are averaged, weighted equally."""
    if len(values) <= limit:
        return tuple(values)
    group = math.ceil(len(values) / limit)
    chunks: Iterable[Sequence[float]] = (
        values[i : i + group] for i in range(0, len(values), group)
    )
    return tuple(sum(chunk) / len(chunk) for chunk in chunks)
