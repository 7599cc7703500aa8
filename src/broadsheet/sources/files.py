"""Papers from a file or stream whose format is told by its content: what `broadsheet add` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ..model import dates
from ..model.papers import Record, Rejection, Wanted, Withdrawal
from . import formats, identifiers
from .batch import Batch
from .content import Content, InputError, Unreadable
from .encodings import UnknownEncoding
from .opml import Subscription

__all__ = ["InputError", "read_file", "read_words"]

Item = Record | Rejection | Wanted | Withdrawal | Subscription


def read_file(
    source: str | Path | BinaryIO, *, name: str | None = None, day: str | None = None
) -> Iterator[Item]:
    """What ``source`` holds, in its order: papers, papers asked for by id, feeds, and what cannot be read.

    The format is told by the content; gzip of every format is read, too. Nothing but opening the
    input raises: what is wrong inside it is yielded as a `Rejection`, and reading goes on.

    Args:
        source: a path, or a binary stream such as standard input.
        name: what messages call it; the path, or "standard input".
        day: the day of the lists in it, where it names none itself, as ``YYYY-MM-DD``.

    Raises:
        InputError: if there is no such file, or it cannot be opened.
        model.dates.DateError: if ``day`` is none.

    >>> records = [item for item in read_file("papers.jsonl") if isinstance(item, Record)]
    """
    day = dates.day(day) if day else None
    return _items(Content(source, name), day)


def read_words(words: Iterable[str]) -> Iterator[Wanted | Rejection]:
    """The papers that ``words``, ids and addresses as on a command line, ask for, in their order."""
    for item in identifiers.wanted(enumerate(words)):
        if isinstance(item, Wanted):
            yield Wanted(item.identifier, item.identifier.value)
        else:
            yield item


def _items(content: Content, day: str | None) -> Iterator[Item]:
    with content:
        try:
            read = formats.reader(content)
            yield from read(content, Batch(content, day))
        except (Unreadable, UnknownEncoding) as error:
            yield Rejection(content.name, str(error))
        if content.broken:
            yield Rejection(content.name, f"{content.broken}; the papers before the damage were read")
