"""What programs ask a site for: health, robots, sitemaps, OpenSearch, unAPI."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ...delivery import citations
from ...model.periods import month_period
from ..render import base_url, conditional, environment, workspace_of
from .routing import reading

router = APIRouter()


@reading(router, "/healthz")
def alive() -> Response:
    """Whether the process answers at all."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@reading(router, "/readyz")
def ready(request: Request) -> Response:
    """Whether papers can be read and searched; how far the search is behind the papers."""
    workspace = workspace_of(request)
    try:
        changes = workspace.store.last_change()
    except Exception as error:
        told = {"status": "unavailable", "error": f"the database does not answer ({type(error).__name__})"}
        return JSONResponse(told, 503, headers={"Cache-Control": "no-store"})
    state = workspace.engine.state()
    told = {
        "status": "ok",
        "changes": changes,
        "index": {
            "words": state.words,
            "vectors": state.vectors,
            "behind": state.behind,
            "unencoded": state.unencoded,
        },
    }
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


# What crawlers need not ask for: it holds nothing that other pages do not, and costs more.
_CLOSED = (
    "/api/", "/search", "/similar", "/suggest", "/print/", "/feeds/search", "/feeds/similar", "/confirm/",
    "/subscription/", "/unsubscribe/", "/delivery",
)  # fmt: skip


@reading(router, "/robots.txt")
def robots(request: Request) -> Response:
    closed = "".join(f"Disallow: {path}\n" for path in _CLOSED)
    text = f"User-agent: *\n{closed}\nSitemap: {base_url(request)}/sitemap.xml\n"
    return Response(text, media_type="text/plain; charset=utf-8")


@reading(router, "/opensearch.xml")
def opensearch(request: Request) -> Response:
    settings = workspace_of(request).settings
    body = (
        environment()
        .get_template("opensearch.xml")
        .render(
            # The format allows 16 and 1,024 characters.
            short_name=settings.site_name[:16],
            description=f"Search the papers of {settings.site_name}"[:1024],
            base=base_url(request),
        )
    )
    return conditional(request, body.encode(), "application/opensearchdescription+xml; charset=utf-8")


@reading(router, "/sitemap.xml")
def sitemap(request: Request) -> Response:
    """One sitemap for every month that has papers."""
    months = sorted({day[:7] for day, _, _ in workspace_of(request).store.days()}, reverse=True)
    body = environment().get_template("sitemap_index.xml").render(base=base_url(request), months=months)
    return conditional(request, body.encode(), "application/xml; charset=utf-8")


# As many as one sitemap may hold.
_MOST_ADDRESSES = 50_000


@reading(router, "/sitemap/{name}.xml")
def month_sitemap(request: Request, name: str) -> Response:
    """The front pages of the days of a month, and its papers."""
    period, store = month_period(name), workspace_of(request).store
    papers = store.ids_between(period.first, period.last)
    days = sorted({day for _, day in papers}, reverse=True)
    body = (
        environment()
        .get_template("sitemap.xml")
        .render(base=base_url(request), days=days, papers=papers[: _MOST_ADDRESSES - len(days)])
    )
    return conditional(request, body.encode(), "application/xml; charset=utf-8")


@reading(router, "/unapi")
def unapi(request: Request, id: str = "", format: str = "") -> Response:
    """unAPI: Zotero and its kin take papers from any page that names their ids."""
    if not format:
        body = (
            environment()
            .get_template("unapi.xml")
            .render(
                id=id,
                formats=[(name, form.media_type.split(";")[0]) for name, form in citations.FORMATS.items()],
            )
        )
        return Response(body, 300 if id else 200, media_type="application/xml; charset=utf-8")
    paper = workspace_of(request).store.paper(id) if id and len(id) <= 2_000 else None
    chosen = citations.FORMATS.get(format)
    if paper is None or chosen is None:
        wrong = "no such paper" if chosen else f"no such format; there are {', '.join(citations.FORMATS)}"
        return Response(wrong + "\n", 404 if chosen else 406, media_type="text/plain; charset=utf-8")
    return Response(chosen.write(paper), media_type=chosen.media_type)
