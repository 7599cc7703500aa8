"""A saved search of PubMed, gathered by the day on which articles came to PubMed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Listing, Record, Rejection
from ..days import DayPage, next_due, pages_by_day
from ..source import Page, Run, Source
from . import fetch
from .adapter import SOURCE, record

# PubMed is updated every day; NCBI asks for big jobs between 21 and 5 o'clock in New York.
_HOURS = (8,)


class PubMed:
    """What a search finds in PubMed.

    Args:
        term: the search as PubMed's own page takes it (``"deep learning"[Title] AND radiology``).
        key: the API key of an NCBI account; with one, ten requests a second are allowed.
        email: whom NCBI writes to before it blocks a program.
        again: how many days before today are asked again: articles of a day come late.
        first: how many days the first run asks for.
    """

    name = SOURCE
    title = "PubMed"
    home_page = "https://pubmed.ncbi.nlm.nih.gov/"

    def __init__(
        self,
        term: str,
        url: str = fetch.URL,
        *,
        key: str = "",
        email: str = "",
        again: int = 3,
        first: int = 7,
        service: fetch.Service | None = None,
    ):
        self._term, self._again, self._first = term, again, first
        options = {"tool": "broadsheet", "email": email, "api_key": key}
        self._how = {
            "options": {name: value for name, value in options.items() if value},
            "url": url,
            "service": service or (fetch.WITH_KEY if key else fetch.WITHOUT_KEY),
        }

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page has up to 200 articles."""

        def ask(day: str, within: Mapping[str, Any]) -> Iterator[DayPage]:
            return self._day(day, within, run)

        yield from pages_by_day(run, SOURCE, ask, again=self._again, first=self._first)

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return next_due(_HOURS, last_success, now)

    def _day(self, day: str, within: Mapping[str, Any], run: Run) -> Iterator[DayPage]:
        start = int(within.get("start", 0))
        while True:
            found = fetch.search_day(self._term, day, start, run.client, stop=run.stop, **self._how)
            items = self._items(found.ids, day, start, run)
            start += len(found.ids)
            announced = Announced(SOURCE, day, [f"pmid:{pmid}" for pmid in found.ids], found.count)
            if found.count > fetch.MOST:
                announced.reason = f"PubMed gives the first {fetch.MOST:,} only; narrow the search"
            if not found.ids or start >= min(found.count, fetch.MOST):
                yield DayPage(items, [announced])
                return
            yield DayPage(items, [announced], {"start": start})

    def _items(self, ids: list[str], day: str, start: int, run: Run) -> list[Record | Rejection]:
        """The articles with ``ids``, which the search told from the place ``start`` on."""
        if not ids:
            return []
        places = {pmid: start + number for number, pmid in enumerate(ids, start=1)}
        items: list[Record | Rejection] = []
        for article in fetch.fetch_articles(ids, run.client, stop=run.stop, **self._how):
            item = record(article, f"PubMed {article.pmid or f'{day} article {article.place}'}")
            if isinstance(item, Record) and article.pmid in places:
                item.listings = [Listing(SOURCE, day, places[article.pmid], SOURCE)]
            items.append(item)
        return items


def sources(settings: Any) -> list[Source]:
    """The source, where a search is saved."""
    term = settings.pubmed_search.strip()
    if not term:
        return []
    email = settings.contact if "@" in settings.contact else ""
    return [PubMed(term, settings.pubmed_url, key=settings.pubmed_api_key, email=email)]
