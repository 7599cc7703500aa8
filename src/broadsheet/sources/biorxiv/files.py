"""Saved answers of the bioRxiv and medRxiv API, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from .adapter import record
from .parse import DetailsError, answer


def items_of(value: Any, where: str, batch: Batch) -> Iterator[Record | Rejection]:
    """The posts of an answer of the API, of which `parse.is_answer` is true, in the lists of their days."""
    try:
        page = answer(value, where)
    except DetailsError as error:
        yield Rejection(where, f"{error}; fetch it again")
        return
    for post in page.posts:
        if isinstance(post, Rejection):
            yield post
            continue
        item = record(post, f"{where} post {post.place}")
        if isinstance(item, Record):
            for listing in item.listings:
                # The place of a page that covers many days says nothing of the day's own order.
                listing.rank = batch.place(listing.list, listing.day)
        yield item
