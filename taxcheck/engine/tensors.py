"""Arrays in safetensors files, and tables for ``torch.load``."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from taxcheck.engine.run_folder import whole
from taxcheck.errors import InputError
from taxcheck.sources.checkpoints.arrays import read_safetensors
from taxcheck.sources.checkpoints.stored import Stored
from taxcheck.sources.files import InputFile

Arrays = Mapping[str, npt.NDArray[np.generic]]

_NAMES = {
    "f8": "F64", "f4": "F32", "f2": "F16", "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8",
    "u8": "U64", "u4": "U32", "u2": "U16", "u1": "U8", "b1": "BOOL",
}  # fmt: skip
_ALIGNMENT = 8
_MARK = "taxcheck"  # the key of what is written beside the arrays, one JSON object
_CHUNK = 1 << 20  # rows


def write_tensors(path: Path, arrays: Arrays, words: Mapping[str, Any]) -> None:
    """Write arrays and words (JSON) as one safetensors file, whole or not at all.

    Its format is a length, a JSON header and the bytes, by falling alignment of their types
    (https://github.com/huggingface/safetensors#format). OutputError where it cannot be written.
    """
    ordered = sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize)
    header: dict[str, Any] = {"__metadata__": {_MARK: json.dumps(words)}}
    end = 0
    for name, array in ordered:
        begin, end = end, end + array.nbytes
        kind = f"{array.dtype.kind}{array.dtype.itemsize}"
        header[name] = {
            "dtype": _NAMES[kind],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with whole(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for _, array in ordered:
            plain = np.atleast_1d(array)
            for start in range(0, len(plain), _CHUNK):
                part = plain[start : start + _CHUNK]
                little = part.dtype.newbyteorder("<")
                file.write(np.ascontiguousarray(part, dtype=little).data)


def read_tensors(path: Path) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
    """The arrays, as copies, and the words of such a file. InputError where it is none."""
    tree = read_safetensors(InputFile(str(path))).tree
    assert isinstance(tree, dict)
    words = tree.pop("metadata", {}).get(_MARK)
    if not isinstance(words, dict):
        raise InputError(f"{path}: is no checkpoint of `taxcheck train`; give the folder of a run")
    stored = {str(key): value for key, value in tree.items() if isinstance(value, Stored)}
    return {name: value.array().copy() for name, value in stored.items()}, words


def refuse_partial(
    path: Path,
    arrays: Container[str],
    words: Mapping[str, Any],
    needed: Iterable[str],
    spoken: Iterable[str],
) -> None:
    """InputError where an array that is ``needed`` is not there, or no dict of words."""
    lacking = [name for name in needed if name not in arrays]
    lacking += [name for name in spoken if not isinstance(words.get(name), dict)]
    if lacking:
        raise InputError(f"{path}: is no whole checkpoint, it lacks {', '.join(lacking)}")


def write_torch(path: Path, arrays: Arrays, words: Mapping[str, Any]) -> bool:
    """The same as a dict of tensors and words, which ``torch.load(weights_only=True)`` opens.

    A name with a dot becomes a dict in it, so that ``history.loss`` is ``["history"]["loss"]``.
    Nothing is written, and False returned, where torch is not installed.
    """
    if find_spec("torch") is None:
        return False
    import torch

    tree: dict[str, Any] = dict(words)
    for name, array in arrays.items():
        group, _, last = name.rpartition(".")
        place = tree.setdefault(group, {}) if group else tree
        place[last] = torch.from_numpy(np.array(array))
    with whole(path) as file:
        try:
            torch.save(tree, file)
        except RuntimeError:  # where a write fails, its writer says nothing of why
            raise OSError("torch could not write all of it; is the disk full?") from None
    return True
