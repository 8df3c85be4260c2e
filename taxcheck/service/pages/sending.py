"""The form that asks for a job, as it is sent: its fields, and files that become uploads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from fastapi import Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool

from taxcheck.service.access import Caller
from taxcheck.service.store import uploads
from taxcheck.service.store.places import UPLOAD
from taxcheck.service.store.store import Store
from taxcheck.service.web.guard import allow
from taxcheck.service.web.handed import Runner, TheStore
from taxcheck.service.web.multipart import KIND, Part, parts
from taxcheck.service.web.refusals import RefusedRequestError
from taxcheck.service.web.session import form

FILE = "-file"  # ends the name of a field that sends the file of another
_MOST = 1 << 16  # bytes of all fields together


async def sent(request: Request, store: TheStore, caller: Runner) -> dict[str, str]:
    """The fields of the form; a file that was chosen stands as the upload that it became.

    The field of the project comes before the files, and they are its uploads.
    """
    if not request.headers.get("content-type", "").lower().startswith(KIND):
        return await form(request)
    fields: dict[str, str] = {}
    held = bytearray()
    found = parts(request)
    async for part in found:
        if part.file is not None:
            if part.file or part.data:
                id = await _file(request, store, caller, fields.get("project", ""), part, found)
                fields[part.name.removesuffix(FILE)] = f"{UPLOAD}{id}"
            continue
        held += part.data
        if len(held) > _MOST:
            raise RefusedRequestError(413, f"the fields of a form have at most {_MOST:,} bytes")
        if part.ends:
            fields[part.name] = held.decode("utf-8", "replace")
            held.clear()
    return fields


async def _file(
    request: Request,
    store: Store,
    caller: Caller,
    project: str,
    first: Part,
    rest: AsyncIterator[Part],
) -> str:
    """Keep a file; the id of the upload. Threads are held while bytes are written alone."""
    allow(caller, "run", project)
    told = request.headers.get("content-length", "")
    most = int(told[:20]) if told.isdecimal() else store.settings.upload_bytes
    name = re.split(r"[/\\]", first.file or "")[-1] or "file"
    async with AsyncExitStack() as stack:
        arriving = contextmanager_in_threadpool(uploads.arriving(store, project, name, most))
        arrival = await stack.enter_async_context(arriving)
        part = first
        while True:
            if part.data:
                await run_in_threadpool(arrival.write, part.data)
            if part.ends:
                break
            part = await anext(rest)
    return arrival.id
