"""What a picture says and what its rule says come from one value, whatever was measured."""

from __future__ import annotations

import math
import re
from importlib import import_module
from typing import Any

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from taxcheck.audit.pictures import draw_audit
from taxcheck.model.result import RuleResult
from taxcheck.model.vocabulary import percent
from tests.reports.sound import healthy
from tests.rules import audit as sound
from tests.rules.audit import judge

PICTURES = import_module("taxcheck_reports.pictures").PICTURES
often = settings(max_examples=2 * settings.default.max_examples, deadline=None)


def title(picture: str, judged: RuleResult, **measured: Any) -> str:
    """The picture's title in a report with this one result."""
    drawn = picture_of(picture, judged, **measured)
    return "" if drawn is None else drawn.title


def picture_of(picture: str, judged: RuleResult, **measured: Any) -> Any:
    values = {"embeddings": sound.embedding(), **measured}
    report = replace(healthy(), results=(judged,), audit=draw_audit(**values))
    return PICTURES[picture](report)


def numbers(text: str) -> list[str]:
    return re.findall(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", text)


losses = st.one_of(
    st.floats(0, 1e6),
    st.floats(-1, 5),
    st.sampled_from([math.nan, math.inf, 1.0, 1.0001, 0.0]),
)
records = st.lists(
    st.fixed_dictionaries(
        {"loss": losses},
        optional={
            "refining": st.sampled_from([0.0, 1.0]),
            "norm_p90": st.one_of(st.floats(0, 1), st.just(0.99999)),
            "norm_max": st.floats(0, 1),
            "nan_steps": st.sampled_from([0.0, 1.0, 3.0]),
        },
    ),
    max_size=40,
)


@often
@given(records, st.floats(0, 1), st.floats(0, 1))
@example([{"loss": v} for v in (4.0, 4.1, 4.0, 3.8, 3.5, 3.7, 3.8, 3.9)], 0.1, 0.01)  # both at once
@example([{"loss": 1.0, "refining": float(k > 9)} for k in range(20)], 0.1, 0.05)
def test_the_curve_and_its_rule_see_the_same_signs_with_the_same_numbers(history, drop, rise):
    record = sound.training(history=tuple({"epoch": float(k), **r} for k, r in enumerate(history)))
    judged = judge("TRAIN009", {"drop": drop, "rise": rise}, training=record)
    said = title("training_curve", judged, training=record)
    assume(judged.judged and said)
    signs = [sample.values["sign"] for sample in judged.samples]
    shown = said.split("; ")
    if not any(sign.startswith("the loss") for sign in signs):
        course = shown.pop(0)  # nothing is wrong with the loss itself
        assert "stands still" not in course
        assert "rises" not in course
        if judged.outcome == "pass" and course.startswith("The loss"):
            assert numbers(course)[:2] == numbers(judged.message)[:2]
    assert [part.lower() for part in shown] == [sign.lower() for sign in signs]
    assert judged.count == len(signs)


@often
@given(st.lists(st.floats(-30, 30), min_size=1, max_size=60), st.floats(0.1, 20))
@example([6.0] * 5 + [-6.0] * 5 + [6.000001], 6.0)
def test_the_clades_beyond_the_threshold_are_as_many_in_the_picture_as_in_its_rule(z, threshold):
    clades = tuple(sound.clade(f"clade {k}", z=value, idx=k) for k, value in enumerate(z))
    found = sound.scores(clades=clades)
    judged = judge("HIER005", {"z": threshold}, scores=found)
    said = title("clade_spread", judged, scores=found)
    if len(z) < 10:
        assert judged.outcome == "skipped"
        assert "not judged" in said
    elif judged.outcome == "pass":
        assert said.startswith(f"All {len(z)} clades")
    else:
        seen = judged.observed
        assert f"{seen['scattered']} of {seen['clades']} clades" in said
        assert f"predict, {seen['tight']} tighter" in said


@often
@given(
    st.lists(st.one_of(st.floats(0, 0.99999), st.floats(0.85, 0.95)), min_size=1, max_size=60),
    st.integers(0, 20),
)
@example([0.9, math.nextafter(0.9, 1), 0.5], 0)
def test_the_norms_above_0_9_and_at_the_clip_are_the_rules(norms, cut):
    at_clip = min(cut, len(norms))
    counts, edges = np.histogram(norms, bins=10, range=(0, 1))
    bins = tuple(zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True))
    table = sound.embedding(norms, at_clip=at_clip, radius_histogram=bins)
    judged = judge("EMB004", embedding=table)
    above = percent(judged.observed["share above 0.9"])
    assert f"{above} above 0.9" in judged.message
    picture = picture_of("row_radii", judged, embeddings=table)
    over = sum(n > 0.9 for n in norms)
    said = f"{over} of {judged.total} rows ({above}) have a norm above 0.9"
    assert [note for note in picture.notes if note.startswith(said)] or not over
    cut_rows = judged.observed["rows cut by the clip"]
    share = percent(cut_rows / judged.total)
    cut = f"{cut_rows} of {judged.total} rows ({share}) stand at the clip"
    assert picture.title.startswith(cut if cut_rows else "Four fifths of the rows lie at radii of")
