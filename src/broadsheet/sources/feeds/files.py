"""Saved feeds, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..content import Content, Unreadable
from .adapter import record
from .parse import FeedError, ParsedFeed, feed, json_feed


def read_feed(content: Content, batch: Batch) -> Iterator[Record | Rejection]:
    """The items of a feed in XML.

    Raises:
        Unreadable: if it is none.
    """
    try:
        found = feed(content.data())
    except FeedError as error:
        raise Unreadable(f"{error}; fetch it again") from error
    yield from _listed(found, batch)


def items_of(value: dict[str, Any], where: str, batch: Batch) -> Iterator[Record | Rejection]:
    """The items of a feed in JSON."""
    yield from _listed(json_feed(value), batch)


def _listed(found: ParsedFeed, batch: Batch) -> Iterator[Record | Rejection]:
    for item in found.items:
        told = record(item, found.title, f"{batch.name} item {item.place}")
        if isinstance(told, Record):
            told.listings = [batch.added()]
        yield told
    if not found.items:
        yield Rejection(batch.name, "the feed has no items; fetch it again later")
