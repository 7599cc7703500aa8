"""Subscriptions from OPML.

Source: OPML 2.0 (opml.org/spec2.opml); read by listparser. Some readers write ``url`` for ``xmlUrl``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import listparser

from ...model.text import clean_line
from ...model.validation import is_web_url
from ..encodings import UnknownEncoding, decoded

_URL_ATTRIBUTE = re.compile(r"(<outline\b(?![^<>]*\bxmlurl\s*=)[^<>]*?\s)url(\s*=)", re.IGNORECASE)
_OPML = re.compile(r"<(?:\w+:)?opml\b", re.IGNORECASE)


class OpmlError(ValueError):
    """Data that are no OPML, or hold no feeds; the message says which."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that somebody subscribed to."""

    url: str
    title: str = ""
    where: str = ""


def parse(data: bytes, name: str = "OPML") -> list[Subscription]:
    """The feeds that ``data`` lists, in its order, each once; addresses that are none are left out.

    Raises:
        OpmlError: if it is no OPML.
    """
    try:
        text = decoded(data)
    except UnknownEncoding as error:
        raise OpmlError(str(error)) from error
    if not _OPML.search(text[:20_000]):
        raise OpmlError("it is no OPML list of feeds")
    if "<!ENTITY" in text:
        raise OpmlError("it declares entities, which no list of feeds needs; it was not read")
    # listparser takes everything for UTF-8; never a text, which it might take for an address.
    text = re.sub(r"\A\ufeff?\s*(?:<\?xml[^>]*\?>)?", '<?xml version="1.0" encoding="UTF-8"?>', text)
    try:
        found = listparser.parse(_URL_ATTRIBUTE.sub(r"\1xmlUrl\2", text).encode("utf-8", "replace"))
    except Exception as error:
        raise OpmlError(f"it cannot be read ({type(error).__name__})") from error
    feeds = {}
    for number, told in enumerate(found["feeds"], start=1):
        url = str(told.get("url") or "").strip()
        if url.lower().startswith("feed:"):
            url = re.sub(r"(?i)^feed:(?://)?", "", url)
            url = url if "://" in url else f"http://{url}"
        if is_web_url(url):
            title = clean_line(str(told.get("title") or ""))[:200]
            feeds.setdefault(url, Subscription(url, title, f"{name} feed {number}"))
    return list(feeds.values())
