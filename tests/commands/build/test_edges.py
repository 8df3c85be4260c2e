"""Tables of edges and of nodes with their parents, and what is told of them."""

from __future__ import annotations

import gzip
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxcheck.commands.build.dataset import BuildRequest, build
from taxcheck.model.errors import InputError
from taxcheck.sources.tables.table import open_table

WOLF = {("Canis", "wolf"), ("Canis", "coyote"), ("Canidae", "Canis")}
ROWS = [("wolf", "Canis"), ("coyote", "Canis"), ("Canis", "Canidae")]


def text(rows, comma=",", end="\n"):
    return end.join(comma.join(row) for row in (*rows, ()))


def refused(tmp_path, content: str, **options) -> str:
    (path := tmp_path / "e.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        build(BuildRequest(source=str(path), out=tmp_path / "out", **options))
    return str(caught.value)


@pytest.mark.parametrize("comma", [",", "\t", ";", "|"])
@pytest.mark.parametrize(
    "header", [("source", "target"), ("from", "to"), ("taxon", "belongs to"), ("lower", "higher")]
)
def test_a_header_that_nobody_knows_is_no_node(make, header, comma):
    rows = [*ROWS, ("dog", "Canis")] if header[0] == "taxon" else ROWS
    data = make(text([header, *rows], comma), "e.csv")
    assert data.edges - {("Canis", "dog")} == WOLF
    assert data.dataset["roots"] == ["Canidae"]
    assert any("header" in line for line in data.lines)


def test_ends_whose_order_nothing_tells_are_asked_for(tmp_path):
    rows = [("from", "to"), ("a", "b"), ("b", "c"), ("a", "c"), ("d", "c"), ("a", "e"), ("b", "e")]
    said = refused(tmp_path, text(rows))
    assert "`columns` child=from,parent=to, or `columns` child=to,parent=from" in said


def test_parents_that_come_first_are_answered_with_the_setting_that_reads_them(tmp_path, make):
    rows = [(b, a) for a, b in ROWS]
    said = refused(tmp_path, text(rows))
    assert "the parent comes first; say so with `columns` child=2,parent=1" in said
    assert make(text(rows), "f.csv", columns="child=2,parent=1").edges == WOLF


def test_the_setting_that_is_offered_works_where_the_header_is_of_numbers(tmp_path, make):
    """As pandas names the columns of a frame without names."""
    rows = [("0", "1"), ("5", "2"), ("5", "3"), ("2", "4"), ("2", "1"), ("1", "0"), ("3", "6")]
    said = refused(tmp_path, text(rows))
    columns = said.rpartition("`columns` ")[2]
    assert columns == "child=1,parent=0"
    edges = {(int(a), int(b)) for a, b in rows[1:]}
    assert make(text(rows), "f.csv", columns=columns).edges == edges


@pytest.mark.parametrize(
    "word", ["NA", "NULL", "None", "nan", r"\N", "", "-1", "-", "N/A", "keine", "(null)", "нет"]
)
def test_words_for_no_parent_are_no_node(make, word):
    rows = [("child", "parent"), ("r1", word), ("r2", word), ("a", "r1"), ("b", "r2"), ("c", "a")]
    data = make(text(rows), "e.csv")
    assert sorted(data.ids) == ["a", "b", "c", "r1", "r2"]
    assert data.dataset["roots"] == ["r1", "r2"]
    told = next(line for line in data.lines if "without a parent" in line)
    assert told.endswith(f"2 say {word!r}" if word else "2 have an empty cell")
    assert told.startswith("guess" if word else "note")


def test_a_word_for_nothing_that_has_a_parent_itself_is_a_node(make):
    data = make(text([("child", "parent"), ("NA", "Africa"), ("x", "NA"), ("y", "NA")]), "e.csv")
    assert data.edges == {("Africa", "NA"), ("NA", "x"), ("NA", "y")}


@pytest.mark.parametrize("root", ["", "NULL", "0", "-1", "1", "None"])
@pytest.mark.parametrize("columns", [None, "child=id,parent=parent_id"])
def test_a_table_of_nodes_has_names_ranks_and_a_root(make, root, columns):
    rows = [
        ("id", "parent_id", "name", "rank"),
        ("1", root, "all", "no rank"),
        ("2", "1", "A", "genus"),
        ("3", "1", "B", "genus"),
        ("4", "2", "C", "species"),
    ]
    data = make(text(rows), "nodes.csv", columns=columns)
    assert data.edges == {(1, 2), (1, 3), (2, 4)}
    assert data.names == {1: "all", 2: "A", 3: "B", 4: "C"}
    assert data.ranks[4] == "species"
    assert data.dataset["roots"] == [1]


def test_a_zero_among_edges_is_a_node(make):
    """As SNAP numbers its nodes from 0."""
    data = make("# Nodes: 6 Edges: 5\n# From\tTo\n1\t0\n2\t0\n3\t1\n4\t1\n5\t2\n", "snap.txt")
    assert data.dataset["roots"] == [0]
    assert len(data.ids) == 6


def test_a_zero_apart_from_all_identifiers_is_no_parent(make):
    """As ITIS marks kingdoms; the columns have no names."""
    rows = "202423|Animalia|0\n202422|Plantae|0\n158852|Chordata|202423\n180000|Algae|202422\n"
    data = make(rows, "taxa.txt", columns="child=1,parent=3")
    assert data.dataset["roots"] == [202422, 202423]
    assert data.edges == {(202423, 158852), (202422, 180000)}
    assert any(line.startswith("guess") and "2 say '0'" in line for line in data.lines)


DARWIN_CORE = """\
taxonID\tparentNameUsageID\tacceptedNameUsageID\tscientificName\ttaxonRank\ttaxonomicStatus\tkingdom\tgenus
1\t\t\tAnimalia\tkingdom\taccepted\tAnimalia\t
9701\t1\t\tCanidae\tfamily\taccepted\tAnimalia\t
521\t9701\t\tCanis\tgenus\taccepted\tAnimalia\tCanis
522\t521\t\tCanis lupus\tspecies\taccepted\tAnimalia\tCanis
523\t521\t522\tCanis oldname\tspecies\tsynonym\tAnimalia\tCanis
524\t523\t\tCanis lupus dingo\tsubspecies\taccepted\tAnimalia\tCanis
525\t521\t\tCanis dubius\tspecies\tinvalid\tAnimalia\tCanis
"""


def test_darwin_core_is_read_by_its_ids_without_synonyms(make):
    data = make(DARWIN_CORE, "Taxon.tsv")
    assert data.edges == {(1, 9701), (9701, 521), (521, 522), (522, 524)}
    assert data.names[524] == "Canis lupus dingo"
    assert data.ranks[522] == "species"
    assert "dropped: 2 rows: synonyms, which are no nodes (523, 525)" in data.lines
    assert any("1 rows have a synonym as parent" in line for line in data.lines)
    assert make(DARWIN_CORE, "Taxon.tsv", root="523").dataset["roots"] == [522]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id,family_id,parent_id,name,level", "{0},f,{1},N{0},dialect"),  # Glottolog
        ("tsn,complete_name,parent_tsn,rank_id", "{0},N{0},{1},7"),  # ITIS
        ("uid,parent_uid,name,rank", "{0},{1},N{0},genus"),  # Open Tree
        ("name,id,parent_id", "N{0},{0},{1}"),
        ("id,name,parent", "{0},N{0},{1}"),
    ],
)
def test_published_tables_of_nodes(make, header, row):
    parents = {11: "", 12: 11, 13: 11, 14: 12}
    lines = [header, *(row.format(node, above) for node, above in parents.items())]
    data = make("\n".join(lines) + "\n", "t.csv")
    assert data.edges == {(11, 12), (11, 13), (12, 14)}
    assert data.names[14] == "N14"


