"""Feeds as Atom (RFC 4287)."""

from __future__ import annotations

from lxml import etree

from .model import Feed, Item

MEDIA_TYPE = "application/atom+xml"
NAMESPACE = "http://www.w3.org/2005/Atom"
_NAME = f"{{{NAMESPACE}}}"


def atom(feed: Feed) -> bytes:
    """``feed`` as an Atom document."""
    root = etree.Element(f"{_NAME}feed", nsmap={None: NAMESPACE})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    _text(root, "id", feed.url)
    _text(root, "title", feed.title)
    if feed.subtitle:
        _text(root, "subtitle", feed.subtitle)
    _text(root, "updated", feed.updated)
    _link(root, "self", feed.url, MEDIA_TYPE)
    _link(root, "alternate", feed.page, "text/html")
    if feed.hub:
        _link(root, "hub", feed.hub)
    _text(etree.SubElement(root, f"{_NAME}author"), "name", feed.site_name)
    _text(root, "generator", "Broadsheet").set("version", feed.version)
    if feed.icon:
        _text(root, "icon", feed.icon)
    for item in feed.items:
        _entry(root, item)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _entry(root: etree._Element, item: Item) -> None:
    entry = etree.SubElement(root, f"{_NAME}entry")
    _text(entry, "id", item.id)
    _text(entry, "title", item.title)
    _text(entry, "published", item.published)
    _text(entry, "updated", item.updated)
    _link(entry, "alternate", item.url, "text/html")
    if item.original:
        _link(entry, "related", item.original)
    for name in item.authors:
        _text(etree.SubElement(entry, f"{_NAME}author"), "name", name)
    for name in item.categories:
        etree.SubElement(entry, f"{_NAME}category").set("term", name)
    if item.summary:
        _text(entry, "summary", item.summary)
    _text(entry, "content", item.content).set("type", "html")


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, _NAME + name)
    element.text = text
    return element


def _link(parent: etree._Element, relation: str, address: str, media_type: str = "") -> None:
    element = etree.SubElement(parent, f"{_NAME}link", rel=relation, href=address)
    if media_type:
        element.set("type", media_type)
