"""Columns of Python values, as a few formats give them, turned into exact Arrow columns."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

_LONGEST = 400  # characters of a value that is no plain number or text


def array_of(values: Sequence[object], *, text: bool = False) -> pa.Array | None:
    """(n,) values of one kind as they are, mixed ones as texts; None where some are neither.

    ``text`` makes texts of all, so that batches of a column cannot differ in their kind.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds in ({int}, {str}, {float}, {bool}, set()) and (not text or kinds <= {str}):
        try:
            return pa.array(values, pa.string() if text else None)
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
    if not kinds <= {int, float, str, bool}:
        return None
    # Mixed numbers stay exact as texts; Arrow would turn 2**53 + 1 beside 1.0 into a float.
    try:
        if kinds == {int}:
            return pa.array(values).cast(pa.string())
    except (pa.ArrowInvalid, OverflowError):
        pass
    try:
        texts = [
            None
            if value is None or value != value
            else value
            if type(value) is str
            else str(value)[:_LONGEST]
            for value in values
        ]
        return pa.array(texts, pa.string())
    except (UnicodeEncodeError, ValueError):  # lone surrogates; integers of thousands of digits
        return None


def is_text(role: str) -> bool:
    """Whether the column of a role is of identifiers, which are compared as texts."""
    return role.endswith("taxid")
