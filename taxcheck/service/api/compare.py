"""Any two runs beside each other."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from taxcheck import __version__
from taxcheck.commands.compare.compare import beside
from taxcheck.commands.compare.comparison import Comparison
from taxcheck.model.report import RenderOptions
from taxcheck.run.registry import load_comparison_renderers
from taxcheck.service.api.answers import REFUSALS, tag_of, told, unchanged
from taxcheck.service.api.asking import RUN_ID
from taxcheck.service.api.runs import FORMATS
from taxcheck.service.store import runs
from taxcheck.service.web.door import ALONE
from taxcheck.service.web.handed import Reader, TheStore, own_run

router = APIRouter(prefix="/api/v1", tags=["runs"], responses=REFUSALS)

_Id = Annotated[str, Query(pattern=RUN_ID, description="Id of a run.")]


@router.get("/compare", responses=told(Comparison, "As `taxcheck compare --json` writes it."))
def compare(
    before: _Id,
    after: _Id,
    request: Request,
    store: TheStore,
    caller: Reader,
    tolerance: Annotated[float, Query(ge=0, le=1)] = 0.01,
    format: Literal["json", "html"] = "json",
) -> Response:
    """Set two runs beside each other; of two datasets neither is better."""
    old, new = (own_run(store, caller, "read", id) for id in (before, after))
    tag = tag_of(
        *((r.digest, r.project, r.dataset) for r in (old, new)), tolerance, format, __version__
    )
    if same := unchanged(request, tag):
        return same
    comparison = beside(
        runs.report(store, before),
        runs.report(store, after),
        (before, after),
        tolerance=tolerance,
        different=(old.project, old.dataset) != (new.project, new.dataset),
    )
    text = load_comparison_renderers()[format](comparison, RenderOptions())
    headers = {"ETag": tag}
    if format == "html":
        headers["Content-Security-Policy"] = ALONE
    return Response(text, headers=headers, media_type=FORMATS[format][1])
