"""A feed that is gathered: asked hourly whether it changed, its new items listed on their days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Record, Rejection
from ...model.text import title_key
from ..http import ServiceError, shown
from ..opml import subscriptions
from ..source import Page, Run, Source
from . import fetch
from .adapter import digest_of, key_of, listed, name_of_feed
from .parse import FeedError, feed

_INTERVAL = timedelta(hours=1)


class Feed:
    """The feed at ``url``, an address that a person gave. ``title`` is what the person calls it."""

    def __init__(self, url: str, title: str = ""):
        self.url = url
        self.name = name_of_feed(url)
        self.title = title or self.name.partition(":")[2]
        # Without the query, which may hold somebody's token: pages show it.
        self.home_page = shown(url)

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`: one page with the items that were not seen before, or changed since.

        The cursor holds what the server gave to ask whether the feed changed, and of every item in it the
        day and a digest.
        """
        cursor = run.cursor if isinstance(run.cursor.get("seen"), dict) else {}
        answer = fetch.fetch_feed(
            self.url,
            run.client,
            etag=cursor.get("etag"),
            last_modified=cursor.get("last_modified"),
            stop=run.stop,
        )
        if answer.status == 304:
            yield Page([], run.cursor)
            return
        try:
            found = feed(answer.content, answer.url)
        except FeedError as error:
            raise ServiceError(
                self.name,
                self.url,
                f"sent no feed: {error}",
                "look at the address in a browser",
                answer.status,
            ) from error
        seen: dict[str, list[str]] = cursor.get("seen", {})
        days = {key: told[0] for key, told in seen.items()}
        told = listed(found, self.name, days, run.now.date().isoformat())
        marks = {
            key_of(item): [day, digest_of(item)] for item, (day, _) in zip(found.items, told, strict=True)
        }
        news = [
            (day, record)
            for item, (day, record) in zip(found.items, told, strict=True)
            if seen.get(key_of(item)) != marks[key_of(item)]
        ]
        after = {"etag": answer.etag, "last_modified": answer.last_modified, "seen": marks}
        announced = _announced(self.name, told, {day for day, _ in news})
        yield Page([record for _, record in news], after, announced, expected=len(news))

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`: every hour, which costs next to nothing where nothing changed."""
        return now if last_success is None or last_success > now else last_success + _INTERVAL


def _announced(name: str, told: list[tuple[str, Record | Rejection]], days: set[str]) -> list[Announced]:
    """What the feed announces on each of ``days``: papers by their ids, and how many things there are."""
    by_day: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for day, record in told:
        if day in days and isinstance(record, Record):
            keys = [identifier.key for identifier in record.identifiers[:1]]
            # Two items of one title are one thing in the list.
            by_day[day][keys[0] if keys else title_key(record.title)] = keys
    return [
        Announced(name, day, [key for keys in things.values() for key in keys], len(things))
        for day, things in sorted(by_day.items())
    ]


def sources(settings: Any) -> list[Source]:
    """The feeds of the setting `feeds` and of ``HOME/feeds.opml``, each once."""
    titles = dict.fromkeys(settings.feeds.split(), "")
    for found in subscriptions(Path(settings.home)):
        titles.setdefault(found.url, found.title)
    feeds: dict[str, Source] = {}
    for url, title in titles.items():
        source = Feed(url, title)
        feeds.setdefault(source.name, source)
    return list(feeds.values())
