"""Small sound files of every kind that taxcheck reads, made by the libraries that users have."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from pyarrow import orc

# child: parent; taxids as NCBI has them, the clade of a sea star
PARENTS = {7586: 7586, 7587: 7586, 7588: 7586, 7594: 7588, 7604: 7594, 7605: 7594, 7606: 7587}
IDS = list(PARENTS)
NAMES = ["Echinodermata", "Crinoidea", "Asteroidea", "Asterias", "A. rubens", "A. forbesi", "Neo"]
RANKS = ["phylum", "class", "class", "genus", "species", "species", "genus"]


def _above(node: int) -> list[int]:
    found = []
    while PARENTS[node] != node:
        node = PARENTS[node]
        found.append(node)
    return found


MAPPING = pa.table({"taxid": IDS, "idx": range(len(IDS))})
_PAIRS = [
    (IDS.index(above), IDS.index(node), step)
    for node in IDS
    for step, above in enumerate(_above(node), 1)
]
PAIRS = pa.table(
    {
        "ancestor_idx": [row[0] for row in _PAIRS],
        "descendant_idx": [row[1] for row in _PAIRS],
        "depth_diff": [row[2] for row in _PAIRS],
    }
)
TABLE = np.random.default_rng(5).normal(size=(len(IDS), 4)) / 6


@dataclass(frozen=True)
class Seed:
    """A sound file: the end of its name, its bytes, and the words of its grammar."""

    suffix: str
    data: bytes
    words: tuple[bytes, ...] = ()


def _text(table: pa.Table, comma: str, end: str = "\n") -> bytes:
    rows = [table.column_names, *zip(*table.to_pydict().values(), strict=True)]
    return end.join(comma.join(map(str, row)) for row in (*rows, ())).encode()


def _sink(write: Callable[..., object], *given: object, **options: object) -> bytes:
    sink = io.BytesIO()
    write(*given, sink, **options)
    return sink.getvalue()


def tables(table: pa.Table) -> list[Seed]:
    """One table in every format."""
    tsv = _text(table, "\t")
    quoted = _text(table, ",").replace(b"7594", b'"7594"')
    typed = table.cast(pa.schema([(name, pa.int32()) for name in table.column_names]))
    texts = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    encoded = pa.table({name: texts[name].dictionary_encode() for name in texts.column_names})
    return [
        Seed(".tsv", tsv),
        Seed(".csv", b"\xef\xbb\xbf" + quoted.replace(b"\n", b"\r\n")),
        Seed(".tsv.gz", gzip.compress(tsv, mtime=0)),
        Seed(".csv.zst", pa.compress(_text(table, ";"), "zstd", asbytes=True)),
        Seed(".parquet", _sink(pq.write_table, table)),
        Seed(".parquet", _sink(pq.write_table, typed, compression="zstd", row_group_size=3)),
        Seed(".parquet", _sink(pq.write_table, encoded, compression="none", version="1.0")),
        Seed(".feather", _sink(feather.write_feather, table, compression="lz4")),
        Seed(".feather", _sink(feather.write_feather, texts, compression="uncompressed")),
        *_packed(tsv, table),
        *_json(table),
        Seed(".xlsx", _excel(table), (b"<v>", b"<c ", b"<row ", b'r="A1"', b"<f>1</f>")),
        Seed(".npy", _sink(_saved, np.stack([c.to_numpy() for c in table.columns], axis=1))),
        Seed(".npz", _sink(_saved, {n: table[n].to_numpy() for n in table.column_names})),
        Seed(".orc", _sink(orc.write_table, table)),
        Seed(".db", _sqlite(table), (b"table", b"CREATE TABLE t", b"SELECT", b"\r\0")),
        Seed(".pkl", pickle.dumps(table.to_pylist(), 4)),
        Seed(".pkl", pickle.dumps(table.to_pydict(), 0)),
        Seed(".pkl", pickle.dumps([{k: np.int64(v) for k, v in r.items()} for r in
                                   table.to_pylist()], 2)),
    ]  # fmt: skip


def _saved(arrays: np.ndarray | dict[str, np.ndarray], sink: io.BytesIO) -> None:
    if isinstance(arrays, dict):
        np.savez_compressed(sink, **arrays)
    else:
        np.save(sink, arrays)


def _excel(table: pa.Table) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (table.column_names, *map(list, table.to_pandas().itertuples(index=False))):
        book.active.append([cell if isinstance(cell, str) else int(cell) for cell in row])
    return _sink(book.save)


def _sqlite(table: pa.Table) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        with closing(sqlite3.connect(path)) as opened, opened:
            table.to_pandas().to_sql("t", opened, index=False)
        return path.read_bytes()


def _json(table: pa.Table) -> list[Seed]:
    """The table in forms of JSON."""
    words = (b"{", b"[", b'"', b"null", b"NaN", b"\\ud800", b"},{", b"9" * 40, b"\n\n")
    rows = table.to_pylist()
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    frame = table.to_pandas()
    forms = [frame.to_json(orient=orient).encode() for orient in ("columns", "split", "values")]
    return [
        Seed(".jsonl", lines, words),
        Seed(".jsonl.gz", gzip.compress(lines, mtime=0)),
        *(Seed(".json", form, words) for form in (json.dumps(rows, indent=1).encode(), *forms)),
    ]


def _packed(tsv: bytes, table: pa.Table) -> list[Seed]:
    """The table behind every packing, and in archives."""
    lz4 = pa.BufferOutputStream()
    with pa.CompressedOutputStream(lz4, "lz4") as stream:
        stream.write(tsv)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/table.tsv", tsv)
    with tarfile.open(fileobj=tarred, mode="w:gz") as packed:
        (info := tarfile.TarInfo("table.tsv")).size = len(tsv)
        packed.addfile(info, io.BytesIO(tsv))
    return [
        Seed(".txt", tsv.decode().encode("utf-16")),
        Seed(".tsv.bz2", bz2.compress(tsv)),
        Seed(".tsv.xz", lzma.compress(tsv)),
        Seed(".tsv.lz4", lz4.getvalue().to_pybytes()),
        Seed(".parquet.gz", gzip.compress(_sink(pq.write_table, table), mtime=0)),
        Seed(".zip", zipped.getvalue(), (b"PK\1\2", b"PK\3\4", b"PK\5\6")),
        Seed(".tar.gz", tarred.getvalue(), (b"ustar", b"0000000", b"7777777")),
    ]


def dump() -> dict[str, bytes]:
    """The files of a taxdump."""
    nodes = [(1, 1, "no rank"), *((k, 1 if k == p else p, r) for (k, p), r in
             zip(PARENTS.items(), RANKS, strict=True))]  # fmt: skip
    names = [(1, "root"), *zip(IDS, NAMES, strict=True)]
    return {
        "nodes.dmp": "".join(f"{k}\t|\t{p}\t|\t{r}\t|\n" for k, p, r in nodes).encode(),
        "names.dmp": "".join(
            f"{k}\t|\t{n}\t|\t\t|\tscientific name\t|\n" for k, n in names
        ).encode(),
        "merged.dmp": b"7599\t|\t7604\t|\n",
        "delnodes.dmp": b"8000\t|\n",
    }


def archives() -> list[Seed]:
    """A taxdump packed in every way."""
    made = []
    for mode, suffix in (("w:gz", ".tar.gz"), ("w", ".tar")):
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode=mode) as packed:
            for name, data in dump().items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, io.BytesIO(data))
        made.append(Seed(suffix, sink.getvalue(), (b"ustar", b"0000000", b"7777777")))
    for packing in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", packing) as packed:
            for name, data in dump().items():
                packed.writestr(name, data)
        made.append(Seed(".zip", sink.getvalue(), (b"PK\1\2", b"PK\3\4", b"PK\5\6")))
    return made


_OBO = """format-version: 1.2
data-version: releases/2024-01-01
default-namespace: anatomy

