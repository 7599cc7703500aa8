"""Daily Papers gathered day by day; the last days again, because votes go on counting."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Record, Rejection
from ..batch import Batch
from ..content import Content
from ..days import DayPage, listed, next_due, nothing, pages_by_day
from ..http import Service, ServiceError
from ..source import Page, Run, Source
from . import fetch
from .adapter import SOURCE, ItemError, is_item, record

# The list of a day opens at midnight and is filled until the evening; votes come at week-ends, too.
_HOURS = (0, 2, 4, 8, 12, 16, 20, 23)
_WEEKEND_HOURS = (4, 16)
# By then there always were papers, on days that have any.
_EXPECTED = 8


class DailyPapers:
    """The Daily Papers of Hugging Face.

    ``again`` days before today are asked for each time, ``first`` days the first time.
    """

    name = SOURCE
    title = "Hugging Face Daily Papers"
    home_page = "https://huggingface.co/papers"

    def __init__(
        self,
        url: str = fetch.URL,
        *,
        again: int = 7,
        first: int = 14,
        service: Service = fetch.DAILY_PAPERS,
    ):
        self._url, self._again, self._first, self._service = url, again, first, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is a day."""

        def ask(day: str, within: Mapping[str, Any]) -> Iterator[DayPage]:
            yield self._day(day, run)

        yield from pages_by_day(run, SOURCE, ask, again=self._again, first=self._first)

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return next_due(_HOURS, last_success, now, _WEEKEND_HOURS)

    def _day(self, day: str, run: Run) -> DayPage:
        try:
            found = fetch.fetch_day(day, run.client, url=self._url, service=self._service, stop=run.stop)
        except ServiceError as error:
            if error.status != 400:
                raise
            # It is this day that the service does not like, and it will not like it tomorrow.
            return DayPage([], [Announced(SOURCE, day, state="refused", reason=str(error))])
        items = _records(found, day, run.now)
        records = [item for item in items if isinstance(item, Record)]
        keys = [item.identifiers[0].key for item in records if item.listings[0].day == day]
        if not found or (records and not keys):
            # Where all are of another day, the service went back to the last one that has papers.
            return DayPage(items, nothing(SOURCE, day, run.now, "Daily Papers", _EXPECTED))
        return DayPage(items, [listed(SOURCE, day, keys, len(items) - len(records))])


def _records(found: list[Any], day: str, now: datetime) -> list[Record | Rejection]:
    """The papers of ``found``, counted now, and what in it is none."""
    name = f"Daily Papers of {day}"
    batch = Batch(Content(io.BytesIO(b""), name), day)
    items: list[Record | Rejection] = []
    for number, value in enumerate(found, start=1):
        where = f"{name} entry {number}"
        if not isinstance(value, dict) or not is_item(value):
            items.append(Rejection(where, f"it is {str(value)[:60]!r}, no item of the Daily Papers API"))
            continue
        try:
            paper = record(value, where, batch)
        except ItemError as error:
            items.append(Rejection(where, str(error)))
            continue
        paper.counted = now.date().isoformat()
        items.append(paper)
    return items


def sources(settings: Any) -> list[Source]:
    """The source, unless it is switched off."""
    if not settings.daily_papers:
        return []
    return [DailyPapers(settings.daily_papers_url, again=settings.daily_papers_again)]
