"""Saved answers of PubMed, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..content import Content, Unreadable
from .adapter import record
from .parse import PubmedError, articles


def is_search(value: Any) -> bool:
    """Whether ``value`` is the answer to a search, which holds ids and no papers."""
    return isinstance(value, dict) and isinstance(value.get("esearchresult"), dict)


def read_articles(content: Content, batch: Batch) -> Iterator[Record | Rejection]:
    """The articles and books of an answer (EFetch, XML), in constant memory.

    Raises:
        Unreadable: if it is none.
    """
    read = 0
    try:
        for article in articles(content.chunks()):
            read += 1
            item = record(article, f"{batch.name} article {article.place} (PMID {article.pmid[:20]})")
            if isinstance(item, Record):
                item.listings = [batch.added()]
            yield item
    except PubmedError as error:
        if not read:
            raise Unreadable(f"{error}; fetch it again") from error
        if not content.broken:
            yield Rejection(batch.name, f"{error}; fetch it again")
        return
    if not read:
        yield Rejection(batch.name, "the answer of PubMed holds no articles; ask it for ids that it knows")
