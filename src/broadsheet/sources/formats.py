"""Which format a content is in, and the reader of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..model.papers import Record, Rejection, Wanted
from . import json_objects
from .batch import Batch
from .content import Content, Unreadable
from .daily_papers import adapter as daily_papers
from .daily_papers import saved_html
from .jsonlines import adapter as jsonlines

Item = Record | Rejection | Wanted
Reader = Callable[[Content, Batch], Iterator[Item]]

READ = (
    "Daily Papers pages saved as text or HTML, Daily Papers JSON, JSON lines, BibTeX, RIS, CSL-JSON, "
    "and plain ids and addresses, each also packed with gzip"
)
# The beginnings of what is no text.
_BINARY = (
    (b"%PDF", "a PDF"), (b"PK\x03\x04", "a ZIP archive"), (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"), (b"\x28\xb5\x2f\xfd", "packed with zstd"), (b"\x1f\x8b", "packed with gzip twice"),
    (b"SQLite format 3", "an SQLite database"), (b"PAR1", "a Parquet file"), (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"),
)  # fmt: skip


def reader(content: Content) -> Reader:
    """What reads ``content``.

    Raises:
        Unreadable: if it is in no format that is read; the message says which are.
    """
    head = content.head
    for beginning, name in _BINARY:
        if head.startswith(beginning):
            raise Unreadable(f"it is {name}; unpack or convert it. What is read: {READ}")
    text = head.decode("utf-8", "replace")
    if not text.strip("\ufeff \t\r\n\f\v\0"):
        if content.broken:
            return lambda content, batch: iter(())
        raise Unreadable("it is empty")
    if text.lstrip().startswith("<"):
        return _read_html
    if json_objects.looks_like_json(text):
        return _read_json
    return _read_saved_page


def _read_html(content: Content, batch: Batch) -> Iterator[Item]:
    for number, item in enumerate(saved_html.parse(content.text()), start=1):
        yield _adapted(item, f"{batch.name} paper {number}", batch)


def _read_saved_page(content: Content, batch: Batch) -> Iterator[Item]:
    text = content.text()
    yield from daily_papers.saved_page(text, batch, whole=not content.broken)


def _read_json(content: Content, batch: Batch) -> Iterator[Item]:
    for found in json_objects.objects(content):
        if isinstance(found, Rejection):
            yield found
        else:
            yield _adapted(found[1], found[0], batch)


def _adapted(value: Any, where: str, batch: Batch) -> Item:
    """The record that a JSON value tells, by its shape."""
    if not isinstance(value, dict):
        return Rejection(where, f"it is no JSON object but {str(value)[:40]!r}")
    try:
        if daily_papers.is_item(value):
            return daily_papers.record(value, where, batch)
        return jsonlines.record(value, where, batch)
    except (jsonlines.FieldError, daily_papers.ItemError) as error:
        return Rejection(where, str(error))
