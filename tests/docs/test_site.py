"""The pages hang together: links, navigation, and the whole site as MkDocs builds it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.made import places

DOCS = Path("docs")
WRITTEN = sorted(DOCS.rglob("*.md"))


def named(entry: object) -> list[str]:
    """The pages of a navigation, in order."""
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in named(part)]


def test_links_between_pages_lead_somewhere():
    for page in (*Path().glob("*.md"), *WRITTEN):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            there = (page.parent / target).resolve()
            made = there.is_relative_to(DOCS.resolve()) and (
                there.relative_to(DOCS.resolve()).as_posix() in places()
            )
            assert made or there.exists(), f"{page}: {target}"


def test_every_page_is_in_the_navigation():
    entries = named(yaml.safe_load(Path("mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    written = [entry for entry in entries if not entry.startswith("@")]
    single = {place for place in places() if place.count("/") <= 1}
    assert sorted(written) == sorted({str(p.relative_to(DOCS)) for p in WRITTEN} | single)


def test_nothing_names_a_machine():
    places = re.compile(r"/(?:work|tmp|root|home)/(?!\.)|localhost:\d")
    for page in (*Path().glob("*.md"), *WRITTEN, *Path("rules").glob("*.py")):
        assert not places.search(page.read_text(encoding="utf-8")), page


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    for place in places():
        assert (tmp_path / place).with_suffix(".html").exists(), place
    page = (tmp_path / "reference/rules/PAIR014.html").read_text(encoding="utf-8")
    words = " ".join(re.sub(r"<[^>]*>", "", page).split())  # of the terminal's lines too
    assert "PAIR014 index_range_as_taxids idx values were used as the set of valid taxids" in words
    outside = re.compile(r'<(?:link|script|img)[^>]+(?:href|src)="?https?://')
    for file in tmp_path.rglob("*.html"):
        assert not outside.search(file.read_text(encoding="utf-8")), f"{file} loads from elsewhere"
