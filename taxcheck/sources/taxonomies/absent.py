"""Words for nothing, as tools and people write them where there is no parent, and no taxon."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from taxcheck.sources.tables.cells import EMPTY_WORDS

# In lower case, beside those of numbers: of databases, of spreadsheets, and of languages.
WORDS = frozenset(
    {
        *EMPTY_WORDS, "\\n", "(null)", "[null]", "<null>", "nul", "undefined", "missing", "(none)",
        "<none>", "[none]", "no parent", "noparent", "-", "--", "#", "–", "—", "?", ".", "#ref!",
        "#value!", "#null!", "pd.na", "nat", "keine", "kein", "keiner", "leer", "aucun", "aucune",
        "ninguno", "ninguna", "nulo", "nessuno", "nessuna", "nenhum", "nenhuma", "geen", "brak",
        "ingen", "inget", "нет", "无", "無", "空", "なし", "없음",
    }
)  # fmt: skip
_LIST = pa.array(sorted(WORDS))


def is_absent(texts: pa.Array) -> pa.Array:
    """(n,) whether a text, trimmed before, says that there is nothing; null does."""
    return pc.fill_null(pc.is_in(pc.utf8_lower(texts), _LIST), True)
