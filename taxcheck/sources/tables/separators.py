"""Cells such as 1.000: a thousand with a separator, or one with three decimals.

One cell alone does not tell, but a file does: thousands stand beside plain numbers that all end
below 1,000, decimals beside 0.000 or 1234.000. What tells neither is left as it is, and the
contract refuses its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.model.errors import InputError
from taxcheck.model.reading import Forms
from taxcheck.sources.tables.cells import THOUSANDS

Meaning = Literal["thousands", "decimals", "unknown"]
_NOT_ZERO = r"[.,].*[1-9]"  # 12.345, which as a decimal would be no idx


class MixedError(InputError):
    """Cells that contradict each other, as far as their part of the table tells."""


class Separators:
    """What a dot or a comma before three digits means in one file.

    It is decided at the first batch that has such cells, by all that was read until then, unless it
    is known before.
    """

    def __init__(self, meaning: Meaning | None = None) -> None:
        self.meaning = meaning  # None: no such cell yet

    def read(
        self, columns: Mapping[str, pa.Array], forms: Mapping[str, Forms]
    ) -> dict[str, pa.Array]:
        """The columns of a batch, of numbers all, with such cells as whole numbers.

        ``forms`` are those of the same columns so far, this batch included. MixedError where they
        contradict what was decided before.
        """
        found = {
            role: pc.match_substring_regex(pc.utf8_trim_whitespace(cells), THOUSANDS)
            for role, cells in columns.items()
            if pa.types.is_string(cells.type) and forms[role].thousands
        }
        whole = Forms()
        for role in columns:
            whole = whole.merge(forms[role])
        if self.meaning is None and found:
            broken = any(
                pc.any(pc.match_substring_regex(columns[role].filter(such), _NOT_ZERO)).as_py()
                for role, such in found.items()
            )
            self.meaning = _meaning(whole, broken, any(forms[role].plain for role in found))
        elif self.meaning == "thousands" and (whole.digits > 3 or whole.point_zero):
            raise MixedError(
                "has cells such as 1.000, which were thousands up to there, beside cells such as "
                "1000 or 1.0; write whole numbers without a separator"
            )
        if self.meaning in (None, "unknown"):
            return dict(columns)
        cut = "[.,]" if self.meaning == "thousands" else r"\.000$"
        return dict(columns) | {
            role: pc.if_else(
                such, pc.replace_substring_regex(columns[role], cut, ""), columns[role]
            )
            for role, such in found.items()
        }


def _meaning(whole: Forms, broken: bool, plain_beside: bool) -> Meaning:
    """By the forms of all columns; ``broken``: with decimals, some would be no whole numbers."""
    if whole.digits > 3:
        return "unknown"
    if whole.point_zero:
        return "unknown" if broken or plain_beside else "decimals"
    return "thousands" if broken or plain_beside else "unknown"
