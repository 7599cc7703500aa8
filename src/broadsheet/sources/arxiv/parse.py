"""Answers of arXiv's API, an Atom feed with arXiv's own elements, as plain entries.

Source: arXiv API User's Manual, sections 3.3 (details of the Atom results) and 3.4 (errors).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from lxml import etree

from ..xml_events import SAFELY
from .elements import forget, text_of

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_FEED, _ENTRY = f"{_ATOM}feed", f"{_ATOM}entry"
_ERROR_ID = "/api/errors"
# Elements that hold one text each, and the field that keeps it.
_TEXTS = {
    f"{_ATOM}id": "id",
    f"{_ATOM}title": "title",
    f"{_ATOM}summary": "summary",
    f"{_ATOM}published": "published",
    f"{_ATOM}updated": "updated",
    f"{_ARXIV}comment": "comment",
    f"{_ARXIV}journal_ref": "journal_ref",
    f"{_ARXIV}doi": "doi",
}


class FeedError(ValueError):
    """Data that is no Atom feed, or a damaged one; the message says where."""


@dataclass(slots=True)
class Entry:
    """One entry of a feed, its texts as they stand there; what is missing is empty.

    ``place`` counts from 1. ``updated`` is the date of the version that ``id`` names, ``published``
    that of the first. ``error`` is arXiv's message where the entry is no paper but an error.
    """

    place: int
    id: str = ""
    title: str = ""
    summary: str = ""
    published: str = ""
    updated: str = ""
    authors: list[str] = field(default_factory=list)
    primary_category: str = ""
    categories: list[str] = field(default_factory=list)
    comment: str = ""
    journal_ref: str = ""
    doi: str = ""
    error: str = ""


def entries(data: bytes) -> Iterator[Entry]:
    """The entries of an Atom feed, in order.

    Entities beyond XML's own are not resolved, nothing is loaded, and single texts of more than
    10 MB are refused by the parser.

    Raises:
        FeedError: if ``data`` is no Atom feed; where it is damaged, after the entries before that.
    """
    parser = etree.iterparse(BytesIO(data), events=("start", "end"), **SAFELY)
    place, root = 0, None
    try:
        for event, element in parser:
            if root is None:
                root = element
                if element.tag != _FEED:
                    # A prefix that is not declared stays in the tag, which is then no qualified name.
                    raise FeedError(f"this is no Atom feed: its root is <{element.tag.rpartition('}')[2]}>")
            if event == "end" and element.tag == _ENTRY:
                place += 1
                yield _entry(element, place)
                # What was read is not kept: an answer may hold thousands of entries.
                forget(element)
    except etree.XMLSyntaxError as error:
        if root is None:
            raise FeedError(f"this is no Atom feed: {error.msg}") from error
        raise FeedError(f"the feed is damaged after entry {place}: {error.msg}") from error
    if root is None:
        raise FeedError("this is no Atom feed: it is empty")


def _entry(element: etree._Element, place: int) -> Entry:
    entry = Entry(place)
    for child in element:
        name = _TEXTS.get(child.tag)
        if name:
            # Of a repeated element, the first counts.
            setattr(entry, name, getattr(entry, name) or text_of(child))
        elif child.tag == f"{_ATOM}author":
            entry.authors.append(text_of(child.find(f"{_ATOM}name")))
        elif child.tag == f"{_ATOM}category":
            entry.categories.append(child.get("term", ""))
        elif child.tag == f"{_ARXIV}primary_category":
            entry.primary_category = child.get("term", "")
    if _ERROR_ID in entry.id:
        entry.error = entry.summary.strip() or "an error without a message"
    return entry
