"""Templates into pages: the environment they are compiled in, and what every page is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import __version__
from ..delivery import tex
from ..workspace import Workspace
from . import stories
from .kept_pages import KeptPages
from .static_files import address

HTML = "text/html; charset=utf-8"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates are escaped without exception: only `tex` and the templates themselves make HTML."""
    made = Environment(
        loader=PackageLoader("broadsheet.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.globals |= {"static": address, "version": __version__, "paper_url": stories.paper_url}
    made.filters |= {
        "tex": tex.html_of,
        "plain": tex.plain_of,
        "day": stories.short_day,
        "list_title": stories.list_title,
        "counted": stories.counted,
        "stars": stories.stars_of,
    }
    return made


# Where the tabs of every page lead; on a front page they lead to the periods around it.
TABS = {
    "day": "/",
    "week": "/papers/week/latest",
    "month": "/papers/month/latest",
    "trending": "/papers/trending",
}


def workspace_of(request: Request) -> Workspace:
    return request.app.state.workspace


def base_url(request: Request) -> str:
    """The public address of the site, without a slash at the end."""
    return (workspace_of(request).settings.base_url or str(request.base_url)).rstrip("/")


def with_query(path: str, parameters: Mapping[str, Any]) -> str:
    """``path`` with those of ``parameters`` that are neither None nor empty nor 0."""
    query = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}?{query}" if query else path


def page(
    request: Request,
    template: str,
    title: str,
    *,
    path: str | None = None,
    description: str = "",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """The page ``template``.

    Args:
        title: of the window and for those who share the page; plain text.
        path: the page's one address, with its query; None for pages that have none (errors).
        description: one or two sentences for search engines and previews; plain text.
        headers: further headers of the answer.
        context: what the template shows.
    """
    settings = workspace_of(request).settings
    base = base_url(request)
    body = (
        environment()
        .get_template(template)
        .render(
            site_name=settings.site_name,
            tagline=settings.tagline,
            base=base,
            title=title,
            canonical=base + path if path is not None else "",
            description=description,
            **{"query": "", "section": "", "alternates": (), "tabs": TABS, **context},
        )
    )
    if status != 200:
        return HTMLResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})
    return conditional(request, body.encode(), HTML, headers)


def kept(request: Request, make: Callable[[], Response], also: str = "") -> Response:
    """The page that ``make`` makes, or the one that it made before, if nothing has changed since.

    ``also`` stands for what the page shows that is not in the change log.
    """
    pages: KeptPages = request.app.state.kept_pages
    address, state = f"{base_url(request)} {request.url.path}?{request.url.query}", pages.state(also)
    body = pages.get(address, state)
    if body is not None:
        return conditional(request, body, HTML)
    response = make()
    if response.status_code == 200:
        pages.keep(address, state, bytes(response.body))
    return response


def conditional(
    request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """``body`` with an entity tag of its content; 304 without it where the reader has it already."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    common = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept", **(headers or {})}
    known = request.headers.get("if-none-match", "")
    if tag in (part.strip() for part in known.split(",")) or known.strip() == "*":
        return Response(status_code=304, headers=common)
    return Response(body, media_type=media_type, headers=common)
