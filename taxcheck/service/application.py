"""Everything put together: one application over one store."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from taxcheck import __version__
from taxcheck.model.errors import NoReportError, TaxcheckError
from taxcheck.service.api import ROUTERS
from taxcheck.service.api.describe import description_of, methods_at
from taxcheck.service.pages import failures, routes
from taxcheck.service.store.ready import gauges
from taxcheck.service.store.store import Store
from taxcheck.service.web.door import Door
from taxcheck.service.web.limiter import Limiter
from taxcheck.service.web.meter import Meter
from taxcheck.service.web.refusals import headers_of, invalid, problem, status_of

_SAID = {
    400: "the body cannot be read",
    404: "there is nothing at this address",
    405: "this cannot be done at this address",
}
_LEVEL = 6  # of gzip: a tenth larger than by 9 at most, in half the time
_PACKED = 1000  # bytes from which on an answer is packed, where the client takes that


def create_app(store: Store) -> FastAPI:
    """The application (ASGI) of an open store, whose settings say who is let in.

    ``settle`` of access.py must have looked at them. The caller closes the store.
    """
    app = FastAPI(
        title="taxcheck",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: "_".join((*map(str, route.tags), route.name)),
    )
    meter = Meter()
    meter.watch(lambda: gauges(store))
    app.state.store, app.state.meter = store, meter
    app.state.pushes = Limiter(store.settings.pushes)
    for router in (*ROUTERS, *routes.ROUTERS):
        app.include_router(router)
    app.openapi = lambda: description_of(app)  # type: ignore[method-assign]  # FastAPI's own way
    for kind in (TaxcheckError, NoReportError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refused)
    app.add_middleware(GZipMiddleware, minimum_size=_PACKED, compresslevel=_LEVEL)
    app.add_middleware(Door, settings=store.settings, meter=meter)
    return app


def _refused(request: Request, error: Exception) -> Response:
    status, sentence, headers = _told(error)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:  # what the router says is of one route alone
        headers["Allow"] = ", ".join(methods_at(request.app, request.url.path))
    if failures.wants_page(request):
        return failures.failed(request, status, sentence, headers)
    return problem(status, sentence, headers, request.state.visit.id)


def _told(error: Exception) -> tuple[int, str, dict[str, str]]:
    if isinstance(error, RequestValidationError):
        return 422, invalid(error.errors()), {}
    if isinstance(error, HTTPException):
        sentence = _SAID.get(error.status_code, str(error.detail))
        return error.status_code, sentence, dict(error.headers or {})
    return status_of(error), str(error), headers_of(error)
