"""Administration: disk and retention, tokens, webhooks, who changed what.

Whoever administers one project sees and changes what is of that project alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request, Response

from taxcheck.service.access import Caller
from taxcheck.service.pages import values as v
from taxcheck.service.pages.desk import Fields, frame, go, page
from taxcheck.service.store import datasets, log, retention, tokens, webhooks
from taxcheck.service.store.errors import RefusedError, StoreError
from taxcheck.service.store.store import Store
from taxcheck.service.store.webhooks import EVENTS, Webhook
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Admin, AdminOfAll, TheStore

router = APIRouter(prefix="/admin", include_in_schema=False)


@router.get("")
def show(request: Request, store: TheStore, caller: Admin) -> Response:
    """All of it."""
    return page("admin", _admin(request, store, caller))


def _admin(
    request: Request, store: Store, caller: Caller, made: str = "", line: str = ""
) -> v.Admin:
    all_of_it = caller.may("admin")
    shown = tokens.tokens(store)
    return v.Admin(
        frame=frame(request, caller),
        **_disk(store) if all_of_it else {"disk": (), "counts": (), "free": None},
        keep_days=store.settings.keep_days,
        keep_runs=store.settings.keep_runs,
        tokens=tuple(
            v.TokenLine(t.key, t.name, t.scopes, t.project, t.created, t.expires, t.used, t.revoked)
            for t in shown
            if caller.may("admin", t.project)
        ),
        hooks=_hooks(store, webhooks.webhooks(store, caller.projects)),
        log=_log(store) if all_of_it else (),
        made=made,
        line=line,
    )


def _disk(store: Store) -> dict[str, object]:
    disk, projects = retention.disk(store), datasets.projects(store)
    return {
        "disk": (("database", disk.database), ("reports", disk.reports)),
        "free": disk.free,
        "counts": (
            ("projects", len(projects)),
            ("datasets", sum(one.datasets for one in projects)),
            ("runs", disk.runs),
        ),
    }


def _hooks(store: Store, found: Iterable[Webhook]) -> tuple[v.HookLine, ...]:
    waiting = webhooks.waiting(store)
    return tuple(
        v.HookLine(
            hook.id, hook.project, hook.url, hook.style, hook.events, hook.paused,
            *waiting.get(hook.id, (0, None)),
        )
        for hook in found
    )  # fmt: skip


def _log(store: Store) -> tuple[v.LogLine, ...]:
    return tuple(v.LogLine(e.moment, e.person, e.action, e.subject) for e in log.entries(store))


@router.post("/sweep")
def sweep(store: TheStore, caller: AdminOfAll) -> Response:  # noqa: ARG001 - whether they may
    """Remove what need not be kept."""
    retention.sweep(store)
    return go("/admin", "swept")


@router.post("/tokens")
def create_token(request: Request, store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Make a token; the page shows it this once."""
    project, days = fields.get("project") or None, fields.get("days") or None
    allow(caller, "admin", project)
    scopes = [scope for scope in tokens.SCOPES if fields.get(f"may-{scope}")]
    try:
        made, _ = tokens.create(
            store,
            fields.get("name", ""),
            scopes,
            project=project,
            days=None if days is None else _days(days),
            person=caller.person,
        )
    except StoreError as error:
        return page("admin", _admin(request, store, caller, line=str(error)), error.status)
    return _once(request, store, caller, made)


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise RefusedError(f"days {text[:20]!r}: is no whole number")
    return int(text)


def _once(request: Request, store: Store, caller: Caller, made: str) -> Response:
    """The page with something that is never shown again, and kept by nobody on the way."""
    answer = page("admin", _admin(request, store, caller, made=made))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/tokens/revoke")
def revoke_token(store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Make a token void."""
    key = _key(fields)
    own(caller, "admin", tokens.one(store, key).project, f"token {key}")
    tokens.revoke(store, key, caller.person)
    return go("/admin", "revoked")


@router.post("/webhooks")
def create_webhook(request: Request, store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Add a webhook; the page shows its secret this once."""
    project = fields.get("project", "")
    allow(caller, "admin", project)
    try:
        _, secret = webhooks.create(
            store,
            project,
            fields.get("url", ""),
            style=fields.get("style", "json"),
            events=[event for event in EVENTS if fields.get(f"on-{event}")],
            person=caller.person,
        )
    except StoreError as error:
        return page("admin", _admin(request, store, caller, line=str(error)), error.status)
    return _once(request, store, caller, secret)


@router.post("/webhooks/pause")
def pause_webhook(store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Send nothing to a webhook, or go on."""
    hook = _own_hook(store, caller, fields)
    webhooks.pause(store, hook.id, paused=bool(fields.get("paused")), person=caller.person)
    return go("/admin", "paused")


@router.post("/webhooks/remove")
def remove_webhook(store: TheStore, caller: Admin, fields: Fields) -> Response:
    """Remove a webhook with what still was to be sent to it."""
    hook = _own_hook(store, caller, fields)
    webhooks.remove(store, hook.id, person=caller.person)
    return go("/admin", "removed")


def _own_hook(store: Store, caller: Caller, fields: dict[str, str]) -> Webhook:
    key = _key(fields)
    hook = webhooks.one(store, key)
    own(caller, "admin", hook.project, f"webhook {key}")
    return hook


def _key(fields: dict[str, str]) -> int:
    text = fields.get("key", "")
    if not text.isdecimal() or len(text) > 18:
        raise RefusedError(f"key {text[:20]!r}: is no number")
    return int(text)
