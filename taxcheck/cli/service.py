"""What the commands of the server have in common: its settings as options, and its packages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import click

from taxcheck.service.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

_INSTALL = "pip install 'taxcheck[service]'"
_PACKAGES = ("alembic", "fastapi", "prometheus_client", "sqlalchemy", "uvicorn")
_ENVIRONMENT = "TAXCHECK_SERVICE_"

# Fields of the settings -> the option that gives them.
_OPTIONS: dict[str, dict[str, Any]] = {
    "data": {"type": Path, "metavar": "FOLDER", "help": "Database, reports and uploads."},
    "database": {
        "metavar": "URL",
        "help": "postgresql://USER@HOST/NAME; default: SQLite in the folder of the data.",
    },
    "reports": {
        "metavar": "PLACE",
        "help": "Folder or bucket (s3://…, gs://…) of the reports; default: in that of the data.",
    },
    "host": {"metavar": "ADDRESS", "help": "Where to listen; 0.0.0.0 is everywhere."},
    "port": {"type": click.IntRange(0, 65535), "metavar": "PORT", "help": "0 takes a free one."},
    "names": {"metavar": "NAME", "help": "A host name that people reach it by, beside localhost."},
    "address": {
        "metavar": "URL",
        "help": "https://…, by which people reach it: messages link to it.",
    },
    "open": {"is_flag": True, "help": "Let everybody on this machine do everything."},
    "user_header": {
        "metavar": "HEADER",
        "help": "In which the proxy says who signed in, such as X-Forwarded-User.",
    },
    "proxies": {
        "metavar": "ADDRESS",
        "help": "An address or network of proxies that are believed.",
    },
    "admins": {"metavar": "PERSON", "help": "An administrator, as the proxy names people."},
    "prefixes": {
        "type": click.Path(path_type=Path, exists=True, file_okay=False),
        "metavar": "FOLDER",
        "help": "A folder of this machine that jobs may read.",
    },
    "workers": {
        "type": click.IntRange(0, 64),
        "metavar": "N",
        "help": "Jobs at once; 0 leaves them to `taxcheck worker`.",
    },
    "report_bytes": {"type": click.IntRange(1), "metavar": "BYTES", "help": "The largest report."},
    "report_depth": {"type": click.IntRange(1), "metavar": "LEVELS", "help": "Of values in it."},
    "upload_bytes": {"type": click.IntRange(1), "metavar": "BYTES", "help": "The largest file."},
    "upload_hours": {
        "type": click.IntRange(1),
        "metavar": "HOURS",
        "help": "After which a file that nobody uses is removed.",
    },
    "job_seconds": {"type": click.IntRange(1), "metavar": "SECONDS", "help": "The longest job."},
    "job_bytes": {"type": click.IntRange(1 << 28), "metavar": "BYTES", "help": "Memory of a job."},
    "job_niceness": {
        "type": click.IntRange(0, 19),
        "metavar": "N",
        "help": "By how much jobs stand back behind the server.",
    },
    "lease": {
        "type": click.IntRange(5),
        "metavar": "SECONDS",
        "help": "After which a silent worker has lost its job.",
    },
    "attempts": {"type": click.IntRange(1), "metavar": "N", "help": "Of a job, until it failed."},
    "result_days": {
        "type": click.IntRange(1),
        "metavar": "N",
        "help": "For which what a build made can be fetched.",
    },
    "webhook_http": {"is_flag": True, "help": "Let messages go to http:// too."},
    "keep_days": {"type": click.IntRange(1), "metavar": "N", "help": "Runs stay for so long ..."},
    "keep_runs": {
        "type": click.IntRange(1),
        "metavar": "N",
        "help": "... and the last of each dataset however old.",
    },
    "pushes": {
        "type": click.IntRange(1),
        "metavar": "N",
        "help": "A minute, from one token and address.",
    },
}
# What may be given several times is one word of it each time.
_SEVERAL = {"names": "name", "proxies": "proxy", "admins": "admin", "prefixes": "prefix"}
STORE = ("data", "database", "reports")


def takes_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Hand a command its ``settings``, out of these options or all, and of the environment.

    UsageError where the packages of the server are not installed.
    """
    taken = names or tuple(_OPTIONS)
    defaults = {field.name: field.default for field in fields(Settings)}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def call(**given: Any) -> None:
            _expect_packages()
            stated = {name: given.pop(name) for name in taken}
            command(settings=Settings(**stated), **given)

        ready: Callable[..., None] = call
        for name in reversed(taken):
            ready = _option(name, defaults[name])(ready)
        return ready

    return decorate


def _option(name: str, default: Any) -> Callable[[Command], Command]:
    several = name in _SEVERAL
    return click.option(
        f"--{_SEVERAL.get(name, name).replace('_', '-')}",
        name,
        envvar=f"{_ENVIRONMENT}{name.upper()}",
        default=default,
        show_default=default not in (None, False, ()),
        multiple=several,
        **_OPTIONS[name],
    )


def _expect_packages() -> None:
    from taxcheck.model.errors import UsageError

    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"the server needs {missing[0]}, which is not installed: {_INSTALL}")
