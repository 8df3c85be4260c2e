"""Kinds of files that are known and not read: what each is called, known by, and the way out.

A kind that gets a reader leaves the list. Where a kind is read in one room and brought to another,
a checkpoint given as pairs, it stands here with the rooms that refuse it.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxcheck.model.errors import InputError

if TYPE_CHECKING:
    from taxcheck.sources.candidate import Candidate, Kind

_PRINTED = bytes((*b"\t\n\r", *range(32, 127), *range(128, 256)))
_ROWS: tuple[Kind, ...] = ("table", "taxonomy")
_ALL: tuple[Kind, ...] = ("table", "taxonomy", "checkpoint")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A kind of files that is recognised to be refused by its name."""

    name: str  # with its article
    known: Callable[[Candidate], bool]
    way_out: str  # what to do, an imperative
    rooms: tuple[Kind, ...] = _ALL  # in which it is refused


def refuse_unsupported(candidate: Candidate, room: Kind) -> None:
    """Raise InputError where a file is of a known kind that nobody in the room reads."""
    for kind in UNSUPPORTED:
        if room in kind.rooms and kind.known(candidate):
            raise InputError(
                f"{candidate.file.shown}: is {kind.name}, which taxcheck does not read"
                f"{'' if kind.rooms == _ALL else f' as a {room}'}; {kind.way_out}"
            )


def _magic(*magic: bytes) -> Callable[[Candidate], bool]:
    """Known by its first bytes, packed or not."""
    return lambda one: one.head.startswith(magic) or one.unpacked.startswith(magic)


def _text(pattern: bytes) -> Callable[[Candidate], bool]:
    """Known by how its text begins, or by a line of its beginning where the pattern says (?m)."""

    def known(one: Candidate) -> bool:
        begin = one.unpacked.lstrip(b"\xef\xbb\xbf \t\r\n") if one.is_text else b""
        return re.search(pattern, begin) is not None  # compiled once, and only where it is asked

    return known


def _member(*names: str) -> Callable[[Candidate], bool]:
    """Known by a member of the zip archive that it is."""
    return lambda one: any(member.startswith(names) for member in one.once(members))


