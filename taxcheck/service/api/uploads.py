"""Files that jobs read, sent piece by piece; whoever was cut off asks where to go on."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from taxcheck.service.access import Caller
from taxcheck.service.api.answers import DONE, REFUSALS, answer, told
from taxcheck.service.store import uploads
from taxcheck.service.store.store import Store
from taxcheck.service.store.uploads import Upload
from taxcheck.service.web.guard import allow, own
from taxcheck.service.web.handed import Runner, TheStore

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"], responses=REFUSALS)
_PIECE = 1 << 20  # bytes that are written at once

UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class NewUpload(BaseModel):
    """A file that is going to be sent."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(max_length=100)
    name: str = Field(max_length=255, description="Of the file, for people and its suffix.")
    size: int = Field(ge=0, description="Bytes that it has.")


class Complete(BaseModel):
    """That all of a file was sent."""

    model_config = ConfigDict(extra="forbid")

    digest: str = Field(
        pattern=r"^(blake3:)?[0-9a-fA-F]{64}$", description="BLAKE3 of the whole file."
    )


@router.post("", status_code=201, responses=told(Upload, "Where to send it.", 201))
def begin(new: NewUpload, store: TheStore, caller: Runner) -> Response:
    """Begin to send a file."""
    allow(caller, "run", new.project)
    upload = uploads.begin(store, new.project, new.name, new.size)
    place = f"{router.prefix}/{upload.id}"
    return answer(upload, 201, {"Location": place, "Upload-Offset": "0"})


@router.get("/{id}", responses=told(Upload, "How much of it is there."))
def status(id: UploadId, store: TheStore, caller: Runner) -> Response:
    """Where to go on."""
    upload = _own(store, caller, id)
    return answer(
        upload, headers={"Upload-Offset": str(upload.offset), "Cache-Control": "no-store"}
    )


@router.patch(
    "/{id}",
    responses=told(Upload, "How much of it is there now."),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def append(
    id: UploadId,
    request: Request,
    store: TheStore,
    caller: Runner,
    offset: Annotated[int, Header(alias="Upload-Offset", ge=0)],
) -> Response:
    """Send the next piece, which begins at the offset; what arrives before a cut stays.

    A thread is held while bytes are written, and not while a slow client sends them.
    """
    await run_in_threadpool(_own, store, caller, id)
    async with contextmanager_in_threadpool(uploads.appending(store, id, offset)) as piece:
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _PIECE:
                await run_in_threadpool(piece.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(piece.write, bytes(waiting))
    upload = await run_in_threadpool(uploads.status, store, id)
    return answer(upload, headers={"Upload-Offset": str(upload.offset)})


@router.post("/{id}/complete", responses=told(Upload, "The file, for jobs to read."))
def complete(id: UploadId, sent: Complete, store: TheStore, caller: Runner) -> Response:
    """Say that all was sent; a file with another digest is refused and removed."""
    _own(store, caller, id)
    return answer(uploads.complete(store, id, sent.digest))


@router.delete("/{id}", status_code=204, responses=DONE)
def remove(id: UploadId, store: TheStore, caller: Runner) -> Response:
    """Remove a file, or what there is of it."""
    _own(store, caller, id)
    uploads.remove(store, id)
    return Response(status_code=204)


def _own(store: Store, caller: Caller, id: str) -> Upload:
    upload = uploads.status(store, id)
    own(caller, "run", upload.project, f"upload {id!r}")
    return upload
