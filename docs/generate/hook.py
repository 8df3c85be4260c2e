"""What MkDocs calls: made pages join the written ones, and ``@name`` in the navigation is filled.

Run as ``python -m mkdocs`` at the root of the repository, as ``make docs`` does.
"""

from __future__ import annotations

import os
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs.generate import (
    address,
    causes,
    commands,
    inputs,
    policy,
    python,
    rest,
    rules,
    schema,
    which_file,
)

os.environ.setdefault("SOURCE_DATE_EPOCH", "1795305600")  # examples without times or today's date
PARTS = (rules, causes, commands, policy, inputs, schema, rest, python, which_file)
_FILLED = {
    "@rules": rules.navigation,
    "@causes": causes.navigation,
    "@commands": commands.navigation,
    "@python": python.navigation,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the navigation's places for what is made, and link the repository."""
    config.repo_url = address.address() or ""
    config.nav = _filled(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for part in PARTS:
        for page in part.pages():
            files.append(File.generated(config, page.path, content=page.text))
    return files


def _filled(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_filled(item) for item in entry]
    if isinstance(entry, dict):
        return {title: _filled(item) for title, item in entry.items()}
    return _FILLED[entry]() if entry in _FILLED else entry
