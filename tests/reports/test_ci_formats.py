"""The reports for a CI: valid by their own schemas, of one mind with the exit code, and inert."""

from __future__ import annotations

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import junitparser
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from msgspec.structs import replace

from taxcheck.model.finding import Outcome
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports.incident import incident
from tests.reports.sample import REPORTS
from tests.reports.sound import healthy
from tests.reports.standing import STANDING, expired, known, named, waived

SCHEMAS = Path(__file__).with_name("schemas")
ALL = {**REPORTS, **STANDING}
EXTRA = {"strict": lambda: replace(REPORTS["warned"](), fail_on=Outcome.WARN)}
EVERY = pytest.mark.parametrize("name", [*ALL, *EXTRA])
SARIF = Draft202012Validator(json.loads((SCHEMAS / "sarif-2.1.0.json").read_text("utf-8")))
JUNIT = etree.XMLSchema(etree.parse(SCHEMAS / "junit-10.xsd"))

# What has meaning in one of the formats, and any text beside it.
PIECES = st.sampled_from(
    ["<script>alert(1)</script>", "]]>", "\n", "\r", "\x00", "\x1b[31m", "\u202e", "\ud800", "|",
     "`", "``", "```", "@octocat", "#1", "::error::x", "%0A", "--", "-->", "</details>", "&lt;",
     "![x](//h)", "[x](y)", "**", "_", "\\", "$x$", "www.h.org", "https://h.org", ":tada:",
     "\ufffe", "\u2028", "{0}", "##[error]x", " ", "~~", "<!--", "\n\n# x\n", "\n- x", "a@b.org",
     "'", '"']
)  # fmt: skip
NAMES = st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join)


def report(name):
    return {**ALL, **EXTRA}[name]()


def render(name, value, **options):
    return load_renderers()[name](value, RenderOptions(**options))


def sarif(value):
    content = json.loads(render("sarif", value))
    errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in SARIF.iter_errors(content)]
    assert not errors, errors[:3]
    return content["runs"][0]


def junit(value):
    """The suite as junitparser reads it; the schema and libxml2 have accepted the bytes."""
    data = render("junit", value).encode("utf-8")
    JUNIT.assertValid(etree.fromstring(data))
    (suite,) = junitparser.JUnitXml.fromstring(data)
    return suite


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("form", ["github", "junit", "markdown", "sarif"])
def test_the_same_report_gives_the_same_bytes(name, form):
    text = render(form, report(name))
    assert text == render(form, report(name), color=True, width=60)
    assert text.encode("utf-8").endswith(b"\n")


@EVERY
def test_junit_fails_where_the_run_does(name):
    value = report(name)
    suite = junit(value)
    assert bool(suite.failures + suite.errors) == bool(value.exit_code)
    cases = list(suite)
    assert (suite.tests, suite.skipped) == (len(cases), sum(c.is_skipped for c in cases))
    assert suite.errors == value.count(Outcome.ERROR)
    assert suite.skipped == value.count(Outcome.SKIPPED) + value.count(Outcome.WAIVED)
    assert suite.tests >= len(value.results)


def test_junit_tells_what_became_of_each_rule():
    cases = {case.name.split()[0]: case for case in junit(incident())}
    (failure,) = cases["PAIR003"].result
    assert failure.message.startswith("28,610 of 110,478 nodes (25.9 %) are in no pair")
    assert "Explained by index_range_as_taxids." in failure.text
    (skipped,) = cases["MAP006"].result
    assert skipped.message == "no taxonomy given"
    assert cases["PAIR003"].classname == "taxcheck.PAIR"
    (skipped,) = next(c for c in junit(waived()) if c.name.startswith("PAIR003")).result
    assert skipped.message.startswith("waived: by data team until 2027-01-31: next rebuild.")


def test_junit_has_a_case_for_what_fails_beside_the_rules():
    failed = [case.name for case in junit(expired()) if not case.is_passed and not case.is_skipped]
    assert failed == ["PAIR003 expired"]


def test_junit_names_the_inputs():
    properties = {p.name: p.value for p in junit(incident()).properties()}
    assert properties["input mapping"].startswith("data/mapping.tsv blake3:")
    assert properties["command"] == " ".join(incident().command.split())


def test_a_reproducible_report_has_no_clock_in_any_format():
    later = replace(healthy(), created="2031-01-01T00:00:00+00:00")
    for form in ("github", "junit", "markdown", "sarif"):
        assert render(form, healthy()) == render(form, later)


@EVERY
def test_sarif_is_of_one_mind_with_the_report(name):
    value = report(name)
    run = sarif(value)
    levels = [r["level"] for r in run["results"] if "suppressions" not in r]
    assert levels.count("error") == value.count(Outcome.FAIL)
    assert levels.count("warning") == value.count(Outcome.WARN)
    assert len(run["results"]) - len(levels) == value.count(Outcome.WAIVED)
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == value.exit_code
    assert invocation["executionSuccessful"] == (value.exit_code in (0, 1))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[r["ruleIndex"]] == r["ruleId"] for r in run["results"])
    told = [n["message"]["text"] for n in invocation["toolConfigurationNotifications"]]
    assert sum(text.startswith("skipped: ") for text in told) == value.count(Outcome.SKIPPED)


def test_a_result_points_to_lines_of_text_and_to_rows_of_what_has_none():
    (result,) = sarif(named("Homo sapiens"))["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "data/m.tsv", "index": 0},
        "region": {"startLine": 3},
    }
    value = named("x")
    packed = replace(value, inputs=(replace(value.inputs[0], format="tsv, gzip"),))
    (location,) = sarif(packed)["results"][0]["locations"]
    assert "region" not in location["physicalLocation"]
    assert location["logicalLocations"] == [{"name": "row 3", "kind": "row"}]


