"""Feeds of everything that has a page, and the page that lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ... import __version__
from ...delivery.feeds import FORMATS, Feed, Item, item_of
from ...delivery.tex import plain_of
from ...editions import front_page, newest, trending
from ...model.editions import Entry
from ...model.papers import Paper
from ...model.periods import day_period
from ...model.text import clean_line
from ...search.engine import MAX_QUERY
from ...search.query import Query, parse
from ..errors import PageError
from ..kept_files import file_answer, kept_files
from ..render import base_url, page, with_query, workspace_of
from .routing import reading

router = APIRouter()

_T = TypeVar("_T")

# A feed has so many papers, and beyond them all of its last days, so that who asks once a day misses nothing
# of a category with hundreds: what arXiv announces on Monday was sent in since Friday.
ITEMS, LAST_DAYS, MOST_ITEMS = 100, 3, 1_000
# Of the papers like one the nearest, newest first: what came lately and is near.
_NEAREST = 50
_MAX_NAME = 200
_MOST_IDS, _MAX_IDS = 20, 4_000
# As arXiv writes them: cs.CV, hep-th, cond-mat.mes-hall.
_CATEGORY = re.compile(r"[a-z]{2,8}(-[a-z]{2,4})?(\.[A-Za-z-]{2,12})?")
_WORD = re.compile(r"[^\W_]")

_KINDS = (
    "latest, trending, day/YYYY-MM-DD, category/NAME, author/NAME, venue/NAME, similar/ID and search?q=QUERY"
)


@dataclass(slots=True)
class _Subject:
    """What a feed is of: ``title`` and ``subtitle``, the path of its ``page``, and what reads its items."""

    title: str
    subtitle: str
    page: str
    items: Callable[[], Iterable[Item]]


@reading(router, "/feeds")
def feeds(request: Request) -> Response:
    """The page that says which feeds there are."""
    return page(
        request,
        "feeds.html",
        "Feeds",
        path="/feeds",
        description="The feeds of this site: latest, trending, of a search, a category, an author.",
        formats=[(ending, one.name) for ending, one in FORMATS.items()],
    )


@reading(router, "/feeds/{address:path}")
def feed(request: Request, address: str, q: str = "", ids: str = "") -> Response:
    """The feed at ``address``: what it is of, a dot, and one of the endings of `FORMATS`."""
    stem, _, ending = address.rpartition(".")
    if ending not in FORMATS:
        endings = ", ".join(f".{one}" for one in FORMATS)
        raise _no_feed(f"An address of a feed ends in one of {endings}.")
    state = request.app.state.kept_pages.state(_index_state(request) if _searched(stem) else "")
    path = f"/feeds/{quote(stem, safe='/:;()@')}.{ending}"
    url = base_url(request) + with_query(path, {"q": q[: MAX_QUERY + 1], "ids": ids[:_MAX_IDS]})

    def made() -> bytes:
        subject = _subject(request, stem, q, ids[:_MAX_IDS])
        return FORMATS[ending].write(_feed(request, subject, url, _searched(stem)))

    headers = {}
    if hub := workspace_of(request).settings.websub_hub:
        headers["Link"] = f'<{hub}>; rel="hub", <{url}>; rel="self"'
    media_type = FORMATS[ending].media_type + ("" if ending == "json" else "; charset=utf-8")
    return file_answer(request, kept_files(request).file(url, state, made), media_type, headers)


def _searched(stem: str) -> bool:
    """Whether the feed at ``stem`` comes from the search, which may know less than the store."""
    return stem.partition("/")[0] not in ("latest", "trending", "day")


def _index_state(request: Request) -> str:
    state = workspace_of(request).engine.state()
    return f"{state.seen} {state.vectors}"


def _feed(request: Request, subject: _Subject, url: str, searched: bool) -> Feed:
    base, settings = base_url(request), workspace_of(request).settings
    title = f"{settings.site_name}: {subject.title}"
    # A paper that was listed on several days stands in a feed once, at the latest.
    items = list({item.id: item for item in reversed(list(subject.items()))}.values())[::-1]
    listed = workspace_of(request).store.latest_day() if items and not searched else None
    return Feed(
        title=title,
        subtitle=subject.subtitle,
        url=url,
        page=base + subject.page,
        items=items,
        site_name=settings.site_name,
        version=__version__,
        icon=f"{base}/favicon.svg",
        hub=settings.websub_hub,
        listed=listed or "",
    )


# -- what there are feeds of


def _subject(request: Request, stem: str, q: str, ids: str) -> _Subject:
    kind, _, name = stem.partition("/")
    if len(name) > _MAX_NAME:
        raise PageError(400, f"The name of the feed has {len(name):,} characters; {_MAX_NAME} are allowed.")
    match kind, bool(name):
        case "latest", False:
            return _latest(request)
        case "trending", False:
            return _trending(request)
        case "search", False:
            return _search(request, q)
        case "day", True:
            return _day(request, name)
        case "category" | "author" | "venue", True:
            return _named(request, kind, name)
        case "similar", named if named != bool(ids):
            return _similar(request, [name] if name else ids.replace(",", " ").split())
    raise _no_feed(f"There are feeds of {_KINDS}.")


def _no_feed(message: str) -> PageError:
    return PageError(404, message, title="No such feed", links=(("All feeds", "/feeds"),))


def _latest(request: Request) -> _Subject:
    workspace = workspace_of(request)

    def read(limit: int, offset: int) -> list[Entry]:
        return newest(workspace.store, workspace.settings, limit=limit, offset=offset).entries

    def items() -> Iterable[Item]:
        return _of_entries(
            request, _of_last_days(read, lambda entry: entry.listing.day if entry.listing else "")
        )

    return _Subject("latest papers", workspace.settings.tagline, "/", items)


def _trending(request: Request) -> _Subject:
    workspace = workspace_of(request)

    def items() -> Iterable[Item]:
        return _of_entries(request, trending(workspace.store, workspace.settings, limit=ITEMS).entries)

    return _Subject("trending papers", "What readers turn to now", "/papers/trending", items)


def _day(request: Request, name: str) -> _Subject:
    workspace, period = workspace_of(request), day_period(name)
    edition = front_page(workspace.store, workspace.settings, "day", period.name, limit=MOST_ITEMS)
    if not edition.entries:
        raise _no_feed(f"No papers were listed on {period.title}.")
    path = f"/papers/date/{name}"
    return _Subject(
        period.title, "The papers of one day", path, lambda: _of_entries(request, edition.entries)
    )


def _of_last_days(read: Callable[[int, int], list[_T]], day_of: Callable[[_T], str]) -> list[_T]:
    """What ``read`` (limit, offset) gives, newest first: `ITEMS`, and all of the last days beyond them."""
    found = read(ITEMS, 0)
    first = _days_before(day_of(found[0]), LAST_DAYS) if found else ""
    while len(found) < MOST_ITEMS and found and day_of(found[-1]) > first:
        more = read(ITEMS, len(found))
        if not more:
            break
        found += more
    return found


def _days_before(day: str, days: int) -> str:
    return (date.fromisoformat(day[:10]) - timedelta(days=days)).isoformat() if day else ""


def _search(request: Request, q: str) -> _Subject:
    text = clean_line(q)
    if len(text) > MAX_QUERY:
        raise PageError(400, f"The query has {len(text):,} characters; a feed takes {MAX_QUERY:,}.")
    query = replace(_parsed(text), sort="date")
    if not (_WORD.search(query.text) or query.restricted or query.pasted):
        raise PageError(400, "The feed of a search needs a query: /feeds/search.atom?q=night+recordings.")
    return _Subject(
        f"search for {text[:80]}",
        "What this search finds, newest first",
        with_query("/search", {"q": text}),
        lambda: _found(request, query),
    )


def _named(request: Request, kind: str, name: str) -> _Subject:
    """The papers of a category, author or venue, newest first."""
    name = clean_line(name).replace('"', "")
    key = "cat" if kind == "category" else kind
    query = _parsed(f'{key}:"{name}" sort:date')
    if not query.restricted or query.text:
        raise PageError(400, f"{name[:80] or 'That'} is no {kind} that can be asked for.")
    engine = workspace_of(request).engine
    # A category may get its first paper tomorrow; a name that is mistyped never gets one.
    lasting = kind == "category" and _CATEGORY.fullmatch(name)
    if not lasting and not engine.search(query, limit=1).hits and not engine.state().behind:
        words = {"category": "in the category", "author": "by", "venue": "of the venue"}[kind]
        raise PageError(
            404, f"No paper here is {words} {name[:80]}.", near=name, links=(("All feeds", "/feeds"),)
        )
    titles = {"category": name, "author": f"papers by {name}", "venue": name}
    subtitles = {"category": "New papers of this category", "author": "New papers of this author"}
    return _Subject(
        titles[kind],
        subtitles.get(kind, "New papers of this venue"),
        with_query("/search", {"q": f'{key}:"{name}" sort:date'}),
        lambda: _found(request, query),
    )


def _similar(request: Request, names: list[str]) -> _Subject:
    workspace = workspace_of(request)
    found = {name[:_MAX_NAME]: workspace.store.resolve(name[:_MAX_NAME]) for name in names[:_MOST_IDS]}
    unknown = [name for name, key in found.items() if key is None]
    if unknown or not found:
        raise PageError(404, f"No paper here is called {', '.join(unknown)[:200] or 'that'}.")
    keys = list(dict.fromkeys(key for key in found.values() if key is not None))
    given = workspace.store.papers(keys)

    def items() -> Iterable[Item]:
        hits = workspace.engine.similar_to(keys, _NEAREST)
        papers = workspace.store.papers([hit.key for hit in hits])
        return _of_papers(request, sorted(papers, key=_newness, reverse=True))

    titles = "; ".join(plain_of(paper.title) for paper in given[:3])
    path = with_query("/similar", {"ids": ",".join(paper.id for paper in given)})
    return _Subject(f"papers like {titles[:120]}", "The nearest papers, newest first", path, items)


def _parsed(text: str) -> Query:
    return parse(text, datetime.now(UTC).date())


def _found(request: Request, query: Query) -> Iterable[Item]:
    workspace = workspace_of(request)

    def read(limit: int, offset: int) -> list[Paper]:
        hits = workspace.engine.search(query, limit=limit, offset=offset).hits
        return workspace.store.papers([hit.key for hit in hits])

    # What was named stands first among results; here nothing goes before the date.
    return _of_papers(request, sorted(_of_last_days(read, _newness), key=_newness, reverse=True))


def _newness(paper: Paper) -> str:
    return paper.published or paper.first_listed or ""


def _of_papers(request: Request, papers: Iterable[Paper]) -> Iterable[Item]:
    base = base_url(request)
    return [item_of(paper, base) for paper in papers]


def _of_entries(request: Request, entries: Iterable[Entry]) -> Iterable[Item]:
    base = base_url(request)
    for entry in entries:
        item = item_of(entry.paper, base)
        item.place, item.score, item.reasons = entry.place, entry.score, entry.reasons
        yield item
