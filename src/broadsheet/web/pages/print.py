"""Editions to take along: the printed sheet (PDF) and the same for e-readers (EPUB)."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...delivery import epub, tex
from ...delivery.print import PAPERS, PrintError, Sheet, Story, sheet_pdf
from ...editions import front_page, trending
from ...model import dates
from ...model.editions import Edition, Entry
from ...model.papers import Paper
from ...model.periods import Period
from ...model.text import clean_line
from ...search.engine import MAX_QUERY
from ...search.query import parse
from .. import stories
from ..errors import PageError
from ..kept_files import file_answer, kept_files
from ..render import base_url, with_query, workspace_of
from .editions import period_path
from .routing import reading

router = APIRouter()

# A sheet of six pages; who wants all papers of a month has the site.
_PRINTED = 40
_BOUND = 100
_TOPICS = 7
# Sheets that are set or wait for it; each takes a second.
_presses = threading.BoundedSemaphore(4)
_KINDS = ((re.compile(r"\d{4}-W\d\d"), "week"), (re.compile(r"\d{4}-\d\d"), "month"))
_TYPES = {"pdf": "application/pdf", "epub": epub.MEDIA_TYPE}


@reading(router, "/print/{address:path}")
def sheet(request: Request, address: str, paper: str = "a4", q: str = "") -> Response:
    """The edition ``address`` as a file: ``latest``, a day, week or month, ``trending``, ``search?q=``."""
    name, _, ending = address.rpartition(".")
    if ending not in _TYPES or not name:
        message = (
            "Sheets end in .pdf or .epub: /print/latest.pdf, /print/2026-05-29.epub, /print/search.pdf?q=…"
        )
        raise PageError(404, message, title="No such sheet", links=(("The front page", "/"),))
    if paper not in PAPERS:
        raise PageError(400, f"paper={paper[:40]} is no size of paper here; write {' or '.join(PAPERS)}.")
    q = clean_line(q)
    if len(q) > MAX_QUERY:
        raise PageError(400, f"The query has {len(q):,} characters; a sheet takes {MAX_QUERY:,}.")
    engine = workspace_of(request).engine.state() if name == "search" else None
    state = request.app.state.kept_pages.state(f"{engine.seen} {engine.vectors}" if engine else "")
    key = f"{base_url(request)} {with_query(f'/print/{address}', {'paper': paper, 'q': q})}"
    file = kept_files(request).file(key, state, lambda: _made(request, name, ending, paper, q))
    filename = re.sub(r"[^\w.-]+", "_", f"{workspace_of(request).settings.site_name}-{name}.{ending}")
    disposition = f'inline; filename="{filename.encode("ascii", "replace").decode().replace("?", "_")}"'
    return file_answer(request, file, _TYPES[ending], {"Content-Disposition": disposition})


def _made(request: Request, name: str, ending: str, paper: str, q: str) -> bytes:
    most = _PRINTED if ending == "pdf" else _BOUND
    made = _search_sheet(request, q, most) if name == "search" else _edition_sheet(request, name, most)
    if ending == "epub":
        return epub.epub(made)
    if not _presses.acquire(blocking=False):
        # Who reads pages must not wait for those who print.
        raise PageError(
            503, "Other sheets are being set. Try again in a few seconds.", title="The press is busy"
        )
    try:
        return _printed(made, paper)
    finally:
        _presses.release()


def _printed(made: Sheet, paper: str) -> bytes:
    try:
        return sheet_pdf(made, paper)
    except PrintError as error:
        # Formulas are what typst may refuse; without them the same sheet can be set.
        try:
            return sheet_pdf(_without_formulas(made), paper)
        except PrintError:
            raise error from None


def _edition_sheet(request: Request, name: str, most: int) -> Sheet:
    store, settings = workspace_of(request).store, workspace_of(request).settings
    if name == "trending":
        edition = trending(store, settings, limit=most)
        day = store.latest_day() or dates.today()
        made = _sheet(
            request, edition.entries, f"Trending, {stories.short_day(day)}", day, "/papers/trending"
        )
        made.total = edition.total
        return made
    kind = next((kind for form, kind in _KINDS if form.fullmatch(name)), "day")
    edition = front_page(store, settings, kind, None if name == "latest" else name, limit=most)
    if edition.period is None or not edition.entries:
        words = edition.period.title if edition.period else "any day"
        links = _near(edition)
        raise PageError(404, f"No papers were listed on {words}.", title="No such edition", links=links)
    period = edition.period
    made = _sheet(request, edition.entries, period.title, period.last, period_path(period))
    made.total, made.number = edition.total, _number(request, edition, period)
    return made


def _near(edition: Edition) -> tuple[tuple[str, str], ...]:
    before = edition.previous or edition.following
    return ((before.title, f"/print/{before.name}.pdf"),) if before else (("The front page", "/"),)


def _number(request: Request, edition: Edition, period: Period) -> str:
    """The number of the edition: days with papers of its lists until then, or the name of week or month."""
    if period.kind != "day":
        return f"Week {period.name[-2:]}" if period.kind == "week" else ""
    days = workspace_of(request).store.papers_by_day(edition.lists)
    return f"No. {sum(1 for day, _ in days if day <= period.last):,}"


def _search_sheet(request: Request, q: str, most: int) -> Sheet:
    workspace = workspace_of(request)
    query = parse(q, datetime.now(UTC).date())
    if not re.search(r"[^\W_]", query.typed):
        raise PageError(400, "The sheet of a search needs a query: /print/search.pdf?q=night+recordings.")
    answer = workspace.engine.search(query, limit=most)
    if not answer.hits:
        links = (("The search", with_query("/search", {"q": q})),)
        raise PageError(404, f"Nothing was found for “{q[:80]}”.", title="An empty sheet", links=links)
    papers = workspace.store.papers([hit.key for hit in answer.hits])
    entries = [Entry(paper, place) for place, paper in enumerate(papers, start=1)]
    today = dates.today()
    made = _sheet(
        request, entries, f"“{q[:60]}”, {stories.short_day(today)}", today, with_query("/search", {"q": q})
    )
    made.total = answer.total
    return made


def _sheet(request: Request, entries: Iterable[Entry], title: str, day: str, path: str) -> Sheet:
    settings, base = workspace_of(request).settings, base_url(request)
    entries = list(entries)
    newest = max((entry.paper.updated or entry.paper.published or "" for entry in entries), default="")
    return Sheet(
        id=f"{base}{path}",
        name=settings.site_name,
        tagline=settings.tagline,
        date=title,
        iso_date=day,
        url=base + path,
        stories=[_story(entry.paper, base, lead=not place) for place, entry in enumerate(entries)],
        total=len(entries),
        topics=_topics([entry.paper for entry in entries]),
        modified=max(newest, f"{day}T00:00:00Z"),
    )


def _topics(papers: list[Paper]) -> list[tuple[str, int]]:
    """The most frequent first categories, or keywords where categories are not known."""
    found = Counter(paper.categories[0] for paper in papers if paper.categories)
    if sum(found.values()) < len(papers) / 2:
        found = Counter(
            word.lower() for paper in papers for word in set(paper.ai_keywords) if len(word) <= 28
        )
    often = [(name, number) for name, number in found.items() if number > 1]
    return sorted(often, key=lambda one: (-one[1], one[0]))[:_TOPICS]


def _story(paper: Paper, base: str, lead: bool) -> Story:
    facts = [fact.text for fact in stories.facts(paper)]
    facts += [f"arXiv {arxiv}"] if (arxiv := paper.identifier("arxiv")) else []
    return Story(
        id=paper.id,
        url=base + stories.paper_url(paper.id),
        title=str(tex.html_of(paper.title)),
        byline=stories.byline(paper, 8 if lead else 4),
        kicker=" · ".join(stories.kickers(paper, 2 if lead else 1)),
        standfirst=str(tex.html_of(paper.ai_summary or "")),
        sentences=list(_sentences(paper.abstract or paper.ai_summary or "")),
        # A line ends between two of them, not within one.
        facts=" · ".join(fact.replace(" ", "\u00a0") for fact in facts),
    )


_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”)]*\s+(?=[A-Z\"“(\\])")
_MAX_SENTENCES = 40


@lru_cache(2_048)
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of ``text`` as HTML; never cut in a formula."""
    found = [""]
    for is_math, part in tex.parts(text.replace("\n\n", " ")):
        if is_math:
            found[-1] += f"${part}$"
            continue
        first, *others = _SENTENCE_END.split(part)
        found[-1] += first
        found += others
    return tuple(str(tex.html_of(one.strip())) for one in found[:_MAX_SENTENCES] if one.strip())


def _without_formulas(made: Sheet) -> Sheet:
    def bare(fragment: str) -> str:
        return re.sub(
            r"<math[ >].*?</math>",
            lambda match: (
                f"<code>{''.join(re.findall('<annotation[^>]*>(.*?)</annotation>', match[0], re.S))}</code>"
            ),
            fragment,
            flags=re.S,
        )

    return replace(
        made,
        stories=[
            replace(
                story,
                title=bare(story.title),
                standfirst=bare(story.standfirst),
                sentences=[bare(one) for one in story.sentences],
            )
            for story in made.stories
        ],
    )
