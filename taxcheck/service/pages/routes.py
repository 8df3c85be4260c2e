"""All pages. What begins with a name of a project comes last: it would take in all others."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from taxcheck.service.pages import admin, browse, jobs, reference, runs, shelf, signing

_MODULES = (shelf, signing, reference, runs, jobs, admin, browse)
ROUTERS: Sequence[APIRouter] = tuple(module.router for module in _MODULES)
