"""Names that carry scripts stay names, in every place of every page.

A page with hostile names must have the very elements and attributes of one with plain names; in
Chromium nothing of them runs.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_renderers
from tests.reports import extreme
from tests.reports.chromium import NEEDS_CHROMIUM
from tests.reports.conftest import browser  # noqa: F401 - a fixture
from tests.trust import seeds
from tests.trust.cage import ROOT

pytestmark = pytest.mark.long

RUN = "window.CANARY=1;document.title='CANARY'"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</textarea></svg></math><script>{RUN}</script>",
    f"<img src=x onerror=\"{RUN}\">",
    f"\"><img src=x onerror={RUN}>",
    f"'><svg onload={RUN}>",
    f"\" onmouseover=\"{RUN}\" autofocus onfocus=\"{RUN}",
    f"' onclick='{RUN}' x='",
    f"` onmouseover=`{RUN}`",
    f"<svg><animate onbegin=\"{RUN}\" attributeName=x dur=1s>",
    f"<iframe srcdoc=\"<script>parent.{RUN}</script>\">",
    f"<a href=\"javascript:{RUN}\">x</a>",
    f"javascript:{RUN}//",
    f"data:text/html,<script>{RUN}</script>",
    f"<style>@import 'data:text/css,';</style><body onload=\"{RUN}\">",
    f"</text><script>{RUN}</script>",
    f"<!--<script>{RUN}</script>-->",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"\\\";{RUN};//",
    f"\\';{RUN};//",
    f"\u2028{RUN}\u2029",
    "{{ 7*7 }}{% raw %}${7*7}#{7*7}",
    f"&lt;script&gt;{RUN}&lt;/script&gt;&#60;script&#62;",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"<scr\0ipt>{RUN}</scr\0ipt>",
    f"<ScRiPt/x>{RUN}</sCrIpT >",
    f"url(javascript:{RUN}) expression({RUN}) }} body {{ background: red",
    f"__proto__\"]=1;{RUN}//",
)  # fmt: skip
PIECES = ("<", ">", '"', "'", "`", "&", "/", "\\", "=", " ", "script", "svg", "onload", "-->",
          "<!--", "]]>", "</", "\0", "\u2028", "{{", "}}", "{%", "javascript:", "x", "\ud800",
          "&#x3c;", "\u202e", "\n", "title", "style")  # fmt: skip


class Skeleton(HTMLParser):
    """Elements with the names of their attributes, and every link: all that a name must not add."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: Counter[tuple[str, ...]] = Counter()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts[(tag, *(key for key, _ in attrs))] += 1
        self.links += [value or "" for key, value in attrs if key in ("href", "src", "xlink:href")]


def page(name: str, monkeypatch: pytest.MonkeyPatch) -> Skeleton:
    """Whole: what is escaped is longer, and would leave room for fewer samples."""
    monkeypatch.setattr(extreme, "HOSTILE", name)
    monkeypatch.setattr("taxcheck_reports.html.MAX_BYTES", 1 << 30)
    return Skeleton(load_renderers()["html"](extreme.hostile(), RenderOptions()))


def stand_in(name: str) -> str:
    """As long a name, cut into words at the same places, of which nothing can be made."""
    return "".join(c if c.isspace() else "x" for c in name)


