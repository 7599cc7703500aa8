"""Saved answers of arXiv's OAI-PMH server and saved feeds of the day, as `broadsheet add` reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.papers import Listing, Record, Rejection, Withdrawal
from ..batch import Batch
from ..content import Content, Unreadable
from .adapter import SOURCE, EntryError, announced_record, oai_items
from .feeds import TYPES, Announcement, ArxivFeed, NoArxivFeed
from .oai import Damage, NoOaiAnswer, OaiAnswer, OaiRecord
from .taxonomy import categories_of

_FEED = re.compile(r"//rss\.arxiv\.org/(?:rss|atom)/|<title>[^<]{1,2000} updates on arXiv\.org</title>")


def is_feed(head: str) -> bool:
    """Whether ``head``, the beginning of an RSS or Atom feed, is that of arXiv's feed of the day."""
    return bool(_FEED.search(head[:8000]))


def list_of(category: str) -> str:
    """The list in which arXiv announces the new papers and cross-listings of ``category``."""
    return f"{SOURCE}:{category}"


def read_oai(content: Content, batch: Batch) -> Iterator[Record | Withdrawal | Rejection]:
    """The papers of an OAI-PMH answer, or of single records of one, in constant memory.

    They stand in no list: what is told is a part of the archive, not of a day.

    Raises:
        Unreadable: if it is no such answer.
    """
    answer = OaiAnswer(content.chunks())
    try:
        for told in answer.records():
            yield from items_of(told, batch.name)
    except NoOaiAnswer as error:
        raise Unreadable(str(error)) from error
    if not answer.place and not answer.errors and not content.broken:
        verb = answer.asked.get("verb", "")[:40] or "another question"
        yield Rejection(batch.name, f"it answers {verb} and holds no papers; ask for verb=ListRecords")
    for code, message in answer.errors:
        yield Rejection(
            batch.name, f"arXiv answered with the error {code}: {message[:300]}; correct what was asked for"
        )


def items_of(told: OaiRecord | Damage, name: str) -> Iterator[Record | Withdrawal | Rejection]:
    """What one record of an answer called ``name`` tells, with its place."""
    oai_id = " ".join(told.identifier.split())[:60]
    where = f"{name} record {told.place}" + (f" ({oai_id})" if oai_id else "")
    if isinstance(told, Damage):
        yield Rejection(where, f"{told.why}; fetch it again")
    else:
        yield from oai_items(told, where)


def read_feed(content: Content, batch: Batch) -> Iterator[Record | Rejection]:
    """The papers of a feed of the day, the new and cross-listed ones in the lists of their categories.

    Raises:
        Unreadable: if it is no such feed.
    """
    try:
        feed = ArxivFeed(content.data())
        for item in feed.announcements():
            where = f"{batch.name} item {item.place}"
            try:
                record = announced_record(item, where)
            except EntryError as error:
                yield Rejection(where, str(error))
                continue
            record.listings = _listings(item, feed, batch) or [batch.added()]
            yield record
            if item.type not in TYPES:
                yield Rejection(where, f"its announcement type {item.type[:40]!r} is not known; it is kept")
    except NoArxivFeed as error:
        raise Unreadable(str(error)) from error
    if feed.damage:
        yield Rejection(batch.name, f"{feed.damage}; fetch it again")


def _listings(item: Announcement, feed: ArxivFeed, batch: Batch) -> list[Listing]:
    day = batch.day or item.day
    if not is_listed(item) or not day:
        return []
    return [
        Listing(list_of(category), day, batch.place(list_of(category), day), SOURCE)
        for category in lists_of(item, feed.categories)
    ]


def is_listed(item: Announcement) -> bool:
    """Whether ``item`` is new in its lists, not a new version of what stood there before."""
    return item.type in ("new", "cross")


def lists_of(item: Announcement, categories: list[str]) -> list[str]:
    """Those of ``categories``, a feed's, that ``item`` is announced in."""
    asked = categories_of(" ".join(categories))
    named = categories_of(" ".join(item.categories))
    # A feed of a whole archive, such as cs, holds the papers of its categories.
    found = [name for name in asked if name in named or any(own.startswith(f"{name}.") for own in named)]
    return found or list(asked if len(asked) == 1 else named[:1])