[Term]
id: X:1
name: organ
namespace: anatomy

[Term]
id: X:2
name: heart
def: "A pump." [src:1]
is_a: X:1 {source="y"} ! organ
alt_id: X:9

[Term]
id: X:3
name: valve
relationship: part_of X:2 ! heart
is_a: X:1

[Term]
id: X:4
is_obsolete: true
replaced_by: X:3

[Typedef]
id: part_of
"""
_GRAPH = {
    "graphs": [
        {
            "meta": {"version": "http://x.org/releases/2024-01-01/x.owl"},
            "nodes": [
                {"id": "http://purl.obolibrary.org/obo/X_1", "lbl": "organ", "type": "CLASS"},
                {"id": "http://purl.obolibrary.org/obo/X_2", "lbl": "heart", "type": "CLASS",
                 "meta": {"basicPropertyValues": [{"pred": "x#hasOBONamespace", "val": "a"}]}},
                {"id": "http://purl.obolibrary.org/obo/X_3", "lbl": "old",
                 "meta": {"deprecated": True}},
            ],
            "edges": [{"sub": "http://purl.obolibrary.org/obo/X_2", "pred": "is_a",
                       "obj": "http://purl.obolibrary.org/obo/X_1"}],
        }
    ]
}  # fmt: skip
_TURTLE = b"""@prefix s: <http://www.w3.org/2004/02/skos/core#> . @prefix x: <http://x.org/> .
x:a a s:Concept ; s:prefLabel "a"@en, "A"@de ; s:narrower x:b .
x:b a s:Concept ; s:broader [ a s:Concept ] .
x:c s:broader x:b ; <http://www.w3.org/2002/07/owl#deprecated> false .
"""
_RDF_XML = b"""<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [<!ENTITY x "http://x.org/">]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:owl="http://www.w3.org/2002/07/owl#">
<owl:Class rdf:about="&x;a"><rdfs:label xml:lang="en">a</rdfs:label></owl:Class>
<owl:Class rdf:about="&x;b"><rdfs:subClassOf rdf:resource="&x;a"/><rdfs:subClassOf>
<owl:Restriction><owl:onProperty rdf:resource="&x;p"/><owl:someValuesFrom rdf:resource="&x;a"/>
</owl:Restriction></rdfs:subClassOf></owl:Class></rdf:RDF>
"""
_NTRIPLES = b"".join(
    b"<http://x.org/%b> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://x.org/%b> .\n"
    % ends
    for ends in ((b"b", b"a"), (b"c", b"b"), (b"d", b"a"))
)
_JSON_LD = b"""{"@context": {"s": "http://www.w3.org/2004/02/skos/core#"}, "@graph": [
{"@id": "x:a", "@type": "s:Concept", "s:prefLabel": {"@value": "a", "@language": "en"}},
{"@id": "x:b", "@type": "s:Concept", "s:broader": [{"@id": "x:a"}]}]}
"""
_OWL = b"""Prefix(:=<http://x.org/>)
Ontology(<http://x.org/o>
Declaration(Class(:a)) SubClassOf(:b :a) # so
SubClassOf(:c ObjectIntersectionOf(:a ObjectSomeValuesFrom(:p :b)))
AnnotationAssertion(rdfs:label :a "a (\\"b\\")"@en)
)
"""
_OWL_XML = b"""<?xml version="1.0"?>
<Ontology xmlns="http://www.w3.org/2002/07/owl#" xml:base="http://x.org/">
<Prefix name="x" IRI="http://x.org/"/><Declaration><Class IRI="#a"/></Declaration>
<SubClassOf><Class abbreviatedIRI="x:b"/><Class IRI="#a"/></SubClassOf>
<SubClassOf><Class IRI="#a"/><Class abbreviatedIRI="x:d"/></SubClassOf>
<AnnotationAssertion><AnnotationProperty abbreviatedIRI="rdfs:label"/><IRI>#a</IRI>
<Literal>a</Literal></AnnotationAssertion></Ontology>
"""
_XML = (b"<", b">", b"</", b"&x;", b"&#0;", b"<![CDATA[", b"<!DOCTYPE x [", b"]>", b'"', b"<!--")
_GRAPHML = b"""<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="d0" for="node" attr.name="label"
 attr.type="string"/><graph edgedefault="directed"><node id="a"><data key="d0">A</data></node>
<node id="b"/><node id="c"/><edge source="a" target="b"/><edge source="a" target="c"/>
</graph></graphml>
"""
_GEXF = b"""<?xml version="1.0"?>
<gexf xmlns="http://gexf.net/1.3" version="1.3"><graph defaultedgetype="directed"><nodes>
<node id="a" label="A"/><node id="b" label="B"/><node id="c" label="C"/></nodes><edges>
<edge id="0" source="a" target="b"/><edge id="1" source="a" target="c"/></edges></graph></gexf>
"""
_GML = b"""graph [ directed 1
 node [ id 0 label "a" ] node [ id 1 label "b" ] node [ id 2 label "c" ]
 edge [ source 0 target 1 ] edge [ source 0 target 2 weight 1.5 ]
]
"""
_DOT = b"""strict digraph "g" { // so
 a [label="A \\"x\\""]; a -> b -> {c d:p} [label=x]; a -> e [label=<<b>f</b>>]
 subgraph s { a -> h }
}
"""
_LINKS = b"""{"directed": true, "nodes": [{"id": "a", "label": "A"}, {"id": "b"}, {"id": 3}],
"links": [{"source": "a", "target": "b"}, {"source": "a", "target": 3}]}
"""
_TREE = {"name": "a", "children": [{"name": "b", "id": 3}, {"name": "c", "children": ["d"]}]}
_WORDNET = """  1 This is a licence.
00001740 03 n 01 entity 0 002 ~ 00001930 n 0000 ~ 00002137 n 0000 | that which is
00001930 03 n 01 physical_entity 0 001 @ 00001740 n 0000 | an entity
00002137 03 n 02 abstraction 0 abstract_entity 0 001 @ 00001740 n 0000 | a general concept
"""
_GTDB = """RS_GCF_1.1\td__Bacteria;p__Pseudomonadota;c__Gamma;o__O;f__F;g__G;s__G one
RS_GCF_2.1\td__Bacteria;p__Pseudomonadota;c__Alpha;o__P;f__Q;g__R;s__R one
GB_GCA_3.1\td__Archaea;p__;c__;o__;f__;g__;s__
"""
_LINEAGE = """kingdom,phylum,class,order,family,genus,species
Animalia,Chordata,Mammalia,Primates,Hominidae,Homo,Homo sapiens
Animalia,Chordata,Mammalia,Carnivora,Felidae,Panthera,
Plantae,,,,Rosaceae,Rosa,Rosa canina
"""
_NEWICK = b"((a:1.5[&x=1],'b ''c':2)0.9:1e-3,(d,e)100:3)root:0;\n"
_NEXUS = b"""#NEXUS
begin taxa; dimensions ntax=2; end;
begin trees;
  translate 1 'a b', 2 c;
  tree one = [&R] ((1:0.1[&x=1],2)0.9:1,d)r;
end;
"""
_PATHS = b"a1\tk__B; p__F; s__\na2\tk__B; p__G; s__unidentified\na3\tk__B; p__F; s__x\n"
_SHOP = b"# version 2\nAnimals > Pets\nAnimals > Pets > Birds\nAnimals > Live\nFood > Bread\n"
_TRIPLES = b"b\tis_a\ta\nc\tis_a\tb\nd\tis_a\tb\ne\tpart_of\ta\n"
_NODES = b"id,parent_id,name,rank\n1,,all,no rank\n2,1,A,genus\n3,1,B,genus\n4,2,C,species\n"
_EDGES = b"child\tparent\nb\ta\nc\tb\nd\tb\ne\ta\n"


def sources() -> dict[str, list[Seed]]:
    """What ``taxcheck build`` reads, by format."""
    obo, lineage = _OBO.encode(), _LINEAGE.encode()
    graph = json.dumps(_GRAPH).encode()
    words = (
        b"[Term]",
        b"is_a: ",
        b"id: ",
        b"relationship: part_of ",
        b"\\",
        b'"',
        b"{",
        b"!",
        b"consider: X:4\n",
        b'{gci_filler="X:1"}',
        b"intersection_of: X:1\n",
    )
    return {
        "gtdb": [Seed(".tsv", _GTDB.encode(), (b"d__", b"s__", b";", b"\t"))],
        "edges": [
            Seed(".tsv", _EDGES),
            Seed(".csv", _EDGES.replace(b"\t", b",")),
            Seed(".csv", _NODES, (b"NA", b"NULL", b",,", b"0")),
        ],
        "newick": [Seed(".nwk", _NEWICK, (b"(", b")", b",", b";", b"'", b"[", b"]", b":", b"()"))],
        "nexus": [Seed(".nex", _NEXUS, (b"translate", b"tree x = ", b"end;", b"[", b"'", b";"))],
        "obo": [Seed(".obo", obo, words), Seed(".obo.gz", gzip.compress(obo, mtime=0))],
        "obograph": [Seed(".json", graph, (b"{", b"[", b'"', b"null", b"\\ud800"))],
        "turtle": [Seed(".ttl", _TURTLE, (b"@prefix", b"[", b"]", b"(", b"<", b'"""', b";", b"."))],
        "rdfxml": [Seed(".rdf", _RDF_XML, _XML)],
        "ntriples": [Seed(".nt", _NTRIPLES, (b"<", b">", b"_:b", b'"x"@en', b" .\n"))],
        "jsonld": [Seed(".jsonld", _JSON_LD, (b'"@id"', b'"@context": ', b"{", b"[", b"null"))],
        "owl": [Seed(".ofn", _OWL, (b"(", b")", b"SubClassOf(", b"Prefix(", b'"', b"=", b"<"))],
        "owlxml": [Seed(".owx", _OWL_XML, _XML)],
        "graphml": [Seed(".graphml", _GRAPHML, _XML)],
        "gexf": [Seed(".gexf", _GEXF, _XML)],
        "gml": [Seed(".gml", _GML, (b"[", b"]", b"node [ id 1 ]", b'"', b"&#0;", b"1e400"))],
        "dot": [
            Seed(".dot", _DOT, (b"{", b"}", b"->", b"[", b"]", b"<", b'"', b"=", b"subgraph "))
        ],
        "jsongraph": [Seed(".json", _LINKS, (b"{", b"[", b'"source": ', b"null", b"-1"))],
        "terms": [
            Seed(
                ".csv",
                b"Class ID,Obsolete,Parents\nx:a,false,\nx:b,,x:a|x:c\nx:c,true,x:a\n",
                (b"|", b",", b"x:b", b"owl:Thing"),
            )
        ],
        "codes": [
            Seed(".bin", b"Body;A01\nBreast;A01.236\nSkin;A17\nBreast;A17.360\n", (b";", b"A01.1")),
            Seed(
                ".dat",
                b"ID   1.1.1.1\nDE   a.\n//\nID   1.1.2.3\nDE   Transferred entry: 1.1.1.1.\n//\n",
            ),
            Seed(".csv", b"code,title\nA00,a\nA00.0,b\nA00.1,c\nS72,d\nS72.0,e\nS72.01,f\n"),
        ],
        "json": [
            Seed(
                ".json",
                json.dumps(_TREE).encode(),
                (b"{", b"[", b'"', b"null", b"\\ud800", b'"children": [', b'{"name": "a"}'),
            ),
            Seed(".json", b'{"a": {"b": {"c": 5}, "d": ["e", "f"]}, "g": null}'),
        ],
        "wordnet": [Seed("", _WORDNET.encode(), (b"@ ", b"00001740", b" | ", b"ffff"))],
        "lineage": [Seed(".csv", lineage), Seed(".tsv", lineage.replace(b",", b"\t"))],
        "taxdump": archives(),
        "paths": [Seed(".tsv", _PATHS, (b";", b"__", b"\t")), Seed(".txt", _SHOP, (b" > ",))],
        "triples": [Seed(".tsv", _TRIPLES, (b"\tis_a\t", b"\thyponym\t"))],
    }


