"""Lineages as texts, in the ways in which they are published."""

from __future__ import annotations

import gzip
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import BuildRequest, build
from taxcheck.model.errors import InputError, UsageError

EDGES = {("Bacteria", "Bacillota"), ("Bacillota", "Bacilli"), ("Bacteria", "Pseudomonadota"),
         ("Pseudomonadota", "Gamma")}  # fmt: skip
LINEAGES = [["Bacteria", "Bacillota", "Bacilli"], ["Bacteria", "Pseudomonadota", "Gamma"],
            ["Bacteria", "Bacillota"]]  # fmt: skip


@pytest.mark.parametrize("separator", [";", "; ", " > ", "|", " / ", "::", " » ", " -> "])
@pytest.mark.parametrize("header", [None, "Feature ID\tTaxon\n", "#OTU\tTaxon\tConfidence\n"])
def test_accession_and_lineage(make, separator, header):
    more = "\t0.9" if header and "Conf" in header else ""
    rows = [f"A{k}\t{separator.join(parts)}{more}\n" for k, parts in enumerate(LINEAGES)]
    data = make((header or "") + "".join(rows), "taxonomy.tsv")
    assert data.edges == EDGES
    assert data.dataset["roots"] == ["Bacteria"]
    assert any("3 lineages in " in line for line in data.lines)
    assert any("not read: " in line for line in data.lines)


@pytest.mark.parametrize("separator", [" > ", ";", "|", " / "])
def test_one_lineage_a_line(make, separator):
    lines = [separator.join([*parts, "x", f"y{k}"]) for k, parts in enumerate(LINEAGES)]
    data = make("# version 2\n" + "\n".join(lines) + "\n", "taxonomy.txt")
    assert data.parents["Pseudomonadota"] == {"Bacteria"}
    assert len(data.ids) == 5 + 3 + 3
    assert sum("Bacteria" not in str(node) for node in data.dataset["roots"]) == 0


def test_numbers_before_lineages_are_no_part_of_them(make):
    """As in Google's categories of products with their ids."""
    lines = [
        "1 - Animals & Pets",
        "32 - Animals & Pets > Live Animals",
        "2 - Arts",
        "3 - Animals & Pets > Supplies",
        "4 - Animals & Pets > Supplies > 4 - in - 1",
    ]
    data = make("# Taxonomy_Version: 2021\n" + "\n".join(lines) + "\n", "with-ids.txt")
    top = "Animals & Pets"
    assert data.edges == {(top, "Live Animals"), (top, "Supplies"), ("Supplies", "4 - in - 1")}
    assert any("the number before ' - '" in line for line in data.lines)
    assert make("1 - A\n37 - A > B\n", "two.txt").edges == {("A", "B")}
    more = "".join(f"{k} - A > B > {k}\n" for k in range(600)) + "A > C\n"
    with pytest.raises(InputError, match="stand before 'A > C'"):
        make(more, "more.txt")


def test_silvas_paths_have_ranks(make):
    rows = ["Archaea;\t2\tdomain", "Archaea;Thermo;\t46\tphylum",
            "Archaea;Thermo;Incertae Sedis;\t47\tclass", "Bacteria;\t3\tdomain",
            "Bacteria;Bacillota;\t480\tphylum",
            "Bacteria;Bacillota;Incertae Sedis;\t5\tclass"]  # fmt: skip
    text = "".join(f"{row}\t\t138\n" for row in rows)
    data = make(text, "tax_slv_ssu.txt")
    assert len(data.ids) == 6
    assert data.ranks["Bacillota"] == "phylum"
    assert data.parents["Bacteria;Bacillota;Incertae Sedis"] == {"Bacillota"}
    assert data.dataset["roots"] == ["Archaea", "Bacteria"]


def test_prefixes_are_ranks_and_blank_ones_no_taxa(make):
    text = (
        "228054\tk__Bacteria; p__Cyano; f__Syn; g__Syn; s__\n"
        "3761\tk__Bacteria; p__Firmicutes; f__; g__; s__\n"
        "99\tk__Bacteria; p__Firmicutes; f__Rumino; g__Clostridium; s__\n"
        "98\tk__Bacteria; p__Firmicutes; f__Clostri; g__Clostridium; s__\n"
        "97\tk__Bacteria; p__Firmicutes; f__unidentified; g__unidentified; s__\n"
        "96\tk__Bacteria; p__Cyano; f__unidentified; g__; s__x\n"
    )
    data = make(text, "gg.txt")
    assert data.ranks["f__Rumino"] == "family"
    assert data.names["f__Rumino"] == "Rumino"
    assert "k__Bacteria;p__Firmicutes;f__Rumino;g__Clostridium" in data.ids
    assert data.parents["s__x"] == {"k__Bacteria;p__Cyano;f__unidentified"}
    assert not any(str(node).endswith("__") for node in data.ids)
    assert "note: 8 parts hold a rank's prefix alone: no taxon" in data.lines
    assert any("3 nodes are of no known taxon" in line for line in data.lines)


