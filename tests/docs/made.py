"""The pages that are made, for the tests: where they stand, and what is in them."""

from __future__ import annotations

from functools import cache

from docs.generate import commands, inputs, policy, python, rest, rules, schema, which_file
from taxcheck.run.registry import load_rules


@cache
def pages() -> dict[str, str]:
    """Every made page but those of the rules, which take the gate; by its place in docs."""
    parts = (commands, inputs, policy, python, rest, schema, which_file)
    return {page.path: page.text for part in parts for page in part.pages()}


@cache
def places() -> frozenset[str]:
    """The places of all made pages."""
    ids = ["index", *(rule.id for rule in load_rules())]
    return frozenset(pages()) | {f"{rules.FOLDER}{id}.md" for id in ids}
