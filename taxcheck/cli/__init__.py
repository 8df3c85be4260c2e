"""The command line: parse, call, print. What a command needs is imported when it runs."""

from __future__ import annotations

from taxcheck.cli.build import build
from taxcheck.cli.catalogue import explain, rules, schema
from taxcheck.cli.compare import compare
from taxcheck.cli.fix import fix
from taxcheck.cli.group import cli, main
from taxcheck.cli.init import init
from taxcheck.cli.run import run
from taxcheck.cli.selftest import selftest
from taxcheck.cli.table import evaluate, inspect, why
from taxcheck.cli.train import train

for _command in (
    init,
    build,
    run,
    train,
    fix,
    compare,
    selftest,
    inspect,
    why,
    evaluate,
    rules,
    explain,
    schema,
):
    cli.add_command(_command)

__all__ = ["cli", "main"]
