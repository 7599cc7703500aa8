"""Saved OPML, as `broadsheet add` reads it: feeds to subscribe to."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.papers import Rejection
from ..batch import Batch
from ..content import Content, Unreadable
from .parse import OpmlError, Subscription, parse


def read_subscriptions(content: Content, batch: Batch) -> Iterator[Subscription | Rejection]:
    """The feeds of an OPML list.

    Raises:
        Unreadable: if it is none.
    """
    try:
        found = parse(content.data(), batch.name)
    except OpmlError as error:
        raise Unreadable(f"{error}; export the feeds again") from error
    yield from found
    if not found:
        yield Rejection(batch.name, "the OPML list holds no feeds; export them again")
