"""What the parsers of arXiv's XML share: the text of an element, and freeing what was read."""

from __future__ import annotations

from lxml import etree


def text_of(element: etree._Element | None) -> str:
    """The whole text in ``element``; empty where there is no element."""
    if element is None:
        return ""
    return "".join(element.itertext()) if len(element) else element.text or ""


def forget(element: etree._Element) -> None:
    """Frees what was read: ``element``'s content and all that stands before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]
