from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from taxcheck.model.finding import Outcome
from taxcheck.model.pictures import Bar, Draws, Pictures
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports.extreme import crowded
from tests.reports.incident import advised, incident
from tests.reports.sample import REPORTS
from tests.reports.sound import healthy

pytestmark = pytest.mark.long

VOID = {"meta", "link", "br", "img", "input", "hr", "col"}


class Page(HTMLParser):
    """Elements with their attributes, and the text of the page outside script and style."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [attrs[name] for _, attrs in self.elements if name in attrs]


@cache
def render(name: str) -> str:
    return load_renderers()["html"](REPORTS[name](), RenderOptions())


@pytest.mark.parametrize("name", REPORTS)
def test_page_is_one_well_formed_file_under_one_megabyte(name):
    html = render(name)
    page = Page(html)
    assert not page.open
    assert len(html.encode()) < 1_000_000
    assert html == load_renderers()["html"](REPORTS[name](), RenderOptions())
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not page.values("src")
    assert "url(" not in html
    assert "@import" not in html


@pytest.mark.parametrize("name", REPORTS)
def test_every_link_has_its_target(name):
    page = Page(render(name))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for tag, attrs in page.elements:
        for key in ("href", "aria-labelledby"):
            for target in attrs.get(key, "").split():
                if key == "href" and tag == "a" and not target.startswith("#"):
                    assert target.startswith(("https://", "http://"))
                else:
                    assert target.removeprefix("#") in ids


def test_hostile_text_is_inert_everywhere():
    html = render("hostile")
    page = Page(html)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not [key for _, attrs in page.elements for key in attrs if key.startswith("on")]
    assert "<script>alert" not in html
    assert "<script>alert(1)</script>" in "".join(page.text)
    assert "{{ 7*7 }}" in "".join(page.text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", html)


def test_first_screen_answers_its_four_questions_in_order():
    text = " ".join(" ".join(Page(render("incident")).text).split())
    ran = sum(r.judged for r in incident().results)
    skipped = len(incident().results) - ran
    said = [
        "FAIL",
        "28,610 of 110,478 nodes (25.9 %) will never be trained.",
        "Idx values were used as the set of valid taxids",
        "index_range_as_taxids",
        "PAIR003",
        "TREE007",
        "PAIR004",
        "TREE005",
        "PAIR009",
        "Read the mapping with pd.read_csv(",
        "Checked:",
        f"110,478 rows, pairs.parquet 975,413 rows; {ran} rules run, {skipped} skipped",
        "21,870 (19.8 %)",
    ]
    start = text.index("1.6 s")
    for part in said:
        start = text.index(part, start)


def test_every_picture_has_a_text_alternative_at_both_widths():
    html = render("incident")
    drawings = re.findall(r'<svg class="drawing (\w+)".*?</svg>', html, re.DOTALL)
    assert drawings.count("wide") == drawings.count("narrow") == 6
    for svg in re.findall(r'<svg class="drawing.*?</svg>', html, re.DOTALL):
        assert 'role="img"' in svg
        assert re.search(r"<title id=.+?>.{20,}</title>", svg)
        assert re.search(r"<desc id=.+?>.{20,}</desc>", svg)


def test_a_picture_is_drawn_once_and_referred_to_where_it_also_belongs():
    html = render("incident")
    assert html.count("Drawn above") == 3
    for anchor in ("data-taxid-axis", "data-roles", "data-id-axis"):
        assert html.count(f'<a href="#{anchor}">Drawn above</a>') == 1
        assert html.count(f'id="{anchor}"') == 1


def test_depths_are_drawn_with_the_data_where_no_rule_tells_of_them():
    report = incident()
    quiet = tuple(r for r in report.results if r.id != "PAIR009")
    page = load_renderers()["html"](replace(report, results=quiet), RenderOptions())
    assert 'id="data-depths"' in page
    assert 'id="data-draws"' in page


def test_the_draws_of_each_sampler_are_told_and_the_declared_one_is_marked():
    html = render("incident")
    assert "uniform over pairs: depth 1 6.1 %, depth 2 to 5 20.0 %, deeper than 5 74.0 %" in html
    assert "balanced over depths: depth 1 2.7 %, depth 2 to 5 10.8 %, deeper than 5 86.5 %" in html
    assert "(declared)" not in html
    report = incident()
    drawn = report.pictures.draws
    declared = (replace(drawn[0], declared=True), *drawn[1:])
    pictures = replace(report.pictures, draws=declared)
    page = load_renderers()["html"](replace(report, pictures=pictures), RenderOptions())
    assert "uniform over pairs (declared)" in page


def test_a_long_sample_folds_after_five_rows_in_the_same_table():
    html = render("crowded")
    sample = html[html.index('<div class="sample">') :]
    sample = sample[: sample.index("</table>")]
    assert "<summary>15 more rows</summary>" in sample
    assert sample.count("<tr>") == 1 + 5
    assert sample.count('<tr class="folded">') == 15
    four = tuple(replace(r, samples=r.samples[:4]) for r in incident().results)
    page = load_renderers()["html"](replace(incident(), results=four), RenderOptions())
    assert '"more-rows"' not in page.split("</style>")[1].split("<script>")[0], (
        "four rows are not worth a fold"
    )


def test_what_a_cause_explains_is_told_shortly_and_unfolds():
    one = tuple(
        replace(r, caused_by=("TREE007",)) if r.id == "TREE005" else r for r in incident().results
    )
    html = load_renderers()["html"](replace(incident(), results=one), RenderOptions())
    sections = {s[: s.index('"')]: s for s in html.split('" id="rule-')[1:]}
    lead = sections["index-range-as-taxids"]
    assert lead.index("Why it matters") < lead.index("</article>")
    assert "<details" not in lead[: lead.index("Why it matters")]
    assert sections["PAIR009"].index("<details") < sections["PAIR009"].index("Why it matters")
    assert "repair those first" in sections["PAIR009"]
    assert "repair that first" in sections["TREE005"]


def test_code_of_a_fix_is_set_as_code_and_is_copied():
    html = render("warned")
    assert "and declare <code>[dataset] sampler = &#34;balanced&#34;</code>" in html
    typed = re.sub(r"</?span[^>]*>", "", render("incident"))
    fix = "taxcheck fix --mapping data/mapping.tsv --pairs data/pairs.parquet --taxonomy taxdump/"
    assert "or have <code>taxcheck fix</code> build them, and idx stay" in typed
    assert f'<pre><code>{fix} --out fixed/</code></pre><button type="button" class="copy"' in typed
    page = load_renderers()["html"](advised("taxcheck fix --out fixed/"), RenderOptions())
    copied = ['aria-label="Copy the fix"', 'aria-label="Copy the fix of PAIR014"']
    assert [page.count(button) for button in copied] == [1, 2], "one is its document's"


def test_a_pass_says_how_much_was_not_judged():
    passed, skipped, noted = map(healthy().count, (Outcome.PASS, Outcome.SKIPPED, Outcome.INFO))
    said = f"{passed} rules passed, {skipped} skipped, {noted} observations worth knowing."
    assert said in render("healthy")


def test_the_depth_picture_states_its_finding():
    html = render("incident")
    assert "721,349 of 975,413 pairs (74.0 %) are deeper than 5" in html
    assert "depth 1: 59,191 pairs (6.1 %)" in html
    assert "depth 2 to 5: 194,873 pairs (20.0 %)" in html


def test_a_sound_mapping_shows_no_cut():
    assert "taxid-axis" in render("incident")
    assert "taxid-axis" not in render("healthy")


def test_nothing_is_hidden_but_what_needs_a_script():
    page = Page(render("incident"))
    hidden = [attrs.get("class") for _, attrs in page.elements if "hidden" in attrs]
    assert set(hidden) == {"chips", "copy", "search"}


def test_samples_are_cut_only_where_the_page_would_grow_too_large():
    assert "Samples and texts are shortened" not in render("crowded")
    assert "Samples and texts are shortened" in render("hostile")
    assert render("crowded").count("<td") > sum(
        len(result.samples) * 8 for result in crowded().results
    )


def test_reproduction_is_told_with_what_differs_from_the_defaults_first():
    html = render("healthy")
    assert html.index("differs from the defaults in 2 settings") < html.index("Thresholds in force")
    assert "rules.PAIR009.deep_share" in html
    assert healthy().inputs[0].fingerprint in html


def test_one_node_one_row_and_one_depth():
    report = incident()
    roles = (Bar("both roles", 1), Bar("only descendant", 1), Bar("only ancestor", 1))
    pictures = Pictures(
        roles=(*roles, Bar("in no pair", 1)),
        depths=((1, 2),),
        draws=(Draws("uniform over pairs", (1.0, 0.0, 0.0)),),
        id_axis=((1.0, 0.0, 0.0),) * 3 + ((0.0, 1.0, 0.0),),
        table_size=3,
        n_nodes=4,
    )
    page = load_renderers()["html"](replace(report, pictures=pictures), RenderOptions())
    assert "1 of 4 mapped nodes (25.0\u00a0%) is in no training pair" in page
    assert "lacks the last 1 row<" in page
    assert not re.search(r'id="[\w-]+-(depths|draws)"', page)