def _flax(table: npt.NDArray[np.float64]) -> bytes:
    """As flax.serialization.to_bytes writes one array."""
    array = msgspec.msgpack.encode([table.shape, table.dtype.name, table.tobytes()])
    return msgspec.msgpack.encode({"params": {"embedding": msgspec.msgpack.Ext(1, array)}})


def _faiss(table: npt.NDArray[np.float64]) -> bytes:
    """As faiss.write_index writes an IndexIDMap of an IndexFlatL2."""
    rows, width = table.shape
    heads = [
        struct.pack("<4siqqqBi", code, width, rows, 1 << 20, 1 << 20, 1, 1)
        for code in (b"IxMp", b"IxF2")
    ]
    plain, ids = table.astype("<f4").tobytes(), np.array(IDS, "<i8").tobytes()
    sizes = struct.pack("<Q", rows * width), struct.pack("<Q", rows)
    return b"".join([*heads, sizes[0], plain, sizes[1], ids])


def checkpoints(folder: Path) -> list[Seed]:
    """An embedding table as every library writes it."""
    import h5py
    import safetensors.numpy
    import scipy.io
    import torch
    from gensim.models import KeyedVectors

    from taxcheck.engine.checkpoint import write_tensors

    names = [str(identifier) for identifier in IDS]
    tensor = torch.tensor(TABLE)
    state = {"embeddings": tensor, "objects": names, "epoch": 3, "manifold": "poincare",
             "conf": {"dim": 4, "lr": 0.1}}  # fmt: skip
    made: list[Seed] = []

    def add(suffix: str, write: Callable[[Path], object]) -> None:
        write(path := folder / f"seed{len(made)}{suffix}")
        made.append(Seed(suffix, path.read_bytes()))

    add(".pt", lambda path: torch.save(state, path))
    add(".pt", lambda path: torch.save(state, path, _use_new_zipfile_serialization=False))
    add(".pth", lambda path: torch.save(torch.nn.Embedding(7, 4).state_dict(), path))
    add(".npy", lambda path: np.save(path, TABLE))
    add(".npy", lambda path: np.save(path, np.asfortranarray(TABLE.astype(">f4"))))
    add(".npz", lambda path: np.savez(path, vectors=TABLE, names=np.array(names), epoch=3))
    add(".npz", lambda path: np.savez_compressed(path, vectors=TABLE, taxids=np.array(IDS)))
    add(
        ".safetensors",
        lambda path: safetensors.numpy.save_file(
            {"emb.weight": TABLE, "update_counts": np.arange(7)}, path, {"manifold": "lorentz"}
        ),
    )
    add(
        ".safetensors",
        lambda path: write_tensors(
            path, {"embeddings": TABLE}, {"epoch": 3, "config": {"geometry": "ball", "dim": 4}}
        ),
    )
    vectors = KeyedVectors(4)
    vectors.add_vectors(names, TABLE.astype(np.float32))
    add(".kv", lambda path: vectors.save(str(path)))
    for binary, suffix in ((False, ".vec"), (True, ".bin")):
        add(
            suffix,
            lambda path, binary=binary: vectors.save_word2vec_format(str(path), binary=binary),
        )
    add(".vec.gz", lambda path: path.write_bytes(gzip.compress(made[-2].data, mtime=0)))
    columns = {"taxid": IDS, **{f"d{k}": TABLE[:, k] for k in range(4)}}
    add(".parquet", lambda path: pq.write_table(pa.table(columns), path))
    add(
        ".parquet", lambda path: pq.write_table(pa.table({"taxid": IDS, "e": TABLE.tolist()}), path)
    )
    add(".feather", lambda path: feather.write_feather(pa.table(columns), str(path)))
    add(".csv", lambda path: pd.DataFrame(columns).to_csv(path, index=False))
    add(
        ".pkl",
        lambda path: path.write_bytes(
            pickle.dumps({"embeddings": TABLE, "taxid_to_idx": {k: i for i, k in enumerate(IDS)}})
        ),
    )
    add(".pkl", lambda path: pd.DataFrame(columns).to_pickle(path))
    add(".tsv", lambda path: pd.DataFrame(columns).to_csv(path, sep="\t", header=False))
    add(".mat", lambda path: scipy.io.savemat(path, {"emb": TABLE, "taxids": IDS}))
    vectors_of = {str(k): row.tolist() for k, row in zip(IDS, TABLE, strict=True)}
    add(".json", lambda path: path.write_text(json.dumps(vectors_of)))
    add(".msgpack", lambda path: path.write_bytes(_flax(TABLE)))
    add(".faiss", lambda path: path.write_bytes(_faiss(TABLE)))

    def hdf5(path: Path, **options: object) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("embeddings", data=TABLE, **options)
            file.create_dataset("a/names", data=np.array(IDS))

    add(".h5", hdf5)
    add(".h5", lambda path: hdf5(path, compression="gzip", chunks=(3, 4), shuffle=True))
    return made  # fmt: skip
