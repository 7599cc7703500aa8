"""arXiv's feeds of the day, RSS 2.0 and Atom: what was announced as new, cross-listed or replaced.

Source: "RSS feed specifications" and "Atom feed specifications" on info.arxiv.org.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from io import BytesIO

from dateutil import parser as dateutil_parser
from lxml import etree

from ..xml_events import SAFELY, local_name
from .calendar import eastern
from .elements import text_of

# The longest feeds have 2,000 items of about 2 kB.
MAX_FEED = 20_000_000
TYPES = ("new", "cross", "replace", "replace-cross")
_ROOTS = ("rss", "feed")
_TAGS = ("{*}rss", "{*}feed", "{*}item", "{*}entry")
_TEXTS = {
    "title": "title",
    "guid": "id",
    "id": "id",
    "description": "summary",
    "summary": "summary",
    "pubDate": "date",
    "published": "date",
    "announce_type": "type",
    "rights": "licence",
    "DOI": "doi",
    "doi": "doi",
    "journal_reference": "journal_ref",
    "journal_ref": "journal_ref",
    "creator": "author_line",
}
# What stands before the abstract: the id with its version and the type of the announcement.
_SUMMARY_HEAD = re.compile(r"\s*arXiv:\S{1,40}\s+Announce Type:\s*([a-z-]{1,20})\s+Abstract:\s*")
_CATEGORIES = re.compile(r"arxiv\.org/(?:rss|atom)/([\w.+-]{2,2000})/?\s*$")
_TITLE = re.compile(r"updates on arxiv\.org", re.IGNORECASE)


class NoArxivFeed(ValueError):
    """Data that is no feed of arXiv; the message says what it is."""


@dataclass(slots=True)
class Announcement:
    """One item of a feed, its texts as they stand there; what is missing is empty.

    ``place`` counts from 1, ``day`` is the listing's day in US Eastern time, ``type`` one of `TYPES`.
    ``id`` is as the feed writes it: ``oai:arXiv.org:2508.13426v1``.
    """

    place: int
    id: str = ""
    title: str = ""
    summary: str = ""
    date: str = ""
    day: str = ""
    type: str = ""
    licence: str = ""
    doi: str = ""
    journal_ref: str = ""
    author_line: str = ""
    categories: list[str] = field(default_factory=list)


class ArxivFeed:
    """A feed of the day, read while `announcements` is iterated.

    After that ``day`` is the day of the feed, empty where it tells none, and ``categories`` are those
    that it is of.

    Raises:
        NoArxivFeed: if ``data`` are larger than any feed.
    """

    def __init__(self, data: bytes):
        if len(data) > MAX_FEED:
            raise NoArxivFeed(f"this is larger than {MAX_FEED // 1_000_000} MB, which no feed of arXiv is")
        self._data = data
        self.day = ""
        self.title = ""
        self.categories: list[str] = []
        # Why the rest of a damaged feed is lost, else empty.
        self.damage = ""

    def announcements(self) -> Iterator[Announcement]:
        """The items, in order; those before a damage.

        Entities are not resolved, nothing is loaded.

        Raises:
            NoArxivFeed: if the data are no feed of arXiv.
        """
        parser = etree.iterparse(
            BytesIO(self._data),
            events=("start", "end"),
            tag=_TAGS,
            **SAFELY,
        )
        place, root = 0, None
        try:
            for event, element in parser:
                name = local_name(element)
                if event == "start":
                    if root is None and name in _ROOTS:
                        root = element
                elif root is not None and name in ("item", "entry"):
                    if not place:
                        self._read_head(root)
                    place += 1
                    yield _announcement(element, place, self.day)
                    element.clear()
        except etree.XMLSyntaxError as error:
            if root is None:
                raise NoArxivFeed(f"this is no feed: {error.msg}") from error
            self.damage = f"the feed is damaged after item {place}: {error.msg}"
        if root is None:
            raise NoArxivFeed("this is no feed: its root element is another one")
        if not place:
            self._read_head(root)

    def _read_head(self, root: etree._Element) -> None:
        """What stands before the items.

        Raises:
            NoArxivFeed: if this is the feed of somebody else.
        """
        channel = next((child for child in root if local_name(child) == "channel"), root)
        texts: dict[str, str] = {}
        for child in channel:
            name = local_name(child)
            texts.setdefault(name, text_of(child).strip() or child.get("href", ""))
        self.title = " ".join(texts.get("title", "").split())
        found = next(
            (match for name in ("link", "id") if (match := _CATEGORIES.search(texts.get(name, "")))), None
        )
        if not found and not _TITLE.search(self.title):
            raise NoArxivFeed(f"this is a feed, but none of arXiv: {self.title[:100]!r}")
        self.categories = found[1].split("+") if found else []
        self.day = _day(texts.get("pubDate") or texts.get("updated") or texts.get("lastBuildDate") or "")


def _announcement(element: etree._Element, place: int, day: str) -> Announcement:
    item = Announcement(place)
    for child in element:
        name = local_name(child)
        attribute = _TEXTS.get(name)
        if attribute:
            setattr(item, attribute, getattr(item, attribute) or text_of(child).strip())
        elif name == "category":
            item.categories.append(child.get("term") or text_of(child).strip())
    head = _SUMMARY_HEAD.match(item.summary)
    if head:
        item.type = item.type or head[1]
        item.summary = item.summary[head.end() :]
    item.day = _day(item.date) or day
    return item


def _day(text: str) -> str:
    """The day that ``text``, a date of RSS or Atom, is in US Eastern time; empty where it is none."""
    try:
        moment = parsedate_to_datetime(text) if "," in text[:5] else dateutil_parser.isoparse(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(eastern())
        return moment.date().isoformat() if 1990 < moment.year < 2100 else ""
    except (ValueError, OverflowError, TypeError):
        return ""
