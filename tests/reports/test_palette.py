from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = (files("taxcheck_reports") / "templates" / "style.css").read_text(encoding="utf-8")
INKS = ["ink", "muted", "link", *(f"{o}-ink" for o in ("fail", "warn", "info", "skipped", "error"))]
TEXT = [(ink, ground) for ink in [*INKS, "pass-ink"] for ground in ("bg", "soft")]
TEXT += [(f"on-{o}", f"{o}-band") for o in ("fail", "warn", "pass", "skipped", "error")]
TEXT += [(f"on-never{i}", f"never{i}") for i in range(4)]
TEXT += [(f"on-role{i}", f"role{i}") for i in range(4)] + [("on-column", "column"), ("bg", "ink")]
SHAPES = [("skipped", "bg"), ("role3", "track"), ("column", "bucket2"), ("role0", "track")]


def _variables(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", block))


LIGHT = _variables(CSS[: CSS.index("@media")])
DARK = LIGHT | _variables(CSS[CSS.index("@media") : CSS.index("* {")])


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    dark, light = sorted([_luminance(one), _luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_contrast_agrees_with_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT, ids=lambda name: name)
def test_text_is_readable_at_level_aa(scheme, ink, ground):
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES, ids=lambda name: name)
def test_shapes_that_carry_meaning_stand_out(scheme, shape, ground):
    floor = 2 if (scheme is DARK and shape.startswith("role")) else 3
    assert contrast(scheme[shape], scheme[ground]) >= floor


def test_clades_keep_the_colours_of_okabe_and_ito():
    named = ["0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "f0e442", "000000"]
    assert [LIGHT[f"clade{i}"] for i in range(8)] == [f"#{colour}" for colour in named]


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_bands_differ_from_the_page_and_from_each_other(scheme):
    assert contrast(scheme["band50"], scheme["bg"]) >= 1.9
    assert contrast(scheme["band50"], scheme["band90"]) >= 1.5
    assert contrast(scheme["ink"], scheme["band50"]) >= 4.5


def test_outcomes_keep_the_colours_that_the_colour_blind_can_tell():
    assert [LIGHT[o] for o in ("fail", "warn", "pass", "info")] == [
        "#d55e00",
        "#e69f00",
        "#009e73",
        "#0072b2",
    ]
