"""What is due is sent: JSON that is signed, or a line in Slack's format.

``X-Taxcheck-Signature: t=SECONDS,v1=HEX`` is HMAC-SHA256, by the webhook's secret, of the seconds
since 1970, a dot and the body. A receiver refuses what is old, or was signed by another.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from threading import Event
from typing import TYPE_CHECKING, Any

import msgspec

from taxcheck import __version__
from taxcheck.model.errors import TaxcheckError
from taxcheck.service.store import webhooks
from taxcheck.service.store.webhooks import Message
from taxcheck.service.worker.outward import post

if TYPE_CHECKING:
    from taxcheck.service.store.store import Store

log = logging.getLogger(__name__)

_SAID = {"failure": "fails", "recovery": "passes again", "regression": "has scores that are worse"}


def deliver(store: Store, stopping: Event | None = None) -> int:
    """Send all that is due, or what can be until it has to stop; how many messages arrived."""
    arrived = 0
    while batch := webhooks.due(store):
        for message in batch:
            if stopping is not None and stopping.is_set():
                return arrived
            try:
                send(store, message)
            except TaxcheckError as error:
                log.warning("webhook: %s", error)
                webhooks.failed(store, message, str(error))
            except Exception as error:
                log.exception("webhook of %s", message.project)
                webhooks.failed(store, message, f"taxcheck itself broke ({type(error).__name__})")
            else:
                webhooks.sent(store, message)
                arrived += 1
    return arrived


def send(store: Store, message: Message) -> None:
    """Send one message; TaxcheckError where it does not arrive."""
    if message.style == "slack":
        content: dict[str, Any] = {"text": slack(store, message)}
    else:
        content = told(store, message)
    body = msgspec.json.encode(content)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"taxcheck/{__version__}",
        "X-Taxcheck-Event": message.event,
        "X-Taxcheck-Delivery": str(message.key),
        "X-Taxcheck-Signature": signature(message.secret, body, int(time.time())),
    }
    post(message.url, body, headers, http=store.settings.webhook_http)


def signature(secret: str, body: bytes, seconds: int) -> str:
    """What proves that a body was sent by who knows the secret, at this moment."""
    signed = f"{seconds}.".encode() + body
    code = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={code}"


def told(store: Store, message: Message) -> dict[str, Any]:
    """The content of a message as JSON has it."""
    return {
        "event": message.event,
        "delivery": message.key,
        "project": message.project,
        "dataset": message.dataset,
        "run": {
            "id": message.run,
            "page": _page(store, message),
            **{name: getattr(message, name) for name in webhooks.OF_RUN},
        },
    }


def slack(store: Store, message: Message) -> str:
    """One line for people; nothing in it is taken for a link or a mention."""
    name = _inert(f"{message.project}/{message.dataset}")
    page = _page(store, message)
    shown = f"<{page}|{name}>" if page else name
    return f"*{shown}* {_SAID[message.event]}: {_inert(message.headline)}"


def _inert(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _page(store: Store, message: Message) -> str | None:
    address = store.settings.address
    return f"{address.rstrip('/')}/runs/{message.run}" if address else None
