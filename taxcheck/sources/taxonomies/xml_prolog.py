"""XML before its first element: entities that lead out of the file, or swell, are refused.

No parser of ours fetches what a document type or an entity names; here it becomes a clear error.
"""

from __future__ import annotations

from pyexpat import ExpatError, ParserCreate
from typing import Any

from taxcheck.model.errors import InputError
from taxcheck.sources.taxonomies.text_file import TextFile

_LONGEST = 1 << 10  # characters of an entity: ontologies write namespaces as such
_BLOCK = 1 << 14


def refuse_entities(source: TextFile) -> None:
    """InputError where the prolog declares an entity that is external, nested or long."""
    begun = False
    parser = ParserCreate()

    def entity(*declared: Any) -> None:
        name, parameter, value, _, system, public, _ = declared
        if value is None or system or public:
            raise InputError(
                f"{source.path}: its entity {name[:40]!r} is of another file ({str(system)[:60]}), "
                "which taxcheck does not open; do not trust it, or write the entity out"
            )
        if parameter or "&" in value or "%" in value or len(value) > _LONGEST:
            raise InputError(
                f"{source.path}: its entity {name[:40]!r} is made of others or is long; do not "
                "trust it, or write the entity out"
            )

    def element(*_: object) -> None:
        nonlocal begun
        begun = True

    parser.EntityDeclHandler = entity
    parser.StartElementHandler = element
    with source.stream() as stream:
        try:
            while not begun and (block := stream.read(_BLOCK)):
                parser.Parse(block, False)
        except ExpatError as error:
            raise InputError(
                f"{source.path}: line {error.lineno:,}: is no sound XML ({error}); it may be "
                "truncated or damaged: copy it again"
            ) from None