def test_parents_that_are_named_are_sought_among_names(make):
    rows = [("id", "name", "parent"), ("1", "A", ""), ("2", "B", "A"), ("3", "C", "B")]
    assert make(text(rows), "t.csv").edges == {("A", "B"), ("B", "C")}


@pytest.mark.parametrize("number", ["{}.0", "{}.00", "{}"])
def test_identifiers_that_pandas_wrote_as_floats_are_whole(make, number):
    rows = [("child", "parent"), *((str(c), number.format(p)) for c, p in [(2, 1), (3, 1), (4, 2)])]
    data = make(text(rows), "e.csv")
    assert data.edges == {(1, 2), (1, 3), (2, 4)}
    assert any("written as floats" in line for line in data.lines) == ("." in number)


def test_lines_of_a_distance_beyond_one_are_no_edges_and_a_depth_is_no_distance(make):
    closure = "child,parent,depth\nb,a,1\nc,b,1\nc,a,2\n"
    assert make(closure, "e.csv").edges == {("a", "b"), ("b", "c")}
    assert make("id,parent,depth\na,,0\nb,a,1\nc,b,2\n", "f.csv").edges == {("a", "b"), ("b", "c")}


def test_parents_without_names_are_sought_in_further_columns(make):
    data = make("2\tBacteria\t1\n1224\tPseudomonadota\t2\n28211\tAlpha\t1224\n", "t.tsv")
    assert data.edges == {(1, 2), (2, 1224), (1224, 28211)}
    assert data.lines[-1].endswith("child is column 1, parent is column 3, by position.")


