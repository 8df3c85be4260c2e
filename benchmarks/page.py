"""Pages of the documentation: a section per benchmark, replaced whole when it is measured again."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def write_section(name: str, text: str, of: Path = PAGE) -> None:
    """Replace the section between the markers of ``name``, or add it."""
    page = of.read_text(encoding="utf-8") if of.exists() else "# Benchmarks\n"
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(page):
        page = pattern.sub(lambda _: section, page)
    else:
        page = page.rstrip() + "\n\n" + section + "\n"
    of.write_text(page, encoding="utf-8")


def machine() -> str:
    """One line about where this was measured."""
    packages = ", ".join(f"{p} {version(p)}" for p in ("numpy", "pandas", "pandera", "pyarrow"))
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
