from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console
from rich.text import Text
from taxcheck_reports.lines import Line, printed
from taxcheck_reports.text import one_line

from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports.audit import BEYOND, audited_incident, lost
from tests.reports.incident import advised, incident
from tests.reports.sample import REPORTS
from tests.reports.sound import nothing

LINES = 25


def render(name: str, **options) -> str:
    return load_renderers()["terminal"](REPORTS[name](), RenderOptions(**options))


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_first_screen_fits_and_is_plain(name, width):
    text = render(name, width=width)
    lines = text.splitlines()
    assert len(lines) <= LINES
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    command = [line for line in lines if "taxcheck run" in line]
    assert all(len(line) <= width for line in lines if line not in command)


def test_the_incident_reads_as_causes_with_consequences():
    lines = render("incident", width=120).splitlines()
    assert lines[0].startswith(f"taxcheck {incident().version} · incident · 2026-11-22 · 1.6 s")
    assert lines[0].endswith(" FAIL")
    assert len(lines[0]) == 119
    assert lines[1] == "28,610 of 110,478 nodes (25.9 %) will never be trained."
    assert lines[2].startswith("Idx values were used as the set of valid taxids")
    named = re.findall(r"^(?:  └ )?([×!]) (\S+) ", "\n".join(lines), re.MULTILINE)
    assert named == [
        ("×", "index_range_as_taxids"), ("×", "PAIR003"), ("×", "TREE007"),
        ("×", "PAIR004"), ("!", "TREE005"), ("!", "PAIR009"),
    ]  # fmt: skip
    action = next(at for at, line in enumerate(lines) if line.startswith("Do this:"))
    assert lines[action].startswith("Do this:  Read the mapping with pd.read_csv(path, ")
    passed, skipped = map(incident().count, (Outcome.PASS, Outcome.SKIPPED))
    left = " ".join(lines[action + 1 :])
    assert f"{passed} rules passed: MAP001" in left
    assert f"rules run, {skipped} skipped (no taxonomy given" in left


def test_a_long_command_still_runs_when_it_is_copied():
    command = (
        "taxcheck run --mapping mapping.tsv --pairs pairs.parquet --taxonomy taxdump/ "
        "--failures out/"
    )
    text = load_renderers()["terminal"](advised(command), RenderOptions(width=60))
    block = text[text.index("taxcheck run") : text.index("Worth knowing")]
    assert " ".join(block.replace("\\\n", " ").split()) == command


def test_colour_is_added_only_on_request_and_changes_no_word():
    colored = render("incident", color=True)
    assert "\x1b[1;31m" in colored
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.splitlines()] == render("incident").splitlines()


def test_the_verdict_brings_its_own_ground():
    # whether the terminal is dark or light: white on red, black on yellow, black on green
    assert "\x1b[1;97;41m FAIL \x1b[0m" in render("incident", color=True)
    assert "\x1b[1;30;43m WARN \x1b[0m" in render("warned", color=True)
    assert "\x1b[1;30;42m PASS \x1b[0m" in render("healthy", color=True)


@pytest.mark.parametrize("width", [40, 80, 100])
def test_with_every_rule_failing_the_screen_still_says_what_to_do(width):
    lines = render("worst", width=width).splitlines()
    assert len(lines) == LINES
    assert lines[0].endswith(" FAIL")
    assert any(line.startswith("Do this:  Change this: pairs =") for line in lines)
    assert any("more findings; -v lists all" in line for line in lines)
    assert "Checked: " in "\n".join(lines)


def test_outcomes_are_told_without_colour():
    assert re.search(r"^! PAIR009 ", render("warned"), re.MULTILINE)
    assert re.search(r"^i PAIR009 ", render("healthy"), re.MULTILINE)
    assert re.search(r"^E PAIR006 ", render("broken"), re.MULTILINE)


def test_code_is_marked_for_the_page_alone():
    assert "`" not in render("warned", verbose=True)
    assert 'and declare [dataset] sampler = "balanced"' in render("warned")


def test_verbose_lists_every_rule_once():
    text = render("incident", verbose=True)
    listed = re.findall(r"^(?:FAIL|WARN|INFO|PASS|SKIPPED) +([A-Z]+\d+) ", text, re.MULTILINE)
    assert len(listed) == len(set(listed)) == len(incident().results)


def test_nothing_evaluated_says_why():
    text = render("nothing")
    assert "SKIPPED" in text
    reasons = Counter(r.reason for r in nothing().results)
    assert set(reasons) == {f"no {part} given" for part in ("pairs", "mapping", "taxonomy")}
    for reason, rules in reasons.items():
        assert f"{rules} rules skipped: {reason}" in text


def test_rows_without_training_by_explanation_and_evidence_where_the_table_fits():
    never = sum(lost())
    beyond, holes, every = str(BEYOND), str(never - BEYOND), str(never)
    few = tuple(r for r in audited_incident().results if r.id in ("PAIR003", "EMB006"))
    short = replace(audited_incident(), results=few)
    lines = load_renderers()["terminal"](short, RenderOptions(width=120)).splitlines()
    at = next(n for n, line in enumerate(lines) if "how it is known" in line)
    assert [re.split(r" {2,}", line.strip()) for line in lines[at : at + 4]] == [
        [
            "never trained: why, and how it is known",
            "no row in the table",
            "recorded updates",
            "all",
        ],
        ["beyond the table", beyond, "-", beyond],
        ["in no pair", "-", holes, holes],
        ["all", beyond, holes, every],
    ]
    assert len({len(line) for line in lines[at : at + 4]}) == 1, "columns line up"
    assert not any("how it is known" in line for line in render("audited incident").splitlines())
    assert "how it is known" in render("audited incident", verbose=True)
    assert "how it is known" not in render("audited healthy", width=120, verbose=True)


STYLES = st.sampled_from(["", "bold", "bold red", "cyan", "bold black on green", "default"])
PARTS = st.lists(st.tuples(st.text(max_size=12).map(one_line), STYLES), min_size=1, max_size=4)


@given(st.lists(PARTS, max_size=4))
@example([[("a\x07\x0b c  ", "bold"), ("\x1b[31m d\x85e\r", "")], [("", "")]])
def test_plain_lines_are_what_rich_prints_without_colour(lines: list[list[tuple[str, str]]]):
    console = Console(
        file=io.StringIO(), width=60, force_terminal=False, color_system=None, no_color=True,
        highlight=False, markup=False, emoji=False, legacy_windows=False, soft_wrap=True,
    )  # fmt: skip
    ours = []
    with console.capture() as captured:
        for (first, style), *rest in lines:
            line, text = Line(first, style), Text(first, style)
            for more, look in rest:
                line.append(more, look)
                text.append(more, look)
            ours.append(line)
            console.print(text, soft_wrap=True)
    theirs = "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"
    assert printed(ours, 60, color=False) == theirs


def test_coloured_lines_have_the_styles_of_their_parts():
    line = Line("a\x07b", "bold").append("cd", "red")
    line.stylize("green", 0, 1)
    line = Line("> ").append_line(line)
    assert (
        printed([line], 60, color=True)
        == "> \x1b[1;32ma\x1b[0m\x1b[1mb\x1b[0m\x1b[1;31mcd\x1b[0m\n"
    )
