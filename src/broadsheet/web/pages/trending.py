"""The page that tells how trending is computed: every term and constant, and today's arithmetic."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...editions import trending
from ...ranking.trending import GRAVITY, HEAD_START_DAYS, STAR_DAYS, constants
from ..render import kept, page, workspace_of
from .routing import reading

router = APIRouter()

_SHOWN = 10


@reading(router, "/trending/how")
def how(request: Request) -> Response:
    """The terms and constants as they stand in the code, and the first papers with their arithmetic."""
    return kept(request, lambda: _how(request))


def _how(request: Request) -> Response:
    workspace = workspace_of(request)
    edition = trending(workspace.store, workspace.settings, limit=_SHOWN)
    return page(
        request,
        "trending_how.html",
        "How trending is computed",
        path="/trending/how",
        description="Every term and constant of the trending score, and the arithmetic of the first papers.",
        section="trending",
        constants=constants(),
        gravity=GRAVITY,
        head_start=HEAD_START_DAYS,
        star_days=STAR_DAYS,
        entries=edition.entries,
        lists=workspace.settings.front_list_names,
    )
