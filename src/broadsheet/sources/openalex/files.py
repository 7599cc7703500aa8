"""Saved answers of OpenAlex, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..values import object_in, objects_in, text
from .adapter import record
from .parse import work

_ID = "https://openalex.org/W"


def is_answer(value: Any) -> bool:
    """Whether ``value`` is an answer of OpenAlex: a work or a list of works."""
    if not isinstance(value, dict):
        return False
    if text(value.get("id")).startswith(_ID):
        return True
    results = value.get("results")
    if not isinstance(results, list):
        return False
    works = any(text(item.get("id")).startswith(_ID) for item in objects_in(results))
    return works or (not results and "per_page" in object_in(value.get("meta")))


def items_of(value: dict[str, Any], where: str, batch: Batch) -> Iterator[Record | Rejection]:
    """The papers of ``value``, an answer in a file, and why others are none."""
    values = [value] if "results" not in value else objects_in(value["results"])
    if not values:
        yield Rejection(where, "OpenAlex's answer holds no works; ask for others")
    for number, part in enumerate(values, start=1):
        place = where if "results" not in value else f"{where} work {number}"
        item = record(work(part), place)
        if isinstance(item, Record):
            item.listings = [batch.added()]
            item.counted = batch.today
            item.withdrawn = batch.today if work(part).is_retracted else None
        yield item
