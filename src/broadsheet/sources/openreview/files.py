"""Saved answers of the OpenReview API, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection, Withdrawal
from ..batch import Batch
from .adapter import record
from .parse import is_note, notes


def items_of(value: Any, where: str, batch: Batch) -> Iterator[Record | Withdrawal | Rejection]:
    """The notes of an answer of the API, or of one note, in the lists of their venues."""
    single = is_note(value)
    for note in notes([value] if single else value["notes"], where):
        if isinstance(note, Rejection):
            yield note
            continue
        item = record(note, where if single else f"{where} note {note.place} ({note.id[:20]})")
        if isinstance(item, Record):
            for listing in item.listings:
                # The place in an answer to a search says nothing of the venue's own order.
                listing.rank = batch.place(listing.list, listing.day)
            item.listings = item.listings or [batch.added()]
        yield item
