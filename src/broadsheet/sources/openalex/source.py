"""What OpenAlex knows of the stored papers that have a DOI, an OpenAlex id, or are on arXiv."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...model.papers import Paper, Record, Withdrawal
from ..http import Service
from ..source import Page, Run, Source
from ..walk import Items, Walk, addition, daily, is_wanted, name_of
from . import fetch
from .adapter import SOURCE, record
from .parse import work

_HOUR = 6


class OpenAlex:
    """Venue, citations, references, abstract and retractions from OpenAlex. ``key`` is its API key."""

    name = SOURCE
    title = "OpenAlex"
    home_page = "https://developers.openalex.org"

    def __init__(self, url: str = fetch.URL, *, key: str = "", service: Service = fetch.OPENALEX):
        self._url, self._key, self._service = url.rstrip("/"), key, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is about up to `fetch.BATCH` stored papers."""
        walk = Walk(SOURCE, fetch.BATCH, schemes=("doi", "arxiv", "openalex"))
        yield from walk.pages(run, lambda papers: self._ask(papers, run))

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return daily(_HOUR, last_success, now)

    def _ask(self, papers: list[Paper], run: Run) -> Items:
        asked: dict[str, dict[str, Paper]] = defaultdict(dict)
        for paper in papers:
            for field, value in _names(paper)[:1]:
                asked[field][value] = paper
        items: list[Any] = []
        for field, by_value in asked.items():
            found = fetch.fetch_works(
                field,
                list(by_value),
                run.client,
                url=self._url,
                service=self._service,
                key=self._key,
                stop=run.stop,
            )
            for value in found:
                told = work(value)
                name = told.id if field == "openalex" else told.doi.lower().removeprefix("https://doi.org/")
                if paper := by_value.get(name):
                    items += self._told(value, paper, run.now)
        return items

    def _told(self, value: dict[str, Any], paper: Paper, now: datetime) -> Iterator[Any]:
        told, today = work(value), now.date().isoformat()
        item = record(told, f"{SOURCE} {told.id}")
        item = addition(item, paper, today) if isinstance(item, Record) else item
        yield item
        if isinstance(item, Record) and told.is_retracted and not paper.withdrawn:
            yield Withdrawal(name_of(paper), today, SOURCE, item.where, "retracted according to OpenAlex")


def _names(paper: Paper) -> list[tuple[str, str]]:
    """The fields and values by which OpenAlex may know ``paper``, the surest first."""
    names = []
    if value := paper.identifier("openalex"):
        names.append(("openalex", value))
    if value := paper.identifier("doi"):
        names.append(("doi", value))
    if value := paper.identifier("arxiv"):
        names.append(("doi", f"10.48550/arxiv.{value}"))
    return [(field, value) for field, value in names if not fetch.SPECIAL & set(value)]


def sources(settings: Any) -> list[Source]:
    """The source, where it is switched on."""
    if not is_wanted(settings, SOURCE, settings.openalex_key):
        return []
    return [OpenAlex(settings.openalex_url, key=settings.openalex_key)]
