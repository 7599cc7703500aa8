"""The page of a paper, its Markdown, its citations, and the sitemap of a month."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...delivery import citations
from ...delivery.links import KIND_NAMES, SCHEME_NAMES, all_links
from ...delivery.markdown import paper_markdown
from ...delivery.tex import plain_of
from ...model.identifiers import find_identifier
from ...model.papers import Link, Paper
from .. import stories
from ..errors import PageError, words_of_path
from ..render import base_url, conditional, page, workspace_of
from .routing import reading

router = APIRouter()

# Thousands of authors sign some papers; a page names these at once and folds the rest.
SHOWN_AUTHORS = 25
_SIMILAR = 6
_MAX_NAME = 2_000


@reading(router, "/papers/{name:path}")
def paper(request: Request, name: str) -> Response:
    """A paper under any of its names, or one of its other forms: ``.md``, ``.bib`` and so on."""
    store = workspace_of(request).store
    if "://" in name and request.url.query:
        name = f"{name}?{request.url.query}"
    if len(name) > _MAX_NAME:
        raise PageError(400, f"The address has {len(name):,} characters, which no id of a paper has.")
    found, suffix = store.paper(name), ""
    if found is None:
        stem, suffix = _without_suffix(name)
        found = store.paper(stem) if suffix else None
    if found is None and (not name or name.endswith("/")):
        return RedirectResponse(f"/papers/{quote(name)}".rstrip("/"), 302)
    if found is None:
        raise _not_found(name)
    if name != found.id + suffix:
        return RedirectResponse(
            stories.paper_url(found.id) + suffix, 302, headers={"Cache-Control": "no-cache"}
        )
    if suffix == ".md" or (not suffix and _prefers_markdown(request.headers.get("accept", ""))):
        return conditional(
            request, paper_markdown(found, base_url(request)).encode(), "text/markdown; charset=utf-8"
        )
    if suffix:
        return _citation(request, found, suffix)
    return _paper_page(request, found)


def _without_suffix(name: str) -> tuple[str, str]:
    """``name`` and the suffix of the other form that it asks for, or nothing."""
    for suffix in (".md", *(form.suffix for form in citations.FORMATS.values())):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], suffix
    return name, ""


def _not_found(name: str) -> PageError:
    identifier = find_identifier(name)
    if identifier and identifier.scheme == "arxiv":
        message = f"The paper {identifier.value} is not in this archive. It may be on arXiv."
        links: tuple[tuple[str, str], ...] = (
            (f"{identifier.value} on arXiv", f"https://arxiv.org/abs/{identifier.value}"),
        )
        return PageError(404, message, title="That paper is not here", near=identifier.value, links=links)
    near = words_of_path(name)
    return PageError(404, f"No paper here is called {name[:100]}.", title="That paper is not here", near=near)


def _prefers_markdown(accept: str) -> bool:
    """Whether a request asks for Markdown by name, as agents do; browsers do not."""
    return any(part.split(";")[0].strip() == "text/markdown" for part in accept.split(","))


def _citation(request: Request, found: Paper, suffix: str) -> Response:
    form = next(form for form in citations.FORMATS.values() if form.suffix == suffix)
    filename = re.sub(r"[^\w.-]+", "_", found.id) + suffix
    disposition = f"attachment; filename=\"{filename}\"; filename*=UTF-8''{quote(filename)}"
    return conditional(
        request, form.write(found).encode(), form.media_type, {"Content-Disposition": disposition}
    )


def _paper_page(request: Request, found: Paper) -> Response:
    workspace = workspace_of(request)
    keys = [hit.key for hit in workspace.engine.similar(found.key, limit=_SIMILAR)]
    url = stories.paper_url(found.id)
    return page(
        request,
        "paper.html",
        plain_of(found.title),
        path=url,
        description=plain_of(stories.cut(found.ai_summary or found.abstract or "", 300)),
        paper=found,
        authors=found.authors[:SHOWN_AUTHORS],
        more_authors=found.authors[SHOWN_AUTHORS:],
        kickers=found.categories[:4] or stories.kickers(found, 3),
        links=_links(found),
        listings=_listings(found),
        similar=[(one, stories.byline(one, 2)) for one in workspace.store.papers(keys)],
        bibtex=citations.bibtex(found),
        forms=[(form.name, url + form.suffix) for form in citations.FORMATS.values()]
        + [("Markdown", f"{url}.md")],
        ids=[
            (SCHEME_NAMES.get(i.scheme, i.scheme), i.value) for i in found.identifiers if i.scheme != "title"
        ],
        pdf=next((link.url for link in all_links(found) if link.kind == "pdf"), ""),
        abstract=[part for part in found.abstract.split("\n\n") if part],
        alternates=(
            ("application/json", f"/api{url}"),
            ("text/markdown", f"{url}.md"),
            *((form.media_type.split(";")[0], url + form.suffix) for form in citations.FORMATS.values()),
        ),
    )


def _links(found: Paper) -> list[tuple[str, list[dict[str, Any]]]]:
    """The links by kind, in the order of `KIND_NAMES`: (name of the kind, links with text and provenance)."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for link in all_links(found):
        by_kind.setdefault(link.kind, []).append(_told(link, found))
    return [
        (names[len(by_kind[kind]) > 1], by_kind[kind])
        for kind, names in KIND_NAMES.items()
        if kind in by_kind
    ]


def _told(link: Link, found: Paper) -> dict[str, Any]:
    text = re.sub(r"^https?://(www\.)?", "", link.url).rstrip("/")
    if link.kind in ("model", "dataset", "space") and link.data and isinstance(link.data.get("id"), str):
        text = link.data["id"]
    elif link.kind == "code":
        text = text.removeprefix("github.com/")
    note = "printed in the abstract" if link.provenance == "abstract" else ""
    first_code = found.link("code")
    stars = found.github_stars if first_code is not None and link.url == first_code.url else None
    return {"url": link.url, "text": text, "stars": stars, "note": note}


def _listings(found: Paper) -> list[dict[str, Any]]:
    """Where the paper was listed, newest first, each place once however many sources told of it."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for one in sorted(found.listings, key=lambda listing: listing.day, reverse=True):
        told = seen.setdefault(
            (one.list, one.day), {"list": one.list, "day": one.day, "rank": one.rank, "upvotes": one.upvotes}
        )
        told["upvotes"] = told["upvotes"] if told["upvotes"] is not None else one.upvotes
    return list(seen.values())
