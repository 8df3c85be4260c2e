"""REST, under /api/v1: requests in, values of the store out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from taxcheck.service.api import (
    compare,
    datasets,
    describe,
    health,
    jobs,
    runs,
    server,
    tokens,
    uploads,
    webhooks,
)

ROUTERS: Sequence[APIRouter] = (
    runs.router,
    compare.router,
    datasets.router,
    uploads.router,
    jobs.router,
    tokens.router,
    webhooks.router,
    server.router,
    health.router,
    describe.router,
)
