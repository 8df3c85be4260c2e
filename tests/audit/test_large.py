"""What is said of a large table, whose nulls are ranked for fewer of the sources."""

from __future__ import annotations

import re

import numpy as np
import pytest

from taxcheck.audit import scores
from tests.audit.tables import audited, directions, subtree


@pytest.fixture
def small(tmp_path):
    tree = subtree(tmp_path, 120)
    rng = np.random.default_rng(0)
    np.save(tmp_path / "table.npy", directions(tree.n, 3, rng) * 0.9 * rng.random((tree.n, 1)))
    page = ("--html", tmp_path / "report.html")
    return "--embeddings", tmp_path / "table.npy", "--geometry", "ball", *tree.data, *page


def quality(folder, *arguments):
    return audited(folder, *arguments)[1]["statistics"]["embeddings"]["quality"]


def ranked(found):
    return [found["map"], found["mean_rank"], *found["hits"].values()]


@pytest.mark.long
def test_json_and_page_say_on_how_many_sources_the_nulls_were_ranked(small, tmp_path, monkeypatch):
    whole = quality(tmp_path, *small)
    assert all(score["compared_sources"] == score["sources"] for score in ranked(whole))
    page = (tmp_path / "report.html").read_text()
    assert "hollow marks:" not in page

    monkeypatch.setattr(scores, "LARGE", 50)
    monkeypatch.setattr(scores, "FEWER", 25)
    fewer = quality(tmp_path, *small)
    for score, full in zip(ranked(fewer), ranked(whole), strict=True):
        assert (score["sources"], score["compared_sources"]) == (full["sources"], 25)
        assert score["value"] == pytest.approx(full["value"]), "all sources are scored as before"
        assert "on 25 of the sources" in score["protocol"]
    for score in fewer["parent_hits"].values():
        assert score["sources"] == score["compared_sources"] == 25
    assert fewer["siblings"]["compared_sources"] == fewer["siblings"]["sources"]
    page = (tmp_path / "report.html").read_text()
    # MAP, hits at 1, 5 and 10, and the mean rank; each at two widths.
    assert len(re.findall(r"nulls and hollow marks: 25 of these</text>", page)) == 2 * 5
    assert "trained rows alone on 25 of the sources" in page
