"""Saved answers of Crossref, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection, Withdrawal
from ..batch import Batch
from ..values import object_in, objects_in, text
from .adapter import record, withdrawals
from .parse import work


def is_answer(value: Any) -> bool:
    """Whether ``value`` is an answer of Crossref's REST API: a work, a list of works, or an error."""
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("message-type"), str) and "message" in value


def items_of(value: dict[str, Any], where: str, batch: Batch) -> Iterator[Record | Rejection | Withdrawal]:
    """The papers of ``value``, an answer in a file, and why others are none."""
    kind, message = value["message-type"], value["message"]
    if kind == "work":
        values = [object_in(message)]
    elif kind == "work-list":
        values = objects_in(object_in(message).get("items"))
    else:
        told = "; ".join(text(part.get("message")) for part in objects_in(message))[:200]
        yield Rejection(where, f"Crossref answers {kind}: {told or 'no works'}; ask for works")
        return
    if not values:
        yield Rejection(where, "Crossref's answer holds no works; ask for others")
    for number, value in enumerate(values, start=1):
        place = where if kind == "work" else f"{where} work {number}"
        found = work(value)
        item = record(found, place)
        if isinstance(item, Record):
            item.listings = [batch.added()]
            item.counted = batch.today
        yield item
        yield from withdrawals(found, batch.today, place)
