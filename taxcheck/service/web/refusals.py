"""How a request is refused: one sentence, the one that the command line would print.

Programs get it as problem+json (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from taxcheck.model.errors import (
    InputError,
    NoReportError,
    OtherVersionError,
    TaxcheckError,
    UsageError,
)

PROBLEM = "application/problem+json"


class RefusedRequestError(TaxcheckError):
    """A request that is not granted; ``status`` says how HTTP calls that."""

    exit_code = 2

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})


def unknown_caller(sentence: str = "") -> RefusedRequestError:
    """Nobody whom the server knows."""
    said = sentence or "this server wants a token: send it as `Authorization: Bearer tck_…`"
    return RefusedRequestError(401, said, {"WWW-Authenticate": 'Bearer realm="taxcheck"'})


def status_of(error: Exception) -> int:
    """How HTTP calls an error of taxcheck."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status
    if isinstance(error, OtherVersionError):
        return HTTPStatus.UPGRADE_REQUIRED
    if isinstance(error, NoReportError | UsageError | InputError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def headers_of(error: Exception) -> dict[str, str]:
    """What else an answer has to say."""
    headers: dict[str, str] = dict(getattr(error, "headers", None) or {})
    status = status_of(error)
    if status == HTTPStatus.UPGRADE_REQUIRED:
        headers.setdefault("Upgrade", "taxcheck")  # which a 426 has to name
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", "5")
    return headers


def problem(
    status: int, sentence: str, headers: Mapping[str, str] | None = None, request: str = ""
) -> Response:
    """An answer that says why there is no other; ``request`` is the id by which a log knows it."""
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": one_line(sentence),
    }
    if request:
        told["request"] = request
    return Response(msgspec.json.encode(told), status, dict(headers or {}), PROBLEM)


def invalid(errors: Sequence[Any]) -> str:
    """The sentence for a request that is not of the form that its description asks for."""
    first = errors[0]
    at = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    if first["type"] == "json_invalid":
        return f"the body is no JSON: {first.get('ctx', {}).get('error', 'it cannot be read')}"
    where, said = " ".join(at) or "the body", str(first["msg"])
    more = f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
    return f"{where}: {said[:1].lower()}{said[1:]}{more}"


def one_line(text: str, longest: int = 1200) -> str:
    """A sentence that may quote what a client sent: on one line, printable and bounded."""
    said = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return said if len(said) <= longest else f"{said[: longest - 1]}…"
