"""The command line: parse, call, print. What a command needs is imported when it runs."""

from __future__ import annotations

from taxcheck.cli.build import build
from taxcheck.cli.catalogue import explain, rules, schema
from taxcheck.cli.compare import compare
from taxcheck.cli.evaluate import evaluate
from taxcheck.cli.fix import fix
from taxcheck.cli.group import cli, main
from taxcheck.cli.init import init
from taxcheck.cli.inspect import inspect
from taxcheck.cli.push import push
from taxcheck.cli.run import run
from taxcheck.cli.selftest import selftest
from taxcheck.cli.serve import serve
from taxcheck.cli.token import token
from taxcheck.cli.train import train
from taxcheck.cli.why import why
from taxcheck.cli.worker import worker

for _command in (
    init,
    build,
    run,
    train,
    fix,
    compare,
    push,
    selftest,
    inspect,
    why,
    evaluate,
    rules,
    explain,
    schema,
    serve,
    worker,
    token,
):
    cli.add_command(_command)

__all__ = ["cli", "main"]
