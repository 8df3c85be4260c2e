"""The schemas as a document for machines: what `taxcheck schema` prints."""

from __future__ import annotations

import pandera.pandas as pa_schema

from taxcheck.schemas.embeddings import EMBEDDINGS_SCHEMA
from taxcheck.schemas.mapping import MAPPING_SCHEMA
from taxcheck.schemas.pairs import PAIRS_SCHEMA


def contract() -> dict[str, object]:
    """Tables, columns and checks of the published contract, JSON-ready."""
    return {
        str(schema.name): _table(schema)
        for schema in (MAPPING_SCHEMA, PAIRS_SCHEMA, EMBEDDINGS_SCHEMA)
    }


def _table(schema: pa_schema.DataFrameSchema) -> dict[str, object]:
    return {
        "title": schema.title,
        "description": schema.description,
        "columns": {name: _column(column) for name, column in schema.columns.items()},
    }


def _column(column: pa_schema.Column) -> dict[str, object]:
    return {
        "title": column.title,
        "description": column.description,
        "type": str(column.dtype) if column.dtype else "int64 or text",
        "required": column.required,
        "nullable": column.nullable,
        "checks": [
            {
                "name": check.name,
                "refused_as": check.title,
                "description": check.description,
                **{key: int(value) for key, value in check.statistics.items() if "value" in key},
            }
            for check in column.checks
        ],
    }
