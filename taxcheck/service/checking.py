"""What a server would do, and whether it could: nothing is made, changed or brought up to date."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from taxcheck.files import unwritten
from taxcheck.model.errors import TaxcheckError
from taxcheck.service.access import address_of, settle
from taxcheck.service.serving import let_in, listening
from taxcheck.service.settings import Settings
from taxcheck.service.store import tokens
from taxcheck.service.store.database import Database
from taxcheck.service.store.migrate import NEWEST, current
from taxcheck.service.store.ready import is_made
from taxcheck.service.web.visit import names_of


@dataclass(frozen=True, slots=True)
class Checked:
    """One screen: what each part is, and the exit code with which the server would refuse."""

    lines: tuple[tuple[str, str], ...]
    exit_code: int  # 0 where it would start


def checked(settings: Settings) -> Checked:
    """Look at address, folder, database and access as a server would that starts now."""
    lines, codes = list[tuple[str, str]](), [0]
    parts: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("address", _address),
        ("names", _names),
        ("data", _data),
        ("database", _database),
        ("access", _access),
        ("jobs", _jobs),
        ("keeps", _keeps),
    )
    for name, part in parts:
        try:
            lines.append((name, part(settings)))
        except TaxcheckError as error:
            lines.append((name, f"NOT FINE: {error}"))
            codes.append(error.exit_code)
    return Checked(tuple(lines), max(codes))


def _address(settings: Settings) -> str:
    with listening(settings):
        return f"http://{settings.host}:{settings.port} is free"


def _names(settings: Settings) -> str:
    names = [name for name in sorted(names_of(settings)) if address_of(name) is None]
    return f"{', '.join(names)}, and every address"


def _data(settings: Settings) -> str:
    data = settings.data.absolute()
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise unwritten(data, PermissionError(f"{there} is no folder that may be written to"))
    free = shutil.disk_usage(there).free / (1 << 30)
    return f"{data}, {free:,.1f} GiB free{'' if there == data else '; it will be made'}"


def _database(settings: Settings) -> str:
    with _looked_into(settings) as database:
        if database is None:
            return "SQLite in that folder; it will be made"
        at, name = current(database), database.named.removeprefix("database ")
        if at == NEWEST:
            return f"{name} is up to date"
        will = (
            "its tables will be made" if at is None else "it will be copied and brought up to date"
        )
        return f"{name}; {will}"


def _access(settings: Settings) -> str:
    with _looked_into(settings) as database:
        at = None if database is None else current(database)
        if database is None or at is None:
            return let_in(settle(settings, has_tokens=False))
        if at != NEWEST:  # its tokens are told once it is brought up to date
            settle(settings, has_tokens=True)
            return "by its tokens, which can be counted once it was brought up to date"
        return let_in(settle(settings, tokens.any_made(database)))


def _jobs(settings: Settings) -> str:
    said = f"{settings.workers} at once" if settings.workers else "left to `taxcheck worker`"
    folders = "".join(f", {prefix.absolute()}" for prefix in settings.prefixes)
    return f"{said}; they may read uploads{folders}"


def _keeps(settings: Settings) -> str:
    return (
        f"runs of {settings.keep_days:,} days, the last {settings.keep_runs:,} of each dataset, "
        "and however old they get pinned ones, baselines and the newest pass"
    )


@contextmanager
def _looked_into(settings: Settings) -> Iterator[Database | None]:
    """The database as it is; None where there is none, which looking would make."""
    if not is_made(settings):
        yield None
        return
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()
