"""Saved collections of the ACL Anthology, as `broadsheet add` reads them."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.papers import Record, Rejection
from ..batch import Batch
from ..content import Content, Unreadable
from .adapter import record
from .parse import AnthologyError, papers


def read_collection(content: Content, batch: Batch) -> Iterator[Record | Rejection]:
    """The papers of a collection, in the lists of their volumes, in constant memory.

    Raises:
        Unreadable: if it is none.
    """
    read = 0
    try:
        for paper in papers(content.chunks()):
            read += 1
            item = record(paper, f"{batch.name} {paper.volume.key} paper {paper.number}")
            if isinstance(item, Record):
                item.listings = item.listings or [batch.added()]
            yield item
    except AnthologyError as error:
        if not read:
            raise Unreadable(f"{error}; fetch it again") from error
        if not content.broken:
            yield Rejection(batch.name, f"{error}; fetch it again")
