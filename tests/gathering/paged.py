"""A service that gives papers page by page with tokens, as OAI-PMH does, and a source that gathers it.

The service is a `Catalogue`, to be played by `playing_service`. `Stumbling` makes any service stumble:
errors, pauses, slowness, broken connections, web pages with status 200, halves of answers, expired tokens.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from broadsheet.model.gathering import Announced
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record, Rejection
from broadsheet.sources.http import Service, ServiceError
from broadsheet.sources.source import Page, Run
from tests.sources.playing_service import Answer, Asked

NAME = "paged"
FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def pages(number: int, size: int = 3, year: int = 26) -> list[dict[str, Any]]:
    """``number`` pages of papers of ``year``. Every fifth one tells those of the page before it, changed."""
    told = []
    for page in range(number):
        of = page - 1 if page % 5 == 4 else page
        papers = [
            {
                "id": f"{year}{1 + of // 1000 % 12:02}.{of % 1000 * 100 + place:05}",
                "title": f"Paper {place} of page {of} of {year}" + (", revised" if of != page else ""),
                "abstract": f"We look at what page {of} of {year} says about number {place}, and count it.",
                "upvotes": page,
            }
            for place in range(size)
        ]
        if page % 7 == 3:
            papers.append({"title": "a paper without id"})
        day = FIRST_DAY + timedelta(days=page // 3)
        told.append({"papers": papers, "day": day.date().isoformat()})
    return told


@dataclass
class Catalogue:
    """Answers requests with ``pages``."""

    pages: list[dict[str, Any]]

    def __call__(self, asked: Asked) -> Answer:
        number = int(asked.query.get("token", ["0"])[0])
        return self.page(number, number + 1 if number + 1 < len(self.pages) else None)

    def page(self, number: int, following: int | None) -> Answer:
        """Page ``number``, after which ``following`` comes."""
        page = self.pages[number]
        expected = sum(len(page["papers"]) for page in self.pages)
        told = {**page, "next": None if following is None else str(following), "expected": expected}
        return Answer(body=json.dumps(told).encode(), headers={"Content-Type": "application/json"})


Fault = Callable[[Answer], Answer]

FAULTS: list[Fault] = [
    lambda answer: Answer(status=503),
    lambda answer: Answer(status=429, headers={"Retry-After": "1"}),
    lambda answer: replace(answer, cut=True),
    lambda answer: replace(answer, hold=0.3),
    lambda answer: Answer(body=b"<!DOCTYPE html><title>Down for maintenance</title>"),
    lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]),
    lambda answer: Answer(status=400, body=b"the token has expired"),
]


@dataclass
class Stumbling:
    """What ``service`` answers, but ``often`` of a hundred requests meet one of ``faults``.

    Each answer takes up to ``slowness`` seconds.
    """

    service: Callable[[Asked], Answer]
    often: int = 0
    slowness: float = 0.0
    faults: list[Fault] = field(default_factory=lambda: FAULTS)
    random: random.Random = field(default_factory=lambda: random.Random(20))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Answer:
        with self.lock:
            fault = self.random.choice(self.faults) if self.random.randrange(100) < self.often else None
            hold = self.random.uniform(0, self.slowness)
        answer = replace(self.service(asked), hold=hold)
        return fault(answer) if fault else answer


class Paged:
    """The source: ``cursor`` is the token of the next page, or that the catalogue was read to its end."""

    title = "A catalogue"
    home_page = "https://example.org"

    def __init__(self, url: str, service: Service, name: str = NAME, every: timedelta = timedelta(hours=1)):
        self.name = name
        self._url, self._service, self._every = url, service, every

    def pages(self, run: Run) -> Iterator[Page]:
        cursor = run.cursor
        while not cursor.get("complete"):
            answer = run.client.get(
                self._url,
                self._service,
                params={"token": cursor.get("token", "0")} | ({"since": run.since} if run.since else {}),
                data=True,
                stop=run.stop,
            )
            try:
                told = json.loads(answer.content)
            except ValueError as error:
                raise ServiceError(
                    self._service.name, answer.url, "sent half an answer", "try again later", 200
                ) from error
            token = told["next"]
            cursor = {"token": token} if token else {"complete": True}
            items = [
                self._item(paper, told["day"], place) for place, paper in enumerate(told["papers"], start=1)
            ]
            keys = [item.identifiers[0].key for item in items if isinstance(item, Record)]
            yield Page(items, cursor, [Announced(self.name, told["day"], keys)], told["expected"])

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        return last_success + self._every if last_success else now

    def _item(self, paper: dict[str, Any], day: str, place: int) -> Record | Rejection:
        where = f"{self.name} {day} entry {place}"
        if "id" not in paper:
            return Rejection(where, "it has no id")
        return Record(
            title=paper["title"],
            source=self.name,
            where=where,
            abstract=paper["abstract"],
            identifiers=[Identifier("arxiv", paper["id"])],
            published=f"{day}T00:00:00Z",
            upvotes=paper["upvotes"],
            listings=[Listing(self.name, day, place, self.name)],
        )
