"""Shapes of a picture: geometry is computed here, text is escaped by the template."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..text import number

WIDE = 1072  # the measure of the page less its margins
NARROW = 350  # a phone of 390 px less its margins


@dataclass(frozen=True, slots=True)
class Shape:
    """A path or a text; ``kind`` is its class in the style sheet, ``tip`` its tooltip.

    ``link`` is where a pointer's click leads; whoever has none needs the same links elsewhere.
    """

    tag: str  # "path" | "text"
    kind: str
    d: str = ""
    x: float = 0
    y: float = 0
    text: str = ""
    anchor: str = "start"
    tip: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture at one width."""

    width: int
    height: float
    shapes: tuple[Shape, ...]

    @property
    def linked(self) -> bool:
        """Whether something in it leads elsewhere, which no image can hold."""
        return any(shape.link for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture at both widths, the finding it shows, and its text alternative.

    One that shows that all is ``fine`` says so in its title, and need not be looked at.
    """

    key: str
    title: str
    description: str
    wide: Drawing
    narrow: Drawing
    notes: tuple[str, ...] = ()
    fine: bool = False


def both(
    key: str,
    title: str,
    description: str,
    draw: Callable[[int], Drawing],
    notes: tuple[str, ...] = (),
    fine: bool = False,
) -> Picture:
    """The picture that is drawn at either width."""
    return Picture(key, title, description, draw(WIDE), draw(NARROW), notes, fine)


def round1(value: float) -> str:
    """A coordinate with one decimal, without a useless one."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Iterable[tuple[float, float]]) -> str:
    """Path of a line through points."""
    return "M" + "L".join(f"{round1(x)} {round1(y)}" for x, y in points)


def box(x: float, y: float, width: float, height: float) -> str:
    """Path of a rectangle."""
    x, y, width, height = (round1(v) for v in (x, y, width, height))  # type: ignore[assignment]
    return f"M{x} {y}h{width}v{height}h-{width}z"


def rect(x: float, y: float, width: float, height: float, kind: str, tip: str = "") -> Shape:
    """A filled rectangle."""
    return Shape("path", kind, d=box(x, y, width, height), tip=tip)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Shape:
    """A straight line."""
    return Shape("path", kind, d=path(((x1, y1), (x2, y2))))


def text(x: float, y: float, said: str, kind: str = "label", anchor: str = "start") -> Shape:
    """A label."""
    return Shape("text", kind, x=round(x, 1), y=round(y, 1), text=said, anchor=anchor)


def dot(x: float, y: float, radius: float, kind: str, tip: str = "") -> Shape:
    """A disk, or a ring where its class has no fill."""
    r = round1(radius)
    half = f"M{round1(x - radius)} {round1(y)}a{r} {r} 0 1 0 {round1(2 * radius)} 0"
    return Shape("path", kind, d=f"{half}a{r} {r} 0 1 0 -{round1(2 * radius)} 0z", tip=tip)


def diamond(x: float, y: float, reach: float, kind: str, tip: str = "") -> Shape:
    """A square on its corner."""
    r = round1(reach)
    d = f"M{round1(x)} {round1(y - reach)}l{r} {r}l-{r} {r}l-{r} -{r}z"
    return Shape("path", kind, d=d, tip=tip)


def columns(shares: Sequence[float], x: float, base: float, width: float, height: float) -> str:
    """The outline of a row of columns of 0 to 1; what is not none is at least 1 px tall."""
    step = width / len(shares)
    parts = [f"M{round1(x)} {round1(base)}"]
    last = base
    for position, share in enumerate(shares):
        tall = max(min(share, 1.0) * height, 1.0) if share > 0 else 0.0
        if base - tall != last:
            parts.append(f"H{round1(x + position * step)}V{round1(base - tall)}")
            last = base - tall
    return "".join([*parts, f"H{round1(x + width)}V{round1(base)}z"])


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
    chunks = [values[i : i + group] for i in range(0, len(values), group)]
    return tuple(sum(chunk) / len(chunk) for chunk in chunks)


def rungs(marks: Iterable[tuple[float, str]], left: float, right: float) -> Iterator[Shape]:
    """Lines across a picture, each at its height and with its value before it."""
    for y, said in marks:
        yield line(left, y, right, y, "grid")
        yield text(left - 8, y + 4, said, "tick", "end")


def thousands(value: int, wide: bool) -> str:
    """A count beside an axis; on a phone in thousands."""
    return number(value) if wide or value < 1000 else f"{value / 1000:g}k"


def depth_axis(
    depths: Sequence[int], x: float, step: float, base: float, named: Callable[[int], str] = str
) -> Iterator[Shape]:
    """As many of the depths as there is room for; ``x`` is the middle of the first."""
    every = 1 if step > 26 else 5 if step > 6 else 10
    first, last = depths[0], depths[-1]
    for depth in depths:
        if depth in (first, last) or (depth % every == 0 and last - depth > every * 0.6):
            at = x + (depth - first) * step
            yield text(at, base + 18, named(depth), "tick", "middle")


def meter(y: float, label: str, said: str, share: float, kind: str) -> Iterator[Shape]:
    """A row on a phone: what it is, how much, and the part as a bar on its track."""
    yield text(0, y + 14, label)
    yield text(NARROW, y + 14, said, anchor="end")
    yield rect(0, y + 20, NARROW, 14, "track")
    if share:
        yield rect(0, y + 20, max(share * NARROW, 1.5), 14, kind, f"{label}: {said}")


def from_to(lowest: int, highest: int) -> str:
    """``3``, ``4 to 7``: a range of counts."""
    return number(lowest) if lowest == highest else f"{number(lowest)} to {number(highest)}"


def ranges(bins: Sequence[tuple[int, int, int]], width: int) -> Drawing:
    """A bar for each range of counts: (lowest, highest, how many have it)."""
    most = max(nodes for *_, nodes in bins)
    left, right = (132.0, 76.0) if width == WIDE else (112.0, 60.0)
    shapes: list[Shape] = []
    for position, (lowest, highest, nodes) in enumerate(bins):
        y = position * 22.0
        shapes.append(text(left - 10, y + 15, from_to(lowest, highest), "tick", "end"))
        length = nodes / most * (width - left - right)
        if nodes:
            tip = f"{from_to(lowest, highest)}: {number(nodes)}"
            shapes.append(rect(left, y + 3, max(length, 1.5), 16, "column", tip))
        shapes.append(text(left + length + 8, y + 15, number(nodes)))
    return Drawing(width, len(bins) * 22.0 + 2, tuple(shapes))
