"""Feeds in every common format as plain items.

Source: RSS 2.0 and 1.0 specifications, RFC 4287 (Atom), JSON Feed 1.1, PRISM and Dublin Core in feeds.
XML is read by feedparser.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import feedparser
import orjson

from ...model import dates
from ..markup import line_of, links_of, text_of
from ..values import object_in, objects_in, text

# The largest real feeds have a few megabytes, and some thousand items: they are windows, no archives.
MAX_BYTES = 4_000_000
MAX_ITEMS = 10_000
_ITEM = re.compile(rb"<(?:\w{1,20}:)?(?:item|entry)\b", re.IGNORECASE)
_JSON_FEED = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/")
# Entities of one's own make a small file large, or read files; no feed needs them.
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_IDENTIFIER_FIELDS = ("prism_doi", "dc_identifier", "prism_url", "guid", "feedburner_origlink")


class FeedError(ValueError):
    """Data that are no feed; the message says what they are."""


@dataclass(slots=True)
class Item:
    """One item, its texts without markup; what is missing is empty.

    ``names`` are texts that may name the paper (guid, DOI fields, further links), ``links`` the addresses
    in the summary with the words of each link, ``published`` a UTC timestamp.
    """

    place: int
    title: str = ""
    link: str = ""
    summary: str = ""
    published: str = ""
    authors: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class ParsedFeed:
    """A feed: its title, the page that it belongs to, its items in their order."""

    title: str = ""
    home_page: str = ""
    items: list[Item] = field(default_factory=list)


def is_json_feed(value: Any) -> bool:
    """Whether ``value`` is a feed in JSON Feed form."""
    value = object_in(value)
    return bool(_JSON_FEED.match(text(value.get("version")))) and "items" in value


def feed(data: bytes, url: str = "") -> ParsedFeed:
    """The feed that ``data`` is; relative addresses in it are relative to ``url``.

    Raises:
        FeedError: if it is none.
    """
    if len(data) > MAX_BYTES:
        raise FeedError(f"it has more than {MAX_BYTES // 1_000_000} MB, which no feed has")
    head = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{"):
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise FeedError(f"it is damaged JSON ({error})") from error
        if not is_json_feed(value):
            raise FeedError("it is JSON, but no JSON Feed")
        return json_feed(value, url)
    if not head:
        raise FeedError("it is empty")
    return _xml_feed(data, url)


def json_feed(value: dict[str, Any], url: str = "") -> ParsedFeed:
    """The feed that ``value`` is, in JSON Feed form; never raises."""
    result = ParsedFeed(line_of(text(value.get("title"))), text(value.get("home_page_url")))
    for place, part in enumerate(objects_in(value.get("items"))[:MAX_ITEMS], start=1):
        markup = text(part.get("content_html"))
        authors = objects_in(part.get("authors")) or [object_in(part.get("author"))]
        tags = part.get("tags")
        result.items.append(
            Item(
                place,
                title=line_of(text(part.get("title"))),
                link=urljoin_or_empty(url, text(part.get("url")) or text(part.get("external_url"))),
                summary=text_of(markup or text(part.get("content_text")) or text(part.get("summary"))),
                published=_timestamp(text(part.get("date_published")) or text(part.get("date_modified"))),
                authors=[name for author in authors if (name := line_of(text(author.get("name"))))],
                tags=[line for tag in tags if (line := line_of(text(tag)))] if isinstance(tags, list) else [],
                names=[name for key in ("id", "external_url") if (name := text(part.get(key)))],
                links=links_of(markup),
            )
        )
    return result


def _xml_feed(data: bytes, url: str) -> ParsedFeed:
    if _ENTITY.search(data):
        raise FeedError("it declares entities, which no feed needs; it was not read")
    if sum(1 for _ in _ITEM.finditer(data)) > MAX_ITEMS:
        raise FeedError(f"it has more than {MAX_ITEMS:,} items")
    try:
        # Never a text: feedparser would take it for an address or the name of a file.
        found = feedparser.parse(
            BytesIO(data),
            response_headers={"content-location": url} if url else {},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:
        # Its second reader, for damaged feeds, fails in ways of its own.
        raise FeedError(f"it cannot be read ({type(error).__name__})") from error
    if not found.get("version") and not found.get("entries"):
        looks_html = re.match(rb"\s*<(?:!doctype\s+)?html", data[:500], re.IGNORECASE)
        raise FeedError("it is a web page, no feed" if looks_html else "it is no RSS, Atom or JSON feed")
    head = object_in(found.get("feed"))
    result = ParsedFeed(line_of(text(head.get("title"))), urljoin_or_empty(url, text(head.get("link"))))
    for place, entry in enumerate(objects_in(found.get("entries"))[:MAX_ITEMS], start=1):
        result.items.append(_item(entry, place, url))
    return result


def _item(entry: dict[str, Any], place: int, url: str) -> Item:
    contents = [text(content.get("value")) for content in objects_in(entry.get("content"))]
    markup = text(entry.get("summary")) or next((content for content in contents if content), "")
    further = [text(link.get("href")) for link in objects_in(entry.get("links"))]
    names = [text(entry.get("id")), *(text(entry.get(name)) for name in _IDENTIFIER_FIELDS), *further]
    return Item(
        place,
        title=line_of(text(entry.get("title"))),
        link=urljoin_or_empty(url, text(entry.get("link"))),
        summary=text_of(markup),
        # As they stand there: feedparser's own look-up takes one date for the other.
        published=_instant(dict.get(entry, "published_parsed"))
        or _instant(dict.get(entry, "updated_parsed")),
        authors=_authors(entry),
        tags=[tag for part in objects_in(entry.get("tags")) if (tag := line_of(text(part.get("term"))))],
        names=[name for name in names if name],
        links=[link for part in dict.fromkeys([markup, *contents]) for link in links_of(part)],
    )


def _authors(entry: dict[str, Any]) -> list[str]:
    """The authors, each once; journals put all of them into one element."""
    names = [line_of(text(author.get("name"))) for author in objects_in(entry.get("authors"))]
    if not any(names):
        names = [line_of(text(entry.get("author")))]
    if len(names) == 1:
        names = _divided(names[0])
    return list(dict.fromkeys(name for name in names if name))


def _divided(names: str) -> list[str]:
    """The names in a text such as "A. Ada and B. Boole" or "Ada, A.; Boole, B."."""
    if ";" in names:
        return re.split(r"\s*;\s*", names)
    people = re.split(r",?\s+and\s+", names)
    parts = [part for name in people for part in re.split(r",\s+", name)]
    # A comma stands between whole names only; else it turns one around.
    return parts if all(" " in part for part in parts) else people


def _instant(parsed: Any) -> str:
    """A time as feedparser gives it, nine numbers in UTC, as a timestamp; empty where it is impossible."""
    try:
        moment = datetime.fromtimestamp(timegm(parsed), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    return _timestamp(moment.isoformat())


def _timestamp(told: str) -> str:
    try:
        return dates.timestamp(told) if told else ""
    except dates.DateError:
        return ""


def urljoin_or_empty(base: str, address: str) -> str:
    """``address`` made absolute by ``base``; empty where it is no web address."""
    try:
        whole = urljoin(base, address) if address else ""
    except ValueError:
        return ""
    return whole if whole.lower().startswith(("http://", "https://")) else ""
