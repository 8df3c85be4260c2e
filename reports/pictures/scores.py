"""Score cards: a value, its interval, and what needs no learning, on one axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from taxcheck.model.pictures import ScoreCard
from taxcheck.model.report import Report
from taxcheck.model.vocabulary import score as figure

from ..text import clip, number
from .labels import stems
from .svg import NARROW, WIDE, Drawing, Picture, Shape, both, diamond, dot, line, rect, text

_LANE = 17.0


def _position(card: ScoreCard, left: float, plot: float) -> Callable[[float], float]:
    def scaled(value: float) -> float:
        return math.log10(max(value, 1e-9)) if card.logarithmic else value

    low, high = scaled(card.lowest), scaled(card.highest)

    def at(value: float) -> float:
        share = (scaled(value) - low) / (high - low) if high > low else 0.0
        return left + min(max(share, 0.0), 1.0) * plot

    return at


def _ends(card: ScoreCard) -> Sequence[float]:
    if card.logarithmic:
        powers = range(int(math.log10(card.highest)) + 1)
        return [10.0**p for p in powers if 10**p >= card.lowest]
    if card.highest == 1:
        return [0, 0.25, 0.5, 0.75, 1] if card.lowest == 0 else [-1, -0.5, 0, 0.5, 1]
    step = 10 ** math.floor(math.log10(card.highest))
    return [step * i for i in range(int(card.highest / step) + 1)]


def _verdict(card: ScoreCard) -> str:
    if not card.nulls:
        return "no null to compare with"
    not_above = [clip(null.label, 28) for null in card.nulls if not null.exceeded]
    if not not_above:
        return "better than every null"
    more = f" and {len(not_above) - 1} more" if len(not_above) > 1 else ""
    return f"not better than {not_above[0]}{more}"


def _marks(card: ScoreCard) -> list[tuple[float, str, str]]:
    """What is written above the axis: (value, label, kind)."""
    known = (
        (card.trained_only, "trained rows alone", "alone"),
        (card.euclidean, "Euclidean", "theirs"),
        (card.ceiling, "ceiling", "mark"),
    )
    return [(v, f"{said} {figure(v)}", kind) for v, said, kind in known if v is not None]


def _interval(card: ScoreCard) -> str:
    return f"{figure(card.low)} to {figure(card.high)}"


def _words(card: ScoreCard, y: float, wide: bool) -> tuple[list[Shape], float]:
    """What a card says beside its axis, on a phone above it, and where that ends."""
    interval = _interval(card)
    scored = f"{number(card.sources)} of {number(card.total)} scored"
    fewer = "" if card.compared is None else f"{number(card.compared)} of these"
    lines = [(scored, "tick")] if wide else [(f"{interval}; {scored}", "tick")]
    lines += [(f"nulls and hollow marks: {fewer}", "tick")] if fewer else []
    lines.insert(0, (clip(_verdict(card), 42), "strong" if card.beats_every_null else "found"))
    end = 310.0 if wide else float(NARROW)
    shapes = [
        text(0, y + 16, clip(card.label, 32 if wide else 36), "strong"),
        text(end, y + 16, figure(card.value), "strong", "end"),
        *(text(0, y + 35 + 18 * at, said, kind) for at, (said, kind) in enumerate(lines)),
    ]
    if wide:
        shapes.append(text(end, y + 53, interval, "tick", "end"))
    return shapes, y + (60 if wide else 58) + 18 * bool(fewer)


def _card(card: ScoreCard, y: float, width: int) -> tuple[list[Shape], float]:
    wide = width == WIDE
    left, right = (336.0, 14.0) if wide else (6.0, 6.0)
    plot = width - left - right
    at = _position(card, left, plot)
    shapes, words_end = _words(card, y, wide)
    y = y if wide else words_end
    above = _marks(card)
    placed = stems([(at(value) - left, said) for value, said, _ in above], plot)
    axis = y + 10 + _LANE * max((lane + 1 for _, lane in placed), default=0) + 12
    shapes.append(rect(left, axis - 6, plot, 12, "track"))
    for tick in _ends(card):
        x = at(tick)
        shapes.append(line(x, axis - 6, x, axis + 6, "grid"))
    for (value, said, mark), (start, lane) in zip(above, placed, strict=True):
        base = axis - 16 - lane * _LANE
        x = at(value)
        shapes.append(line(x, base + 3, x, axis - 6, "leader"))
        if mark == "theirs":
            shapes.append(diamond(x, axis, 6, "theirs", said))
        elif mark == "alone":
            shapes.append(dot(x, axis, 5.5, "theirs", said))
        else:
            shapes.append(line(x, axis - 9, x, axis + 9, "mark"))
        shapes.append(text(left + start, base, said, "tick"))
    below = [(null.value, f"{clip(null.label, 26)} {figure(null.value)}") for null in card.nulls]
    placed = stems([(at(value) - left, said) for value, said in below], plot)
    for (value, said), (start, lane) in zip(below, placed, strict=True):
        x, base = at(value), axis + 26 + lane * _LANE
        shapes.append(line(x, axis - 9, x, base - 11, "null"))
        shapes.append(text(left + start, base, said, "tick"))
    low, high = at(card.low), at(card.high)
    shapes.append(rect(low, axis - 4, max(high - low, 2), 8, "column", _interval(card)))
    shapes.append(dot(at(card.value), axis, 6, "ours", f"{card.label} {figure(card.value)}"))
    lowest = axis + 14 + _LANE * max((lane + 1 for _, lane in placed), default=0)
    return shapes, max(lowest, words_end) + (18 if wide else 24)


def _scale(card: ScoreCard, y: float, width: int) -> list[Shape]:
    wide = width == WIDE
    left, right = (336.0, 14.0) if wide else (6.0, 6.0)
    at = _position(card, left, width - left - right)
    return [text(at(end), y + 4, number(float(end)), "tick", "middle") for end in _ends(card)]


def _drawing(cards: Sequence[ScoreCard], width: int) -> Drawing:
    shapes: list[Shape] = []
    y = 0.0
    for position, card in enumerate(cards):
        drawn, y = _card(card, y, width)
        shapes += drawn
        if position + 1 < len(cards):
            shapes.append(line(0, y - 12, width, y - 12, "grid"))
    # one scale under all of them: they share it
    shapes += _scale(cards[0], y - 4, width)
    return Drawing(width, y + 6, tuple(shapes))


def _picture(
    key: str, title: str, cards: Sequence[ScoreCard], told: Sequence[ScoreCard] = ()
) -> Picture:
    """A picture of cards; what was said under those ``told`` is not said again."""
    remarks = tuple(f"{card.label}: {card.remark}." for card in cards if card.remark)
    before = {card.protocol for card in told}
    protocols = dict.fromkeys(card.protocol for card in cards if card.protocol not in before)
    said = "; ".join(
        f"{card.label} {figure(card.value)} ({_interval(card)}), "
        + (", ".join(f"{null.label} {figure(null.value)}" for null in card.nulls) or "no null")
        for card in cards
    )
    note = "Dot with bar: this table with its interval. Ticks below: scores that need no learning."
    if any(_marks(card) for card in cards):
        note += " Hollow marks above: for comparison."
    return both(
        key,
        title,
        f"Scores with their intervals and nulls. {said}.",
        lambda width: _drawing(cards, width),
        (
            *(() if told else (note,)),
            *remarks,
            *(f"Protocol: {clip(p, 300)}." for p in protocols if p),
        ),
    )


def _shared(report: Report) -> list[ScoreCard]:
    """The cards whose axis is the same: 0 to 1, or -1 to 1 where one of them needs it."""
    cards = report.audit.scores if report.audit else ()
    return [card for card in cards if card.highest == 1 and not card.logarithmic]


def scores(report: Report) -> Picture | None:
    """All scores from 0 to 1, aligned."""
    cards = _shared(report)
    if not cards:
        return None
    lowest = min(card.lowest for card in cards)
    cards = [replace(card, lowest=lowest) for card in cards]
    judged = [card for card in cards if card.nulls]
    better = sum(card.beats_every_null for card in judged)
    title = f"{cards[0].label} {figure(cards[0].value)}"
    if judged and better == len(judged):
        title += f": all {len(judged)} scores are better than every null"
    elif judged:
        title += f": {better} of {len(judged)} scores are better than every null"
    return _picture("scores", title, cards)


def mean_rank(report: Report) -> Picture | None:
    """The mean rank, where 1 is best, in powers of ten."""
    cards = [card for card in (report.audit.scores if report.audit else ()) if card.logarithmic]
    if not cards:
        return None
    first, highest = cards[0], max(card.highest for card in cards)
    best = min((null.value for null in first.nulls), default=None)
    title = f"An ancestor stands at rank {figure(first.value)} on average; 1 is best"
    if best is not None:
        title += f", the best null has {figure(best)}"
    cards = [replace(card, highest=highest) for card in cards]
    return _picture("mean-rank", title, cards, _shared(report))


def separation(report: Report) -> Picture | None:
    """How much farther other classes are than one's own."""
    for card in report.audit.scores if report.audit else ():
        if card.highest != 1 and not card.logarithmic:
            nearer = f"{card.value:.2f} times as far apart as members of one"
            title = f"Members of two classes lie {nearer}"
            return _picture("separation", title, [card], _shared(report))
    return None