def test_a_file_elsewhere_has_an_absolute_address():
    value = named("x")
    for path, expected in (
        ("../m ü.tsv", (Path.cwd().parent / "m ü.tsv").as_uri()),
        ("/data/m.tsv", "file:///data/m.tsv"),
        (str(Path.cwd() / "m.tsv"), "m.tsv"),
        ("a:b.tsv", "a%3Ab.tsv"),
    ):
        moved = replace(value, inputs=(replace(value.inputs[0], path=path),))
        assert sarif(moved)["artifacts"][0]["location"]["uri"] == expected


def test_fingerprints_do_not_know_the_order_of_rows():
    def prints(value):
        return [r["partialFingerprints"] for r in sarif(value)["results"]]

    turned = tuple(
        replace(r, samples=r.samples[::-1], count=5) if r.judged else r for r in incident().results
    )
    found = prints(incident())
    assert prints(replace(incident(), results=turned)) == found
    assert len({p["primaryLocationLineHash"] for p in found}) == len(found)


def test_a_waived_finding_is_suppressed_and_a_known_one_unchanged():
    results = {r["ruleId"]: r for r in sarif(waived())["results"]}
    (suppression,) = results["PAIR003"]["suppressions"]
    assert suppression["justification"] == "data team, until 2027-01-31: next rebuild"
    assert {r["baselineState"] for r in sarif(known())["results"]} == {"unchanged"}


ANNOTATION = re.compile(r"::(error|warning|notice) title=([^:,\r\n]+)((?:,\w+=[^:,]*)*)::(.*)")


def annotations(value):
    lines = render("github", value).split("\n")
    assert lines.pop() == ""
    assert all(ANNOTATION.fullmatch(line) for line in lines)
    return [ANNOTATION.fullmatch(line).groups() for line in lines]


@EVERY
def test_annotations_keep_within_what_a_step_may_have(name):
    value = report(name)
    found = annotations(value)
    kinds = [kind for kind, *_ in found]
    assert all(kinds.count(kind) <= 10 for kind in kinds)
    assert ("error" in kinds) == bool(value.exit_code)


def test_annotations_begin_with_the_cause_and_count_the_rest():
    found = annotations(incident())
    assert found[0][1] == "taxcheck%3A FAIL"
    assert found[0][3].startswith("28,610 of 110,478 nodes (25.9 %25) will never be trained.")
    assert found[1][1].startswith("PAIR003")
    crowd = [a for a in annotations(REPORTS["crowded"]()) if a[0] == "error"]
    assert len(crowd) == 10
    assert crowd[9][1] == "taxcheck%3A 22 more errors"  # 30 findings and the verdict, 9 shown


def test_an_annotation_stands_in_its_line():
    assert annotations(named("x"))[1][2] == ",file=data/m.tsv,line=3"


class Tags(HTMLParser):
    """The elements and the attributes of a page, and what stands in its text beside code."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.prose, self.inside = [], set(), "", 0

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {key for key, _ in attrs}
        self.inside += tag in ("code", "pre")

    def handle_endtag(self, tag):
        self.inside -= tag in ("code", "pre")

    def handle_data(self, data):
        self.prose += "" if self.inside else data


def page(text):
    """As GitHub's own parser reads it, raw HTML included."""
    tags = Tags()
    tags.feed(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))
    return tags


@EVERY
def test_a_comment_holds_the_page(name):
    text = render("markdown", report(name))
    assert len(text) < 65_536
    assert report(name).verdict.value.upper() in text
    found = page(text)
    assert found.tags.count("details") == text.count("<details>")
    assert not set(found.tags) & {"script", "img", "a"}
    assert "How to reproduce" in text


def test_the_page_folds_what_a_cause_explains():
    text = render("markdown", incident())
    cause = text.split("### Causes")[1].split("### Findings")[0]
    assert "PAIR003" in cause.split("<details>")[1]
    rows = [line for line in text.splitlines() if line.startswith("| ❌ fail")]
    assert len(rows) == incident().count(Outcome.FAIL)
    assert "28,610 | 110,478 | 25.9 %" in text


@cache
def harmless():
    return page(render("markdown", named("Homo sapiens")))


@pytest.mark.long
@given(NAMES)
def test_a_name_cannot_leave_its_place_on_the_page(name):
    """The elements are those of a harmless name, and nothing in the prose is found by GitHub."""
    found, plain = page(render("markdown", named(name))), harmless()
    kinds = set(plain.tags) | {"code"}
    assert set(found.tags) <= kinds
    for tag in ("details", "table", "tr", "td", "th", "h2", "h3", "li", "pre", "ul"):
        assert found.tags.count(tag) == plain.tags.count(tag), tag
    assert found.attributes <= plain.attributes
    assert not re.search(r"@\w|#\d|://\w|www\.|:tada:", found.prose)


@pytest.mark.long
@given(NAMES)
def test_a_name_cannot_leave_its_place_for_machines(name):
    value = named(name)
    suite, run = junit(value), sarif(value)
    assert (suite.tests, suite.failures, len(run["results"])) == (1, 1, 1)
    assert [kind for kind, *_ in annotations(value)] == ["error", "error"]


@pytest.mark.parametrize("form", ["github", "junit", "markdown", "sarif"])
@pytest.mark.parametrize("mark", ["\x1b", "\x00", "\u202e"])
def test_nothing_repaints_a_terminal_or_turns_a_line(form, mark):
    text = render(form, named(f"a{mark}b"))
    assert mark not in text
    assert json.dumps(mark)[1:-1] not in text
