"""Damaged, hostile and mistaken input: one line each, and nothing is left behind."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from taxcheck.cli.build import FORMATS as OFFERED
from taxcheck.commands.build.dataset import BuildRequest, build
from taxcheck.model.errors import TaxcheckError
from taxcheck.sources.readers import own
from tests.commands.build.conftest import taxdump
from tests.commands.build.test_sources import GTDB, OBO, STARS

TERM = "format-version: 1.2\n\n[Term]\nid: X:1\nname: a\n\n[Term]\nid: X:2\n"

BAD = {
    "a cycle": ("b\ta\nc\tb\na\tc\nd\ta\n", {}, "the parents form a cycle: "),
    "a cycle of two": ("child\tparent\nb\ta\na\tb\n", {}, "the parents form a cycle: "),
    "an empty cell": ("child\tparent\nb\ta\n\tc\n", {}, "1 rows name a parent and no"),
    "one column": ("b\na\n", {}, "only one column"),
    "no such column": ("x\ty\n1\t2\n", {"columns": "child=z,parent=y"}, "`columns`"),
    "a truncated parent": (TERM + "is_a: X:", {}, "truncated"),
    "a parent cut short": (TERM + "is_a: X:11", {}, "X:2 has the parent X:11, which is not"),
    "no parent": (TERM + "is_a: ! a\n", {}, "is_a names no parent"),
    "an open quote": (TERM + 'def: "some', {}, "the last line is cut off"),
    "half a tag": (TERM + "synon", {}, "'synon' is no 'tag: value'"),
    "half a stanza": (TERM + "\n[Ter", {}, "'[Ter' is no stanza"),
    "a term without id": (TERM + "\n[Term]\n", {}, "this [Term] has no id"),
    "an unknown relation": (OBO, {"relations": ("part_off",)}, "did you mean 'part_of'"),
    "an unknown namespace": (OBO, {"namespaces": ("anatomi",)}, "did you mean 'anatomy'"),
    "relations of a tree": ("(a,b)r;\n", {"relations": ("is_a",)}, "`relations` is for ontologies"),
    "columns of a tree": ("(a,b)r;\n", {"columns": "a,b"}, "`columns` is for tables"),
    "a tree without an end": ("((a,b)c,d\n", {}, "no ';' at the end"),
    "a tree that ends inside": ("((a,b)c,d;\n", {}, "line 1, character 10: the tree ends inside"),
    "a bracket too many": ("(a,b))r;\n", {}, "a ')' without its '('"),
    "an open comment": ("(a,b[x)r;\n", {}, "is never closed"),
    "an open label": ("(a,'b)r;\n", {}, "a quote may be open"),
    "two trees": ("(a,b)r;\n(c,d)s;\n", {}, "line 2, character 1: there is more after the ';'"),
    "a leaf without name": ("(a,,b)r;\n", {}, "a leaf without a label"),
    "a label twice": ("(a,a)r;\n", {}, "the label 'a' is there more than once"),
    "no JSON": ('{"graphs": [\n', {}, "is no whole JSON document"),
    "JSON of another kind": ('{"nodes": []}\n', {}, "nothing tells parent and child"),
    "JSON of a child and its parent": ('{"b": "a", "c": null}\n', {}, "to_entries[]"),
    "JSON of labels and parents": ('{"labels": ["a"], "parents": [""]}\n', {}, "as of plotly; jq"),
    "JSON of jsTree": ('{"core": {"data": [{"id": "a"}]}}\n', {}, "; jq .core.data FILE"),
    "symbols of patents": (
        "code,title\nA,x\nA01,x\nA01B,x\nA01B 1/00,x\nA01B 1/02,x\nA01B 3/00,x\n", {},
                           "in IPC and CPC the dots before"),
    "Krona's rows of one length": ("1\tA\tB\tC\n2\tA\tB\tD\n3\tA\tE\tF\n", {}, "as of Krona"),
    "cells with blanks of a fixed width": (
        "Canis lupus  Canis   genus\nCanis        Canidae family\nVulpes       Canidae family\n",
        {}, "to a fixed width; put one tab"),
    "a table of a page": ("Report, of today\n\n <table class='x'>\n<tr>\n", {}, "a table in HTML"),
    "an edge of nothing": ('{"graphs": [{"nodes": [{"lbl": 1}]}]}', {}, "a node or edge is not as"),
    "half of a character": (
        '{"graphs": [{"nodes": [{"id": "http://purl.obolibrary.org/obo/X_1", "lbl": "\\ud800",'
        ' "type": "CLASS"}]}]}', {}, "holds \\ud800, half of a character"),
    "a lineage cut short": (GTDB + "RS_1\td__Bacteria;p__Pseu;c__Gamma;x_", {}, "line 4 is no"),
    "a taxon in two places": (GTDB + "RS_1\td__Archaea;p__Pseudomonadota\n", {}, "one place"),
    "no ranks": ("a,b\n1,2\n", {"format": "lineage"}, "no two columns that are called like ranks"),
    "half a synset": ("00001740 03 n 01 entity 0 002 @ 0000\n", {}, "line 1 is no synset"),
    "a lost hypernym": ("00001740 03 n 01 x 0 001 @ 00000042 n 0000 | y\n", {}, "00000042"),
}  # fmt: skip


def refused(tmp_path, source, **options) -> str:
    """The one line; and nothing but the source is there afterwards."""
    before = set(tmp_path.iterdir())
    with pytest.raises(TaxcheckError) as caught:
        build(BuildRequest(source=str(source), out=tmp_path / "out", **options))
    assert set(tmp_path.iterdir()) == before
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("name", BAD)
def test_one_line(tmp_path, name):
    text, options, expected = BAD[name]
    (tmp_path / "source.txt").write_text(text)
    assert expected in refused(tmp_path, tmp_path / "source.txt", **options)


def test_what_is_not_there(tmp_path):
    assert "no such file" in refused(tmp_path, tmp_path / "nothing.obo")
    assert "holds no nodes.dmp" in refused(tmp_path, _folder(tmp_path / "empty"))


def test_files_of_a_dump_that_are_not_its_nodes(tmp_path):
    """As new_taxdump has them."""
    (ranked := tmp_path / "rankedlineage.dmp").write_text(
        "9606\t|\tHomo sapiens\t|\t\t|\tHomo\t|\tHominidae\t|\tPrimates\t|\n"
    )
    assert "is a file of an NCBI taxdump; give nodes.dmp of the same" in refused(tmp_path, ranked)
    (nodes := tmp_path / "my_nodes.txt").write_text("1\t|\t1\t|\tno rank\t|\t\t|\n")
    assert "is a file of an NCBI taxdump; call it nodes.dmp" in refused(tmp_path, nodes)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as packed:
        packed.writestr("taxa.csv", "a,b\n")
    assert "nothing tells child and parent" in refused(tmp_path, tmp_path / "d.zip")


def _folder(path):
    path.mkdir()
    return path


def test_text_that_is_not_utf8(tmp_path):
    (tmp_path / "o.obo").write_bytes(OBO.encode() + b"name: \xff\n")
    assert "is not UTF-8" in refused(tmp_path, tmp_path / "o.obo", format="obo")


@pytest.mark.parametrize("member", ["../nodes.dmp", "/etc/nodes.dmp", "a/../../nodes.dmp"])
def test_members_that_lead_out(tmp_path, member):
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as packed:
        packed.addfile(tarfile.TarInfo(member), io.BytesIO())
    assert "leads out of the archive" in refused(tmp_path, tmp_path / "d.tar.gz")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as packed:
        packed.writestr(member, "")
    assert "leads out of the archive" in refused(tmp_path, tmp_path / "d.zip")


def test_a_link_in_place_of_a_file(tmp_path):
    link = tarfile.TarInfo("nodes.dmp")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as packed:
        packed.addfile(link)
    assert "is no regular file" in refused(tmp_path, tmp_path / "d.tar.gz")


def test_archives_that_are_bombs(tmp_path, monkeypatch):
    from taxcheck.sources import packed

    monkeypatch.setattr(packed, "FREE_BYTES", 1 << 20)
    zeros = bytes(1 << 24)
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("nodes.dmp", zeros)
    assert "unpacks to more" in refused(tmp_path, tmp_path / "d.zip")
    info = tarfile.TarInfo("readme.txt")  # not a file of a dump, and yet it is unpacked in passing
    info.size = len(zeros)
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as packed:
        packed.addfile(info, io.BytesIO(zeros))
    assert "unpacks to more" in refused(tmp_path, tmp_path / "d.tar.gz")
    (tmp_path / "o.obo.gz").write_bytes(gzip.compress(b"format-version: 1.2\n" + b"\n" * (1 << 24)))
    assert "unpacks to more" in refused(tmp_path, tmp_path / "o.obo.gz", format="obo")


def test_an_archive_that_is_cut_off(tmp_path):
    folder = taxdump(tmp_path / "d", STARS)
    with tarfile.open(tmp_path / "d.tar.gz", "w:gz") as packed:
        packed.add(folder, ".")
    whole = (tmp_path / "d.tar.gz").read_bytes()
    (tmp_path / "d.tar.gz").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in refused(tmp_path, tmp_path / "d.tar.gz")


def test_a_folder_that_is_in_use(tmp_path):
    (tmp_path / "e.tsv").write_text("b\ta\nc\tb\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("x")
    assert "is there already" in refused(tmp_path, tmp_path / "e.tsv")
    build(BuildRequest(source=str(tmp_path / "e.tsv"), out=out, force=True))
    (out / "held_out.parquet").write_text("of an earlier build")
    with (out / "taxcheck.toml").open("a") as policy:
        policy.write("# ours\n[rules.MAP004]\nenabled = false  # we know\n")
    build(BuildRequest(source=str(tmp_path / "e.tsv"), out=out, force=True))
    assert sorted(path.name for path in out.iterdir()) == [
        "manifest.json",
        "mapping.tsv",
        "mine.txt",
        "nodes.parquet",
        "pairs.parquet",
        "taxcheck.toml",
    ]
    policy_text = (out / "taxcheck.toml").read_text()
    assert "# ours\n[rules.MAP004]\nenabled = false  # we know\n" in policy_text
    assert policy_text.count("# Made from") == 1


def test_the_command_offers_every_format():
    assert ("auto", *(reader.name for reader in own("taxonomy"))) == OFFERED


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("number", "code", "hidden"), [(signal.SIGTERM, 143, 0), (signal.SIGINT, 130, 0)]
)
def test_a_build_that_is_stopped_leaves_nothing(tmp_path, number, code, hidden):
    assert _stopped(tmp_path, number) == code
    assert len(list(tmp_path.glob(".out.*"))) == hidden
    assert not (tmp_path / "out").exists()


def test_a_build_that_is_killed_leaves_nothing_under_its_name_and_its_rest_to_the_next(tmp_path):
    assert _stopped(tmp_path, signal.SIGKILL) == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    assert len(list(tmp_path.glob(".out.building-*"))) == 1
    build(BuildRequest(source="fixtures/healthy/taxdump", out=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _stopped(folder: Path, number: int) -> int:
    """Stop the command while it runs the gate on what it has written."""
    code = (
        "import time, taxcheck.commands.build.dataset as d\n"
        "d._gate = lambda *_: (print('here', flush=True), time.sleep(900))\n"
        "from taxcheck.cli import main\nmain()\n"
    )
    arguments = ["build", "fixtures/healthy/taxdump", "--out", str(folder / "out")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"here\n"
    time.sleep(0.1)
    os.kill(process.pid, number)
    return process.wait(timeout=900)
