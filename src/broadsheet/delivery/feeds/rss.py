"""Feeds as RSS 2.0, with the elements of Atom and Dublin Core that readers know."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from .atom import NAMESPACE as ATOM
from .model import Feed, Item

MEDIA_TYPE = "application/rss+xml"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
# Papers are announced once a day and votes count on; nothing is lost within an hour.
_MINUTES = "60"


def rss(feed: Feed) -> bytes:
    """``feed`` as an RSS document."""
    root = etree.Element("rss", version="2.0", nsmap={"atom": ATOM, "dc": DUBLIN_CORE})
    channel = etree.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.page)
    _text(channel, "description", feed.subtitle or feed.title)
    _text(channel, "language", "en")
    _text(channel, "lastBuildDate", _date(feed.updated))
    _text(channel, "generator", f"Broadsheet {feed.version}")
    _text(channel, "docs", "https://www.rssboard.org/rss-specification")
    _text(channel, "ttl", _MINUTES)
    _link(channel, "self", feed.url, MEDIA_TYPE)
    if feed.hub:
        _link(channel, "hub", feed.hub)
    for item in feed.items:
        _item(channel, item)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _item(channel: etree._Element, item: Item) -> None:
    element = etree.SubElement(channel, "item")
    _text(element, "title", item.title)
    _text(element, "link", item.url)
    _text(element, "guid", item.id).set("isPermaLink", "false")
    _text(element, "pubDate", _date(item.published))
    _text(element, f"{{{ATOM}}}updated", item.updated)
    for name in item.authors:
        _text(element, f"{{{DUBLIN_CORE}}}creator", name)
    for name in item.categories:
        _text(element, "category", name)
    _text(element, "description", item.content)


def _date(timestamp: str) -> str:
    return format_datetime(datetime.fromisoformat(timestamp), usegmt=True)


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, name)
    element.text = text
    return element


def _link(parent: etree._Element, relation: str, address: str, media_type: str = "") -> None:
    element = etree.SubElement(parent, f"{{{ATOM}}}link", rel=relation, href=address)
    if media_type:
        element.set("type", media_type)
