"""The group of all commands, and how their errors end: one line, a documented exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from traceback import walk_tb
from types import FrameType
from typing import Any

import click

from taxcheck import __version__
from taxcheck.cli.allocator import keep_freed
from taxcheck.cli.lean import start_lean
from taxcheck.cli.options import in_options
from taxcheck.cli.streams import aside, fill_closed_streams, piped, say
from taxcheck.engine.processes import rank_and_world
from taxcheck.model.errors import TaxcheckError, one_line

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_PATIENCE = 5.0  # seconds
_LONGEST = 1200  # characters of a complaint
_NO_THREAD = "can't start new thread"  # how CPython says it, in a RuntimeError


_MODULES = {
    **{name: name for name in ("init", "build", "run", "train", "fix", "compare", "push")},
    **{name: name for name in ("selftest", "inspect", "why", "evaluate", "explore")},
    **dict.fromkeys(("rules", "explain", "schema"), "catalogue"),
    **{name: name for name in ("serve", "worker", "token")},
}


class _Lazily(Mapping[str, click.Command]):
    """The commands by name; each is imported when it is asked for."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = getattr(import_module(f"{__package__}.{_MODULES[name]}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class _Commands(click.Group):
    """The commands; an error of theirs is told in the words of the one that was typed."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.commands = _Lazily()  # type: ignore[assignment]  # nobody adds to them

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """As click makes it; that may print the help."""
        with piped():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; click would make 1 of a closed pipe, which is a verdict."""
        with piped():
            try:
                return super().invoke(ctx)
            except TaxcheckError as error:
                typed = self.commands.get(ctx.invoked_subcommand or "")
                every = [typed, *self.commands.values()] if typed else self.commands.values()
                _complain(in_options(str(error), (p for one in every for p in one.params)))
                raise SystemExit(error.exit_code) from None


@click.group(
    cls=_Commands,
    context_settings=_CONTEXT,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, message="taxcheck %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Prove that the training data of a hierarchical embedding is sound, train on it, audit it.

    Exit codes: 0 passed or warned, 1 a rule failed, 2 usage or policy, 3 an input cannot be read
    or nothing could be judged, 4 a rule or renderer broke, 130 interrupted, 141 the reader of the
    output left, 129 and 143 stopped by SIGHUP or SIGTERM.
    """
    if ctx.invoked_subcommand is None:
        say(ctx.get_help())
        ctx.exit(2)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every error that a user can mend is one line, without traceback."""
    if arguments is None:  # the process is ours
        start_lean()
        keep_freed()
        _end_in_order()
    fill_closed_streams()
    with piped():
        try:
            if code := _code_of(arguments):
                sys.exit(code)
        finally:
            sys.stdout.flush()  # while it can still be told that nobody reads


def _end_in_order() -> None:
    """Have SIGTERM and SIGHUP end this process as an error does, so that it leaves no file."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    if "RANK" not in os.environ:  # else torchrun ends all of its processes, and says why
        aside("taxcheck: stopped")
    raise SystemExit(128 + number)


def _code_of(arguments: list[str] | None) -> int | None:
    """Run a command to its exit code; one that ends by itself says nothing more."""
    try:
        return cli.main(args=arguments, standalone_mode=False)  # type: ignore[no-any-return]
    except click.UsageError as error:
        _complain(error.format_message(), hint=_hint(error))
        return 2
    except (click.exceptions.Abort, KeyboardInterrupt):
        _complain("interrupted; nothing was written")
        return 130
    except BrokenPipeError:
        raise
    except MemoryError:
        _complain("out of memory; give fewer --workers, or a machine with more")
        return 3
    except Exception as error:
        if str(error) == _NO_THREAD:
            _complain("the system starts no more threads; raise its limit (ulimit -u, ulimit -v)")
            return 3
        if isinstance(error, OSError) and _printing(error):
            from taxcheck.files import unprinted

            _complain(str(unprinted(error)))
            return 3
        if "TAXCHECK_TRACEBACK" in os.environ:
            raise
        _complain(
            f"taxcheck itself broke ({type(error).__name__}: {one_line(error, _LONGEST)}); set "
            "TAXCHECK_TRACEBACK=1 to see where, and report it"
        )
        return 4


def _printing(error: OSError) -> bool:
    """Whether it is standard output that failed, as click printed its help or version."""
    return any(f.f_code is click.echo.__code__ for f, _ in walk_tb(error.__traceback__))


def _hint(error: click.UsageError) -> str:
    """What to do; where a shell has put files in the place of a pattern, to quote it."""
    said = error.format_message()
    if said.startswith("Got unexpected extra argument"):
        words = said.partition("(")[2].rstrip(").").split()
        if words and all(map(os.path.exists, words)):
            return "quote a pattern of files, as in --pairs 'pairs/*.parquet'"
    return f"see `{_command(error)} --help`"


def _command(error: click.UsageError) -> str:
    return error.ctx.command_path if error.ctx else "taxcheck"


def _complain(message: str, hint: str = "") -> None:
    if rank_and_world()[0]:
        # What the first process is told as well it says, and torchrun then ends the others. One
        # that is still here has a trouble of its own.
        time.sleep(_PATIENCE)
    text = one_line(message, _LONGEST).rstrip(".")
    aside(f"taxcheck: {text}{'; ' + hint if hint else ''}")
