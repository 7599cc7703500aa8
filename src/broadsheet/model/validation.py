"""A record before it is stored: cleaned, within limits, or refused with the remedy."""

from __future__ import annotations

import re
from typing import Any

from . import dates
from .identifiers import SCHEMES
from .papers import LINK_KINDS, Author, Record
from .text import clean_line, clean_paragraphs, title_key

# Longest among 128,000 real papers: title 240, abstract 4,031, comment 432, 3,303 authors.
MAX_TITLE = 1_000
MAX_ABSTRACT = 50_000
MAX_LINE = 2_000
MAX_AUTHORS = 10_000
MAX_LIST = 200
# The longest bibliographies are those of surveys and books; some are longer, none is read to its end.
MAX_REFERENCES = 5_000
MAX_COUNT = 2_000_000_000
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
MAX_NAME = 100
MAX_DEPTH = 8
_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x1f\x7f\ud800-\udfff]{3,2000}", re.IGNORECASE)


class RecordError(ValueError):
    """A record that cannot be stored; the message says what is wrong and what to do."""


def is_web_url(url: str) -> bool:
    """Whether ``url`` is an absolute http(s) URL, the only kind that is stored or shown as a link."""
    return bool(_URL.fullmatch(url))


def checked(record: Record) -> Record:
    """``record`` with its texts cleaned and its dates in UTC; changed in place and returned.

    A part that is wrong and not essential (a link that is no web address, a negative count) is
    dropped; a wrong title or date refuses the record.

    Raises:
        RecordError: naming the field and the remedy.
    """
    # Without a title it adds to a paper that is stored; a title that is nothing but space is a mistake.
    meant, record.title = record.title, clean_line(record.title)
    if not record.title and (meant or not record.identifiers):
        raise RecordError("the title is empty; give every paper a title")
    if len(record.title) > MAX_TITLE:
        raise RecordError(
            f"the title has {len(record.title):,} characters, at most {MAX_TITLE:,} are stored; shorten it"
        )
    if not title_key(record.title) and not record.identifiers:
        raise RecordError(
            f"the title {record.title[:40]!r} has neither letters nor digits, and there is no identifier; "
            "give one"
        )
    record.abstract = clean_paragraphs(record.abstract) if record.abstract else None
    if record.abstract and len(record.abstract) > MAX_ABSTRACT:
        raise RecordError(
            f"the abstract has {len(record.abstract):,} characters, at most {MAX_ABSTRACT:,} are stored; "
            "shorten it"
        )
    if len(record.authors) > MAX_AUTHORS:
        raise RecordError(
            f"{len(record.authors):,} authors, at most {MAX_AUTHORS:,} are stored; shorten the list"
        )
    record.authors = [
        Author(name, _plain(author.account))
        for author in record.authors
        if (name := clean_line(author.name)[:MAX_LINE])
    ]
    for name in ("published", "updated", "withdrawn"):
        value = getattr(record, name)
        if value:
            try:
                setattr(record, name, dates.timestamp(value))
            except dates.DateError as error:
                raise RecordError(f"{name}: {error}") from error
    if record.counted:
        try:
            record.counted = dates.day(record.counted)
        except dates.DateError as error:
            raise RecordError(f"counted: {error}") from error
    for name in ("venue", "comment", "submitter", "ai_summary"):
        value = getattr(record, name)
        setattr(record, name, (clean_line(value)[:MAX_LINE] or None) if value else None)
    record.categories = _lines(record.categories)
    record.ai_keywords = _lines(record.ai_keywords)
    record.links = [link for link in record.links if is_web_url(link.url) and link.kind in LINK_KINDS]
    for link in record.links:
        link.data = _plain(link.data)
    record.organization, record.extra = _plain(record.organization), _plain(record.extra)
    record.submitter_account = _plain(record.submitter_account)
    record.references = list(dict.fromkeys(filter(_is_key, record.references)))[:MAX_REFERENCES]
    if record.licence and not is_web_url(record.licence):
        record.licence = None
    for name in ("upvotes", "num_comments", "github_stars", "citations"):
        setattr(record, name, _count(getattr(record, name)))
    for listing in record.listings:
        try:
            listing.day = dates.day(listing.day)
        except dates.DateError as error:
            raise RecordError(f"day: {error}") from error
        listing.list = clean_line(listing.list)
        if not 0 < len(listing.list) <= MAX_NAME:
            raise RecordError(f"list: a list has a name of 1 to {MAX_NAME} characters; shorten it")
        if not 1 <= listing.rank <= MAX_COUNT:
            raise RecordError(f"rank: {listing.rank} is no place; places count from 1")
        listing.upvotes, listing.num_comments = _count(listing.upvotes), _count(listing.num_comments)
        listing.submitter = (clean_line(listing.submitter)[:MAX_LINE] or None) if listing.submitter else None
        listing.submitter_account = _plain(listing.submitter_account)
    return record


def _plain(value: Any, depth: int = 0) -> Any:
    """``value``, JSON as a source gave it, without characters that no database stores.

    What lies deeper than `MAX_DEPTH` becomes None.
    """
    if isinstance(value, str):
        return value if value.isprintable() else _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        if depth >= MAX_DEPTH:
            return None
        return {_plain(key, depth): _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, depth + 1) for part in value] if depth < MAX_DEPTH else None
    return value


def _is_key(key: str) -> bool:
    """Whether ``key`` is the key of an identifier, of a length that can be stored and looked up."""
    scheme, _, value = key.partition(":")
    return scheme in SCHEMES and 0 < len(value) <= MAX_LINE and value.isprintable()


def _lines(texts: list[str]) -> list[str]:
    """``texts`` cleaned, without empty ones and repeats, in order, at most `MAX_LIST`."""
    return list(dict.fromkeys(line for text in texts if (line := clean_line(text)[:200])))[:MAX_LIST]


def _count(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= MAX_COUNT else None
