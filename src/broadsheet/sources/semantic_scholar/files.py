"""Saved answers of Semantic Scholar, as `broadsheet add` reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..values import object_in, objects_in, text
from .adapter import record
from .parse import paper

_PAPER_ID = re.compile(r"[0-9a-f]{40}")
# What holds a paper in lists of citations and references.
_WITHIN = ("citedPaper", "citingPaper")


def is_answer(value: Any) -> bool:
    """Whether ``value`` is an answer of Semantic Scholar: a paper, or a list of papers."""
    if not isinstance(value, dict):
        return False
    if _PAPER_ID.fullmatch(text(value.get("paperId"))):
        return True
    if "recommendedPapers" in value or value.keys() == {"total", "offset"}:
        return True
    data = objects_in(value.get("data"))
    return bool({"offset", "token"} & value.keys()) and any(
        "paperId" in item or set(_WITHIN) & item.keys() for item in data
    )


def items_of(value: dict[str, Any], where: str, batch: Batch) -> Iterator[Record | Rejection]:
    """The papers of ``value``, an answer in a file, and why others are none."""
    if "paperId" in value:
        values, single = [value], True
    else:
        values, single = objects_in(value.get("data", value.get("recommendedPapers"))), False
    if not values:
        yield Rejection(where, "Semantic Scholar's answer holds no papers; ask for others")
    for number, part in enumerate(values, start=1):
        part = next((object_in(part[name]) for name in _WITHIN if name in part), part)
        item = record(paper(part), where if single else f"{where} paper {number}")
        if isinstance(item, Record):
            item.listings = [batch.added()]
            item.counted = batch.today
        yield item