def test_a_column_of_a_wide_table(make, tmp_path):
    table = pa.table({
        "accession": ["G1", "G2"], "checkm": [1.5, 2.0],
        "ncbi_taxonomy": ["d__Bacteria;p__Old", "d__Bacteria;p__New"],
        "gtdb_taxonomy": ["d__Bacteria;p__A;c__B", "d__Bacteria;p__A;c__C"],
    })  # fmt: skip
    pq.write_table(table, path := tmp_path / "metadata.parquet")
    data = make(path)
    assert sorted(data.ids) == ["c__B", "c__C", "d__Bacteria", "p__A"]
    assert any("for another give `columns` lineage=COLUMN" in line for line in data.lines)
    other = make(path, columns="lineage=ncbi_taxonomy")
    assert sorted(other.ids) == ["d__Bacteria", "p__New", "p__Old"]


@pytest.mark.parametrize("dress", ["bom", "crlf", "gz", "csv"])
def test_the_dress_changes_nothing(make, tmp_path, dress):
    plain = "".join(f"A{k}\t{';'.join(parts)}\n" for k, parts in enumerate(LINEAGES))
    data = {
        "bom": b"\xef\xbb\xbf" + plain.encode(),
        "crlf": plain.replace("\n", "\r\n").encode(),
        "gz": gzip.compress(plain.encode()),
        "csv": b'id,lineage\n"A1","Bacteria;Bacillota;Bacilli"\n"A2","Bacteria;Bacillota"\n'
               b'"A3","Bacteria;Pseudomonadota;Gamma"\n',
    }[dress]  # fmt: skip
    (path := tmp_path / "dressed").write_bytes(data)
    assert make(path).edges == EDGES


def test_confidences_in_brackets_are_no_part_of_a_name(make):
    """As mothur writes them."""
    text = "o1\tBacteria(100);Bacillota(98);Bacilli(60);\no2\tBacteria(100);Bacillota(77);\n"
    data = make(text, "final.taxonomy")
    assert data.edges == {("Bacteria", "Bacillota"), ("Bacillota", "Bacilli")}
    assert any("in brackets" in line for line in data.lines)


def test_the_order_of_rows_changes_nothing(make):
    rows = [f"{k}\tk__B;f__{k % 3};g__{k % 5}\t{k}" for k in range(30)]
    one = make("\n".join(rows) + "\n", "a.tsv")
    random.Random(1).shuffle(rows)
    other = make("\n".join(rows) + "\n", "b.tsv")
    assert (one.folder / "mapping.tsv").read_bytes() == (other.folder / "mapping.tsv").read_bytes()
    assert (one.pairs, one.lines[1:]) == (other.pairs, other.lines[1:])


@pytest.mark.parametrize(
    "text",
    ["wolf;Canis\nCanis;Canidae\ncoyote;Canis\n", "child|parent\nb|a\nc|b\n",
     "child\tparent\nhttp://x/1\thttp://x/2\nhttp://x/2\thttp://x/3\n"],
)  # fmt: skip
def test_edges_with_a_separator_of_lineages_are_edges(make, text):
    assert any(line.startswith("edge list: ") for line in make(text).lines)


def test_a_column_without_lineages_is_refused(tmp_path):
    (path := tmp_path / "a.tsv").write_text("A\tx;y;z\nB\tx;y\n")
    for columns in ("lineage=1", "lineage=3"):
        with pytest.raises(UsageError, match="`columns`"):
            build(BuildRequest(source=str(path), out=tmp_path / "o", columns=columns))


def test_full_lineages_a_line_are_told_where_they_could_be_rows(make):
    lines = ["Europe|France|Paris|Louvre", "Europe|France|Lyon|Opera", "Asia|Japan|Kyoto|Temple"]
    data = make("\n".join(lines) + "\n", "places.txt")
    assert data.parents["Louvre"] == {"Paris"}
    assert data.parents["Lyon"] == {"France"}
    assert any(line.startswith("guess: each line is one lineage") for line in data.lines)


def test_rows_of_a_table_with_bars_are_no_lineages(make):
    """A column of few words repeats below all that stands before it."""
    rows = ["C5|A1|AUI|PAR|C9|MSH", "C6|A3|AUI|CHD|C5|MSH", "C7|A5|SUI|PAR|C2|MSH",
            "C7|A6|AUI|CHD|C3|MSH"]  # fmt: skip
    with pytest.raises(InputError, match=r"nothing tells child and parent|neither names nor cells"):
        make("\n".join(rows).replace("|C5|", "|C1|") + "\n", "relations.txt")


def test_of_several_columns_of_lineages_none_is_taken_unasked(make):
    rows = ["a\tX/Y/Z\tP/Q\n", "b\tX/Y\tP/R\n", "c\tX/V\tP/S\n"]
    with pytest.raises(InputError, match=r"lineages may stand in 2 columns.*lineage=COLUMN"):
        make("".join(rows), "two.tsv")


def test_metaphlans_clades_beside_an_empty_column(make):
    rows = ["#mpa_v31\n", "#clade_name\tNCBI_tax_id\tabundance\tadditional\n", "k__B\t2\t100.0\t\n",
            "k__B|p__F\t2|9\t60.0\t\n", "k__B|p__P\t2|4\t40.0\t\n"]  # fmt: skip
    assert make("".join(rows), "profile.txt").edges == {("k__B", "p__F"), ("k__B", "p__P")}
