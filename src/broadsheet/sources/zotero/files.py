"""Saved answers of Zotero's API, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..values import object_in, text
from .adapter import record
from .parse import item


def is_answer(value: Any) -> bool:
    """Whether ``value`` is an object of Zotero's API: an item, a collection, or a search."""
    if not isinstance(value, dict):
        return False
    data = object_in(value.get("data"))
    return {"key", "library"} <= value.keys() and bool({"itemType", "parentCollection"} & data.keys())


def items_of(value: dict[str, Any], where: str, batch: Batch) -> Iterator[Record | Rejection]:
    """The paper of ``value``, an object of the API in a file, or why it is none."""
    data = object_in(value.get("data"))
    if "itemType" not in data:
        name = f" ({text(data['name'])[:60]})" if text(data.get("name")) else ""
        yield Rejection(f"{where}{name}", "it is a collection of Zotero; ask its API for the items in it")
        return
    found = record(item(value), where)
    if isinstance(found, Record):
        found.listings = [batch.added()]
    if found is not None:
        yield found
