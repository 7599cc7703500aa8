"""The search page: stable addresses, results with the reason why each is there, ways to narrow and widen."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from ...delivery import tex
from ...model.papers import Paper
from ...search.engine import MAX_QUERY, MAX_TOTAL, Answer, Engine, Hit
from ...search.query import Query
from .. import stories
from ..excerpts import NEAREST, excerpt
from ..highlight import NOTHING, Wanted, authors_marked, marked, wanted
from ..render import page, with_query, workspace_of
from ..searching import searched
from ..variants import FACET_TITLES, Choice, Variants, value_text
from .routing import page_number, page_size, reading

router = APIRouter()

# Results a page: as many as most people look at, or as many as are asked for.
PAGE_SIZES = (10, 20, 50)
# Of each facet so many values are links, fewer where the query makes their addresses long: all of them
# together may take so many bytes of a page.
_VALUES, _LINK_BYTES = 10, 14_000
_FOLDED = 5
# Papers that "similar to several" takes, and finds.
MAX_SIMILAR_TO = 20
_SIMILAR = 20

# Many papers of a page are of the same days.
_short_day = lru_cache(4_096)(stories.short_day)

_REASONS = {
    "id": "This is the paper of that id",
    "title": "This is its title",
    "words": "Matched by its words",
    "meaning": "Matched by its meaning",
    "words and meaning": "Matched by words and meaning",
    "filters": "",
}
_BAR = 48


@dataclass(slots=True)
class Bar:
    """The score as a bar of 48 units: what words gave it, then what meaning did; and the same as text."""

    words: str
    meaning: str
    text: str


@dataclass(slots=True)
class Result:
    """One paper found, as the page shows it: all texts are HTML, ready to be set.

    ``name`` is the title without elements; ``facts`` have a text, an address and a hint. ``alike`` papers
    are much like it; ``folded`` are the addresses and titles of the first of them.
    """

    id: str
    url: str
    title: str
    name: str
    text: str
    byline: str
    facts: list[tuple[str, str, str]]
    reason: str = ""
    bar: Bar | None = None
    more: str = ""
    alike: int = 0
    folded: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class FacetChoices:
    """A facet as the page shows it: its title, and (text, count, address, whether chosen) of its values."""

    title: str
    values: list[tuple[str, str, str, bool]]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a page shows around the results of ``query``, whatever they are.

    Links are (text, address, whether chosen). ``behind`` changes are not looked through yet: that and nothing
    found must not look alike.
    """

    query: Query
    variants: Variants
    looked_for: Wanted
    restrictions: list[tuple[str, str, bool]]
    orders: list[tuple[str, str, bool]]
    times: list[tuple[str, str, bool]]
    behind: int

    @classmethod
    def of(cls, query: Query, engine: Engine, size: int) -> _Around:
        variants = Variants(query, datetime.now(UTC).date(), _sized(size))
        return cls(
            query,
            variants,
            wanted(query.text),
            _linked(variants, variants.restrictions()),
            _linked(variants, variants.orders()),
            _linked(variants, variants.times()),
            engine.state().behind,
        )


@reading(router, "/search")
def search(request: Request, q: str = "", p: str = "", n: str = "") -> Response:
    return search_page(request, q, p, n)