def test_columns_of_numbered_levels_are_a_lineage(make):
    data = make("Level 1,Level 2,Level 3\nFood,Bread,Rye\nFood,Bread,White\nFood,Milk,\n", "l.csv")
    assert data.edges == {("Food", "Bread"), ("Food", "Milk"), ("Bread", "Rye"), ("Bread", "White")}


def test_open_tree_has_a_bar_between_its_cells(make):
    rows = [
        ("uid", "parent_uid", "name", "rank", "flags"),
        ("80", "", "life", "no rank", ""),
        ("93", "80", "cellular", "no rank", ""),
        ("99", "93", "Archaea", "domain", ""),
    ]
    data = make("".join("\t|\t".join(row) + "\t|\t\n" for row in rows), "taxonomy.tsv")
    assert data.edges == {(80, 93), (93, 99)}
    assert data.names[99] == "Archaea"
    assert data.ranks[99] == "domain"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "content", [DARWIN_CORE, "child,parent\nr,NA\nb,r\nc,b\nb,r\nd,NA\nCaf\u00e9,r\nCafe\u0301,b\n"]
)
def test_the_order_of_rows_changes_nothing(make, content, seed):
    header, *rows = content.splitlines()
    random.Random(seed).shuffle(rows)
    one, other = make(content, "a.csv"), make("\n".join([header, *rows, ""]), "b.csv")
    assert (one.folder / "mapping.tsv").read_bytes() == (other.folder / "mapping.tsv").read_bytes()
    assert one.pairs == other.pairs
    assert one.names == other.names
    assert one.lines[1:] == other.lines[1:]


@pytest.mark.parametrize("dress", ["bom", "crlf", "gz", "quoted", "sep"])
def test_the_dress_of_a_table_changes_nothing(make, tmp_path, dress):
    plain = "id;parent_id;name\n1;;all\n2;1;A\n3;1;B\n"
    data = {
        "bom": b"\xef\xbb\xbf" + plain.encode(),
        "crlf": plain.replace("\n", "\r\n").encode(),
        "gz": gzip.compress(plain.encode()),
        "quoted": plain.replace("2;1;A", '"2";"1";"A"').encode(),
        "sep": b"sep=;\n" + plain.encode(),
    }[dress]
    (path := tmp_path / "dressed").write_bytes(data)
    built = make(path)
    assert built.edges == {(1, 2), (1, 3)}
    assert built.names[2] == "A"


@pytest.mark.parametrize("sep", [" ", "\t"])
def test_rs_row_numbers_have_no_name_in_the_header(make, sep):
    rows = [("wolf", "Canis"), ("fox", "Vulpes"), ("Canis", "Canidae"), ("Vulpes", "Canidae")]
    body = "".join(f'"{k + 1}"{sep}"{a}"{sep}"{b}"\n' for k, (a, b) in enumerate(rows))
    data = make(f'"child"{sep}"parent"\n{body}', "kin.txt")
    assert data.edges == {(b, a) for a, b in rows}


