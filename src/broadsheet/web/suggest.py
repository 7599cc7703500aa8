"""Suggestions while typing, in the form that browsers ask a site's search for (OpenSearch Suggestions)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ..search.suggestions import MAX_TEXT, suggestions
from .pages.routing import reading
from .render import base_url, with_query, workspace_of

router = APIRouter()

MEDIA_TYPE = "application/x-suggestions+json"
# Who types the same a moment later has the answer already; new papers can wait so long.
_CACHING = "public, max-age=60"


@reading(router, "/suggest")
def suggest(request: Request, q: str = "") -> Response:
    """``[q, [what to search for], [title, author or topic], [address of its results]]``.

    Source: https://github.com/dewitt/opensearch/blob/master/mediawiki/Specifications/OpenSearch/Extensions/Suggestions/1.1/Draft%201.wiki
    """
    workspace = workspace_of(request)
    found = suggestions(workspace.engine.words, workspace.store, q)
    base = base_url(request)
    told = [
        q[:MAX_TEXT],
        [one.query for one in found],
        [one.kind for one in found],
        [base + with_query("/search", {"q": one.query}) for one in found],
    ]
    return JSONResponse(told, media_type=MEDIA_TYPE, headers={"Cache-Control": _CACHING})
