"""The formats of embedding tables, in the order in which they are asked."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import (
    CERTAIN,
    LIKELY,
    NEVER,
    PICKLED,
    STRONG,
    Candidate,
    Reader,
    begins,
    formats,
    lazily,
)

if TYPE_CHECKING:
    from taxcheck.sources.checkpoints.archive import Archive
    from taxcheck.sources.checkpoints.contents import Contents
    from taxcheck.sources.checkpoints.delimited import Layout


# Protocol 0 is text: a list, a dictionary, a tuple, an object. CSV may begin with such letters too.
_PRINTED_PICKLE = re.compile(
    rb"\(*(?:[ldt]p\d+\n|c[A-Za-z_][\w.]*\n\w+\n|I-?\d+\n|L-?\d+L\n|F[-+.\de]+\n|S['\"]"
    rb"|V[^\n,:;()]*\np\d+\n|N[.tNI])"
)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _archive(candidate: Candidate) -> Archive | None:
    """The members of a zip file; a tar may end with one."""
    from taxcheck.sources.checkpoints.archive import Archive

    try:
        zipped = candidate.head.startswith(b"PK") or zipfile.is_zipfile(candidate.file.path)
    except zipfile.BadZipFile:  # of what ends like a damaged one
        zipped = False
    return Archive(candidate.file) if zipped and not _is_tar(candidate.head) else None


# A pickle may begin like a zip and a zip may have a prefix: who knows the first bytes is surer.
def _torch(candidate: Candidate) -> float:
    from taxcheck.sources.checkpoints.torch_files import LEGACY_HEADS, pickles_in

    if candidate.head.startswith(LEGACY_HEADS):
        return CERTAIN
    if _is_tar(candidate.head):
        raise InputError(
            f"{candidate.file.shown}: is a tar archive, as torch wrote before 0.4; load it with "
            "the torch that wrote it and save it again with torch.save"
        )
    if candidate.head.startswith(PICKLED):
        return NEVER
    archive = candidate.once(_archive)
    if archive is None or not pickles_in(archive):
        return NEVER
    return CERTAIN if candidate.head.startswith(b"PK") else LIKELY


def _npz(candidate: Candidate) -> float:
    if candidate.head.startswith(PICKLED):
        return NEVER
    archive = candidate.once(_archive)
    if archive is None:
        return NEVER
    if any(name.endswith(".npy") for name in archive.names):
        return CERTAIN if candidate.head.startswith(b"PK") else LIKELY
    raise InputError(
        f"{candidate.file.shown}: is a zip archive with neither torch's data.pkl nor NumPy's .npy "
        f"in it; give {formats('checkpoint')}"
    )


def _safetensors(candidate: Candidate) -> float:
    head = candidate.head
    length = int.from_bytes(head[:8], "little")
    return CERTAIN if head[8:9] == b"{" and length <= candidate.file.bytes else NEVER


def _pickle(candidate: Candidate) -> float:
    from taxcheck.sources.checkpoints.torch_files import LEGACY_HEADS

    head = candidate.head
    if head.startswith(LEGACY_HEADS) or candidate.file.path.name == ".metadata":
        return NEVER
    if b"joblib.numpy_pickle" in head:
        return NEVER
    if head.startswith(PICKLED):
        return CERTAIN
    binary = head[:1] in (b"(", b"]", b"}") and b"\n" in head and not candidate.is_text
    return LIKELY if binary or _PRINTED_PICKLE.match(head) else NEVER


def _delimited(candidate: Candidate) -> Layout | None:
    from taxcheck.sources.checkpoints.delimited import layout_of

    return layout_of(candidate.unpacked)


def _word2vec(candidate: Candidate) -> float:
    from taxcheck.sources.checkpoints.word2vec import header_of

    if header_of(candidate.unpacked) is None or candidate.once(_delimited) is not None:
        return NEVER
    return LIKELY


def _text(candidate: Candidate) -> float:
    if candidate.once(_delimited) is not None:
        return LIKELY
    if not candidate.is_text or b"\n" not in candidate.unpacked:
        return NEVER
    raise InputError(
        f"{candidate.file.shown}: is text, but its lines are no vectors of one length; write an "
        "identifier and one number for each dimension in every line, or save the table as .npy or "
        "Parquet"
    )


def _json(candidate: Candidate) -> float:
    head = candidate.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not candidate.is_text or not head.startswith((b"{", b"[")):
        return NEVER
    return LIKELY if not _index(candidate) else NEVER


def _index(candidate: Candidate) -> float:
    from taxcheck.sources.checkpoints.sharded import is_index

    return STRONG if candidate.is_text and is_index(candidate.head) else NEVER


def _hdf5(candidate: Candidate) -> float:
    head = candidate.head  # MATLAB 7.3 has a block of its own before it
    return CERTAIN if b"\x89HDF\r\n" in (head[:6], head[512:518]) else NEVER


def _distributed(candidate: Candidate) -> float:
    named = candidate.file.path.name == ".metadata"
    return CERTAIN if named and candidate.head.startswith(PICKLED) else NEVER


def _faiss(candidate: Candidate) -> float:
    from taxcheck.sources.checkpoints.faiss_files import is_flat

    return CERTAIN if is_flat(candidate.head) else NEVER


def _msgpack(candidate: Candidate) -> float:
    """A map whose first key is a text: its letters follow their number."""
    head = candidate.head
    begin = {0xDE: 3, 0xDF: 5}.get(head[0], 1 if 0x81 <= head[0] <= 0x8F else 0)
    key = head[begin : begin + 1]
    if not begin or not key or not (0xA1 <= key[0] <= 0xBF):
        return NEVER
    return LIKELY if head[begin + 1 : begin + 1 + (key[0] & 31)].isalpha() else NEVER


def _read_text(candidate: Candidate) -> Contents:
    from taxcheck.sources.checkpoints.delimited import read_delimited

    layout = candidate.once(_delimited)
    assert layout is not None
    return read_delimited(candidate.file, layout)


def _read_torch(candidate: Candidate) -> Contents:
    from taxcheck.sources.checkpoints.torch_files import LEGACY_HEADS, read_archive, read_legacy

    if candidate.head.startswith(LEGACY_HEADS):
        return read_legacy(candidate.file)
    archive = candidate.once(_archive)
    assert archive is not None
    return read_archive(candidate.file, archive)


def _read_npz(candidate: Candidate) -> Contents:
    from taxcheck.sources.checkpoints.arrays import read_npz

    archive = candidate.once(_archive)
    assert archive is not None
    return read_npz(candidate.file, archive)


def _read_word2vec(candidate: Candidate) -> Contents:
    from taxcheck.sources.checkpoints import word2vec

    head = candidate.head
    if (header := word2vec.header_of(head)) is not None and word2vec.looks_binary(head):
        return word2vec.read_binary(candidate.file, *header)
    return word2vec.read_text(candidate.file, zipped=head.startswith(b"\x1f\x8b"))


def _table(*, parquet: bool) -> Callable[[Candidate], object]:
    return partial(lazily("checkpoints.tabular.read_table", "file"), parquet=parquet)


_FIRST, _MEMBERS = "its first bytes", "its members"
_VECTORS = "A column of lists, or one numeric column per dimension."
# fmt: off
READERS = (
    Reader("checkpoint", "npy", "npy", _FIRST, begins(b"\x93NUMPY"),
           lazily("checkpoints.arrays.read_npy", "file"), (".npy",)),
    Reader("checkpoint", "safetensors", "safetensors", "its header", _safetensors,
           lazily("checkpoints.arrays.read_safetensors", "file"), (".safetensors",),
           "As `taxcheck train` writes."),
    Reader("checkpoint", "parquet", "Parquet", _FIRST, begins(b"PAR1"), _table(parquet=True),
           (".parquet",), _VECTORS),
    Reader("checkpoint", "feather", "Feather", _FIRST, begins(b"ARROW1\0\0"),
           _table(parquet=False), (".feather",), _VECTORS),
    Reader("checkpoint", "hdf5", "HDF5", _FIRST, _hdf5,
           lazily("checkpoints.hdf5.read_hdf5", "file"), (".h5",),
           "As PyTorch-BigGraph writes it; entity names are read from the file beside.",
           extra="checkpoints"),
    Reader("checkpoint", "torch", "torch (.pt, .pth, .bin)", _MEMBERS, _torch, _read_torch,
           (".pt", ".pth", ".bin"),
           "State dicts and checkpoints of torch.save, old and new; neither torch nor anything in "
           "the file is run. Those of facebookresearch's poincare-embeddings, geoopt and HypLL are "
           "known."),
    Reader("checkpoint", "npz", "npz", _MEMBERS, _npz, _read_npz, (".npz",),
           "Labels may lie beside."),
    Reader("checkpoint", "pickle", "gensim", _FIRST, _pickle,
           lazily("checkpoints.pickles.read_pickle", "file"), (".pkl", ".model"),
           "Models and KeyedVectors with the arrays beside them, and plain pickles of arrays. "
           "Nothing in them is run."),
    Reader("checkpoint", "word2vec", "word2vec", "rows and width in its first line", _word2vec,
           _read_word2vec, (".txt", ".txt.gz", ".bin"), "Text, also gzip, and binary."),
    Reader("checkpoint", "text", "CSV, TSV or GloVe text",
           "lines of an identifier and as many numbers", _text, _read_text,
           (".csv", ".tsv", ".txt", ".csv.gz"),
           "With a header or without; labels of TensorBoard's projector are read from the "
           "`metadata.tsv` beside a `vectors.tsv`."),
    Reader("checkpoint", "json", "JSON", "its brackets", _json,
           lazily("checkpoints.plain_trees.read_json", "file"), (".json", ".jsonl"),
           "A map of label to vector, records with a vector each, or a list of vectors."),
    Reader("checkpoint", "shards", "an index of shards", "its `weight_map`", _index,
           lazily("checkpoints.sharded.read_index", "file"), (".index.json",),
           "As Hugging Face's libraries write beside shards of safetensors or torch; a folder with "
           "one index can be given."),
    Reader("checkpoint", "distcp", "torch's distributed checkpoint", "its `.metadata`",
           _distributed, lazily("checkpoints.sharded.read_distributed", "file"), (".metadata",),
           "The folder that torch.distributed.checkpoint wrote, or the `.metadata` in it."),
    Reader("checkpoint", "faiss", "FAISS", _FIRST, _faiss,
           lazily("checkpoints.faiss_files.read_faiss", "file"), (".faiss", ".index"),
           "IndexFlatL2 and IndexFlatIP, also in an IndexIDMap; other indexes are refused."),
    Reader("checkpoint", "msgpack", "flax msgpack", "a map in msgpack", _msgpack,
           lazily("checkpoints.plain_trees.read_msgpack", "file"), (".msgpack", ".flax"),
           "As flax.serialization.to_bytes writes it."),
    Reader("checkpoint", "matlab", "MATLAB", _FIRST, begins(b"MATLAB 5.0 MAT-file"),
           lazily("checkpoints.matlab.read_matlab", "file"), (".mat",),
           "Up to version 7; identifiers may lie beside as numbers, or as cells of texts."),
)