@pytest.mark.parametrize("sep", [" ", "\t"])
def test_rs_names_of_rows_have_no_name_in_the_header(make, sep):
    body = "".join(f'"r{k}"{sep}"{a}"{sep}"{b}"\n' for k, (a, b) in enumerate(ROWS))
    data = make(f'"child"{sep}"parent"\n{body}', "kin.txt")
    assert data.edges == WOLF
    assert any("guess: The first column names the rows" in line for line in data.lines)


@pytest.mark.parametrize(
    "rows", [[("Canis", "Canidae", "x"), ("Canidae", "Life", "Canis")],
             [("r", "Canis", "Canidae"), ("r", "wolf", "Canis")],
             [("r", "Canis", "Canidae"), ("s", "fox", "Vulpes")]])  # fmt: skip
def test_a_header_may_want_its_last_name_as_well(make, rows):
    body = "".join(" ".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    with pytest.raises(InputError, match="line 1 has 2 fields, most lines have 3"):
        make(f'"child" "parent"\n{body}', "kin.txt")


def test_a_short_header_before_identifiers_that_count_is_refused(make):
    """A name may be missing at the end of it as well."""
    with pytest.raises(InputError, match="line 1 has 2 fields, most lines have 3"):
        make("id,parent\n1,,Life\n2,1,Bacteria\n3,1,Archaea\n", "short.csv")


@pytest.mark.parametrize("prefix", ["col:", "dwc:"])
def test_names_of_columns_may_have_the_prefix_of_their_standard(make, prefix):
    names = "\t".join(prefix + name for name in ("ID", "sourceID", "parentID", "status"))
    rows = "N\t\t\taccepted\nC\t\tN\taccepted\nM\t\tC\taccepted\nS\t\tC\tsynonym\n"
    assert make(f"{names}\n{rows}", "NameUsage.tsv").edges == {("N", "C"), ("C", "M")}


@pytest.mark.parametrize(("end", "rows"), [(",,x\n", 3), (",,x\n,,\n", 3), (",,\n,,", 2),
                                           ("\n\n", 2), (",,y\n,,x", 4)])  # fmt: skip
def test_a_last_row_without_its_ends_is_a_row_where_another_cell_stands(tmp_path, end, rows):
    text = f"ancestor,descendant,source\nA,B,x\nA,C,x\n{end}"
    (path := tmp_path / "pairs.csv").write_text(text)
    table = open_table(str(path))
    wanted = {"ancestor_taxid": "ancestor", "descendant_taxid": "descendant"}
    assert sum(batch.rows for batch in table.batches(wanted)) == rows


@pytest.mark.parametrize("empty", ["distance", "rank"])
def test_an_empty_column_tells_nothing(make, empty):
    data = make(f"child,parent,{empty}\nA,R,\nB,R,\nC,A,\n", "kin.csv")
    assert data.edges == {("R", "A"), ("R", "B"), ("A", "C")}


def test_a_column_of_identifiers_that_count_is_the_child_of_what_names_them_alone(make):
    rows = [("Life", "root", ""), ("Bacteria", "domain", "1"), ("Archaea", "domain", "1"),
            ("Firmicutes", "phylum", "2"), ("Bacilli", "class", "4")]  # fmt: skip
    data = make("".join("|".join((str(k + 1), *row)) + "\n" for k, row in enumerate(rows)), "t.txt")
    assert data.edges == {(1, 2), (1, 3), (2, 4), (4, 5)}
    assert any("child is column 1, parent is column 4" in line for line in data.lines)
    wide = [(f"n{k}", "a", "b", "c", f"n{k // 2}" if k > 1 else "") for k in range(1, 9)]
    data = make(text(wide, "\t"), "w.txt")
    assert data.edges == {(f"n{k // 2}", f"n{k}") for k in range(2, 9)}


def test_numbers_of_rows_that_another_column_has_as_well_are_asked_for(tmp_path):
    said = refused(tmp_path, text([("1", "4", "2"), ("2", "2", "3"), ("3", "1", "2")]))
    assert "it may be their number or the child" in said


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_text_is_read_where_it_holds_a_table(make, tmp_path, encoding):
    (path := tmp_path / "wide.txt").write_text("child\tparent\n" + text(ROWS, "\t"), encoding)
    data = make(path)
    assert data.edges == WOLF
    assert any(f"{encoding.upper()} text, and converted" in line for line in data.lines)


@pytest.mark.parametrize("none", ["0", "-1", "NA"])
def test_cells_that_say_none_link_no_columns(tmp_path, make, none):
    rows = [("202423", "Animalia", none, none), ("7", "Chordata", none, none)]
    assert "nothing tells child and parent" in refused(tmp_path, text(rows, "|"))
    named = [("id", "parent"), ("202423", none), ("7", none)]
    said = refused(tmp_path, text(named))
    assert "'parent' names no parent of any in 'id'" in said
    assert f"2 say {none!r}); name the columns" in said
    linked = [("id", "name", "up"), ("202423", "Animalia", none), ("7", "Chordata", "202423"),
              ("9", "Aves", "7"), ("11", "Mammalia", "7")]  # fmt: skip
    assert make(text(linked)).edges == {(202423, 7), (7, 9), (7, 11)}


def test_names_that_differ_in_the_rows_of_a_node_are_told(make):
    rows = [("child", "parent", "name"), ("a", "r", "x"), ("a", "s", "y"), ("b", "r", "z"),
            ("s", "r", ""), ("b", "s", "z")]  # fmt: skip
    told = "note: 1 node has several names in its rows; the first in order is kept"
    assert told in make(text(rows), "e.csv").lines
    rows[2] = ("a", "s", "x")
    assert told not in make(text(rows), "e.csv").lines


def test_tables_behind_each_other_have_one_header(make):
    half = text(ROWS[:2]), text(ROWS[2:])
    for mark in ("", "\ufeff"):
        data = make(f"child,parent\n{half[0]}{mark}child,parent\n{half[1]}", "e.csv")
        assert data.edges == WOLF
        assert "guess: 1 row repeats the header and is left out; first: row 4" in data.lines
    assert make(f"child,parent\n{half[0]}\ufeff{half[1]}", "e.csv").edges == WOLF


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    said = refused(
        tmp_path, text([("child", "parent", "parent"), ("b", "a", "c"), ("d", "b", "c")])
    )
    assert "column 'parent' is in the file more than once; rename one" in said


@pytest.mark.parametrize("form", ["%.18e", "%.2e", "%.1f"])
def test_numbers_as_programs_write_floats_are_identifiers(make, form):
    edges = [(5_000, 100), (7_000, 100), (12_000, 5_000)]
    data = make("".join(f"{form % c} {form % p}\n" for c, p in edges), "savetxt.txt")
    assert data.edges == {(p, c) for c, p in edges}
    assert any("written as floats" in line for line in data.lines)
    codes = make("child,parent\n1e5,2E10\n3e7,2E10\n4x1,3e7\n", "codes.csv")  # as of PDB
    assert codes.edges == {("2E10", "1e5"), ("2E10", "3e7"), ("3e7", "4x1")}


def test_a_typed_table_with_several_columns_of_nodes(make, tmp_path):
    frame = pa.table({"id": [1, 2, 3], "name": ["a", "b", "c"], "parent_id": [None, 1.0, 2.0]})
    pq.write_table(frame, tmp_path / "t.parquet")
    assert make(tmp_path / "t.parquet").edges == {(1, 2), (2, 3)}


@pytest.mark.parametrize("header", ["", "node,up\n"])
@pytest.mark.parametrize("letter", ["n", "Q", ""])
def test_nodes_with_numbers_are_no_codes(make, header, letter):
    edges = [(f"{letter}{k}", f"{letter}{max(k // 3, 1)}") for k in range(2, 100)]
    data = make(header + text(edges), "e.csv")
    assert {(str(p), str(c)) for p, c in data.edges} == {(p, c) for c, p in edges}


@pytest.mark.parametrize("word", ["root", "#", "life", "Top"])
def test_one_word_among_numbers_says_that_there_is_no_parent(make, word):
    rows = [("id", "parent"), ("1", word), *((str(k), str(k // 2)) for k in range(2, 12))]
    data = make(text(rows), "e.csv")
    assert data.edges == {(k // 2, k) for k in range(2, 12)}
    assert f"guess: rows without a parent, whose nodes are roots: 1 says {word!r}" in data.lines
