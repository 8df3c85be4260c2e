"""taxcheck token: who may push, read, run jobs and administer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from taxcheck.cli.service import STORE, takes_settings
from taxcheck.cli.streams import aside, say

if TYPE_CHECKING:
    from taxcheck.service.settings import Settings
    from taxcheck.service.store.store import Store


@click.group()
def token() -> None:
    """Make, list and revoke the tokens by which programs and people are known to a server."""


@token.command()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["push", "read", "run", "admin", "watch"]),
    help="What it may do; several times for more. admin is all, watch is badges and feeds.",
)
@click.option("--project", metavar="NAME", help="Only in this project; default: in all.")
@click.option("--name", metavar="NAME", help="Who is going to show it.")
@click.option("--days", type=click.IntRange(1, 36_500), metavar="N", help="Then it expires.")
@takes_settings(*STORE)
def create(
    settings: Settings,
    scopes: tuple[str, ...],
    project: str | None,
    name: str | None,
    days: int | None,
) -> None:
    """Make a token and print it, this once: the server keeps no more than its hash."""
    from taxcheck.service.store import tokens
    from taxcheck.service.store.store import open_store

    first = f"{project or 'all'} {' '.join(scopes)}"
    store = open_store(settings)
    try:
        text, made = tokens.create(store, name or first, scopes, project=project, days=days)
    finally:
        store.close()
    where = project or "all projects"
    say(text)
    aside(f"token {made.key}: {', '.join(made.scopes)} in {where}; it is shown this once")


@token.command("list")
@click.option("--project", metavar="NAME", help="Only those of this project.")
@takes_settings(*STORE)
def list_(settings: Settings, project: str | None) -> None:
    """List the tokens that were not revoked; what they are is not kept."""
    from taxcheck.service.store import tokens

    with _looked_into(settings) as store:
        found = tokens.tokens(store, project)
    for one in found:
        until = f"until {_day(one.expires)}" if one.expires else "does not expire"
        used = f"used {_day(one.used)}" if one.used else "never used"
        where = one.project or "all projects"
        say(f"{one.key:>5}  {one.name:<32}  {' '.join(one.scopes):<16}  {where}; {until}; {used}")
    if not found:
        say("no token")


@token.command()
@click.argument("key", type=int)
@takes_settings(*STORE)
def revoke(settings: Settings, key: int) -> None:
    """Make a token void, by its number in the list, with all sessions that were made from it."""
    from taxcheck.service.store import tokens

    with _looked_into(settings) as store:
        tokens.revoke(store, key)
    say(f"token {key} is void")


@contextmanager
def _looked_into(settings: Settings) -> Iterator[Store]:
    """The store of a server that is there; looking makes none."""
    from taxcheck.model.errors import InputError
    from taxcheck.service.store.ready import is_made
    from taxcheck.service.store.store import open_store

    if not is_made(settings):
        raise InputError(f"`data` {settings.data}: holds no server, and so no token")
    store = open_store(settings, migrate=False)
    try:
        yield store
    finally:
        store.close()


def _day(moment: int) -> str:
    return dt.datetime.fromtimestamp(moment / 1000, dt.UTC).date().isoformat()
