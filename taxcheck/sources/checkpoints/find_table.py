"""Which array of a checkpoint is the embedding table."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from taxcheck.model.errors import InputError, one_line
from taxcheck.sources.checkpoints.contents import UNORDERED, Contents, Flat, Stored

# Last parts of a key that name an embedding table, in every engine seen so far.
_TABLE_NAMES = (
    "lt.weight", "vectors", "embeddings", "embedding", "embeddings.weight", "embedding.weight",
    "emb.weight", "emb", "node_embeddings", "entity_embeddings", "node_embeddings.weight",
    "entity_embeddings.weight", "node_embedding", "node_embedding.weight", "node_emb",
    "node_emb.weight", "entity_embedding", "entity_embedding.weight", "ent_emb", "ent_emb.weight",
    "entity.weight", "taxon_embeddings", "taxon_embeddings.weight", "embed.weight", "embed",
    "embedding.embedding", "z_embeddings", "z", "X", "x", "arr_0",
)  # fmt: skip
# Parts of a key that only say what holds the table, and those that say which copy of it this is.
_HOLDERS = re.compile(
    r"module|_orig_mod|model|models?_state(_dict)?|state_dict|state|params|weights|net|network"
    r"|vars|parameters|_fsdp_wrapped_module|pytorch_module|obsm"
)
_COPY = re.compile(
    r"(ema|swa|avg|averaged?|best|shadow|target|teacher|momentum|old|prev(ious)?|init"
    r"(ial)?|start|backup|copy|snapshot|untrained|pretrained|polyak|slow|lookahead|grad(ient)?s?)"
    r"(_.*|[-:].*|\d*)|.*_(ema|swa|best|avg|old|prev|init|initial|copy|backup|grad)"
)
# Layers of a network whose numbers are no embeddings.
_LAYERS = re.compile(
    r"(head|fc|linear|lin|dense|classifier|decoder|proj(ection|ector)?|out(put)?|mlp|attn|attention"
    r"|conv|norm|bn|ln|layer_norm|gate|kernel|relations?|rel|rel_emb\w*|relation_embeddings?|bias"
    r"|query|key|value)\w*"
)
_ADAPTER = re.compile(r"(.+\.)?lora_(embedding_)?[AB](\..*)?")  # as peft calls its two factors
_OPTIMIZER = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg", "sum")
_LISTED = 12
_FAR = 4  # times as many rows as any other
_COMPARED = 4096  # rows


def find_table(flat: Flat, contents: Contents, key: str | None, shown: str) -> tuple[str, Stored]:
    """The key and the array of the embedding table.

    By ``key``, by the names that engines use, or because nothing else has two dimensions. A name of
    its own comes before one behind that of a copy, such as ``ema.``. Raises InputError, with what
    is there, where that does not decide.
    """
    if key is not None:
        return _given(flat, key, shown)
    tables = {
        name: array
        for name, array in flat.arrays.items()
        if array.is_table and not _of_optimizer(name)
    }
    for name in contents.keys:
        if name in tables:
            return name, tables[name]
    tables = _without_adapters(tables, shown)
    if tables:
        _refuse_unreadable(flat, tables, shown)
    if not tables:
        raise InputError(f"{shown}: holds no embedding table{_instead(flat)}")
    left, named = _likeliest(tables)
    if len(left) == 1 or (named and _same(left)):
        return next(iter(left.items()))
    raise InputError(
        f"{shown}: several arrays could be the table: {_listed(left)}; say which with `key`"
    )


def _without_adapters(tables: Mapping[str, Stored], shown: str) -> dict[str, Stored]:
    """The tables that are no factors of LoRA; InputError where only what they change is left."""
    adapted = [n for n in tables if _ADAPTER.fullmatch(n) or ".base_layer." in f".{n}"]
    kept = {name: array for name, array in tables.items() if name not in adapted}
    if adapted and not _named(kept):
        raise InputError(
            f"{shown}: holds an adapter of LoRA ({one_line(adapted[0], 60)}), two factors that are "
            "added to a table and none themselves; write the table that is meant with "
            "model.merge_and_unload() of peft, or name an array with `key`"
        )
    return kept


def _likeliest(tables: Mapping[str, Stored]) -> tuple[Mapping[str, Stored], bool]:
    """Those that could be the table, and whether a known name says so.

    No copies and no layers of a network where anything else is left; without a known name those
    with far the most rows.
    """
    left = {n: a for n, a in tables.items() if not _is(n, _COPY)} or tables
    if named := _named(left):
        return named, True
    left = {n: a for n, a in left.items() if not _is(n, _LAYERS)} or left
    most = max(array.shape[0] for array in left.values())
    return {n: a for n, a in left.items() if _FAR * a.shape[0] > most}, False


def _named(tables: Mapping[str, Stored]) -> dict[str, Stored]:
    """Those that have the first of the known names, behind what only holds the table or not."""
    for bare in (True, False):
        for wanted in _TABLE_NAMES:
            named = {
                name: array
                for name, array in tables.items()
                if (_bare(name) if bare else name) == wanted
                or (not bare and name.removesuffix(":0").endswith(f".{wanted}"))
            }
            if named:
                return named
    return {}


def _bare(name: str) -> str:
    """A key without what only holds the table."""
    parts = name.removesuffix(":0").split(".")
    while len(parts) > 1 and _HOLDERS.fullmatch(parts[0]):
        parts = parts[1:]
    return ".".join(parts)


def _is(name: str, what: re.Pattern[str]) -> bool:
    return any(what.fullmatch(part.lower()) for part in name.removesuffix(":0").split("."))


def _same(tables: Mapping[str, Stored]) -> bool:
    """Whether all hold the same numbers, so that it does not matter which is taken."""
    if len({(array.shape, array.dtype) for array in tables.values()}) > 1:
        return False
    first, *others = (array.array() for array in tables.values())
    return all(np.array_equal(first, other, equal_nan=True) for other in others)


def _refuse_unreadable(flat: Flat, tables: Mapping[str, Stored], shown: str) -> None:
    """InputError where what is called the table is in a form that is not read."""
    for name, kind in flat.unreadable.items():
        if kind != UNORDERED and _bare(name) in _TABLE_NAMES and not _named(tables):
            raise InputError(
                f"{shown}: {one_line(name, 60)} is {kind}, which taxcheck does not read; save it "
                "as a dense float array"
            )


def other_tables(flat: Flat, key: str, chosen: Stored) -> tuple[str, str]:
    """Arrays that differ from the table and could have been it, for people; "" for none.

    Those with as many rows, among which no more than a name decided, and all others.
    """
    others = {
        name: array
        for name, array in flat.arrays.items()
        if name != key and array.is_table and not _of_optimizer(name)
    }
    head = chosen.array()[:_COMPARED]
    rivals = {
        name: array
        for name, array in others.items()
        if array.shape[0] == chosen.shape[0]
        and not (
            array.shape == chosen.shape
            and np.array_equal(array.array()[:_COMPARED], head, equal_nan=True)
        )
    }
    rest = {n: array for n, array in others.items() if array.shape[0] != chosen.shape[0]}
    return _listed(rivals), _listed(rest)


def _of_optimizer(name: str) -> bool:
    *parents, last = name.split(".")
    return last in _OPTIMIZER or "optimizer" in parents


def _given(flat: Flat, key: str, shown: str) -> tuple[str, Stored]:
    if key in flat.unreadable:
        raise InputError(
            f"{shown}: {key} is {flat.unreadable[key]}, which taxcheck does not read; save it as a "
            "dense float array"
        )
    if key not in flat.arrays:
        listed = _listed(flat.arrays) or "none"
        raise InputError(
            f"{shown}: holds no array {one_line(repr(key), 80)}; `key` can be: {listed}"
        )
    array = flat.arrays[key]
    if not array.is_table:
        raise InputError(
            f"{shown}: {key} is {array.dtype} of shape {array.shape}; an embedding table has float "
            "numbers in rows and columns"
        )
    return key, array


def _listed(arrays: Mapping[str, Stored]) -> str:
    parts = [
        f"{one_line(name, 60)} {'x'.join(map(str, array.shape)) or 'scalar'} {array.dtype}"
        for name, array in arrays.items()
    ]
    more = len(parts) - _LISTED
    return ", ".join(parts[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _instead(flat: Flat) -> str:
    unread = {name: kind for name, kind in flat.unreadable.items() if kind != UNORDERED}
    if unread:
        name, kind = next(iter(unread.items()))
        return f": {one_line(name, 60)} is {kind}; save it as a dense float array"
    if flat.arrays:
        return f" (floats in rows and columns), only: {_listed(flat.arrays)}"
    return "; there is nothing to judge"