def members(candidate: Candidate) -> tuple[str, ...]:
    """The names in a zip archive; none where it is none or cannot be read."""
    if not candidate.head.startswith(b"PK\3\4"):
        return ()
    try:
        with candidate.file.open() as stream, zipfile.ZipFile(stream) as archive:
            return tuple(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return ()


def _suffix(*ends: str) -> Callable[[Candidate], bool]:
    return lambda one: one.file.hint.endswith(ends)


def _wide(candidate: Candidate) -> bool:
    return candidate.encoding is not None


def _newick(candidate: Candidate) -> bool:
    """A '(' that begins, and a ')' and ';' that end it, or no line end in sight."""
    head = candidate.unpacked.strip() if candidate.is_text else b""
    if not re.match(rb"(\[[^\[\]]*\]\s*)*\(", head):
        return False
    return re.search(rb"\)[^\n(),]*;\Z", head) is not None or b"\n" not in head[:_LINE]


def _padded(candidate: Candidate) -> bool:
    """Text in a row of NULs, as a file system leaves what was not written to its end."""
    text = candidate.unpacked.strip(b"\0")
    return (
        b"\0" not in text
        and (len(candidate.unpacked) - len(text) > 1 and b"\n" in text)
        and not text.translate(None, _PRINTED)
    )


def _outline(candidate: Candidate) -> bool:
    """Lines of one cell each, the first at the margin and many further in than it."""
    text = candidate.unpacked if candidate.is_text else b""
    lines = [line for line in text.splitlines()[:_LINES] if line.strip()]
    if len(lines) < 3 or lines[0][:1].isspace() or re.search(rb"\S[^\n]*[\t,;|]", text[:_LINE]):
        return False
    return 3 * sum(line[:1].isspace() for line in lines) > len(lines)


def _counted_lineages(candidate: Candidate) -> bool:
    """Lines of a count and names behind it; first names come again.

    Of several lengths, or each name below one of the column before it, and more from one to next.
    """
    text = candidate.unpacked if candidate.is_text else b""
    lines = text.splitlines()[:_LINES] if b"\t" in text else []
    rows = [line.split(b"\t") for line in lines if line.strip() and not line.startswith(b"#")]
    widths = [len(row) for row in rows]
    alike = max(map(widths.count, widths), default=0) > 0.9 * len(rows)  # else one is cut off
    if len(rows) < 3 or (alike and (candidate.columns or not _nested(rows))):
        return False
    names = [cell for row in rows for cell in row[1:]]
    tops = [row[1] for row in rows if len(row) > 1]
    counted = all(re.fullmatch(rb"\d+(\.\d+)?", row[0]) for row in rows)
    return counted and len(set(tops)) < len(tops) and not any(map(_NUMBER.fullmatch, names))


def _nested(rows: list[list[bytes]]) -> bool:
    """Whether in rows of a count and three names or more each name is below one other."""
    if min(map(len, rows)) < 4:
        return False
    columns = list(zip(*(row[1:4] for row in rows), strict=True))
    named = [len(set(column)) for column in columns]
    pairs = [len(set(zip(a, b, strict=True))) for a, b in itertools.pairwise(columns)]
    return pairs == named[1:] and named[0] < named[1] <= named[2]


def _lfs(candidate: Candidate) -> bool:
    return candidate.head.startswith(b"version https://git-lfs")


_CSV = "save its sheet as CSV"
_UNPACK = "unpack it, or recompress it with gzip or zstd"
_EDGES = "write its edges as a table of child,parent"
_BUILD = "make pairs of it with `taxcheck build`"
_OTHERS: tuple[Kind, ...] = ("table", "checkpoint")
_PHYLO = (
    "convert its tree to Newick, with Biopython: "
    'Bio.Phylo.convert("FILE", "{}", "FILE.nwk", "newick")'
)
_NUMBER = re.compile(rb"\s*-?[\d.]*\s*")
_LINES = 200  # that tell what a text is
_LINE = 1 << 12  # bytes: longer than the first line of a table
_ROBOT = "convert it to OBO Graph JSON: robot convert -i FILE -o FILE.json"
_XML = rb"\A(<\?xml[^>]*>\s*)?(<!DOCTYPE[^\[>]*(\[[^\]]*\])?\s*>\s*)?(<!--.*?-->\s*)*"
# fmt: off
UNSUPPORTED = (
    Unsupported("a pointer of git-lfs, not the file itself", _lfs,
                "fetch the file with: git lfs pull"),
    Unsupported("a web page", _text(rb"(?i)\A(<!doctype html|<html|<head\b)"),
                "download the file itself, which a page was saved in place of"),
    Unsupported("a table in HTML", _text(rb"(?i)\A([^\n]*\n){0,8}\s*<table\b"),
                "write it with pandas.read_html(path)[0].to_csv(...)"),
    Unsupported("a PDF document", _magic(b"%PDF-"), "give the table that it shows, as CSV"),
    Unsupported("a binary Excel workbook (.xlsb)", _member("xl/workbook.bin"), _CSV),
    Unsupported("an Excel workbook", _member("xl/"), _CSV, ("checkpoint",)),
    Unsupported("an Excel workbook of old (.xls) or with a password, or another OLE document",
                _magic(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), _CSV),
    Unsupported("an OpenDocument file", _member("content.xml"), _CSV),
    Unsupported("a Word document", _member("word/"), "give its table as CSV"),
    Unsupported("a Keras model", _member("model.weights.h5"),
                "write its embedding with numpy.save(\"table.npy\", layer.get_weights()[0])"),
    Unsupported("a torch checkpoint", lambda one: any(
        member.endswith("/data.pkl") for member in one.once(members)),
        "give it as `embeddings`", _ROWS),
    Unsupported("an encrypted Parquet file", _magic(b"PARE"), "decrypt it"),
    Unsupported("a Feather V1 file", _magic(b"FEA1"),
                "rewrite it with pyarrow.feather.write_feather, or as Parquet"),
    Unsupported("an ORC file", _magic(b"ORC"), "rewrite it as Parquet", ("checkpoint",)),
    Unsupported("a Stata file", lambda one: one.head.startswith(b"<stata_dta>") or (
        one.file.hint.endswith(".dta") and one.head[:1] in (b"\x71", b"\x72", b"\x73")),
        "write it with pandas.read_stata(path).to_parquet(...)"),
    Unsupported("an SPSS file", _magic(b"$FL2", b"$FL3"),
                "write it with pandas.read_spss(path).to_parquet(...)"),
    Unsupported("a SAS file", lambda one: one.head[12:16] == b"\xc2\xea\x81\x60"
                or one.head.startswith(b"HEADER RECORD*******LIB"),
                "write it with pandas.read_sas(path).to_parquet(...)"),
    Unsupported("an Avro file", _magic(b"Obj\x01"), "rewrite it as Parquet"),
    Unsupported("an HDF5 file, as of pandas' to_hdf", _magic(b"\x89HDF"),
                "where you trust it (pandas unpickles what is in it), write its table with "
                "pandas.read_hdf(path).to_parquet(...)", _ROWS),
    Unsupported("an SQLite database", _magic(b"SQLite format 3"), "export the table as CSV",
                ("checkpoint",)),
    Unsupported("a DuckDB database", lambda one: one.head[8:12] == b"DUCK",
                "export the table as Parquet", ("checkpoint",)),
    Unsupported("an object of R", _magic(b"RDX2\n", b"RDX3\n", b"X\n\0\0\0\2", b"X\n\0\0\0\3"),
                "write it with write.csv or arrow::write_parquet"),
    Unsupported("a FAISS index", _magic(b"IxF", b"IxP", b"IxM", b"IxH", b"IwF", b"IwP", b"IHN"),
                "write its vectors with numpy.save(\"table.npy\", "
                "index.reconstruct_n(0, index.ntotal))"),
    Unsupported("a GGUF model", _magic(b"GGUF"), "export its embedding table as .npy"),
    Unsupported("an ONNX model", _suffix(".onnx"), "export its embedding table as .npy"),
    Unsupported("a TensorFlow checkpoint", _suffix(".ckpt.index", ".data-00000-of-00001"),
                "write its embedding with numpy.save(\"table.npy\", variable.numpy())"),
    Unsupported("a file of joblib", lambda one: b"joblib.numpy_pickle" in one.head,
                "where you trust it, load it and write the table with numpy.save"),
    Unsupported("a zlib stream, as joblib.dump(compress=...) writes",
                _magic(b"x\x9c", b"x\xda", b"x\x01", b"x^"),
                "where you trust it, load it and write the table with numpy.save", ("checkpoint",)),
    Unsupported("a packed file that holds no text",
                lambda one: one.head.startswith(b"\x1f\x8b") and not one.is_text
                and not one.unpacked[:64].lstrip()[:1].isdigit(),
                "unpack it (gunzip)", ("checkpoint",)),
    Unsupported("a picture", _magic(b"\x89PNG", b"\xff\xd8\xff", b"GIF8"), "give its data"),
    Unsupported("a bzip2 file", _magic(b"BZh"), _UNPACK, ("checkpoint",)),
    Unsupported("an xz file", _magic(b"\xfd7zXZ\0"), _UNPACK, ("checkpoint",)),
    Unsupported("an lz4 file", _magic(b"\x04\x22\x4d\x18"), _UNPACK, ("checkpoint",)),
    Unsupported("a file of compress (.Z)", _magic(b"\x1f\x9d"), "unpack it: gzip -d FILE"),
    Unsupported("a 7-Zip archive", _magic(b"7z\xbc\xaf\x27\x1c"), "unpack it"),
    Unsupported("a RAR archive", _magic(b"Rar!\x1a\x07"), "unpack it"),
    Unsupported("text with NUL bytes before or behind it", _padded,
                "take them away: tr -d '\\000' < FILE > mended; rows may be missing there"),
    Unsupported("text in UTF-16 or UTF-32", _wide, "convert it to UTF-8, with iconv",
                ("checkpoint",)),
    Unsupported("GraphML", _text(_XML + rb"<graphml"), _BUILD, _OTHERS),
    Unsupported("GEXF", _text(_XML + rb"<gexf"), _BUILD, _OTHERS),
    Unsupported("PhyloXML", _text(_XML + rb"<(\w+:)?phyloxml"), _PHYLO.format("phyloxml")),
    Unsupported("NeXML", _text(_XML + rb"<(\w+:)?nexml"), _PHYLO.format("nexml")),
    Unsupported("RDF/XML, as of OWL or SKOS", _text(_XML + rb"<(rdf:)?RDF"), _BUILD, _OTHERS),
    Unsupported("OWL/XML", _text(_XML + rb"<(owl:)?Ontology"), _BUILD, _OTHERS),
    Unsupported("XML", _text(rb"\A<\?xml"), _EDGES),
    Unsupported("OWL in functional syntax", _text(rb"(?m)\A(#.*\n)*(Prefix\(|Ontology\()"), _BUILD,
                _OTHERS),
    Unsupported("OWL in Manchester syntax", _text(rb"\APrefix: \S*:? *<"), _ROBOT),
    Unsupported("Turtle, as of OWL or SKOS",
                _text(rb"(?mi)\A(#.*\n|\s+)*(@prefix|@base|prefix|base)\s+\S*\s*<[^>]*>"),
                _BUILD, _OTHERS),
    Unsupported("a graph of Graphviz (DOT)",
                _text(rb"\A(//.*\n|/\*.*?\*/\s*)*(strict\s+)?(di)?graph\b[^\n\[,;\t]*\{"), _BUILD,
                _OTHERS),
    Unsupported("a graph in GML", _text(rb"\A(Creator.*\n)?graph\s*\["), _BUILD, _OTHERS),
    Unsupported("a network of Pajek", _text(rb"(?i)\A\*(vertices|network)"), _EDGES),
    Unsupported("a matrix in Matrix Market form", _text(rb"\A%%MatrixMarket"), _EDGES),
    Unsupported("a GAF file of annotations", _text(rb"\A!gaf-version"),
                "it says which genes have which terms; give the ontology itself, as OBO"),
    Unsupported("a GPAD or GPI file of annotations", _text(rb"\A!gp[ai]"),
                "it says which genes have which terms; give the ontology itself, as OBO"),
    Unsupported("a tree in Newick", _newick, _BUILD, _OTHERS),
    Unsupported("MeSH's list of tree numbers",
                _text(rb"\A([^;\n]+;[A-Z]\d\d(\.\d{3})*\r?\n){2}"), _BUILD, _OTHERS),
    Unsupported("NEXUS", _text(rb"(?i)\A#NEXUS"),
                "make pairs of its tree with `taxcheck build`", ("table", "checkpoint")),
    Unsupported("a dump of SQL", _text(
        rb"(?i)\A((--|/\*|PRAGMA |BEGIN|SET |START )[^\n]*\n|\s+)*"
        rb"(CREATE|DROP) TABLE |\A(--[^\n]*\n|\s+)*INSERT INTO "),
        "load it into its database, and export the table as CSV"),
    Unsupported("a table drawn with lines, as of psql, MySQL or Markdown",
                _text(rb"\A(\+-[-+]+\+\r?\n\||"
                      rb"[^\n]*\|[^\n]*\n(?=[^\n]*[|+])[ :|+-]*--[ :|+-]*\r?\n)"),
                "export the table as CSV"),
    Unsupported("a tree drawn with lines, as of `tree`",
                _text("(?m)\\A.*\n([\u2502|][^\\n]*\n)?([\u251c\u2514]|[|`+]--)".encode()), _EDGES),
    Unsupported("a diagram of Mermaid",
                _text(rb"\A((graph|flowchart)[ \t]+(TD|TB|BT|RL|LR)\b|mindmap\s*\n)"), _EDGES),
    Unsupported("a report of Kraken",
                _text(rb"\A\d+\.\d+\t\d+\t\d+\t([\d\t]+)?[URDKPCOFGS]\d*\t\d+\t *\S"), _EDGES),
    Unsupported("lines of a count and the ranks of a lineage, as of Krona", _counted_lineages,
                "write them as lineages without counts: "
                "cut -s -f2- FILE | sed 's/\\t/ > /g' > lineages.txt", ("taxonomy",)),
    Unsupported("ConceptNet's assertions", _text(rb"\A/a/\[/r/"),
                "cut the edges of one relation from it: "
                "grep -P '\\t/r/IsA\\t' FILE | cut -f3,4 > edges.tsv"),
    Unsupported("SNOMED's relationships (RF2)",
                _text(rb"\Aid\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\t"),
                "cut what is active and says is-a from it: awk -F'\\t' "
                "'$3 == 1 && $8 == 116680003 {print $5 \"\\t\" $6}' FILE > edges.tsv"),
    Unsupported("a file of UMLS (.RRF)", _text(rb"\AC\d{7}\|"),
                "of MRREL.RRF, take the rows of one source that say PAR or CHD, and " + _EDGES),
    Unsupported("the list of ICD-10 codes in order",
                _text(rb"\A\d{5} [A-Z]\w{2,6} +[01] \S"),
                "write its columns of code and title as a table of code,name"),
    Unsupported("the result of a SPARQL query in JSON",
                _text(rb'\A\{\s*"head"\s*:\s*\{\s*"(vars|link)"'),
                "ask for the same result as CSV (Accept: text/csv)"),
    Unsupported("an adjacency list of networkx",
                _text(rb"\A#[^\n]*\n# GMT [^\n]*\n#"),
                'write its edges: pandas.DataFrame(G.edges, columns=["parent", "child"])'
                '.to_csv("edges.csv", index=False)'),
    Unsupported("an outline, whose lines are indented", _outline, _EDGES),
    Unsupported("FASTA", _text(rb"\A>[^\n]*\n[A-Za-z*\-]+\s*(\n|\Z)"),
                "give the lineages of its headers as a table of identifier, lineage"),
    Unsupported("a GFF or VCF file of genomes", _text(rb"\A##(gff-version|fileformat=VCF)"),
                "it holds no hierarchy; give a taxonomy"),
    Unsupported("OBO", _text(rb"\A(format-version:|\[Term\])"),
                "make pairs of it with `taxcheck build`", ("table", "checkpoint")),
    Unsupported("OBO Graph JSON", _text(rb'\A\{[^\[\]]*"graphs"\s*:\s*\['),
                "make pairs of it with `taxcheck build`", ("table", "checkpoint")),
    Unsupported("a tree in JSON", _text(rb'\A[\[\s]*\{[^\[\]]*"children"\s*:\s*\['),
                "make pairs of it with `taxcheck build`", ("table", "checkpoint")),
)
