"""What every command says the same way: the options of a Request, and how an error names them."""

from __future__ import annotations

import functools
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from taxcheck.model.geometry import GEOMETRIES
from taxcheck.model.memory import read_size
from taxcheck.model.paths import Paths, stated

if TYPE_CHECKING:
    from taxcheck.run.request import Request

Command = TypeVar("Command", bound=Callable[..., Any])
WORKERS = min(os.cpu_count() or 1, 8)


def _of_many(said: str) -> dict[str, Any]:
    """An option that may be given several times: a path, or a tuple of them."""

    def paths(context: object, parameter: object, given: tuple[str, ...]) -> Paths | None:
        del context, parameter
        return stated(given)

    return {"metavar": "FILE", "help": said, "multiple": True, "callback": paths}


class _Size(click.ParamType):  # type: ignore[type-arg]
    """A size in bytes, written as 8GB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        try:
            return read_size(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


# Fields of a Request -> the option that gives them.
_OPTIONS: dict[str, dict[str, Any]] = {
    "mapping": _of_many("Table of identifier -> idx; - is standard input."),
    "pairs": _of_many(
        "Training pairs (ancestor, descendant): a file, a folder, a 'pattern' or an address (s3, "
        "gs, hf, https); several times for several."
    ),
    "held_out": _of_many("Held-out pairs, checked for leaks."),
    "known": {
        "metavar": "FILE",
        "help": "Further pairs that are true, each time a table of its own: no candidates for the "
        "nodes below. Default: what [inputs] of the policy names beside those that are scored.",
        "multiple": True,
    },
    "taxonomy": {
        "metavar": "PATH",
        "help": "NCBI taxdump, folder of a build, or table of names: names, ranks, true ancestry.",
    },
    "embeddings": {"metavar": "FILE", "help": "Trained table to audit, of any engine."},
    "initial": {"metavar": "FILE", "help": "The table before training, to tell idle rows."},
    "key": {"help": "Name of the array in the checkpoint; see `taxcheck inspect`."},
    "geometry": {
        "type": click.Choice(GEOMETRIES),
        "help": "What the rows are; otherwise it is told from the file.",
    },
    "curvature": {"type": float, "metavar": "C", "help": "c > 0 of curvature -c; default 1."},
    "labels": {
        "metavar": "KEY",
        "help": "What names the table's rows: an entry of its file, KEY:identifiers, KEY:idx "
        "(row k is that idx's), KEY:rows (idx k has that row), or none (row k is idx k).",
    },
    "mapping_columns": {
        "metavar": "ROLES",
        "help": "Columns of the mapping, in order (taxid,idx) or by name (taxid=label,idx=row).",
    },
    "pair_columns": {
        "metavar": "ROLES",
        "help": "Columns of the pairs, in order (ancestor,descendant,depth_diff) or by name.",
    },
    "policy": {
        "metavar": "FILE",
        "type": Path,
        "help": "A taxcheck.toml or pyproject.toml; default: the one in this folder.",
    },
    "failures": {"metavar": "FOLDER", "type": Path, "help": "Write all offending rows (Parquet)."},
    "fail_on": {
        "type": click.Choice(["fail", "warn"]),
        "default": "fail",
        "show_default": True,
        "help": "The mildest outcome that exits with 1.",
    },
    "workers": {
        "type": click.IntRange(1, 64),
        "default": WORKERS,
        "show_default": "processors, at most 8",
        "help": "Threads that fold the data; the result does not depend on it.",
    },
    "engine": {
        "metavar": "ENGINE",
        "default": "threads",
        "show_default": True,
        "envvar": "TAXCHECK_ENGINE",
        "show_envvar": True,
        "help": "Who reads the pairs: threads; dask (a cluster on this machine), or the address of "
        "a Dask scheduler (tcp://host:8786); spark. The result does not depend on it.",
    },
    "memory": {
        "metavar": "SIZE",
        "type": _Size(),
        "help": "What the run may take, such as 8GB; what cannot be proved in it is told with its "
        "count. Default: half of what the machine has.",
    },
    "seed": {"type": int, "default": 0, "show_default": True, "help": "Of everything sampled."},
    "title": {"help": "Name of the run in the report; default: the pairs' file name."},
}
_FILES = ("mapping", "pairs", "held_out", "taxonomy", "embeddings", "initial")
# How a file is to be read is asked wherever the file is.
_READING = {
    "embeddings": ("key", "geometry", "curvature", "labels"),
    "mapping": ("mapping_columns",),
    "pairs": ("pair_columns",),
}


def request_options(
    *names: str, several: Mapping[str, str] | None = None, **words: str
) -> Callable[[Command], Command]:
    """The options of these fields, in this order; ``words`` replace the help of some of them.

    ``several`` has those that may be given several times, and their help.
    """
    many = several or {}

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            said = {"help": words[name]} if name in words else {}
            said = _of_many(many[name]) if name in many else said
            option = click.option(f"--{name.replace('_', '-')}", **(_OPTIONS[name] | said))
            command = option(command)
        return command

    return decorate


def takes_request(
    *names: str,
    argument: Mapping[str, str] | None = None,
    begun: Callable[..., Request | None] | None = None,
    several: Mapping[str, str] | None = None,
    **words: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hand a command its ``request``, out of the policy, its [inputs] and the options of the line.

    ``names`` are the fields of a Request that the command takes; it gets their options, those that
    say how the files are read, and ``--policy``. The policy names the files that the line does not;
    what the command does not take is left out. ``argument`` has one field typed without its option,
    and how that is called. ``begun`` is told the other options, and its request, if it has one, is
    continued: the line must agree with it. ``several`` and ``words`` are those of
    ``request_options``.
    """
    files = [name for name in names if name in _FILES]
    reading = [one for file, more in _READING.items() if file in files for one in more]
    taken = [*files, *reading, "policy", *(name for name in names if name not in _FILES)]
    bare = argument or {}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def call(**given: Any) -> None:
            stated = {name: given.pop(name) for name in taken}
            before = begun(**given) if begun else None
            command(request=_request(before, **stated), **given)

        own = (name for name in taken if name not in bare)
        ready = request_options(*own, several=several, **words)(call)
        for name, metavar in bare.items():
            ready = click.argument(name, metavar=f"[{metavar}]", required=False)(ready)
        return ready

    return decorate


