"""Readers join by one record each, a plugin's as ours, and the surest of them has the file."""

from __future__ import annotations

import struct
import sys

import numpy as np
import pytest

from docs.generate.inputs import pages
from taxcheck.cli.build import FORMATS, Format
from taxcheck.model.errors import BrokenError, InputError
from taxcheck.sources import readers
from taxcheck.sources.checkpoints.opening import open_checkpoint
from taxcheck.sources.readers import CERTAIN, LIKELY, NEVER, POSSIBLE, Candidate, Reader
from taxcheck.sources.tables.opening import open_pairs, open_table
from taxcheck.sources.taxonomies.opening import read_source

KINDS = ("table", "taxonomy", "checkpoint")

PLUGIN = """
import numpy as np
import pyarrow as pa
from taxcheck.sources.checkpoints.contents import Contents, in_memory
from taxcheck.sources.readers import LIKELY, NEVER, Reader, begins
from taxcheck.sources.tables.batches import RawBatch
from taxcheck.sources.taxonomies.hierarchy import Growing
from taxcheck.sources.taxonomies.text_file import TextFile


class AvroRows:
    format, header, notes = "avro", True, ()
    column_names = ("parent_idx", "child_idx")

    def __init__(self, candidate):
        cells = np.fromfile(candidate.file.path, np.int32, offset=4).reshape(-1, 2)
        self._columns = dict(zip(self.column_names, cells.T))

    def batches(self, columns):
        yield RawBatch(1, {role: pa.array(self._columns[n]) for role, n in columns.items()}), 1.0


def indented(candidate):
    return LIKELY if candidate.head.startswith(b"root\\n  ") else NEVER


def read_indented(candidate):
    source, growing, above = TextFile(candidate.path), Growing(), []
    for _, line in source.lines():
        depth = (len(line) - len(line.lstrip())) // 2
        node = growing.node(line.strip())
        if depth:
            growing.edge(above[depth - 1], node)
        above[depth:] = [node]
    return growing.hierarchy(source.origin("indented"))


def read_vec(candidate):
    rows = np.fromfile(candidate.file.path, np.float32, offset=4).reshape(-1, 2)
    return Contents("vec", {"vectors": in_memory(rows)})


READERS = (
    Reader("table", "avro", "Avro", "first bytes", begins(b"Obj\\1"), AvroRows),
    Reader("taxonomy", "indented", "indented text", "its indents", indented, read_indented),
    Reader("checkpoint", "vec", "VEC", "its first bytes", begins(b"VEC1"), read_vec),
)
"""


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    """Lay out what ``pip install`` of a plugin would leave, its code as given."""

    def lay_out(code: str) -> None:
        site = tmp_path / "site"
        (meta := site / "of_our_own-1.0.dist-info").mkdir(parents=True)
        (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: of-our-own\nVersion: 1.0\n")
        (meta / "entry_points.txt").write_text("[taxcheck.readers]\nours = of_our_own\n")
        (site / "of_our_own.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        readers.plugged_in.cache_clear()

    yield lay_out
    readers.plugged_in.cache_clear()
    sys.modules.pop("of_our_own", None)


def test_a_plugin_reads_a_table_that_is_refused_without_it(tmp_path, plugged):
    (path := tmp_path / "pairs.avro").write_bytes(b"Obj\1" + struct.pack("<4i", 0, 1, 0, 2))
    with pytest.raises(InputError, match="is an Avro file, which taxcheck does not read"):
        open_table(str(path))
    plugged(PLUGIN)
    source = open_pairs(str(path))
    assert source.table.format == "avro"
    (batch,) = source.batches()
    assert {role: cells.to_pylist() for role, cells in batch.columns.items()} == {
        "ancestor": [0, 0],
        "descendant": [1, 2],
    }
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"give Parquet, .*CSV or TSV or Avro"):
        open_table(str(tmp_path / "noise"))


def test_a_plugin_reads_a_taxonomy_that_could_be_anything(tmp_path, plugged):
    (path := tmp_path / "tree.txt").write_text("root\n  a\n    b\n  c\n")
    with pytest.raises(InputError):
        read_source(str(path))
    plugged(PLUGIN)
    for kind in ("auto", "indented"):
        hierarchy = read_source(str(path), kind)
        assert hierarchy.identifiers.to_pylist() == ["root", "a", "b", "c"]
        assert (hierarchy.parents.tolist(), hierarchy.children.tolist()) == ([0, 1, 0], [1, 2, 3])
    assert "indented" not in FORMATS
    assert Format(FORMATS).convert("indented", None, None) == "indented"


def test_a_plugin_reads_a_table_of_vectors(tmp_path, plugged):
    (path := tmp_path / "table.vec").write_bytes(b"VEC1" + struct.pack("<4f", 0.5, 0, 0, 0.25))
    with pytest.raises(InputError, match="is no checkpoint that taxcheck knows; give npy, "):
        open_checkpoint(str(path))
    plugged(PLUGIN)
    opened = open_checkpoint(str(path))
    assert (opened.format, opened.vectors.tolist()) == ("vec", [[0.5, 0], [0, 0.25]])


def test_a_broken_plugin_is_told_where_it_is_asked_and_only_there(tmp_path, plugged):
    plugged("raise ZeroDivisionError('by zero')\n")
    np.save(path := tmp_path / "table.npy", np.eye(3) / 2)
    assert open_checkpoint(str(path)).rows == 3
    (text := tmp_path / "pairs.csv").write_text("0,1\n0,2\n")
    with pytest.raises(BrokenError, match=r"plugin 'ours' \(of_our_own\) cannot be loaded: by z"):
        open_table(str(text))


def asked(monkeypatch, tmp_path, *sure: float | str) -> tuple[str, list[int]]:
    """Who has a file of which each reader is so sure, or says why not; and who was asked."""
    seen: list[int] = []

    def sniff(number: int) -> float:
        seen.append(number)
        if isinstance(said := sure[number], str):
            raise InputError(said)
        return said

    made = [
        Reader("table", str(k), f"F{k}", "", lambda _, k=k: sniff(k), lambda _: None, (f".{k}",))
        for k in range(len(sure))
    ]
    monkeypatch.setattr(readers, "own", lambda _: tuple(made))
    (path := tmp_path / "file").write_text("x")
    return readers.reader_of(Candidate(str(path)), "table").name, seen


@pytest.mark.parametrize(
    ("sure", "chosen", "count"),
    [
        ((POSSIBLE, CERTAIN, LIKELY), "1", 3),
        ((POSSIBLE, LIKELY, LIKELY / 2), "1", 3),
        ((POSSIBLE, NEVER), "0", 2),
        (("is encrypted", LIKELY), "1", 2),  # who knows better than a refusal
    ],
)
def test_the_surest_reader_has_the_file(tmp_path, monkeypatch, sure, chosen, count):
    name, seen = asked(monkeypatch, tmp_path, *sure)
    assert (name, seen) == (chosen, list(range(count)))


@pytest.mark.parametrize(
    ("sure", "said"),
    [
        (("is encrypted", POSSIBLE, "is nothing"), "^is encrypted$"),
        (
            (LIKELY, POSSIBLE, LIKELY),
            r"may be F0 \(0\) or F2 \(2\), .*by its suffix, such as .0",
        ),
        ((CERTAIN, CERTAIN), r"may be F0 \(0\) or F1 \(1\)"),
        ((NEVER, NEVER, NEVER), "file: is no table that taxcheck knows; give F0, F1 or F2$"),
    ],
)
def test_a_file_that_nobody_reads_is_refused_in_one_line(tmp_path, monkeypatch, sure, said):
    with pytest.raises(InputError, match=said):
        asked(monkeypatch, tmp_path, *sure)


@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_has_a_name_of_its_own_and_is_told(kind):
    own = readers.own(kind)
    assert {reader.kind for reader in own} == {kind}
    assert len({reader.name for reader in own}) == len(own)
    (page,) = pages()
    for reader in own:
        assert f"| {reader.called} |" in page.text
