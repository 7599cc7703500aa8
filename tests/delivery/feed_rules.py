"""What RFC 4287, RSS 2.0 and JSON Feed 1.1 demand of a feed, as far as Broadsheet writes it: strict checks.

Each function takes a feed as bytes and gives what it breaks, as sentences; an empty list is a valid feed.
Elements and keys that the format does not have, or that we do not write, are errors too.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM, DC = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z.+-]+")
_RFC822 = re.compile(
    r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?\d\d? (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d(:\d\d)? (GMT|[+-]\d{4})"
)
# How often each element may and must stand: (least, most).
_MANY = 10**6
_ATOM_FEED = {
    "id": (1, 1), "title": (1, 1), "updated": (1, 1), "subtitle": (0, 1), "generator": (0, 1), "icon": (0, 1),
    "author": (0, _MANY), "link": (1, _MANY), "entry": (0, _MANY),
}  # fmt: skip
_ATOM_ENTRY = {
    "id": (1, 1), "title": (1, 1), "updated": (1, 1), "published": (0, 1), "summary": (0, 1),
    "content": (0, 1), "author": (0, _MANY), "category": (0, _MANY), "link": (0, _MANY),
}  # fmt: skip
_ATOM_ATTRIBUTES = {
    "generator": {"version", "uri"}, "link": {"rel", "href", "type"}, "category": {"term"},
    "content": {"type"},
    "feed": {"{http://www.w3.org/XML/1998/namespace}lang"},
}  # fmt: skip
_RSS_CHANNEL = {
    "title": (1, 1), "link": (1, 1), "description": (1, 1), "language": (0, 1), "lastBuildDate": (0, 1),
    "generator": (0, 1), "docs": (0, 1), "ttl": (0, 1), f"{{{ATOM}}}link": (1, _MANY), "item": (0, _MANY),
}  # fmt: skip
_RSS_ITEM = {
    "title": (0, 1), "link": (0, 1), "guid": (0, 1), "pubDate": (0, 1), "description": (0, 1),
    "category": (0, _MANY), f"{{{ATOM}}}updated": (0, 1), f"{{{DC}}}creator": (0, _MANY),
}  # fmt: skip
_JSON_FEED = {
    "version": str, "title": str, "home_page_url": str, "feed_url": str, "description": str, "icon": str,
    "language": str, "authors": list, "hubs": list, "items": list,
}  # fmt: skip
_JSON_ITEM = {
    "id": str, "url": str, "external_url": str, "title": str, "content_html": str, "summary": str,
    "date_published": str, "date_modified": str, "authors": list, "tags": list,
}  # fmt: skip


def _parsed(body: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(body, parser)
    assert root.getroottree().docinfo.doctype == ""
    return root


def _counted(element: etree._Element, allowed: dict[str, tuple[int, int]], namespace: str) -> Iterator[str]:
    prefix = f"{{{namespace}}}" if namespace else ""
    names = Counter(str(child.tag) for child in element)
    known = {name if name.startswith("{") else prefix + name: bounds for name, bounds in allowed.items()}
    for name in names - Counter(dict.fromkeys(known, _MANY)):
        yield f"{element.tag} has a {name}"
    for name, (least, most) in known.items():
        if not least <= names[name] <= most:
            yield f"{element.tag} has {names[name]} of {name}, not {least} to {most}"


def _address_errors(
    text: str | None, what: str, schemes: tuple[str, ...] = ("http", "https")
) -> Iterator[str]:
    parts = urlsplit(text or "")
    if parts.scheme not in schemes or not (parts.netloc or parts.path) or not (text or "").isascii():
        yield f"{what} is no absolute address: {text!r}"
    elif re.search(r"[\s<>\"{}|\\^`]", text or ""):
        yield f"{what} has characters that no address has: {text!r}"


def _moment_errors(text: str | None, what: str) -> Iterator[str]:
    if not _MOMENT.fullmatch(text or ""):
        yield f"{what} is no RFC 3339 timestamp: {text!r}"
        return
    try:
        datetime.fromisoformat(text or "")
    except ValueError:
        yield f"{what} is no moment: {text!r}"


def _html_errors(text: str, what: str) -> Iterator[str]:
    """HTML in a feed: balanced, and without anything that runs or loads."""
    try:
        root = etree.fromstring(f"<div>{text}</div>".replace("&nbsp;", "&#160;"))
    except etree.XMLSyntaxError as error:
        yield f"{what} is not well-formed: {error}"
        return
    for element in root.iter():
        if element.tag not in ("div", "p", "em", "strong", "small", "a"):
            yield f"{what} has a <{element.tag}>"
        if set(element.keys()) - {"href"}:
            yield f"{what} has attributes {element.keys()}"
        if element.get("href") is not None:
            yield from _address_errors(element.get("href"), what)


def atom_errors(body: bytes) -> list[str]:
    """What ``body`` breaks of RFC 4287."""
    return list(_atom_errors(_parsed(body)))


def _atom_errors(root: etree._Element) -> Iterator[str]:
    name = f"{{{ATOM}}}"
    if root.tag != f"{name}feed":
        yield f"the root is {root.tag}"
        return
    yield from _counted(root, _ATOM_FEED, ATOM)
    entries = root.findall(f"{name}entry")
    if root.find(f"{name}author") is None and any(entry.find(f"{name}author") is None for entry in entries):
        yield "an entry has no author, nor has the feed"
    selves = [link for link in root.findall(f"{name}link") if link.get("rel") == "self"]
    if len(selves) != 1:
        yield f"{len(selves)} links to the feed itself"
    for entry in entries:
        yield from _counted(entry, _ATOM_ENTRY, ATOM)
        if entry.find(f"{name}content") is None and not any(
            link.get("rel") == "alternate" for link in entry.findall(f"{name}link")
        ):
            yield "an entry has neither content nor a link to its page"
    ids = Counter(entry.findtext(f"{name}id") for entry in entries)
    yield from (f"the id {id} stands {number} times" for id, number in ids.items() if number > 1)
    for element in root.iter():
        yield from _atom_element_errors(element, str(element.tag).removeprefix(name))


def _atom_element_errors(element: etree._Element, tag: str) -> Iterator[str]:
    if extra := set(element.keys()) - _ATOM_ATTRIBUTES.get(tag, set()):
        yield f"<{tag}> has {extra}"
    match tag:
        case "id":
            yield from _address_errors(element.text, "an id", ("http", "https", "urn"))
        case "icon":
            yield from _address_errors(element.text, "the icon")
        case "updated" | "published":
            yield from _moment_errors(element.text, f"<{tag}>")
        case "link":
            yield from _address_errors(element.get("href"), "a link")
            if element.get("rel") not in ("self", "alternate", "related", "hub"):
                yield f"a link is {element.get('rel')}"
            if element.get("type") and not _MEDIA_TYPE.fullmatch(element.get("type") or ""):
                yield f"a link has the type {element.get('type')}"
        case "category":
            if not element.get("term"):
                yield "a category without term"
        case "author":
            if [child.tag for child in element] != [f"{{{ATOM}}}name"] or not (element[0].text or "").strip():
                yield "an author is not exactly one name"
        case "content":
            if element.get("type") != "html" or len(element):
                yield "content is not escaped HTML"
            yield from _html_errors(element.text or "", "content")
        case "title" | "summary" | "subtitle" | "name" | "generator":
            if len(element) or not (element.text or "").strip():
                yield f"<{tag}> is no text"


def rss_errors(body: bytes) -> list[str]:
    """What ``body`` breaks of RSS 2.0 and of the profile of the RSS Advisory Board."""
    return list(_rss_errors(_parsed(body)))


def _rss_errors(root: etree._Element) -> Iterator[str]:
    if root.tag != "rss" or root.get("version") != "2.0" or [child.tag for child in root] != ["channel"]:
        yield "it is no <rss version='2.0'> with one channel"
        return
    channel = root[0]
    yield from _counted(channel, _RSS_CHANNEL, "")
    for path in ("link", "docs"):
        if channel.find(path) is not None:
            yield from _address_errors(channel.findtext(path), f"the channel's {path}")
    for link in channel.findall(f"{{{ATOM}}}link"):
        yield from _address_errors(link.get("href"), "a link")
    if not (channel.findtext("ttl") or "0").isdigit():
        yield "ttl is no number"
    items = channel.findall("item")
    for item in items:
        yield from _counted(item, _RSS_ITEM, "")
        if not (item.findtext("title") or item.findtext("description")):
            yield "an item has neither title nor description"
        yield from _address_errors(item.findtext("link"), "an item's link")
        guid = item.find("guid")
        if guid is None or guid.get("isPermaLink") not in ("true", "false"):
            yield "an item's guid does not say whether it is a link"
        elif guid.get("isPermaLink") == "true":
            yield from _address_errors(guid.text, "a guid")
        yield from _moment_errors(item.findtext(f"{{{ATOM}}}updated"), "updated")
        yield from _html_errors(item.findtext("description") or "", "a description")
    guids = Counter(item.findtext("guid") for item in items)
    yield from (f"the guid {id} stands {number} times" for id, number in guids.items() if number > 1)
    for element in root.iter("pubDate", "lastBuildDate"):
        if not _RFC822.fullmatch(element.text or ""):
            yield f"{element.tag} is no date: {element.text}"
        else:
            parsedate_to_datetime(element.text or "")


def json_errors(body: bytes) -> list[str]:
    """What ``body`` breaks of JSON Feed 1.1."""
    return list(_json_errors(json.loads(body)))


def _json_errors(feed: Any) -> Iterator[str]:
    yield from _typed(feed, _JSON_FEED, "the feed")
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield f"the version is {feed.get('version')}"
    if not feed.get("title") or not isinstance(feed.get("items"), list):
        yield "title or items are missing"
    for name in ("home_page_url", "feed_url", "icon"):
        if name in feed:
            yield from _address_errors(feed[name], name)
    for hub in feed.get("hubs", []):
        if set(hub) != {"type", "url"}:
            yield "a hub is not exactly type and url"
    ids = Counter(item.get("id") for item in feed["items"])
    yield from (f"the id {id} stands {number} times" for id, number in ids.items() if number > 1)
    for item in feed["items"]:
        yield from _typed(item, _JSON_ITEM, "an item")
        if not item.get("id") or "content_html" not in item:
            yield "an item has no id or no content"
        for name in ("url", "external_url"):
            if name in item:
                yield from _address_errors(item[name], name)
        for name in ("date_published", "date_modified"):
            if name in item:
                yield from _moment_errors(item[name], name)
        if any(set(author) != {"name"} or not author["name"] for author in item.get("authors", [])):
            yield "an author is not exactly a name"
        if not all(isinstance(tag, str) and tag for tag in item.get("tags", [])):
            yield "a tag is no text"
        yield from _html_errors(item.get("content_html", ""), "content_html")


def _typed(told: Any, types: dict[str, type], what: str) -> Iterator[str]:
    for name, value in told.items():
        if name.startswith("_"):
            # An extension is an object; its name has no dots.
            if not isinstance(value, dict) or "." in name:
                yield f"the extension {name} is no object"
        elif name not in types:
            yield f"{what} has {name}"
        elif not isinstance(value, types[name]) or (
            value in ("", []) and name not in ("items", "content_html")
        ):
            yield f"{name} of {what} is {value!r}"


CHECKS = {"atom": atom_errors, "rss": rss_errors, "json": json_errors}
