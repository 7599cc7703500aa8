"""What arXiv announced, from its feeds of the day and its calendar: listings, and the account of each day.

The state of a category is a part of the source's cursor: ``{"day": DAY, "accounted": DAY}``, the last
listing that was read, and the last day up to which all is said that will be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ...model.papers import Listing, Record, Rejection
from ..http import Service, ServiceError, Unreachable
from ..source import Announced, Run
from .adapter import SOURCE, EntryError, announced_record
from .calendar import Calendar, eastern_day
from .feeds import TYPES, Announcement, ArxivFeed
from .fetch import ARXIV, FEED_URL, fetch_feed
from .files import is_listed, list_of

# Nobody looks for longer at what was missed while the program stood still.
_MAX_ACCOUNTED_DAYS = 60


def replaced_list_of(category: str) -> str:
    """The list of the new versions that arXiv announces in ``category``."""
    return f"{list_of(category)} replaced"


@dataclass(slots=True)
class FeedRead:
    """What became of the feed of one category: its day, whether it had no items, or what went wrong."""

    day: str = ""
    empty: bool = False
    problem: ServiceError | None = None


@dataclass(slots=True)
class ListingPage:
    """The feed of a category, adapted. ``told`` are its papers, in its order."""

    told: list[Record] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    announced: list[Announced] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Announcer:
    """How the feeds are asked for, and when there should be which."""

    calendar: Calendar
    url: str = FEED_URL
    service: Service = ARXIV

    def read(self, run: Run, category: str, state: dict[str, Any]) -> tuple[FeedRead, ListingPage | None]:
        """The feed of ``category``; its papers where they are not known yet.

        Raises:
            Stopped: if ``run.stop`` was set while waiting.
        """
        try:
            feed, items, unchanged = fetch_feed(
                run.client, category, url=self.url, service=self.service, stop=run.stop
            )
        except ServiceError as error:
            return FeedRead(problem=error), None
        where = f"{self.service.name} feed {category} {feed.day}".rstrip()
        day = feed.day or max((item.day for item in items), default="")
        if day < state.get("day", ""):
            back = Rejection(
                where, f"it goes back in time, after the feed of {state['day']}, and was left out"
            )
            return FeedRead(state["day"]), ListingPage(rejections=[back])
        if not items:
            return FeedRead(day, empty=True), None
        if unchanged and day == state.get("day"):
            return FeedRead(day), None
        state["day"] = day
        return FeedRead(day), _listing_page(feed, items, category, where)

    def account(
        self, run: Run, feeds: dict[str, FeedRead], states: dict[str, dict[str, Any]]
    ) -> list[Announced]:
        """What is to be said of the days up to today: no listing, late, failed, refused, or empty."""
        # A category may have a day without any paper; all of them at once have none when something is wrong.
        published = {read.day for read in feeds.values() if not read.empty}
        told: list[Announced] = []
        for category, read in feeds.items():
            told += self._account(run, category, read, states[category], published)
        return told

    def _account(
        self, run: Run, category: str, read: FeedRead, state: dict[str, Any], published: set[str]
    ) -> Iterator[Announced]:
        name, today, expected = list_of(category), eastern_day(run.now), self.calendar.expected(run.now)
        if read.empty and read.day in published and not self.calendar.why_none(read.day):
            yield Announced(name, read.day, count=0)
            state["day"] = max(read.day, state.get("day", ""))
        last = state.get("day", "")
        # Of the days before the first run nothing is said.
        begin = state.get("accounted") or _before(min(last or expected, expected))
        begin = max(begin, _before(today, _MAX_ACCOUNTED_DAYS))
        final = True
        for day in _days(begin, today):
            why = self.calendar.why_none(day)
            if why and day != last:
                yield Announced(name, day, state="holiday", reason=why)
            elif day < last:
                yield Announced(name, day, state="failed", reason=_MISSED)
            elif day > expected and day != last:
                break
            elif day != last:
                final = False
                yield self._overdue(name, day, read, last)
            if final:
                state["accounted"] = day

    def _overdue(self, name: str, day: str, read: FeedRead, last: str) -> Announced:
        if read.problem is not None:
            refused = read.problem.status in (401, 403, 429) and not isinstance(read.problem, Unreachable)
            return Announced(name, day, state="refused" if refused else "failed", reason=str(read.problem))
        if read.empty and read.day >= day:
            why = f"arXiv's feeds of {read.day} are empty, though it announces on that day"
        elif read.empty:
            why = f"arXiv's feed is an empty one of {read.day or 'no known day'}"
        else:
            why = f"arXiv's feed is still that of {last}" if last else "arXiv's feed is that of no known day"
        if not self.calendar.knows(day):
            why += f"; the holidays of {day[:4]} are not known here (BROADSHEET_ARXIV_HOLIDAYS)"
        return Announced(name, day, state="late", reason=why)


_MISSED = (
    "arXiv's feed of this day was not read while it was there: feeds hold one day; the papers come by OAI-PMH"
)


def _listing_page(feed: ArxivFeed, items: list[Announcement], category: str, where: str) -> ListingPage:
    page, places = ListingPage(), 0
    announced: dict[tuple[str, str], Announced] = {}
    for item in items:
        place = f"{where} item {item.place}"
        try:
            record = announced_record(item, place)
        except EntryError as error:
            page.rejections.append(Rejection(place, str(error)))
            continue
        if item.type not in TYPES:
            page.rejections.append(
                Rejection(place, f"its announcement type {item.type[:40]!r} is not known; the paper is kept")
            )
            page.told.append(record)
            continue
        day = item.day or feed.day
        name = list_of(category) if is_listed(item) else replaced_list_of(category)
        if day:
            told = announced.setdefault((name, day), Announced(name, day))
            told.identifiers.append(record.identifiers[0].key)
        if day and is_listed(item):
            places += 1
            record.listings = [Listing(name, day, places, SOURCE)]
        page.told.append(record)
    page.announced = list(announced.values())
    return page


def _before(day: str, days: int = 1) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


def _days(after: str, last: str) -> Iterator[str]:
    """The days after ``after`` up to ``last``."""
    day = date.fromisoformat(after)
    while (day := day + timedelta(days=1)).isoformat() <= last:
        yield day.isoformat()
