"""Codes that state a hierarchy, as MeSH, ENZYME, ICD and ATC are published; edges by hand."""

from __future__ import annotations

import pytest

from taxcheck.model.errors import InputError, TaxcheckError
from taxcheck.sources.readers import Candidate, reader_of
from taxcheck.sources.taxonomies.opening import read_source


@pytest.fixture
def read(tmp_path):
    def read(text: str, name: str = "codes.csv", **options):
        (path := tmp_path / name).write_text(text, encoding="utf-8")
        found = read_source(str(path), **options)
        called = found.identifiers.to_pylist()
        ends = zip(found.parents.tolist(), found.children.tolist(), strict=True)
        return {(called[p], called[c]) for p, c in ends}, " | ".join(found.notes), found

    return read


MTREES = """Body Regions;A01
Anatomic Landmarks;A01.111
Breast;A01.236
Mammary Glands, Human;A01.236.249
Nipples;A01.236.500
Integumentary System;A17
Mammary Glands, Human;A17.123
"""


def test_mesh_trees(read):
    edges, told, _ = read(MTREES, "mtrees.bin")
    assert edges == {
        ("Body Regions", "Anatomic Landmarks"),
        ("Body Regions", "Breast"),
        ("Breast", "Mammary Glands, Human"),
        ("Breast", "Nipples"),
        ("Integumentary System", "Mammary Glands, Human"),
    }
    assert "1 further codes are of nodes that have one already" in told


def test_mesh_descriptors(read):
    text = "*NEWRECORD\nRECTYPE = D\nMH = Body Regions\nMN = A01\nUI = D001829\n\n"
    text += "*NEWRECORD\nMH = Breast\nMN = A01.236\nMN = A17.360.421\nUI = D001940\n"
    edges, told, found = read(text, "d2024.bin")
    assert edges == {("D001829", "D001940"), ("A17.360", "D001940"), ("A17", "A17.360")}
    assert "2 codes were missing above others and were made: A17.360, A17" in told
    assert found.names.to_pylist()[:2] == ["Body Regions", "Breast"]


def test_mesh_in_a_table(read):
    text = "DescriptorUI,DescriptorName,TreeNumbers\nD1,Body,A01\nD2,Breast,A01.236|A17.360\n"
    text += "D3,Skin,A17\nD4,Nipples,A01.236.500\nD5,Hand,A01.378\n"
    edges, _, found = read(text)
    assert edges == {("D1", "D2"), ("D3", "D2"), ("D2", "D4"), ("D1", "D5")}
    assert found.names.to_pylist()[1] == "Breast"


def test_mesh_in_two_columns(read):
    text = "name,tree_number\nBody Regions,A01\nBreast,A01.236\nHand,A01.378\n"
    edges, told, _ = read(text + "Thumb,A01.378.800.667\nHand,A02.835\n")
    assert edges == {
        ("Body Regions", "Breast"),
        ("Body Regions", "Hand"),
        ("A02", "Hand"),
        ("Hand", "A01.378.800"),
        ("A01.378.800", "Thumb"),
    }
    assert "names 'name'" in told


ENZYME = """CC   -----------------------------------------------
ID   1.1.1.1
DE   alcohol dehydrogenase.
PR   PROSITE; PDOC00058;
//
ID   1.1.1.5
DE   Transferred entry: 1.1.1.303 and 1.1.1.304.
//
ID   1.1.1.74
DE   Deleted entry.
//
ID   1.1.1.n2
DE   a preliminary
DE   one.
//
ID   1.1.2.3
DE   L-lactate dehydrogenase.
//
ID   1.1.1.9
DE   Transferred entry: 1.1.1.1.
//
"""


def test_enzymes(read):
    edges, told, found = read(ENZYME, "enzyme.dat")
    assert edges == {
        ("1.1.1.-", "1.1.1.1"),
        ("1.1.1.-", "1.1.1.n2"),
        ("1.1.2.-", "1.1.2.3"),
        ("1.1.-.-", "1.1.1.-"),
        ("1.1.-.-", "1.1.2.-"),
        ("1.-.-.-", "1.1.-.-"),
    }
    assert "4 codes were missing above others and were made" in told
    assert found.retired("1.1.1.9").successor == "1.1.1.1"
    assert found.retired("1.1.1.5").successor is None
    names = dict(zip(found.identifiers.to_pylist(), found.names.to_pylist(), strict=True))
    assert names["1.1.1.n2"] == "a preliminary one"


def test_classes_of_enzymes(read):
    text = "ENZYME nomenclature\n\n1. -. -.-  Oxidoreductases.\n1. 1. -.-   Acting on CH-OH.\n"
    text += "1. 1. 1.-    With NAD(+).\n1.10. -.-   Acting on diphenols.\n"
    edges, _, found = read(text, "enzclass.txt")
    assert edges == {
        ("1.-.-.-", "1.1.-.-"),
        ("1.1.-.-", "1.1.1.-"),
        ("1.-.-.-", "1.10.-.-"),
    }
    assert found.names.to_pylist()[0] == "Oxidoreductases"


