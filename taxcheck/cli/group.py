"""The group of all commands, and how their errors end: one line, a documented exit code."""

from __future__ import annotations

import os
import sys
import time

import click

from taxcheck import __version__
from taxcheck.engine.peers import placed
from taxcheck.errors import TaxcheckError

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_PATIENCE = 5.0  # seconds
_LONGEST = 1200  # characters of a complaint
_NO_THREAD = "can't start new thread"  # how CPython says it, in a RuntimeError


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, message="taxcheck %(version)s")
def cli() -> None:
    """Prove that the training data of a hierarchical embedding is sound, train on it, audit it.

    Exit codes: 0 passed or warned, 1 a rule failed, 2 usage or policy, 3 an input cannot be read
    or nothing could be judged, 4 a rule or renderer broke, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error that a user can mend is one line, without traceback."""
    if arguments is None:  # the process is ours: pandera need not take along what only tests use
        sys.modules.setdefault("hypothesis", None)  # type: ignore[arg-type]
    try:
        cli.main(args=arguments, standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        _complain(error.format_message(), hint=f"see `{_command(error)} --help`")
        sys.exit(2)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing was written")
        sys.exit(130)
    except TaxcheckError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        _complain("out of memory; give fewer --workers, or a machine with more")
        sys.exit(3)
    except Exception as error:
        if str(error) == _NO_THREAD:
            _complain("the system starts no more threads; raise its limit (ulimit -u, ulimit -v)")
            sys.exit(3)
        if "TAXCHECK_TRACEBACK" in os.environ:
            raise
        _complain(
            f"taxcheck itself broke ({type(error).__name__}: {_one_line(error)}); set "
            "TAXCHECK_TRACEBACK=1 to see where, and report it"
        )
        sys.exit(4)


def _command(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "taxcheck"


def _one_line(error: object) -> str:
    """On one line that a terminal can show, whatever a file's names and keys hold."""
    text = " ".join(str(error).split())
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _complain(message: str, hint: str = "") -> None:
    if placed()[0]:
        # What the first process is told as well it says, and torchrun then ends the others. One
        # that is still here has a trouble of its own.
        time.sleep(_PATIENCE)
    text = _one_line(message).rstrip(".")
    click.echo(f"taxcheck: {text}{'; ' + hint if hint else ''}", err=True)
