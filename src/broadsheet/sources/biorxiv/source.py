"""bioRxiv and medRxiv gathered day by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...model.papers import Record, Rejection
from ..days import DayPage, listed, next_due, nothing, pages_by_day
from ..http import Service
from ..source import Page, Run, Source
from . import fetch
from .adapter import addition, record
from .parse import Answer, Post, Printed

ALL = "all"
# Posts appear through the working day of New York; the last of them in its evening.
_HOURS = (6, 15, 20)
_EXPECTED = 20


class Preprints:
    """The preprints of one server in chosen categories.

    Args:
        server: ``biorxiv`` or ``medrxiv``.
        categories: as the server names them (``neuroscience``, ``cell biology``); ``all`` means all.
        again: how many days before today are asked again: posts of a day come late.
        first: how many days the first run asks for.
    """

    def __init__(
        self,
        server: str,
        categories: Sequence[str] = (ALL,),
        url: str = fetch.URL,
        *,
        again: int = 3,
        first: int = 7,
        service: Service = fetch.BIORXIV,
    ):
        self.name = server
        self.title = "medRxiv" if server == "medrxiv" else "bioRxiv"
        self.home_page = f"https://www.{server}.org/"
        self._categories = {name.strip().lower().replace("_", " ") for name in categories}
        self._url, self._again, self._first, self._service = url, again, first, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is one of the API's."""

        def ask(day: str, within: Mapping[str, Any]) -> Iterator[DayPage]:
            return self._day(day, within, run)

        yield from pages_by_day(run, self.name, ask, again=self._again, first=self._first)

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return next_due(_HOURS, last_success, now)

    def _day(self, day: str, within: Mapping[str, Any], run: Run) -> Iterator[DayPage]:
        """The pages of ``day``: its posts, announced with the last of them, and what journals printed."""
        if "printed" not in within:
            yield from self._posts(day, within, run)
        offset = int(within.get("printed", 0))
        while True:
            page = fetch.fetch_printed(
                self.name, day, offset, run.client, url=self._url, service=self._service, stop=run.stop
            )
            offset += len(page.posts)
            whole = not page.posts or offset >= page.total
            yield DayPage(
                [self._addition(post) for post in page.posts], within=None if whole else {"printed": offset}
            )
            if whole:
                return

    def _addition(self, post: Printed | Rejection) -> Record | Rejection:
        return post if isinstance(post, Rejection) else addition(post, f"{self.title} {post.doi}", self.name)

    def _posts(self, day: str, within: Mapping[str, Any], run: Run) -> Iterator[DayPage]:
        offset, unread = int(within.get("offset", 0)), int(within.get("unread", 0))
        keys: list[str] = list(within.get("keys", ()))
        while True:
            page = fetch.fetch_day(
                self.name, day, offset, run.client, url=self._url, service=self._service, stop=run.stop
            )
            items = self._chosen(page)
            records = [item for item in items if isinstance(item, Record)]
            keys += [item.identifiers[0].key for item in records]
            unread += len(items) - len(records)
            offset += len(page.posts)
            if page.posts and offset < page.total:
                yield DayPage(items, within={"offset": offset, "keys": keys, "unread": unread})
                continue
            if offset:
                told = [listed(self.name, day, keys, unread)]
            else:
                told = nothing(self.name, day, run.now, self.title, _EXPECTED)
            yield DayPage(items, told, {"printed": 0})
            return

    def _chosen(self, page: Answer[Post]) -> list[Record | Rejection]:
        """The records of the posts in the chosen categories, and what is none."""
        items: list[Record | Rejection] = []
        for post in page.posts:
            if isinstance(post, Rejection):
                items.append(post)
            elif ALL in self._categories or post.category.lower() in self._categories:
                items.append(record(post, f"{self.title} {post.doi or f'post {post.place}'}", self.name))
        return items


def sources(settings: Any) -> list[Source]:
    """bioRxiv and medRxiv, each where categories of it are chosen."""
    chosen = (("biorxiv", settings.biorxiv_categories), ("medrxiv", settings.medrxiv_categories))
    return [
        Preprints(server, names, settings.biorxiv_url)
        for server, text in chosen
        if (names := [name.strip() for name in text.split(",") if name.strip()])
    ]
