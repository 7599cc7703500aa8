"""What Crossref knows of the stored papers that have a DOI."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...model.identifiers import doi_identifier
from ...model.papers import Paper, Record
from ..http import Service
from ..source import Page, Run, Source
from ..walk import Items, Walk, addition, daily, is_wanted
from . import fetch
from .adapter import SOURCE, record, withdrawals
from .parse import work

_HOUR = 5


class Crossref:
    """Venue, citations, references, licence and retractions from Crossref, for papers with a DOI.

    ``mailto`` is an e-mail address for the polite pool.
    """

    name = SOURCE
    title = "Crossref"
    home_page = "https://www.crossref.org/documentation/retrieve-metadata/rest-api/"

    def __init__(self, url: str = fetch.URL, *, mailto: str = "", service: Service = fetch.CROSSREF):
        self._url, self._mailto, self._service = url.rstrip("/"), mailto, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is one request about up to `fetch.BATCH` stored papers."""
        walk = Walk(SOURCE, fetch.BATCH, schemes=("doi",))
        yield from walk.pages(run, lambda papers: self._ask(papers, run))

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return daily(_HOUR, last_success, now)

    def _ask(self, papers: list[Paper], run: Run) -> Items:
        # A paper may have two; the first is asked for.
        by_doi = {doi: paper for paper in papers if (doi := paper.identifier("doi"))}
        found = fetch.fetch_works(
            list(by_doi),
            run.client,
            url=self._url,
            service=self._service,
            mailto=self._mailto,
            stop=run.stop,
        )
        items: list[Any] = []
        today = run.now.date().isoformat()
        for value in found:
            told = work(value)
            identifier = doi_identifier(told.doi)
            paper = by_doi.get(identifier.value) if identifier else None
            if paper is None:
                continue
            where = f"{SOURCE} {told.doi}"
            item = record(told, where)
            items.append(addition(item, paper, today) if isinstance(item, Record) else item)
            if isinstance(items[-1], Record):
                items += withdrawals(told, today, where)
        return items


def sources(settings: Any) -> list[Source]:
    """The source, where it is switched on."""
    if not is_wanted(settings, SOURCE, settings.crossref_mailto):
        return []
    return [Crossref(settings.crossref_url, mailto=settings.crossref_mailto or _address(settings.contact))]


def _address(contact: str) -> str:
    """``contact`` where it is an e-mail address."""
    return contact if "@" in contact and "/" not in contact else ""
