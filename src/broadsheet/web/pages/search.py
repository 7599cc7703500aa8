"""The search page: stable addresses, results with the reason why each is there."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from ...model.papers import Paper
from ...search.engine import MAX_QUERY
from .. import stories, tex
from ..errors import PageError
from ..highlight import highlighted, matched_stems
from ..render import page, with_query, workspace_of
from .routing import page_number, reading

router = APIRouter()

PAGE_SIZE = 20
# Nobody reads on to the fiftieth page; what is there would be costly to rank.
_MAX_RESULTS = 1_000

_REASONS = {
    "id": "This is the paper of that id",
    "title": "This is its title",
    "words": "Matched by its words",
    "meaning": "Matched by its meaning",
    "words and meaning": "Matched by words and meaning",
}


@dataclass(slots=True)
class Result:
    """One paper found, as the page shows it."""

    paper: Paper
    url: str
    title: Markup
    text: Markup
    byline: str
    facts: list[stories.Fact]
    reason: str
    shares: str


@reading(router, "/search")
def search(request: Request, q: str = "", p: str = "") -> Response:
    return search_page(request, q, p)


def search_page(request: Request, q: str, p: str) -> Response:
    """The page of the results ``p`` (from 0) for the query ``q``."""
    number, query = page_number(p), " ".join(q.split())
    shown: dict[str, Any] = {"query": query[:500], "section": "search", "number": number}
    if len(query) > MAX_QUERY:
        raise PageError(
            400,
            f"The query has {len(query):,} characters; up to {MAX_QUERY:,} are searched for. "
            "A title, a sentence or an abstract finds the most.",
            title="That query is too long",
        )
    if not query:
        workspace = workspace_of(request)
        return page(
            request, "search.html", "Search", path="/search", answer=None, results=[], pages=0, **shown
        )
    workspace = workspace_of(request)
    answer = workspace.engine.search(query, limit=PAGE_SIZE, offset=number * PAGE_SIZE)
    papers = {paper.key: paper for paper in workspace.store.papers([hit.key for hit in answer.hits])}
    stems = matched_stems(query)
    results = [_result(papers[hit.key], hit, stems) for hit in answer.hits if hit.key in papers]
    pages = -(-min(answer.total, _MAX_RESULTS) // PAGE_SIZE)
    return page(
        request,
        "search.html",
        f"{query[:80]} – search",
        path=with_query("/search", {"q": query, "p": number}),
        answer=answer,
        results=results,
        pages=pages,
        # Nothing found and not looked through yet must not look alike.
        behind=workspace.engine.state().behind,
        shown=(number * PAGE_SIZE + 1, number * PAGE_SIZE + len(results)),
        alternates=(("application/json", with_query("/api/papers/search", {"q": query})),),
        **shown,
    )


def _result(paper: Paper, hit: Any, stems: frozenset[str]) -> Result:
    shares = {"words": hit.words, "meaning": hit.meaning}
    told = ", ".join(f"{name} {share:.2f}" for name, share in shares.items() if share is not None)
    facts = stories.facts(paper)
    if published := paper.published or paper.first_listed:
        facts.insert(0, stories.Fact(stories.short_day(published)))
    return Result(
        paper,
        stories.paper_url(paper.id),
        _marked(paper.title, stems),
        _marked(stories.cut(paper.abstract or paper.ai_summary or "", 330), stems),
        stories.byline(paper, 4),
        facts,
        _REASONS.get(hit.reason, hit.reason),
        f"score {hit.score:.2f}" + (f": {told}" if told else ""),
    )


def _marked(text: str, stems: frozenset[str]) -> Markup:
    """``text`` as HTML with the words of the query marked, outside formulas."""
    if tex.has_formula(text):
        return tex.html_of(text)
    pieces = highlighted(tex.plain_of(text), stems)
    return Markup(
        "".join(
            f"<mark>{html.escape(piece)}</mark>" if marked else html.escape(piece) for marked, piece in pieces
        )
    )