def _request(begun: Request | None, policy: Path | None, **stated: Any) -> Request:
    from dataclasses import fields

    from taxcheck.model.finding import Outcome
    from taxcheck.policy.model import Inputs
    from taxcheck.policy.read import load_policy
    from taxcheck.run.registry import cause_names, load_rules
    from taxcheck.run.request import continued, under_policy

    tables = stated.get("embeddings")
    series = tables if isinstance(tables, tuple) else ()
    if series:
        stated |= {"embeddings": series[0], "series": series}
    taken = stated.keys() & {f.name for f in fields(Inputs)}
    rest = {name: value for name, value in stated.items() if name not in taken}
    if "fail_on" in rest:
        rest["fail_on"] = Outcome(rest["fail_on"])
    given = Inputs(**{name: stated[name] for name in taken})
    rest = {"workers": WORKERS, "command": typed()} | rest
    if begun is not None:
        return continued(begun, given, policy, **rest)
    return under_policy(given, load_policy(policy, load_rules(), cause_names()), taken, **rest)


def typed() -> str:
    """The command line, as a report quotes it."""
    return shlex.join(["taxcheck", *sys.argv[1:]])


def as_typed(message: str) -> str:
    """The same in the words of the command that runs."""
    return in_options(message, click.get_current_context().command.params)


def in_options(message: str, parameters: Iterable[click.Parameter]) -> str:
    """A message that names fields, such as `held_out`, in the words of a command line.

    Where parameters share a name, the first one tells how it is typed.
    """
    words: dict[str, str] = {}
    for one in parameters:
        bare = isinstance(one, click.Argument) and one.metavar
        words.setdefault(str(one.name), bare.strip("[]") if bare else max(one.opts, key=len))
    return re.sub(r"`(\w+)`", lambda found: words.get(found[1], found[0]), message)
