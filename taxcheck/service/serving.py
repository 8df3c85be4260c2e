"""A server that runs: from its settings to its end, which SIGTERM or Ctrl-C bring about.

Whoever is being answered when it is stopped still gets the answer.
"""

from __future__ import annotations

import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
from fastapi import FastAPI

from taxcheck.model.errors import UsageError
from taxcheck.service.access import settle
from taxcheck.service.application import create_app
from taxcheck.service.settings import Settings
from taxcheck.service.store import tokens
from taxcheck.service.store.ready import is_made
from taxcheck.service.store.store import open_store
from taxcheck.service.worker.loop import working

_PATIENCE = 20  # seconds for answers that are under way when it is stopped
_KEEP_ALIVE = 65  # seconds; longer than the proxies' usual 60, so that they close first
_LOADED = 60.0  # seconds after which what pages need has been loaded
_WAITING = 512  # connections that the system holds for us


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until a signal comes. One line says where, where the data is, and who is let in.

    Raises UsageError for an address that is taken or that would let everybody in, and what
    ``open_store`` raises.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settle(settings, has_tokens=is_made(settings))  # refused before anything is made
    with listening(settings) as listener:
        store = open_store(settings)
        try:
            settled = settle(settings, tokens.any_made(store.database))
            store = replace(store, settings=settled)
            host, port = listener.getsockname()[:2]
            address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            data = settings.data.absolute()
            say(f"taxcheck: {address}, data in {data}, {let_in(settled)}")
            app = create_app(store)
            with working(store), _unsearched():
                _Server(_config(app)).run(sockets=[listener])
        finally:
            store.close()


@contextmanager
def _unsearched() -> Iterator[None]:
    """Have the garbage collector leave alone what was loaded, now and once all pages have been.

    It would look through all of it every few hundred requests, in the middle of one: 50 ms.
    """
    gc.freeze()
    again = threading.Timer(_LOADED, gc.freeze)
    again.daemon = True
    again.start()
    try:
        yield
    finally:
        again.cancel()


def let_in(settings: Settings) -> str:
    """Who may ask for something, in a few words; of settings that were settled."""
    if settings.open:
        return "open to everybody on this machine"
    signed = f", people by {settings.user_header}" if settings.user_header else ""
    return f"for those with a token{signed}"


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The socket, taken before anything else is touched; UsageError where that cannot be."""
    where = f"`host` {settings.host}, `port` {settings.port}"
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        raise UsageError(f"`host` {settings.host}: is no address of this machine") from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_WAITING)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UsageError(f"{where}: is taken; another server runs there") from None
            raise UsageError(f"{where}: {error.strerror}") from None
        yield listener


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the door reads them, of proxies that are believed
        ws="none",
        lifespan="off",
        backlog=_WAITING,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_PATIENCE,
    )


class _Server(uvicorn.Server):
    """Ends by itself when a signal comes, as a success: somebody wanted it to."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        signals = (signal.SIGTERM, signal.SIGINT)
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in signals}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