def test_icd_by_characters(read):
    text = "code,title\nA00,Cholera\nA00.0,classical\nA00.1,eltor\nS72,Femur\nS72.0,Neck\n"
    text += "S72.00,Neck unspecified\nS72.001A,initial\nB99,Other\n"
    edges, told, found = read(text)
    assert edges == {
        ("A00", "A00.0"),
        ("A00", "A00.1"),
        ("S72", "S72.0"),
        ("S72.0", "S72.00"),
        ("S72.00", "S72.001A"),
    }
    assert "the characters of the codes" in told
    assert "codes are the column 'code', names 'title'" in told
    assert found.names.to_pylist()[0] == "Cholera"


def test_atc_without_a_header(read):
    codes = ["A", "A01", "A01A", "A01AA", "A01AA01", "A01AA02", "B", "B01", "B01A"]
    edges, _, _ = read("".join(f"{code}\tname of {code}\n" for code in codes), "atc.tsv")
    assert edges == {
        ("A", "A01"),
        ("A01", "A01A"),
        ("A01A", "A01AA"),
        ("A01AA", "A01AA01"),
        ("A01AA", "A01AA02"),
        ("B", "B01"),
        ("B01", "B01A"),
    }


def test_dots_and_what_is_missing_between(read):
    text = "id;label\n1;a\n1.1;b\n1.10;c\n1.10.2;d\n1.1.5;e\n2;f\n2.3.1;g\n"
    edges, told, _ = read(text)
    assert edges == {
        ("1", "1.1"),
        ("1", "1.10"),
        ("1.10", "1.10.2"),
        ("1.1", "1.1.5"),
        ("2", "2.3"),
        ("2.3", "2.3.1"),
    }
    assert "1 codes were missing above others and were made: 2.3" in told


def test_columns_that_are_named(read):
    text = "n,x,y\n1,a.b,A\n2,a,B\n3,a.c,C\n"
    edges, _, found = read(text, columns="code=x,name=y")
    assert edges == {("a", "a.b"), ("a", "a.c")}
    assert found.names.to_pylist() == ["A", "B", "C"]
    with pytest.raises(TaxcheckError, match="`columns` z"):
        read(text, columns="code=z")


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1.5,2.5\n2.5,3.5\n3,4\n1,2\n",  # decimals
        "host,ip\na,192.168.1.1\nb,192.168.1.2\nc,192.168.1.3\nd,10.0.0.1\n",
        "id,size\n1,3\n11,4\n111,5\n1111,6\n12,8\n",  # integers that begin each other
        "version,name\n1.0,a\n1.1,b\n2.0,c\n2.1,d\n",
        "child,parent\nA01.1,A01\nA01.2,A01\nA01.3,A01\nA01.4,A01\n",  # edges say more
        "a,b\nx,y\nz,w\n",
    ],
)
def test_what_is_no_column_of_codes(tmp_path, text):
    (path := tmp_path / "t.csv").write_text(text)
    try:
        name = reader_of(Candidate(str(path)), "taxonomy").name
    except InputError:
        name = ""
    assert name != "codes"


OCCUPATIONS = ["1", "11", "111", "112", "12", "121", "2", "21", "211", "22", "221"]
SECTORS = ["11", "111", "1111", "31-33", "311", "3111", "332", "3321", "33211", "42", "423"]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["1", "11", "111", "2"], {("1", "11"), ("11", "111")}),
        (OCCUPATIONS, {(code[:-1], code) for code in OCCUPATIONS if len(code) > 1}),
        (SECTORS, {("31-33", "311"), ("31-33", "332"), ("332", "3321"), ("3321", "33211"),
                   ("311", "3111"), ("11", "111"), ("111", "1111"), ("42", "423")}),
    ],
)  # fmt: skip
def test_numbers_that_are_codes(read, codes, expected):
    """As of ISCO and NAICS; counted rows stand before them in the published table."""
    text = "".join(f"{k + 1},{code},Title of {code}\n" for k, code in enumerate(codes))
    edges, _, found = read("Seq,Code,Title\n" + text)
    assert edges == expected
    assert any("'Code' are codes" in guess for guess in found.guesses)
    named, _, sure = read("Seq,Code,Title\n" + text, columns="code=Code")
    assert (named, sure.guesses) == (expected, ())


@pytest.mark.parametrize(
    "ids",
    [range(1, 1500), [*range(1, 21), *range(100, 200)], [1, 2, 3, 10, 11, 12, 20, 21],
     [k for k in range(1, 3000) if k % 29], [1, 10, 100, 1000, 10000], range(5, 5000, 7)],
)  # fmt: skip
def test_numbers_that_count_are_no_codes(read, ids):
    with pytest.raises(TaxcheckError, match=r"nothing tells child and parent.*code=COLUMN"):
        read("value,name\n" + "".join(f"{k},taxon {k}\n" for k in ids))


@pytest.mark.parametrize("column", ["sample", "code"])
def test_texts_that_may_be_no_codes(read, column):
    text = f"{column},name\nA,a\nA1,b\n,x\nA2,c\nA3,d\nA11,e\n"
    edges, told, found = read(text)
    assert edges == {("A", "A1"), ("A", "A2"), ("A", "A3"), ("A1", "A11")}
    assert bool(found.guesses) == (column == "sample")
    assert "1 row without a code left out" in told
    assert read(text, columns=f"code={column},name=name")[2].guesses == ()