def search_page(request: Request, q: str, p: str, n: str) -> Response:
    """The page ``p`` (from 0) of ``n`` results for the query ``q``."""
    number, size, query = page_number(p), page_size(n, PAGE_SIZES), " ".join(q.split())
    if not query:
        return page(request, "search.html", "Search", path="/search", section="search", answer=None)
    workspace = workspace_of(request)
    engine = workspace.engine
    answer, around = searched(
        engine, q, lambda query: _Around.of(query, engine, size), size, number * size, extras=True
    )
    results = list(_results(workspace.store, answer.hits, answer.parsed, around.looked_for))
    facets = list(_facet_choices(answer, around.variants))
    pages = -(-min(answer.total, MAX_TOTAL) // size)
    address, more = "/search?q=" + quote_plus(query[:MAX_QUERY]), _sized(size)
    sizes = [(f"{one} a page", address + _sized(one), one == size) for one in PAGE_SIZES]

    def page_link(number: int) -> str:
        return address + more + (f"&p={number}" if number else "")

    return page(
        request,
        "search.html",
        f"{query[:80]} – search",
        path=page_link(number),
        section="search",
        number=number,
        query=query[:MAX_QUERY],
        answer=answer,
        results=results,
        pages=pages,
        # What addresses end with.
        more=more,
        page_link=page_link,
        # Where all are on one page there is nothing to choose.
        sizes=sizes if answer.total > PAGE_SIZES[0] else [],
        behind=around.behind,
        shown=(number * size + 1, number * size + len(results)),
        more_than_shown=answer.total >= MAX_TOTAL,
        restrictions=around.restrictions,
        orders=around.orders,
        times=around.times,
        facets=facets,
        # One paper found by its name needs no narrowing.
        narrows=bool(facets or around.restrictions) or answer.total > 1,
        plain_words=_plain_words(answer.parsed),
        has_nearest=any(NEAREST[0] in one.text for one in results),
        alternates=(("application/json", with_query("/api/search", {"q": query[:MAX_QUERY]})),),
    )


def _sized(size: int) -> str:
    """What the addresses of pages of ``size`` results end with."""
    return f"&n={size}" if size != PAGE_SIZES[0] else ""


def _linked(variants: Variants, choices: list[Choice]) -> list[tuple[str, str, bool]]:
    return [(one.text, variants.url(one.query), one.chosen) for one in choices]


def _plain_words(query: Query) -> str:
    """The words of ``query`` without any of its restrictions, where it has some."""
    return query.text if query.restricted else ""


def _facet_choices(answer: Answer, variants: Variants) -> Iterator[FacetChoices]:
    """The facets that narrow ``answer``, or that it is narrowed by."""
    length = len(variants.url(variants.written)) + 30
    most = max(2, min(_VALUES, _LINK_BYTES // (max(len(answer.facets), 1) * length)))
    for facet in answer.facets:
        room = max(most - sum(one.chosen for one in facet.values), 0)
        others = [one for one in facet.values if not one.chosen][:room]
        kept = [one for one in facet.values if one.chosen or one in others]
        if len(kept) == 1 and not kept[0].chosen and kept[0].count >= answer.total:
            continue
        values = [
            (value_text(facet.name, one.value), f"{one.count:,}", variants.url(query), one.chosen)
            for one in kept
            if (query := variants.facet_value(facet.name, one.value, one.chosen)) or one.chosen
        ]
        if values:
            yield FacetChoices(FACET_TITLES[facet.name], values)


def _results(store: Any, hits: Sequence[Hit], query: Query, looked_for: Wanted) -> Iterator[Result]:
    folded = [key for hit in hits for key in hit.folded[:_FOLDED]]
    papers = {paper.key: paper for paper in store.papers([hit.key for hit in hits] + folded, brief=True)}
    authors = [clause.text for clause in query.required if clause.field == "author"]
    for hit in hits:
        if hit.key in papers:
            one = result(papers[hit.key], hit, looked_for, authors)
            one.alike = len(hit.folded)
            one.folded = [
                (stories.paper_url(papers[key].id), marked(papers[key].title, NOTHING))
                for key in hit.folded[:_FOLDED]
                if key in papers
            ]
            yield one


def result(paper: Paper, hit: Hit, query: Wanted = NOTHING, authors: Sequence[str] = ()) -> Result:
    """``paper`` with what ``query`` looks for marked, and why it is there."""
    facts = stories.facts(paper)
    if paper.venue:
        facts.insert(0, stories.Fact(paper.venue))
    if published := paper.published or paper.first_listed:
        facts.insert(0, stories.Fact(_short_day(published[:10])))
    title = marked(paper.title, NOTHING)
    return Result(
        html.escape(paper.id),
        stories.paper_url(paper.id),
        marked(paper.title, query),
        html.escape(Markup(title).striptags()) if "<" in title else title,
        excerpt(paper, hit, query),
        authors_marked(stories.byline(paper, 4), authors),
        [
            (html.escape(one.text), one.url and html.escape(one.url), one.hint and html.escape(one.hint))
            for one in facts
        ],
        _REASONS.get(hit.reason, hit.reason),
        _bar(hit),
        "/similar?ids=" + quote_plus(paper.id),
    )


def _bar(hit: Hit) -> Bar | None:
    """The bar of a score that words or meaning gave; a paper found by name or filters has none."""
    if hit.words is None and hit.meaning is None:
        return None
    words, meaning = hit.words or 0.0, hit.meaning or 0.0
    text = f"score {hit.score:.2f}"
    if words and meaning:
        text += f", {words:.2f} of words and {meaning:.2f} of meaning"
    return Bar(f"{_BAR * words:.1f}", f"{_BAR * meaning:.1f}", text)


# -- similar to several


@reading(router, "/similar")
def similar(request: Request, ids: str = "") -> Response:
    """Papers like all of ``ids`` (separated by commas or spaces) together."""
    workspace = workspace_of(request)
    names = list(dict.fromkeys(ids.replace(",", " ").split()))
    notes = []
    if len(names) > MAX_SIMILAR_TO:
        notes.append(f"The first {MAX_SIMILAR_TO} of {len(names):,} ids count.")
    found = {name: workspace.store.resolve(name) for name in names[:MAX_SIMILAR_TO] if len(name) <= 2_000}
    notes += [f"No paper here is called {name[:100]}." for name, key in found.items() if key is None]
    keys = list(dict.fromkeys(key for key in found.values() if key is not None))
    given = workspace.store.papers(keys)
    hits = workspace.engine.similar_to(keys, _SIMILAR) if keys else []
    path = with_query("/similar", {"ids": ",".join(paper.id for paper in given)})
    return page(
        request,
        "similar.html",
        "Similar papers",
        path=path,
        section="search",
        ids=" ".join(names[:MAX_SIMILAR_TO]),
        given=[(stories.paper_url(paper.id), tex.html_of(paper.title)) for paper in given],
        notes=notes,
        results=list(_similar_results(workspace.store, hits, path)),
        alternates=(("application/json", f"/api{path}"),) if given else (),
    )


def _similar_results(store: Any, hits: Sequence[Hit], path: str) -> Iterator[Result]:
    papers = {paper.key: paper for paper in store.papers([hit.key for hit in hits], brief=True)}
    for hit in hits:
        if hit.key in papers:
            one = result(papers[hit.key], hit)
            # The next step is to add this one to those that were given.
            one.more = f"{path}%2C{quote_plus(papers[hit.key].id)}"
            yield one
