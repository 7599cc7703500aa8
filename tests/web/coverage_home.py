"""A home for the tests and pictures of coverage: a year of several sources, with every kind of day."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from broadsheet.model.gathering import Announced
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.store import Store

SOURCES = ("arxiv", "daily_papers", "biorxiv", "medrxiv", "openreview", "acl", "pubmed", "crossref")
FEEDS = ("feed:lab.example.org/news", "feed:journal.example.org/toc")


def paper(number: int, list_name: str, day: str, rank: int, source: str) -> Record:
    return Record(
        f"Gathered paper number {number} of {list_name}",
        source,
        identifiers=[Identifier("arxiv", f"{1000 + number // 90000:04}.{10000 + number % 90000:05}")],
        abstract="Announced, fetched and stored.",
        listings=[Listing(list_name, day, rank, source)],
    )


def announced(
    store: Store, source: str, list_name: str, day: str, first: int, number: int, absent: int = 0
) -> int:
    """Announces ``number`` papers from number ``first`` on and stores all but the last ``absent`` of them."""
    papers = [paper(first + n, list_name, day, n + 1, source) for n in range(number)]
    keys = [one.identifiers[0].key for one in papers]
    store.add_page(source, papers[: number - absent], {}, [Announced(list_name, day, keys)])
    return first + number


def told(store: Store, source: str, list_name: str, day: str, state: str, reason: str) -> None:
    """Announces a day without a listing."""
    store.add_page(source, [], {}, [Announced(list_name, day, state=state, reason=reason)])


def fill(home: Path, *, days: int = 365, papers: int = 3) -> None:
    """A year of all sources, ending today, with some papers a day; ``crossref`` announces nothing."""
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    chance, number, today = random.Random(7), 0, datetime.now(UTC).date()
    for source in (*SOURCES, *FEEDS):
        if source == "crossref":
            store.note_gather(source, _stamp(today))
            continue
        for ago in range(days, -1, -1):
            number = _day(store, source, today - timedelta(days=ago), ago, chance, number, papers)
        store.note_gather(source, _stamp(today))
    for _ in range(3):
        store.note_gather("medrxiv", _stamp(today), "medrxiv: https://api.biorxiv.org does not answer")
    store.close()


def _stamp(day: date) -> str:
    return f"{day.isoformat()}T06:14:00.000Z"


def _day(
    store: Store, source: str, day: date, ago: int, chance: random.Random, number: int, papers: int
) -> int:
    name, lists = day.isoformat(), [source]
    if source.startswith("feed:") and chance.random() < 0.7:
        return number
    if source in ("openreview", "acl") and chance.random() < 0.95:
        return number
    if source == "arxiv":
        lists = ["arxiv", "arxiv:cs.LG", "arxiv:q-bio.NC"]
    for list_name in lists:
        luck = chance.random()
        if day.weekday() >= 5 and not source.startswith("feed:"):
            told(store, source, list_name, name, "holiday", "nothing is published at week-ends")
        elif ago == 0 and source in ("arxiv", "biorxiv"):
            told(store, source, list_name, name, "late", f"{source} has nothing for this day yet")
        elif luck < 0.015 or (source == "medrxiv" and ago < 3):
            reason = f"{source}: https://service.example.org answered 503; it is tried again"
            told(store, source, list_name, name, "failed", reason)
        elif luck < 0.02:
            reason = f"{source}: https://service.example.org answered 403; see its terms"
            told(store, source, list_name, name, "refused", reason)
        else:
            absent = 1 if luck > 0.985 else 0
            number = announced(store, source, list_name, name, number, papers, absent)
    return number