def same(hostile: Skeleton, plain: Skeleton, name: str) -> bool:
    """Whether the parts are equal; a backtick in a name can set words as code, and add no kind."""
    if "`" in name:
        return hostile.parts.keys() <= plain.parts.keys()
    return hostile.parts == plain.parts


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(PAYLOADS[1], id="script"),
        *(
            pytest.param(payload, marks=pytest.mark.slow, id=f"payload{k}")
            for k, payload in enumerate(PAYLOADS)
        ),
    ],
)
def test_no_element_is_added(payload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = page(payload, monkeypatch)
    plain = page(stand_in(payload), monkeypatch)
    assert same(hostile, plain, payload), hostile.parts - plain.parts
    assert not [link for link in hostile.links if ":" in link and not link.startswith("http")]


@pytest.mark.slow
@settings(max_examples=25)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_mixture_of_pieces_adds_one(name: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        hostile, plain = page(name, patched), page(stand_in(name), patched)
    assert same(hostile, plain, name), hostile.parts - plain.parts


def test_the_skeleton_sees_what_is_added() -> None:
    sound = Skeleton("<p>x</p>")
    for payload in PAYLOADS[:8]:
        assert Skeleton(f'<p>{payload}</p><a title="{payload}">').parts != sound.parts


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page by the commands, of a taxonomy whose taxa are called by the payloads."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("pages")
    (folder / "dump").mkdir()
    names = [" ".join(p.replace("\0", "").split()).replace("|", "") for p in PAYLOADS]
    count = 2 * len(names)
    parents = [0, *((k - 1) // 2 for k in range(1, count))]
    nodes = "".join(f"{k + 1}\t|\t{p + 1}\t|\tclass\t|\n" for k, p in enumerate(parents))
    called = "".join(
        f"{k + 1}\t|\t{names[k % len(names)]} {k}\t|\t\t|\tscientific name\t|\n"
        for k in range(count)
    )
    (folder / "dump" / "nodes.dmp").write_text(nodes)
    (folder / "dump" / "names.dmp").write_text(called)
    edges = pa.table({"ancestor": parents[1:], "descendant": range(1, count)})
    few = pa.table({"ancestor": [0, 5, 90], "descendant": [1, 2, 3]})
    (folder / "mapping.tsv").write_bytes(
        seeds._text(pa.table({"taxid": range(1, count + 1), "idx": range(count)}), "\t")
    )
    for name, table in (("pairs", edges), ("few", few)):
        (folder / f"{name}.tsv").write_bytes(seeds._text(table, "\t"))
    labels = [f"{name} {k}".replace("\t", " ") for k, name in enumerate(names * 2)]
    labelled = pa.table({"ancestor": [labels[p] for p in parents[1:]], "descendant": labels[1:]})
    pq.write_table(labelled, folder / "labelled.parquet")
    np.save(folder / "table.npy", np.random.default_rng(1).normal(size=(count, 2)) / 4)
    data = ["--mapping", "mapping.tsv", "--taxonomy", "dump", "--title", PAYLOADS[1]]
    audit = ["--embeddings", "table.npy", "--geometry", "ball", "--projection", "projection.html"]
    for arguments in (
        ["run", *data, "--pairs", "few.tsv", "--html", "report.html", "--json", "one.json"],
        ["run", *data, "--pairs", "pairs.tsv", *audit, "--html", "audit.html", "--json",
         "two.json"],
        ["run", "--pairs", "labelled.parquet", "--html", "labels.html"],
        ["compare", "one.json", "two.json", "--data", "--html", "compare.html"],
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "taxcheck.cli", *arguments], cwd=folder, capture_output=True,
            text=True, env={"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
    return {path.stem: path for path in folder.glob("*.html")}


@pytest.mark.browser
@NEEDS_CHROMIUM
@pytest.mark.slow
def test_nothing_runs_in_a_browser(browser, written: dict[str, Path]) -> None:  # type: ignore[no-untyped-def] # noqa: F811
    assert set(written) == {"report", "audit", "projection", "labels", "compare"}
    for name, path in written.items():
        assert "CANARY" in path.read_text(encoding="utf-8"), f"{name}: no payload is in it"
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(path.as_uri())
        for kind in ("mouseover", "click", "focus", "load", "error", "keydown"):
            browser.execute_script(
                "for (const e of document.querySelectorAll('*'))"
                f" e.dispatchEvent(new Event({kind!r}))"
            )
        ran = browser.execute_script("return [window.CANARY, document.title === 'CANARY']")
        assert ran == [None, False], name
        assert browser.execute_script(
            "return document.querySelectorAll('img, iframe, object, embed, base, link,"
            " animate, math, form').length"
        ) == 0, name  # fmt: skip
        handlers = browser.execute_script(
            "return [...document.querySelectorAll('*')].filter(e => [...e.attributes]"
            ".some(a => a.name.startsWith('on') || /^\\s*(javascript|data):/i.test(a.value) &&"
            " ['href', 'src', 'xlink:href'].includes(a.name))).length"
        )
        assert handlers == 0, name
        messages = [entry["message"] for entry in browser.get_log("performance")]
        sent = [m for m in messages if '"Network.requestWillBeSent"' in m]
        assert all(path.as_uri() in message for message in sent), name


@pytest.mark.browser
@NEEDS_CHROMIUM
@pytest.mark.slow
def test_the_canary_sings_where_a_name_is_not_escaped(browser, tmp_path: Path) -> None:  # type: ignore[no-untyped-def] # noqa: F811
    """The control: the same payloads, written as they are."""
    ran = 0
    for number, payload in enumerate(PAYLOADS):
        path = tmp_path / f"{number}.html"
        path.write_text(f'<!doctype html><body><p>{payload}</p><p title="{payload}">x</p>')
        browser.get(path.as_uri())
        ran += browser.execute_script("return window.CANARY === 1")
    assert ran >= 12
