"""The command line: parse, call, print. What a command needs is imported when it runs."""

from __future__ import annotations

from taxcheck.cli.group import cli, main

__all__ = ["cli", "main"]
