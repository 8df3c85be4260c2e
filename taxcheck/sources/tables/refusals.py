"""Files that are no table: what they are called, and what to do."""

from __future__ import annotations

from taxcheck.model.errors import InputError
from taxcheck.sources.readers import formats

_REFUSED = (
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"FEA1", "a Feather V1 file", "rewrite it with pyarrow.feather.write_feather, or as Parquet"),
    (b"\x93NUMPY", "a NumPy array", "save it as a table with named columns, as Parquet"),
    (b"\x89HDF", "an HDF5 file", "export the table as Parquet"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"PK\x03\x04", "a zip archive", "unpack it and give the table inside"),
    (b"BZh", "a bzip2 file", "unpack it, or recompress it with gzip or zstd"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it, or recompress it with gzip or zstd"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "unpack it, or recompress it with gzip or zstd"),
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it: iconv -f UTF-32 -t UTF-8"),
    (b"\xff\xfe", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"),
)


def refuse_binary(head: bytes, shown: str) -> None:
    """Raise InputError where the first bytes are those of a known format that holds no table."""
    for magic, name, remedy in _REFUSED:
        if head.startswith(magic):
            raise InputError(f"{shown}: is {name}, which taxcheck does not read; {remedy}")


def no_table(shown: str) -> InputError:
    """The refusal of binary data that is of no known format."""
    return InputError(
        f"{shown}: is no table that taxcheck knows (it holds NUL or control bytes); give "
        f"{formats('table')}"
    )
